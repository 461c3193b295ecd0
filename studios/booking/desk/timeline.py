"""The day or the week as the page draws it: a row for each party, and one for when everybody can."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.rules import Access
from models import Reservation
from studios.booking import queries
from studios.booking.candidates import Candidate
from studios.booking.desk.outlook import Outlook, day_span
from studios.booking.desk.parties import Place
from studios.booking.finding.question import Room
from studios.calendars.rules import (
    HOUR,
    SHOWN,
    STEP,
    Block,
    Buffers,
    Kind,
    Span,
    Taken,
    Tick,
    Window,
    lane_blocks,
    place_in,
    window_around,
)

MOST_LANES = 8
"""So many studios of a pool are drawn when its row is opened."""
ENOUGH = 5
"""From so many free studios on a pool is well stocked."""


@dataclass(frozen=True)
class Lane:
    """A studio's day. `seated`: it is the one that the party gets."""

    room: Candidate
    blocks: list[Block]
    seated: bool


@dataclass(frozen=True)
class Count:
    """How many studios of a pool are free for a whole stretch of the axis."""

    first: int
    last: int
    number: int
    tone: str
    span: Span


@dataclass(frozen=True)
class Row:
    """A party. A studio has its `lane`; a pool has `counts`, the `seat` that it gives and, when it is opened, lanes of
    the studios that come first."""

    place: Place
    lane: Lane | None
    counts: Sequence[Count] = ()
    seat: Block | None = None
    seated: Candidate | None = None
    fitting: int = 0
    opened: bool = False
    lanes: Sequence[Lane] = ()

    @property
    def unseen(self) -> int:
        """How many studios of the opened pool are not drawn."""
        return self.fitting - len(self.lanes) if self.opened else 0


@dataclass(frozen=True)
class Opening:
    """A stretch in which everybody can; `place` is where the meeting goes in it."""

    first: int
    last: int
    span: Span
    place: Span
    holds_meeting: bool


@dataclass(frozen=True)
class OpenDay:
    """A day of the week with its openings."""

    day: date
    openings: Sequence[Opening]
    columns: tuple[int, int] | None


@dataclass(frozen=True)
class Timeline:
    """`columns`: where the meeting stands on the axis; `wished`: where it was wished for, when that is elsewhere.
    `week` is empty while the day is shown."""

    day: date
    window: Window
    ticks: Sequence[Tick]
    rows: Sequence[Row]
    openings: Sequence[Opening]
    columns: tuple[int, int] | None
    wished: tuple[int, int] | None
    wished_span: Span | None
    week: Sequence[OpenDay] = ()


@dataclass(frozen=True)
class Shown:
    """What is looked at: a day, or the week from that day's Monday; `meeting` is where it stands now."""

    day: date
    is_week: bool
    meeting: Span | None
    wished: Span | None
    zone: ZoneInfo

    @property
    def window(self) -> Window:
        here = self.meeting if self.meeting and day_of(self.meeting.start, self.zone) == self.day else None
        return window_around(self.day, here, self.zone)

    @property
    def monday(self) -> date:
        return self.day - timedelta(days=self.day.weekday())

    @property
    def span(self) -> Span:
        """All the time that is drawn."""
        if not self.is_week:
            return self.window.span
        return Span(
            day_span(self.monday, self.zone).start, day_span(self.monday + timedelta(days=6), self.zone).end
        ).widened(timedelta(), SHOWN)


def draw(
    shown: Shown, places: Sequence[Place], outlook: Outlook | None, opened: Iterable[str], access: Access
) -> Timeline:
    """One query, for whose the time in the drawn studios is. Without an outlook there is nothing but the axis."""
    window = shown.window
    rows = _rows(shown, window, places, outlook, set(opened), access) if outlook and not shown.is_week else []
    found = outlook.openings([window.span], shown.meeting.length) if outlook and shown.meeting else []
    return Timeline(
        day=shown.day,
        window=window,
        ticks=window.ticks(shown.zone),
        rows=rows,
        openings=[] if shown.is_week else _on_axis(found, window, shown.meeting),
        columns=window.columns(shown.meeting) if shown.meeting else None,
        wished=window.columns(shown.wished) if shown.wished else None,
        wished_span=shown.wished,
        week=_week(shown, outlook) if shown.is_week else [],
    )


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def _week(shown: Shown, outlook: Outlook | None) -> list[OpenDay]:
    """The same hours of each day as the day view shows."""
    days = [shown.monday + timedelta(days=number) for number in range(7)]
    windows = {day: window_around(day, None, shown.zone) for day in days}
    found: list[Span] = []
    if outlook and shown.meeting:
        found = outlook.openings([window.span for window in windows.values()], shown.meeting.length)
    return [
        OpenDay(
            day,
            _on_axis(found, window, shown.meeting),
            window.columns(shown.meeting) if shown.meeting else None,
        )
        for day, window in windows.items()
    ]


def _on_axis(found: Sequence[Span], window: Window, meeting: Span | None) -> list[Opening]:
    if meeting is None:
        return []
    return [
        Opening(*columns, span, place, place == meeting)
        for span in found
        if (columns := window.columns(span)) and (place := place_in(span, meeting))
    ]


def _rows(
    shown: Shown, window: Window, places: Sequence[Place], outlook: Outlook, opened: set[str], access: Access
) -> list[Row]:
    drawn = {number: _drawn(number, place, outlook, opened) for number, place in enumerate(places)}
    taken = _taken({room.id for rooms in drawn.values() for room in rooms}, window, access, outlook)
    hours = _hours(window)
    return [
        _row(number, place, drawn[number], outlook, taken, window, hours, shown.meeting)
        for number, place in enumerate(places)
    ]


