"""What the program keeps: its secret key, its database, and on a new installation the demonstration inventory."""

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


def steps(checkout: Checkout) -> list[Step]:
    """The migrations and the demonstration are asked for at each start: they know themselves what is there."""
    key = checkout.var / "secret-key"
    return [
        Step("Secret key", lambda: _has_key(key), lambda _: make_key(key), [checkout.var]),
        Step("Database", lambda: False, lambda line: upgrade(checkout, line), [checkout.var]),
        Step("Demonstration", lambda: False, lambda line: demonstrate(checkout, line), [checkout.var]),
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


def demonstrate(checkout: Checkout, line: StepLine) -> str:
    """Writes into an empty database only."""
    command = [checkout.tool("studionett"), "demo", "--if-empty"]
    output = run_or_refuse(checkout, line, command, "The demonstration inventory could not be written", why=last_words)
    told = output.strip().splitlines()
    return told[0].removeprefix("Demonstration inventory: ").rstrip(".") if told else "ready"


def accounts(checkout: Checkout) -> str:
    command = [checkout.tool("studionett"), "demo", "--accounts"]
    told = subprocess.run(command, cwd=checkout.root, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise Refusal(f"The demonstration accounts could not be read: {told.stderr.strip() or 'no reason given'}")
    return told.stdout


def _has_key(key: Path) -> bool:
    return bool(os.environ.get("STUDIONETT_SECRET_KEY", "").strip()) or key.exists()
