"""Runs the programs of the set-up: output to the log, progress to the line, one sentence when one fails."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from bootstrap.checkout import Checkout
from bootstrap.console import StepLine
from bootstrap.refusal import Refusal

LOOK_EVERY = 0.2
STOP_WITHIN = 10.0
Measure = Callable[[str], float | None]
"""From the output so far to the fraction done, 0 to 1, or None."""

# What a program that fetches packages says about why it failed, the most telling first.
CAUSES = [
    (r"No space left on device|ENOSPC|Disk quota exceeded", "the disk is full"),
    (r"do not match the hashes|EINTEGRITY|Hash Sum mismatch", "a download does not match its recorded hash"),
    (
        r"Temporary failure in name resolution|Name or service not known|Temporary failure resolving|Network is "
        r"unreachable|NewConnectionError|ConnectTimeout|Read timed out|Could not connect|Connection refused|Max retries"
        r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH",
        "the package registry cannot be reached; is this machine on the network?",
    ),
    (r"CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER", "the registry's certificate is not trusted"),
    (r"Permission denied|EACCES|Read-only file system|EROFS", "a file or folder cannot be written to"),
]


class FailedError(Exception):
    """A program ended with an error; `output` is all that it said."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.output = output


def run(checkout: Checkout, line: StepLine, command: Sequence[str], measure: Measure | None = None) -> str:
    """Runs to the end and returns the output. Raises FailedError, and Refusal when it can't be started at all."""
    checkout.var.mkdir(mode=0o700, exist_ok=True)
    with open(checkout.log, "a+b") as log:
        log.write(f"\n$ {' '.join(command)}\n".encode())
        log.flush()
        start = log.tell()
        process = _start(command, checkout.root, log.fileno())
        try:
            _watch(process, line, lambda: _since(checkout.log, start), measure)
        except BaseException:
            _stop(process)
            raise
    output = _since(checkout.log, start)
    if process.returncode != 0:
        raise FailedError(output)
    return output


def run_or_refuse(
    checkout: Checkout,
    line: StepLine,
    command: Sequence[str],
    failed: str,
    measure: Measure | None = None,
    why: Callable[[str], str] | None = None,
) -> str:
    """As `run`, with the failure told in one sentence: `failed`, then what `why` (`cause_of`) makes of the output."""
    try:
        return run(checkout, line, command, measure)
    except FailedError as error:
        raise refusal(checkout, failed, (why or cause_of)(error.output)) from None


def refusal(checkout: Checkout, failed: str, cause: str) -> Refusal:
    return Refusal(f"{failed}: {cause} (everything it said is in {checkout.log.relative_to(checkout.root)}).")


def cause_of(output: str) -> str:
    """Why a program that fetches packages failed: a known cause, else its own last words."""
    for pattern, cause in CAUSES:
        if re.search(pattern, output):
            return cause
    return last_words(output)


def last_words(output: str) -> str:
    """The message of the last error, without the names of its classes; else the last line that was said."""
    errors = re.findall(r"^(?:[\w.]+(?:Error|Exception)|Error|studionett): (?:\([\w.]+\) )?(.+)$", output, re.MULTILINE)
    lines = errors or [line.strip() for line in output.splitlines() if line.strip()]
    return str(lines[-1]).rstrip(".") if lines else "it gave no reason"


def _start(command: Sequence[str], folder: Path, log: int) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=False,  # the lock of the set-up is held until this program has ended, too
            start_new_session=True,  # so that what it starts itself can be stopped with it
        )
    except OSError as error:
        raise Refusal(f"{command[0]} cannot be started: {error.strerror}.") from None


def _watch(
    process: "subprocess.Popen[bytes]", line: StepLine, output: Callable[[], str], measure: Measure | None
) -> None:
    while True:
        try:
            process.wait(LOOK_EVERY)
            return
        except subprocess.TimeoutExpired:
            line.progress(measure(output()) if measure else None)


def _since(log: Path, start: int) -> str:
    with open(log, "rb") as content:
        content.seek(start)
        return content.read().decode(errors="replace")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """The program and all that it started; politely first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN)
