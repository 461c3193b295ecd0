"""The way in. This file alone must parse under an old Python, so that it can say which one is needed."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this is the file that says so
    sys.exit(
        f"Studionett needs Python 3.11 or newer, and {sys.executable} is {sys.version_info[0]}.{sys.version_info[1]}: "
        "install a newer one (Debian 12: apt install python3 python3-venv) or name one in STUDIONETT_PYTHON."
    )

# The folder was started as a program: make it importable under its name instead.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from bootstrap.cli import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
