"""What the program keeps: its secret key, its database, and on a new installation the demonstration."""

import os
import secrets
import subprocess
from pathlib import Path

from bootstrap.checkout import Checkout
from bootstrap.console import StepLine
from bootstrap.programs import last_words, run_or_refuse
from bootstrap.refusal import Refusal
from bootstrap.step import Step

KEY_BYTES = 48


def steps(checkout: Checkout, living: bool = False) -> list[Step]:
    """The migrations and the demonstration are asked for at each start: they know themselves what is there.

    `living`: with a working day around now, whose first calls are due in a minute; only for who starts the processes.
    """
    key = checkout.var / "secret-key"
    return [
        Step("Secret key", lambda: _has_key(key), lambda _: make_key(key), [checkout.var]),
        Step("Database", lambda: False, lambda line: upgrade(checkout, line), [checkout.var]),
        Step("Demonstration", lambda: False, lambda line: demonstrate(checkout, line, living), [checkout.var]),
    ]


def make_key(key: Path) -> str:
    """Never readable by others, not even for an instant, and never half written."""
    unfinished = key.with_name(key.name + ".new")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as content:
        content.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
        content.flush()
        os.fsync(content.fileno())
    unfinished.replace(key)
    return "made in var/secret-key"


def upgrade(checkout: Checkout, line: StepLine) -> str:
    command = [checkout.tool("studionett"), "db", "upgrade"]
    run_or_refuse(checkout, line, command, "The database could not be brought up to date", why=last_words)
    return "up to date"


def demonstrate(checkout: Checkout, line: StepLine, living: bool) -> str:
    """Writes nothing where other studios are."""
    command = [checkout.tool("studionett"), "demo", "--if-empty", *(["--day", "--only", "day"] if living else [])]
    output = run_or_refuse(checkout, line, command, "The demonstration could not be written", why=last_words)
    told = [said for said in output.splitlines() if said.startswith(("Demonstration inventory", "Working day"))]
    return (told[-1] if told else "nothing was written").partition(": ")[2].rstrip(".") or "nothing was written"


def history(checkout: Checkout) -> list[str]:
    """Writes the year before today, if it is not there: work for after the start, since it takes a minute or more."""
    return [checkout.tool("studionett"), "demo", "--if-empty", "--day", "--only", "year"]


def accounts(checkout: Checkout) -> str:
    command = [checkout.tool("studionett"), "demo", "--accounts"]
    told = subprocess.run(command, cwd=checkout.root, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise Refusal(f"The demonstration accounts could not be read: {told.stderr.strip() or 'no reason given'}")
    return told.stdout


def _has_key(key: Path) -> bool:
    return bool(os.environ.get("STUDIONETT_SECRET_KEY", "").strip()) or key.exists()
