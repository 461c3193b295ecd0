"""Starts the processes of the Procfile, says when the pages are there, and stops all of them together."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FrameType

from bootstrap.parentage import adopt_orphans, end_with
from bootstrap.refusal import Refusal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_WITHIN = 120.0
STOP_WITHIN = 8.0
"""honcho itself kills what has not stopped after 5 seconds."""


class Stopped(Exception):
    """A person (Ctrl-C) or the machine (SIGTERM) asked for the end."""

    def __init__(self, by: int) -> None:
        super().__init__(signal.Signals(by).name)
        self.code = 128 + by


def serve(
    command: Sequence[str], folder: Path, address: str, announcement: Callable[[], str], afterwards: Sequence[str]
) -> int:
    """Runs `command`, which runs the others, until it ends or a signal comes; prints the announcement when the pages
    at `address` answer, and then runs `afterwards` beside it, behind everything else in the queue for the processor.

    Returns the code to exit with. Nothing that was started is left behind: what loses its parent is handed to this
    process (a subreaper), and a death of this process stops the others.
    """
    adopt_orphans()
    process, promise = None, end_with(os.getpid())
    previous = {number: signal.getsignal(number) for number in SIGNALS}
    # A session of its own: Ctrl-C comes to this process alone, which then stops the others once.
    told_at_once = os.environ | {"PYTHONUNBUFFERED": "1"}
    try:
        for number in SIGNALS:
            signal.signal(number, _stop)
        process = subprocess.Popen(command, cwd=folder, env=told_at_once, start_new_session=True, preexec_fn=promise)
        told = announcement()  # takes a second, in which the processes start
        await_pages(process, address)
        print(told, flush=True)
        behind = partial(_behind_the_others, promise)
        subprocess.Popen(afterwards, cwd=folder, env=told_at_once, start_new_session=True, preexec_fn=behind)
        process.wait()
        print("A process ended by itself, so all were stopped; its last lines above say why.", file=sys.stderr)
        return process.returncode or 1
    except Stopped as stopped:
        return stopped.code
    finally:
        _stop_all(process)
        for number, handler in previous.items():
            signal.signal(number, handler)


def _behind_the_others(promise: Callable[[], None]) -> None:
    promise()
    os.nice(10)


def await_pages(process: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not answers(f"{address}/healthz"):
        if process.poll() is not None:
            raise Refusal("A process ended while starting; its last lines above say why.")
        if time.monotonic() > deadline:
            raise Refusal(f"The pages did not answer at {address} within {READY_WITHIN:.0f} seconds.")
        time.sleep(0.2)


def answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _stop(number: int, _frame: FrameType | None) -> None:
    raise Stopped(number)


def _stop_all(process: "subprocess.Popen[bytes] | None") -> None:
    """Politely, then by force; a second Ctrl-C does not leave the rest running."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if process and process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    while orphans := list(_children(os.getpid())):
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
            os.waitpid(orphan, 0)


def _children(parent: int) -> Iterator[int]:
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name) state parent ...; the name may hold spaces and brackets.
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            yield int(status.parent.name)
