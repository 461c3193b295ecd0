"""Runs one process of the Procfile, and runs it again when it is killed.

What is due lives in tables, so it carries on where it was ended."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

from bootstrap.parentage import end_with

SOON = 5.0
"""Seconds within which a process that is killed again and again is given up."""
MOST_SOON = 3


def keep(command: Sequence[str]) -> int:
    """The code to exit with: the process's own when it ended by itself, which running it again would not mend."""
    keeper, killed_soon = _Keeper(), 0
    while True:
        began = time.monotonic()
        code = keeper.run(command)
        if keeper.stopping or code >= 0:
            return code if code >= 0 else 128 - code
        killed_soon = killed_soon + 1 if time.monotonic() - began < SOON else 0
        if killed_soon == MOST_SOON:
            print("It was killed again and again, so it is given up.", flush=True)
            return 128 - code
        print(f"It was ended by {signal.Signals(-code).name}, and is started again.", flush=True)


class _Keeper:
    """`stopping`: a signal said so, and went to the process as well."""

    def __init__(self) -> None:
        self.stopping = False
        self._process: subprocess.Popen[bytes] | None = None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)

    def run(self, command: Sequence[str]) -> int:
        self._process = subprocess.Popen(command, preexec_fn=end_with(os.getpid()))
        if self.stopping:
            self._process.terminate()
        return self._process.wait()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        if self._process is not None:
            self._process.terminate()
