"""One step of the set-up: does nothing when what it makes is there already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.console import StepLine
from bootstrap.refusal import Refusal


@dataclass(frozen=True)
class Step:
    name: str
    ready: Callable[[], bool]
    """Whether there is nothing to do."""
    do: Callable[[StepLine], str]
    """Does it, tells how far it is, and returns what was done in a few words."""
    writes: Sequence[Path] = ()
    """The folders that it must be able to write to."""
    megabytes: int = 0
    """The disk space that it takes, at most."""


def carry_out(steps: Sequence[Step]) -> None:
    for step in steps:
        line = StepLine(step.name)
        if step.ready():
            line.done("ready")
            continue
        try:
            line.done(step.do(line))
        except (Refusal, OSError):
            line.failed()
            raise
