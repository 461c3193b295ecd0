"""What is booked in some studios, as their calendars show it: plain rows, in three queries whatever their number."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from accounts.rules import Access
from models import Closure, Conference, ConferenceState, Organisation, Party, Reservation, Role, db
from models.booking import REFERENCE_BASE, REFERENCE_PREFIX
from models.guards import LONGEST_HOURS
from studios.booking.candidates import Candidate
from studios.booking.hours import closed_spans, first_instant
from studios.calendars.rules import Block, Buffers, Span, Taken, Window, lane_blocks, window_around

COORDINATORS = (Role.COORDINATOR, Role.ADMINISTRATOR)
WHOLE_DAY = 24 * 60
DAYS_IN_WEEK = 7


class Booked(NamedTuple):
    """Somebody's time in a studio. `title` is empty where it is not for the viewer's eyes; `owner` is whose it is.
    Without a conference the time is held for an offer."""

    studio_id: int
    blocked: Span
    meeting: Span
    reference: str
    title: str
    owner: str
    is_own: bool
    state: ConferenceState | None
    conference_id: int | None = None

    @property
    def label(self) -> str:
        return self.title or self.reference


@dataclass(frozen=True)
class Lane:
    """A studio's day, or a day of a studio."""

    room: Candidate
    day: date
    blocks: Sequence[Block]
    booked: Sequence[Booked]

    @property
    def labels(self) -> dict[str, Booked]:
        return {each.reference: each for each in self.booked}


@dataclass(frozen=True)
class Cell:
    """A studio's day in a week of many studios."""

    day: date
    number: int
    length: timedelta


def days_of_week(day: date) -> list[date]:
    """From Monday."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=number) for number in range(DAYS_IN_WEEK)]


def span_of_days(days: Sequence[date], zone: ZoneInfo) -> Span:
    return Span(first_instant(days[0], 0, zone), first_instant(days[-1], WHOLE_DAY, zone))


def booked_in(rooms: Collection[Candidate], span: Span, access: Access) -> dict[int, list[Booked]]:
    """By studio what is booked within the span, by start."""
    keys = [room.id for room in rooms]
    query = (
        sa.select(
            Reservation.studio_id, Reservation.starts_at, Reservation.ends_at, Conference.id, Conference.starts_at,
            Conference.ends_at, Conference.title, Conference.organisation_id, Organisation.name, Conference.state,
        )
        .outerjoin(Conference, Conference.id == Reservation.conference_id)
        .outerjoin(Organisation, Organisation.id == Conference.organisation_id)
        .where(
            Reservation.studio_id.in_(keys),
            Reservation.is_held(datetime.now(UTC)),
            Reservation.starts_at < span.end,
            Reservation.starts_at > span.start - timedelta(hours=LONGEST_HOURS),
            Reservation.ends_at > span.start,
        )
        .order_by(Reservation.starts_at, Reservation.id)
    )  # fmt: skip
    rows = db.session.execute(query).all() if keys else []
    around = _around_the_table({row[3] for row in rows if row[3] is not None}, access)
    found: dict[int, list[Booked]] = {key: [] for key in keys}
    for studio_id, start, end, key, begins, ends, title, owner_id, owner, state in rows:
        blocked = Span(start, end)
        if key is None:
            found[studio_id].append(Booked(studio_id, blocked, blocked, "", "", "", False, None))
            continue
        own = access.covers(owner_id, *COORDINATORS)
        shown = title if own or key in around else ""
        meeting = Span(begins, ends).shared_with(blocked)
        reference = f"{REFERENCE_PREFIX}{REFERENCE_BASE + key}"
        found[studio_id].append(Booked(studio_id, blocked, meeting, reference, shown, owner or "", own, state, key))
    return found


def closed_in(rooms: Collection[Candidate], span: Span) -> dict[int, list[Span]]:
    """By studio when it is closed within the span, or may not be booked."""
    query = sa.select(Closure.studio_id, Closure.site_id, Closure.starts_at, Closure.ends_at).where(
        Closure.starts_at < span.end, Closure.ends_at > span.start
    )
    closures = db.session.execute(query).all()
    return {
        room.id: [
            Span(start, end)
            for studio_id, site_id, start, end in closures
            if studio_id == room.id or site_id == room.site_id
        ]
        + closed_spans(room.hours, ZoneInfo(room.zone), span.start, span.end)
        for room in rooms
    }


def day_lanes(
    rooms: Sequence[Candidate],
    day: date,
    window: Window,
    booked: Mapping[int, Sequence[Booked]],
    closed: Mapping[int, Sequence[Span]],
) -> list[Lane]:
    return [_lane(room, day, window, booked[room.id], closed[room.id]) for room in rooms]


def week_lanes(
    room: Candidate,
    days: Sequence[date],
    zone: ZoneInfo,
    booked: Mapping[int, Sequence[Booked]],
    closed: Mapping[int, Sequence[Span]],
) -> list[Lane]:
    """One studio's week: the same hours of each day."""
    return [
        _lane(room, day, window_around(day, None, zone), _of_day(booked[room.id], day, zone), closed[room.id])
        for day in days
    ]


def week_cells(booked: Sequence[Booked], days: Sequence[date], zone: ZoneInfo) -> list[Cell]:
    found = []
    for day in days:
        of_day = _of_day(booked, day, zone)
        found.append(Cell(day, len(of_day), sum((each.meeting.length for each in of_day), timedelta())))
    return found


def _of_day(booked: Sequence[Booked], day: date, zone: ZoneInfo) -> list[Booked]:
    span = span_of_days([day], zone)
    return [each for each in booked if each.meeting.overlaps(span)]


def _lane(room: Candidate, day: date, window: Window, booked: Sequence[Booked], closed: Sequence[Span]) -> Lane:
    taken = [Taken(each.blocked, each.meeting, each.reference, each.is_own) for each in booked]
    return Lane(room, day, lane_blocks(window, taken, closed, Buffers(room.setup, room.clear_down), None), booked)


def _around_the_table(conference_ids: Collection[int], access: Access) -> set[int]:
    """Of these conferences those in which an organisation takes part that the viewer coordinates for."""
    if access.everywhere(*COORDINATORS):
        return set(conference_ids)
    own = access.organisation_ids(*COORDINATORS)
    if not own or not conference_ids:
        return set()
    query = sa.select(Party.conference_id).where(
        Party.conference_id.in_(conference_ids), Party.organisation_id.in_(own)
    )
    return set(db.session.scalars(query))
