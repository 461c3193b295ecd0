"""The facts of one local day as rows, from what happened: pure computing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from models.usage import Outcome
from reports.queries import Past, Watched
from reports.rules import (
    Booking,
    Seat,
    Span,
    by_hour,
    calls_for,
    cause_of,
    clip,
    hours_of,
    is_late,
    lateness,
    length,
    local_day,
    outcome_at,
    outcome_of,
    peaks,
    seconds_of,
    union,
    use_of,
    was_as_booked,
    wellness,
)

Row = dict[str, Any]
COUNTED_AS = {
    Outcome.HELD: "held",
    Outcome.FAILED: "failed",
    Outcome.NO_SHOW: "no_shows",
    Outcome.CANCELLED: "cancelled",
    Outcome.RUNNING: "running",
}
COUNTS = ("booked", *COUNTED_AS.values(), "late", "as_booked")


@dataclass(frozen=True)
class DayFacts:
    """Rows for the tables of `models.usage`."""

    day: date
    conferences: list[Row]
    studios: list[Row]
    hours: list[Row]


@dataclass
class _Use:
    """A studio's day: its counts, and the time it was booked and used."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    booked: list[Span] = field(default_factory=list)
    used: list[Span] = field(default_factory=list)


def facts_of(day: date, zone: str, past: Past) -> DayFacts:
    start, end = (seconds_of(instant) for instant in local_day(day, zone))
    span = (start, end)
    near = [booking for booking in past.bookings if booking.planned[0] < end and _last_second(booking) > start]
    begun = [booking for booking in near if booking.planned[0] >= start]
    uses = _uses(near, begun, span)
    studios = [
        _studio_row(day, span, studio, uses[studio.studio_id])
        for studio in past.studios
        if studio.studio_id in uses or studio.retired_at is None or studio.retired_at > start
    ]
    return DayFacts(day, [_conference_row(day, booking) for booking in begun], studios, _hours(day, span, near, uses))


def _uses(near: Iterable[Booking], begun: Sequence[Booking], day: Span) -> defaultdict[int, _Use]:
    uses: defaultdict[int, _Use] = defaultdict(_Use)
    for booking in near:
        for studio_id, call in use_of(booking):
            uses[studio_id].used.extend(clip([call], day))
        if outcome_of(booking) is not Outcome.CANCELLED:
            for seat in _studio_seats(booking):
                uses[seat.studio_id or 0].booked.extend(clip([booking.planned], day))
    for booking in begun:
        for seat in _studio_seats(booking):
            _count(seat, booking, uses[seat.studio_id or 0].counts)
    return uses


def _count(seat: Seat, booking: Booking, counts: dict[str, int]) -> None:
    outcome = outcome_at(seat, booking)
    late = is_late(lateness(calls_for(seat, booking), booking.planned[0]))
    counts[COUNTED_AS[outcome]] += 1
    counts["booked"] += outcome is not Outcome.CANCELLED
    counts["late"] += late
    counts["as_booked"] += outcome is Outcome.HELD and not late


def _studio_row(day: date, span: Span, studio: Watched, use: _Use) -> Row:
    health = wellness(studio.changes, studio.known_until, span)
    return {
        "studio_id": studio.studio_id,
        "day": day,
        **use.counts,
        "booked_seconds": length(use.booked),
        "used_seconds": length(union(use.used)),
        "healthy_seconds": health.healthy,
        "faulty_seconds": health.faulty,
        "maintenance_seconds": health.maintenance,
        "unknown_seconds": health.unknown,
    }


def _conference_row(day: date, booking: Booking) -> Row:
    up = booking.up
    return {
        "conference_id": booking.conference_id,
        "day": day,
        "organisation_id": booking.organisation_id,
        "purpose": booking.purpose,
        "outcome": outcome_of(booking),
        "studios": len(_studio_seats(booking)),
        "booked_seconds": length([booking.planned]),
        "used_seconds": length(union(up)),
        "late_seconds": lateness(up, booking.planned[0]),
        "as_booked": was_as_booked(booking),
        "cause": cause_of(booking),
    }


def _hours(day: date, span: Span, near: Sequence[Booking], uses: dict[int, _Use]) -> list[Row]:
    used = [union(use.used) for use in uses.values()]
    columns = zip(
        hours_of(span),
        peaks((booking.up for booking in near), span),
        peaks(used, span),
        by_hour((booked for use in uses.values() for booked in use.booked), span),
        by_hour((call for calls in used for call in calls), span),
        strict=True,
    )
    return [
        {
            "starts_at": datetime.fromtimestamp(hour[0], UTC),
            "day": day,
            "conferences": conferences,
            "studios": studios,
            "booked_seconds": booked_seconds,
            "used_seconds": used_seconds,
        }
        for hour, conferences, studios, booked_seconds, used_seconds in columns
    ]


def _studio_seats(booking: Booking) -> list[Seat]:
    return [seat for seat in booking.seats if seat.studio_id is not None]


def _last_second(booking: Booking) -> int:
    return max(booking.planned[1], *(end for _start, end in booking.up), 0)
