"""What really happened in some days, read in a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from config import settings
from models import (
    Answer,
    CallRecord,
    Conference,
    ConferenceState,
    ConferenceUsage,
    Endpoint,
    EndpointStatus,
    Event,
    Health,
    Leg,
    Party,
    Report,
    Reservation,
    StatusChange,
    Studio,
    db,
)
from reports.rules import Booking, Seat, Span, local_day, seconds_of

OVER = (ConferenceState.ENDED, ConferenceState.FAILED)
# A call may go on after its conference's end, and a day knows those of the days before by their start.
REACH = timedelta(days=1)
UNSETTLED_FOR = timedelta(days=3)
# Whose party declined has given its studio back before.
TAKES_PART = Party.answer != Answer.DECLINED


@dataclass(frozen=True, slots=True)
class Watched:
    """A studio, when it was given up if it was, and what is known of its health.

    `changes` begin with the last one before the days in question; nothing is known after `known_until`.
    """

    studio_id: int
    retired_at: int | None
    known_until: int
    changes: tuple[tuple[int, Health], ...]


@dataclass(frozen=True)
class Past:
    """What happened in some days and, of the conferences, shortly before them. Conferences in order of their start."""

    bookings: list[Booking]
    studios: list[Watched]


def past(first: date, last: date, now: datetime) -> Past:
    """All that the facts of the days from `first` to `last` follow from; a call that is still up is up until `now`."""
    start, _ = local_day(first, settings().zone)
    _, end = local_day(last, settings().zone)
    return Past(_bookings(start, end, now), _studios(start, end))


def first_conference_at() -> datetime | None:
    return db.session.scalar(sa.select(sa.func.min(Conference.starts_at)))


def made_reports(first: date, last: date) -> dict[date, datetime]:
    query = sa.select(Report.day, Report.made_at).where(Report.day >= first, Report.day <= last)
    return {row.day: row.made_at for row in db.session.execute(query)}


def unsettled_days(first: date, last: date, now: datetime) -> list[date]:
    """Reported days with conferences that were not over when the report was made, and are now."""
    query = (
        sa.select(ConferenceUsage.day)
        .distinct()
        .join(Report, Report.day == ConferenceUsage.day)
        .join(Conference, Conference.id == ConferenceUsage.conference_id)
        .where(
            ConferenceUsage.day >= first,
            ConferenceUsage.day <= last,
            Conference.ends_at > Report.made_at,
            Conference.ends_at <= now,
        )
        .order_by(ConferenceUsage.day)
    )
    return list(db.session.scalars(query))


def _bookings(start: datetime, end: datetime, now: datetime) -> list[Booking]:
    reach = timedelta(hours=settings().longest_hours) + REACH
    of_these_days = sa.and_(Conference.starts_at >= start - reach, Conference.starts_at < end, Conference.video)
    calls = _calls(of_these_days, now)
    seats = _seats(of_these_days, calls)
    columns = (
        Conference.id,
        Conference.organisation_id,
        Conference.purpose,
        Conference.starts_at,
        Conference.ends_at,
        Conference.state,
    )
    rows = db.session.execute(
        sa.select(*columns).where(of_these_days).order_by(Conference.starts_at, Conference.id)
    ).all()
    return [
        Booking(
            conference_id=row.id,
            organisation_id=row.organisation_id,
            purpose=row.purpose,
            planned=(seconds_of(row.starts_at), seconds_of(row.ends_at)),
            cancelled=row.state is ConferenceState.CANCELLED,
            over=row.ends_at <= now or row.state in OVER,
            seats=tuple(seats[row.id]),
            calls=tuple((call.studio_id, call.span) for call in calls[row.id]),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class _Call:
    party_id: int
    studio_id: int | None
    span: Span


def _calls(which: sa.ColumnElement[bool], now: datetime) -> dict[int, list[_Call]]:
    """The calls of conferences, by conference, in order."""
    rows = db.session.execute(
        sa.select(
            CallRecord.conference_id,
            Leg.party_id,
            CallRecord.studio_id,
            CallRecord.connected_at,
            CallRecord.ended_at,
        )
        .join(Leg, Leg.id == CallRecord.leg_id)
        .join(Conference, Conference.id == CallRecord.conference_id)
        .where(which)
        .order_by(CallRecord.connected_at, CallRecord.id)
    )
    calls: dict[int, list[_Call]] = defaultdict(list)
    for conference_id, party_id, studio_id, connected_at, ended_at in rows:
        begun = seconds_of(connected_at)
        span = (begun, max(begun, seconds_of(ended_at or now)))
        calls[conference_id].append(_Call(party_id, studio_id, span))
    return calls


def _seats(which: sa.ColumnElement[bool], calls: dict[int, list[_Call]]) -> dict[int, list[Seat]]:
    """The parties of conferences, by conference, in their order at the table."""
    spans: dict[int, list[Span]] = defaultdict(list)
    for call in (call for found in calls.values() for call in found):
        spans[call.party_id].append(call.span)
    causes = _causes(which)
    studio_id = sa.func.coalesce(Reservation.studio_id, Party.studio_id)
    rows = db.session.execute(
        sa.select(Party.conference_id, Party.id, Party.host, studio_id, Leg.cause)
        .join(Conference, Conference.id == Party.conference_id)
        .outerjoin(Reservation, Reservation.id == Party.reservation_id)
        .outerjoin(Leg, Leg.party_id == Party.id)
        .where(which)
        .where(TAKES_PART)
        .order_by(Party.conference_id, Party.position)
    )
    seats: dict[int, list[Seat]] = defaultdict(list)
    for conference_id, party_id, host, studio, last_word in rows:
        words = (*causes[conference_id, studio], *([last_word] if last_word else []))
        seats[conference_id].append(Seat(studio, host, tuple(spans[party_id]), words))
    return seats


def _causes(which: sa.ColumnElement[bool]) -> dict[tuple[int, int | None], list[str]]:
    """Why attempts to call a studio failed, by conference and studio, in order; a leg keeps only its last word, and
    not even that once it is over."""
    rows = db.session.execute(
        sa.select(Event.conference_id, Event.studio_id, Event.details)
        .join(Conference, Conference.id == Event.conference_id)
        .where(which, Event.kind == "leg.failed")
        .order_by(Event.at, Event.id)
    )
    causes: dict[tuple[int, int | None], list[str]] = defaultdict(list)
    for conference_id, studio_id, details in rows:
        if cause := details.get("cause"):
            causes[conference_id, studio_id].append(str(cause))
    return causes


def _studios(start: datetime, end: datetime) -> list[Watched]:
    changes = _changes(start, end)
    stale_after = int(settings().stale_after)
    rows = db.session.execute(
        sa.select(Studio.id, Studio.retired_at, Endpoint.id, EndpointStatus.last_poll_at, _last_change(StatusChange.at))
        .outerjoin(Endpoint, Endpoint.studio_id == Studio.id)
        .outerjoin(EndpointStatus, EndpointStatus.endpoint_id == Endpoint.id)
        .order_by(Studio.id)
    )
    return [
        Watched(
            studio_id,
            seconds_of(retired_at) if retired_at else None,
            max((seconds_of(sign) for sign in (polled_at, changed_at) if sign), default=0) + stale_after,
            tuple(changes[endpoint_id]),
        )
        for studio_id, retired_at, endpoint_id, polled_at, changed_at in rows
    ]


def _changes(start: datetime, end: datetime) -> dict[int | None, list[tuple[int, Health]]]:
    """By endpoint: the last change before `start`, and those until `end`, in order."""
    before = StatusChange.at < start
    rows: Iterable[Any] = db.session.execute(
        sa.select(Endpoint.id, _last_change(StatusChange.at, before), _last_change(StatusChange.to_health, before))
    )
    changes: dict[int | None, list[tuple[int, Health]]] = defaultdict(list)
    for endpoint_id, at, health in rows:
        if at is not None:
            changes[endpoint_id] = [(seconds_of(at), health)]
    within = (
        sa.select(StatusChange.endpoint_id, StatusChange.at, StatusChange.to_health)
        .where(StatusChange.at >= start, StatusChange.at < end)
        .order_by(StatusChange.at, StatusChange.id)
    )
    for endpoint_id, at, health in db.session.execute(within):
        changes[endpoint_id].append((seconds_of(at), health))
    return changes


def _last_change(column: Any, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """Of an endpoint's last change: one look into the index each, however many there are."""
    return (
        sa.select(column)
        .where(StatusChange.endpoint_id == Endpoint.id, *conditions)
        .order_by(StatusChange.at.desc(), StatusChange.id.desc())
        .limit(1)
        .correlate(Endpoint)
        .scalar_subquery()
    )
