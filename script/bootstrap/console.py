"""What the person sees: one line a step, a bar on a long one; plain lines where there is no terminal."""

import os
import shutil
import sys
import time
from typing import TextIO

NAME_WIDTH = 22
BAR_WIDTH = 30
PLAIN_EVERY = 5.0
"""Seconds between two lines about one step, where a line cannot be rewritten."""


class StepLine:
    def __init__(self, name: str, out: TextIO | None = None) -> None:
        self.name = name
        self.out = out or sys.stdout
        self.started = self.spoken = time.monotonic()
        self.live = self.out.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def progress(self, fraction: float | None) -> None:
        """How far the step is, 0 to 1; None when nobody can tell."""
        if self.live:
            self._rewrite(f"{self._bar(fraction)} {self.seconds:4.0f} s")
        elif time.monotonic() - self.spoken >= PLAIN_EVERY:
            self.spoken = time.monotonic()
            far = "working" if fraction is None else f"{fraction:4.0%}"
            self._write(f"{self._label()}{far}, {self.seconds:.0f} s\n")

    def done(self, outcome: str) -> None:
        took = f" ({self.seconds:.0f} s)" if self.seconds >= 1 else ""
        self._clear()
        self._write(f"{self._label()}{outcome}{took}\n")

    def failed(self) -> None:
        self._clear()
        self._write(f"{self._label()}failed\n")

    def _label(self) -> str:
        return f"{self.name:<{NAME_WIDTH}}"

    def _bar(self, fraction: float | None) -> str:
        if fraction is None:
            at = int(self.seconds * 5) % BAR_WIDTH
            return "[" + ("." * at + "#" + "." * (BAR_WIDTH - at - 1)) + "]     "
        filled = int(BAR_WIDTH * fraction)
        return "[" + "#" * filled + "." * (BAR_WIDTH - filled) + f"] {fraction:4.0%}"

    def _rewrite(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._write("\r\x1b[K" + (self._label() + text)[:width])

    def _clear(self) -> None:
        if self.live:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()
