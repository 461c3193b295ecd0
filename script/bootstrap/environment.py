"""The virtual environment and the pinned packages in it.

A set-up may be killed at any instant. The environment is whole when it says so: `stamps/venv` is written after it was
made, and `stamps/unfinished` stands while packages are being put in. Where that mark was left, all is made anew.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bootstrap import checks, stamps
from bootstrap.checkout import Checkout
from bootstrap.console import StepLine
from bootstrap.programs import FailedError, cause_of, refusal, run, run_or_refuse
from bootstrap.step import Step

VENV_FILES = 1000
"""About as many files as pip brings."""


def steps(checkout: Checkout, lock: str, megabytes: int) -> list[Step]:
    """What `lock` names, in .venv. The locks for the program and for the tests pin alike, so either may come first."""
    return [
        Step(
            "Virtual environment",
            lambda: venv_is_usable(checkout),
            lambda line: make_venv(checkout, line),
            [checkout.root, checkout.venv],
            50,
        ),
        Step(
            "Python packages",
            lambda: stamps.is_current(checkout.stamps / lock, _made_from(checkout, lock)),
            lambda line: install_packages(checkout, lock, line),
            [checkout.venv],
            megabytes,
        ),
        Step(
            "Studionett itself",
            lambda: stamps.is_current(checkout.stamps / "studionett", _itself(checkout)),
            lambda line: install_itself(checkout, line),
            [checkout.root, checkout.venv],
        ),
    ]


def venv_is_usable(checkout: Checkout) -> bool:
    if (checkout.stamps / "unfinished").exists() or not _made_here(checkout):
        return False
    try:  # fails when the machine's Python was replaced by another
        return subprocess.run([checkout.python, "-c", "import pip"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _made_here(checkout: Checkout) -> bool:
    """Its programs name their own path: a checkout that was moved or copied needs a new one. pip writes RECORD last."""
    try:
        first_line = (checkout.venv / "bin" / "pip").read_text().splitlines()[0]
    except (OSError, IndexError, UnicodeDecodeError):
        return False
    records = checkout.venv.glob("lib/python3.*/site-packages/pip-*.dist-info/RECORD")
    return str(checkout.venv) + "/" in first_line and any(records)


def make_venv(checkout: Checkout, line: StepLine) -> str:
    checks.venv_module()
    if checkout.venv.exists():
        shutil.rmtree(checkout.venv)
    command = [sys.executable, "-m", "venv", str(checkout.venv)]
    packages = checkout.venv / "lib"
    run_or_refuse(
        checkout,
        line,
        command,
        "The virtual environment could not be made",
        lambda _: min(sum(1 for _ in packages.rglob("*")) / VENV_FILES, 1.0),
    )
    return f"made in .venv with Python {sys.version_info.major}.{sys.version_info.minor}"


def install_packages(checkout: Checkout, lock: str, line: StepLine) -> str:
    """Every package of the lock with its hash, and nothing that the lock does not name."""
    unfinished = checkout.stamps / "unfinished"
    stamps.write(unfinished, lock)
    wanted = len(_pins(checkout.root / lock))
    command = [checkout.tool("python"), "-m", "pip", "install", "--no-input", "--progress-bar=off"]
    command += ["--no-deps", "--require-hashes", "--requirement", lock]
    try:
        run(checkout, line, command, lambda output: _installed(checkout, output, wanted))
    except FailedError as error:
        if "Installing collected packages" not in error.output:
            unfinished.unlink()  # nothing was touched yet: what was there before still works
        raise refusal(checkout, f"The packages of {lock} could not be installed", cause_of(error.output)) from None
    for covered in _covered(lock):
        stamps.write(checkout.stamps / covered, _made_from(checkout, covered))
    unfinished.unlink()
    return f"{wanted} pinned in {lock}"


def install_itself(checkout: Checkout, line: StepLine) -> str:
    command = [checkout.tool("python"), "-m", "pip", "install", "--no-input", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--editable", "."]
    run_or_refuse(checkout, line, command, "The project itself could not be installed")
    stamps.write(checkout.stamps / "studionett", _itself(checkout))
    return "installed from this checkout"


def _installed(checkout: Checkout, output: str, wanted: int) -> float:
    """pip names each package once while it fetches it; then the packages appear in the environment one by one."""
    fetched = len(re.findall(r"^(?:Collecting|Requirement already satisfied|Ignoring) ", output, re.MULTILINE))
    appeared = 0
    if "Installing collected packages" in output:
        appeared = sum(1 for _ in checkout.venv.glob("lib/python3.*/site-packages/*.dist-info"))
    return min((fetched + appeared) / (2 * wanted), 1.0)


def _pins(lock: Path) -> list[str]:
    return re.findall(r"^[A-Za-z0-9][^ ]*==[^ ]+", lock.read_text(), re.MULTILINE)


def _covered(lock: str) -> Sequence[str]:
    """The tests' lock holds all that the program's holds."""
    return ["requirements.txt", "requirements-test.txt"] if lock == "requirements-test.txt" else [lock]


def _made_from(checkout: Checkout, lock: str) -> str:
    return stamps.digest([checkout.root / lock])


def _itself(checkout: Checkout) -> str:
    return stamps.digest([checkout.root / "pyproject.toml"])
