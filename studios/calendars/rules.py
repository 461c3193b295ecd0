"""A day's timeline: which ten hours are shown, and what stands where on them. Instants are UTC."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

STEP = timedelta(minutes=5)
STEPS = 120
SHOWN = STEPS * STEP
HOUR = timedelta(hours=1)
# Most meetings lie between these hours; a day that shows them is the one that people know.
OFFICE_OPENS = time(7)


class Kind(StrEnum):
    """What a block on a lane is; also how the stylesheet calls it."""

    BUSY = "busy"
    OWN = "own"
    BUFFER = "buffer"
    CLOSED = "none"
    CLASH = "clash"
    CHOSEN = "mine"


@dataclass(frozen=True)
class Span:
    """From `start` up to, and without, `end`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end

    def shared_with(self, other: "Span") -> "Span":
        return Span(max(self.start, other.start), min(self.end, other.end))

    def widened(self, before: timedelta, after: timedelta) -> "Span":
        return Span(self.start - before, self.end + after)


@dataclass(frozen=True)
class Taken:
    """A reservation: the studio's blocked time, and within it the time of the meeting."""

    blocked: Span
    meeting: Span
    reference: str = ""
    own: bool = False


@dataclass(frozen=True)
class Buffers:
    """What a studio needs before and after each meeting."""

    setup: timedelta = timedelta()
    clear_down: timedelta = timedelta()

    def around(self, meeting: Span) -> Span:
        return meeting.widened(self.setup, self.clear_down)


@dataclass(frozen=True)
class Block:
    """A stretch of a lane, from column `first` to column `last` of the axis."""

    kind: Kind
    first: int
    last: int
    span: Span
    reference: str = ""


@dataclass(frozen=True)
class Tick:
    """An hour's mark on the axis."""

    column: int
    hour: int


@dataclass(frozen=True)
class Window:
    """The ten hours that a timeline shows."""

    start: datetime

    @property
    def span(self) -> Span:
        return Span(self.start, self.start + SHOWN)

    def columns(self, span: Span) -> tuple[int, int] | None:
        """Where a stretch stands on the axis, widened to whole steps; None when it lies outside."""
        if not span.overlaps(self.span):
            return None
        seen = span.shared_with(self.span)
        return (seen.start - self.start) // STEP, -((self.start - seen.end) // STEP)

    def ticks(self, zone: ZoneInfo) -> list[Tick]:
        """Each full hour with its number on the wall; a night when the clock moves misses one or has one twice."""
        instants = [self.start + hour * HOUR for hour in range(SHOWN // HOUR)]
        return [Tick(n * (HOUR // STEP), at.astimezone(zone).hour) for n, at in enumerate(instants)]


def window_around(day: date, meeting: Span | None, zone: ZoneInfo) -> Window:
    """The office hours of the day if they hold the meeting, else ten hours with the meeting in their middle.

    The window keeps to the meeting's own day as long as the meeting does.
    """
    office = Window(_instant(day, OFFICE_OPENS, zone))
    if meeting is None or (office.start <= meeting.start and meeting.end <= office.span.end):
        return office
    own_day = meeting.start.astimezone(zone).date()
    midnight, next_midnight = _instant(own_day, time(), zone), _instant(own_day + timedelta(days=1), time(), zone)
    start = meeting.start if meeting.length > SHOWN else meeting.start + (meeting.length - SHOWN) / 2
    if meeting.end <= next_midnight:
        start = min(start, next_midnight - SHOWN)
    window = Window(max(_floor_to_hour(start, zone), midnight))
    later = Window(window.start + HOUR)
    return later if window.span.end < meeting.end and later.start <= meeting.start else window


def lane_blocks(
    window: Window, taken: Iterable[Taken], closed: Iterable[Span], buffers: Buffers, meeting: Span | None
) -> list[Block]:
    """What one studio's lane shows: what is there, and on top of it either the chosen time or where that clashes."""
    there = [(kind, span, entry.reference) for entry in taken for kind, span in _parts(entry)]
    there += [(Kind.CLOSED, span, "") for span in closed]
    if meeting is not None:
        there += _chosen(meeting, buffers, [entry.blocked for entry in taken], list(closed))
    return [
        Block(kind, *columns, span, reference)
        for kind, span, reference in there
        if span.start < span.end and (columns := window.columns(span))
    ]


def clashes(meeting: Span, buffers: Buffers, blocked: Iterable[Span], closed: Iterable[Span]) -> list[Span]:
    """Where the meeting cannot be: its time with buffers on what is reserved, its own time on what is closed."""
    held = buffers.around(meeting)
    found = [span.shared_with(held) for span in blocked if span.overlaps(held)]
    return found + [span.shared_with(meeting) for span in closed if span.overlaps(meeting)]


def barred(blocked: Iterable[Span], closed: Iterable[Span], buffers: Buffers) -> list[Span]:
    """The time in which a meeting cannot be in a studio, its own buffers counted in."""
    return [span.widened(buffers.clear_down, buffers.setup) for span in blocked] + list(closed)


def openings(within: Span, barred: Iterable[Span]) -> list[Span]:
    """The stretches of `within` that nothing bars, in order."""
    found, free_from = [], within.start
    for span in sorted(barred, key=lambda span: span.start):
        if span.start > free_from:
            found.append(Span(free_from, min(span.start, within.end)))
        free_from = max(free_from, span.end)
        if free_from >= within.end:
            return found
    return [*found, Span(free_from, within.end)] if free_from < within.end else found


def next_step(instant: datetime) -> datetime:
    """The instant rounded up to a whole step."""
    return instant + (datetime.min.replace(tzinfo=UTC) - instant) % STEP


def place_in(opening: Span, meeting: Span) -> Span | None:
    """The meeting moved into an opening by as little as possible; None when it does not fit."""
    if opening.length < meeting.length:
        return None
    start = min(max(meeting.start, opening.start), opening.end - meeting.length)
    return Span(start, start + meeting.length)


def _parts(entry: Taken) -> Sequence[tuple[Kind, Span]]:
    return (
        (Kind.BUFFER, Span(entry.blocked.start, entry.meeting.start)),
        (Kind.OWN if entry.own else Kind.BUSY, entry.meeting),
        (Kind.BUFFER, Span(entry.meeting.end, entry.blocked.end)),
    )


def _chosen(
    meeting: Span, buffers: Buffers, blocked: Sequence[Span], closed: Sequence[Span]
) -> list[tuple[Kind, Span, str]]:
    if found := clashes(meeting, buffers, blocked, closed):
        return [(Kind.CLASH, span, "") for span in found]
    held = buffers.around(meeting)
    return [
        (Kind.BUFFER, Span(held.start, meeting.start), ""),
        (Kind.CHOSEN, meeting, ""),
        (Kind.BUFFER, Span(meeting.end, held.end), ""),
    ]


def _instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The first instant of that wall-clock time; where the clock jumps over it, the instant of the jump."""
    return datetime.combine(day, wall, zone).astimezone(UTC)


def _floor_to_hour(instant: datetime, zone: ZoneInfo) -> datetime:
    wall = instant.astimezone(zone)
    return instant - timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
