"""What somebody says of single occurrences before a series is saved: skip, move, take another studio. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from studios.booking.rules import end_of
from studios.booking.series.recurrence import Occurrence


@dataclass(frozen=True)
class Choice:
    """What is chosen for one occurrence. A skipped one may keep what else was chosen, for when it is taken in again."""

    skipped: bool = False
    start: datetime | None = None
    """Where it is moved to, UTC; None leaves it where the rule puts it."""
    studios: Mapping[int, int] = field(default_factory=dict)
    """Studio keys in place of those of the series, by the party's position (the first is 0)."""


NOTHING_CHOSEN = Choice()


@dataclass(frozen=True)
class Planned:
    """An occurrence as it will be booked. A moved one keeps the length, and `recurs_at`, where the rule puts it."""

    occurrence: Occurrence
    start: datetime | None
    end: datetime | None
    studios: Mapping[int, int]
    skipped: bool

    @property
    def recurs_at(self) -> datetime:
        return self.occurrence.recurs_at

    @property
    def moved(self) -> bool:
        return self.start != self.occurrence.start

    @property
    def detached(self) -> bool:
        """Whether it stands by itself, so that later edits of the series leave its time and studios alone."""
        return self.moved or bool(self.studios)

    @property
    def to_be_booked(self) -> bool:
        """Not when skipped, and not while its time does not exist."""
        return not self.skipped and self.start is not None


class UnknownDays(Exception):
    """Choices name what is no occurrence: the rule was changed since, or the request was made by hand."""

    def __init__(self, days: Sequence[str]) -> None:
        super().__init__(", ".join(days))
        self.days = tuple(days)


def apply(occurrences: Sequence[Occurrence], choices: Mapping[str, Choice]) -> list[Planned]:
    """Every occurrence, in the order of the rule, with what was chosen for its day (an ISO date such as 2026-10-19).

    Raises UnknownDays.
    """
    if unknown := sorted(choices.keys() - {occurrence.day.isoformat() for occurrence in occurrences}):
        raise UnknownDays(unknown)
    return [_planned(one, choices.get(one.day.isoformat(), NOTHING_CHOSEN)) for one in occurrences]


def _planned(occurrence: Occurrence, choice: Choice) -> Planned:
    start = choice.start or occurrence.start
    end = end_of(start, occurrence.minutes) if start else None
    return Planned(occurrence, start, end, choice.studios, choice.skipped)