def _drawn(number: int, place: Place, outlook: Outlook, opened: set[str]) -> list[Candidate]:
    """The studios of a party that are drawn: the one that is named, or of an opened pool those that come first."""
    if not place.is_pool:
        return [place.room] if place.room else []
    if place.value not in opened:
        return []
    seated = outlook.rooms[number]
    meeting = outlook.question.preferred
    pool = outlook.pool(number)

    def rank(room: Candidate) -> tuple[bool, bool, bool]:
        known = outlook.question.rooms[room.id]
        return room.id != seated, known.is_down, not _is_free_around(known, meeting, outlook.question.length)

    return sorted(pool, key=rank)[:MOST_LANES]


def _is_free_around(room: Room, start: datetime | None, length: timedelta) -> bool:
    if start is None:
        return True
    held = Span(start, start + length).widened(room.setup, room.clear_down)
    return not any(begins < held.end and held.start < ends for begins, ends, _ in [*room.reserved, *room.closures])


def _row(
    number: int,
    place: Place,
    rooms: Sequence[Candidate],
    outlook: Outlook,
    taken: Mapping[int, Sequence[Taken]],
    window: Window,
    hours: Sequence[Span],
    meeting: Span | None,
) -> Row:
    seated_id = outlook.rooms[number]
    if place.is_pool:
        pool = outlook.pool(number)
        seated = outlook.studios.get(seated_id or 0)
        lanes = [
            _lane(room, outlook, taken, window, meeting if room.id == seated_id else None, room.id == seated_id)
            for room in rooms
        ]
        return Row(
            place,
            None,
            counts=_counts(pool, outlook.question.rooms, hours, window),
            seat=_seat(window, meeting) if seated else None,
            seated=seated,
            fitting=len(pool),
            opened=bool(lanes),
            lanes=lanes,
        )
    if place.room is None:
        return Row(place, None)
    return Row(place, _lane(place.room, outlook, taken, window, meeting, place.room.id == seated_id))


def _seat(window: Window, meeting: Span | None) -> Block | None:
    columns = window.columns(meeting) if meeting else None
    return Block(Kind.CHOSEN, *columns, meeting) if columns and meeting else None


def _lane(
    room: Candidate,
    outlook: Outlook,
    taken: Mapping[int, Sequence[Taken]],
    window: Window,
    meeting: Span | None,
    seated: bool,
) -> Lane:
    known = outlook.question.rooms.get(room.id)
    shut = [Span(start, end) for start, end, _ in known.closures] + list(known.shut) if known else []
    buffers = Buffers(room.setup, room.clear_down)
    return Lane(room, lane_blocks(window, taken.get(room.id, ()), shut, buffers, meeting), seated)


def _counts(pool: Sequence[Candidate], rooms: Mapping[int, Room], hours: Sequence[Span], window: Window) -> list[Count]:
    """By hour of the axis how many of the pool's studios nobody has for any of it."""
    numbers = [0] * len(hours)
    first, last = window.span.start, window.span.end
    for candidate in pool:
        room = rooms[candidate.id]
        busy = [(start, end) for start, end, _ in room.reserved if start < last and first < end]
        busy += [(start, end) for start, end, _ in room.closures if start < last and first < end]
        busy += [(span.start, span.end) for span in room.shut if span.start < last and first < span.end]
        for place, hour in enumerate(hours):
            numbers[place] += not any(start < hour.end and hour.start < end for start, end in busy)
    step = HOUR // STEP
    return [
        Count(place * step, (place + 1) * step, number, _tone(number, len(pool)), hours[place])
        for place, number in enumerate(numbers)
    ]


def _tone(number: int, of: int) -> str:
    if number == 0:
        return "none"
    return "some" if number >= min(ENOUGH, of) else "few"


def _hours(window: Window) -> list[Span]:
    return [Span(window.start + number * HOUR, window.start + (number + 1) * HOUR) for number in range(SHOWN // HOUR)]


def _taken(studio_ids: set[int], window: Window, access: Access, outlook: Outlook) -> dict[int, list[Taken]]:
    """What is reserved in the drawn studios, and which of it is the viewer's own."""
    if not studio_ids:
        return {}
    rooms = [outlook.studios[key] for key in studio_ids if key in outlook.studios]
    before = max((room.setup for room in rooms), default=timedelta())
    after = max((room.clear_down for room in rooms), default=timedelta())
    read = window.span.widened(before, after)
    found: dict[int, list[Taken]] = {}
    known = {key for room in rooms for _, _, key in outlook.question.rooms[room.id].reserved}
    for row in queries.reservations_between(studio_ids, read.start, read.end):
        if row.id in known or row.studio_id not in outlook.studios:
            found.setdefault(row.studio_id, []).append(_entry(row, access))
    return found


def _entry(row: Reservation, access: Access) -> Taken:
    blocked = Span(row.starts_at, row.ends_at)
    conference = row.conference
    if conference is None:
        return Taken(blocked, blocked)
    # A conference that was ended early has kept its start; its reservation may be shorter than its buffers say.
    meeting = Span(conference.starts_at, conference.ends_at).shared_with(blocked)
    return Taken(blocked, meeting, conference.reference, queries.may_change(access, conference))
