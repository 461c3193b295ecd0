"""Starts as bits of one integer: bit n is the start n steps after the grid's origin. Pure.

What bars a start is worked out exactly, to the microsecond; only the starts themselves stand on a grid.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from studios.booking.finding.question import STEP, Room, Taken
from studios.calendars.rules import Span

NOTHING = timedelta()
_ZERO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grid:
    """The possible starts, from `origin` on."""

    origin: datetime
    count: int

    @property
    def whole(self) -> int:
        return (1 << self.count) - 1

    def at(self, index: int) -> datetime:
        return self.origin + index * STEP

    def index_from(self, instant: datetime) -> int:
        """The first start at or after the instant; it may lie outside the grid."""
        return -((self.origin - instant) // STEP)

    def bits(self, first: int, end: int) -> int:
        """The starts from `first` up to, and without, `end`."""
        first, end = max(first, 0), min(end, self.count)
        return ((1 << (end - first)) - 1) << first if first < end else 0


def grid_over(spans: Sequence[Span], margin: timedelta) -> Grid:
    """All starts from the beginning of the first span to the end of the last, with a margin on both sides."""
    first = spans[0].start - margin
    origin = _ZERO - (_ZERO - first) // STEP * STEP
    return Grid(origin, (spans[-1].end + margin - origin) // STEP + 1)


def starts_within(grid: Grid, spans: Iterable[Span], length: timedelta) -> int:
    """The starts at which a meeting lies wholly in one of the spans."""
    found = 0
    for span in spans:
        found |= grid.bits(grid.index_from(span.start), (span.end - length - grid.origin) // STEP + 1)
    return found


def free_starts(grid: Grid, rooms: Iterable[Room], length: timedelta) -> dict[int, int]:
    """By studio the starts at which it can have the meeting: the time it blocks, buffers included, clear of
    reservations and closures, and the meeting itself within the hours in which it may be booked."""
    bars: dict[tuple[timedelta, timedelta], _Bars] = {}
    found = {}
    for room in rooms:
        buffers = room.setup, room.clear_down
        if buffers not in bars:
            bars[buffers] = _Bars(grid, length + room.clear_down, room.setup)
        barred = bars[buffers].by(room.reserved) | bars[buffers].by(room.closures)
        if room.shut:
            barred |= barred_by(grid, room.shut, length)
        found[room.id] = grid.whole & ~barred
    return found


def barred_by(grid: Grid, spans: Iterable[Span], length: timedelta) -> int:
    """The starts at which the meeting would overlap one of the spans."""
    return _Bars(grid, length, NOTHING).by((span.start, span.end, 0) for span in spans)


def at_least(masks: Iterable[int], number: int, whole: int) -> int:
    """The starts at which at least so many of the masks have their bit."""
    return thresholds(masks, number, whole)[number]


def thresholds(masks: Iterable[int], number: int, whole: int) -> list[int]:
    """For 0, 1, ... `number`: the starts at which at least so many of the masks have their bit."""
    reached = [whole] + [0] * number
    for mask in masks:
        for level in range(number, 0, -1):
            reached[level] |= reached[level - 1] & mask
    return reached


def nearest(mask: int, grid: Grid, preferred: datetime | None) -> int:
    """The start of a mask, which must have one, that is nearest to the preferred one, the earlier of two; without a
    preferred one the first."""
    if preferred is None:
        return _lowest(mask)
    split = min(max((preferred - grid.origin) // STEP + 1, 0), grid.count)
    before, after = mask & ((1 << split) - 1), mask >> split
    if not before:
        return split + _lowest(after)
    if not after:
        return before.bit_length() - 1
    earlier, later = before.bit_length() - 1, split + _lowest(after)
    return earlier if preferred - grid.at(earlier) <= grid.at(later) - preferred else later


def runs(mask: int) -> Iterator[tuple[int, int]]:
    """The first and the last of each run of starts without a gap, in order."""
    first = 0
    while mask:
        gap = _lowest(mask)
        first, mask = first + gap, mask >> gap
        length = _lowest(~mask)
        yield first, first + length - 1
        first, mask = first + length, mask >> length


def has(mask: int, index: int) -> bool:
    return bool(mask >> index & 1)


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


class _Bars:
    """A start t is barred by what is taken from b to e exactly when t + before > b and t - after < e.

    Thousands of reservations begin and end at the same few hundred instants: for each of these the starts before it
    are kept, and a bar is what lies between two of them.
    """

    def __init__(self, grid: Grid, before: timedelta, after: timedelta) -> None:
        self._up_to, self._until = _UpTo(grid, -before), _Until(grid, after)

    def by(self, taken: Iterable[Taken]) -> int:
        up_to, until, barred = self._up_to, self._until, 0
        for start, end, _ in taken:
            barred |= until[end] ^ up_to[start]
        return barred


class _UpTo(dict[datetime, int]):
    """By instant, the starts up to `offset` after it, that one included."""

    def __init__(self, grid: Grid, offset: timedelta) -> None:
        self._count, self._origin = grid.count, grid.origin - offset

    def __missing__(self, instant: datetime) -> int:
        return self._keep(instant, (instant - self._origin) // STEP + 1)

    def _keep(self, instant: datetime, number: int) -> int:
        return self.setdefault(instant, (1 << min(max(number, 0), self._count)) - 1)


class _Until(_UpTo):
    """By instant, the starts earlier than `offset` after it."""

    def __missing__(self, instant: datetime) -> int:
        return self._keep(instant, -((self._origin - instant) // STEP))
