"""A day as the booking page draws it: a lane for each chosen studio, and one for when all of them are free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.rules import Access
from models import Reservation, Studio
from studios.booking.queries import Closed, closures, may_change, reservations_between
from studios.calendars.rules import (
    Block,
    Buffers,
    Span,
    Taken,
    Tick,
    Window,
    barred,
    clashes,
    lane_blocks,
    next_step,
    openings,
    place_in,
    window_around,
)


@dataclass(frozen=True)
class Lane:
    studio: Studio
    blocks: list[Block]
    clashes: bool


@dataclass(frozen=True)
class Opening:
    """A stretch in which every chosen studio is free; `place` is where the meeting fits, if it does."""

    first: int
    last: int
    span: Span
    place: Span | None
    holds_meeting: bool


@dataclass(frozen=True)
class Day:
    """`columns` is where the meeting stands on the axis, none when it has no time yet; `closures` are in its way."""

    date: date
    ticks: list[Tick]
    lanes: list[Lane]
    openings: list[Opening]
    meeting: Span | None
    columns: tuple[int, int] | None
    held: Span | None
    closures: list[Closed]

    @property
    def clashes(self) -> bool:
        return any(lane.clashes for lane in self.lanes)


@dataclass(frozen=True)
class _Occupied:
    """What is known of one studio's time."""

    studio: Studio
    buffers: Buffers
    taken: list[Taken]
    closed: list[Span]

    @property
    def blocked(self) -> list[Span]:
        return [entry.blocked for entry in self.taken]


def draw_day(
    studios: Sequence[Studio],
    day: date,
    meeting: Span | None,
    access: Access,
    zone: ZoneInfo,
    now: datetime,
    moved: int | None = None,
) -> Day:
    """The day of these studios, in two queries. The time of the conference `moved`, which is being changed, is free."""
    window = window_around(day, meeting, zone)
    read = window.span if meeting is None else Span(min(window.start, meeting.start), max(window.span.end, meeting.end))
    closed = closures(studios, read.start, read.end) if studios else []
    rooms = _occupied(studios, read, closed, access, moved)
    return Day(
        date=day,
        ticks=window.ticks(zone),
        lanes=[_lane(room, window, meeting) for room in rooms],
        openings=_openings(rooms, window, meeting, now) if rooms else [],
        meeting=meeting,
        columns=window.columns(meeting) if meeting else None,
        held=_held(rooms, meeting),
        closures=[row for row in closed if meeting and Span(row.starts_at, row.ends_at).overlaps(meeting)],
    )


def _occupied(
    studios: Sequence[Studio], read: Span, closed: Sequence[Closed], access: Access, moved: int | None
) -> list[_Occupied]:
    wide = _with_buffers(read, [buffers_of(studio) for studio in studios])
    reservations = reservations_between([studio.id for studio in studios], wide.start, wide.end) if studios else []
    return [
        _Occupied(
            studio,
            buffers_of(studio),
            [_taken(row, access) for row in reservations if _is_in_the_way(row, studio, moved)],
            [Span(row.starts_at, row.ends_at) for row in closed if row.studio is studio],
        )
        for studio in studios
    ]


def _with_buffers(read: Span, buffers: Sequence[Buffers]) -> Span:
    """The time in which a reservation can clash with a meeting within `read`."""
    before = max((each.setup for each in buffers), default=timedelta())
    after = max((each.clear_down for each in buffers), default=timedelta())
    return read.widened(before, after)


def buffers_of(studio: Studio) -> Buffers:
    return Buffers(timedelta(minutes=studio.setup_minutes), timedelta(minutes=studio.clear_down_minutes))


def _is_in_the_way(row: Reservation, studio: Studio, moved: int | None) -> bool:
    return row.studio_id == studio.id and (moved is None or row.conference_id != moved)


def _taken(row: Reservation, access: Access) -> Taken:
    blocked = Span(row.starts_at, row.ends_at)
    conference = row.conference
    if conference is None:
        return Taken(blocked, blocked)
    # A conference that was ended early has kept its start; its reservation may be shorter than its buffers say.
    meeting = Span(conference.starts_at, conference.ends_at).shared_with(blocked)
    return Taken(blocked, meeting, conference.reference, may_change(access, conference))


def _lane(room: _Occupied, window: Window, meeting: Span | None) -> Lane:
    blocks = lane_blocks(window, room.taken, room.closed, room.buffers, meeting)
    clashing = meeting is not None and clashes(meeting, room.buffers, room.blocked, room.closed)
    return Lane(room.studio, blocks, bool(clashing))


def _openings(rooms: Sequence[_Occupied], window: Window, meeting: Span | None, now: datetime) -> list[Opening]:
    """Where all are free, from now on."""
    bars = [span for room in rooms for span in barred(room.blocked, room.closed, room.buffers)]
    if now > window.start:
        bars.append(Span(window.start, next_step(now)))
    found = []
    for span in openings(window.span, bars):
        columns = window.columns(span)
        if columns:
            place = place_in(span, meeting) if meeting else None
            found.append(Opening(*columns, span, place, place is not None and place == meeting))
    return found


def _held(rooms: Sequence[_Occupied], meeting: Span | None) -> Span | None:
    """The time that the rooms are held, buffers counted in; none when that is the meeting's own time."""
    if meeting is None or not rooms:
        return None
    around = [room.buffers.around(meeting) for room in rooms]
    held = Span(min(span.start for span in around), max(span.end for span in around))
    return held if held != meeting else None
