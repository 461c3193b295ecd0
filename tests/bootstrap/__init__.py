"""The set-up runs without being installed; its package is beside the scripts."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "script"))
