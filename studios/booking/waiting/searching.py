"""Where a request, or a conference that makes room, could go."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from config import settings
from models import WaitingRequest
from studios.booking.candidates import Own
from studios.booking.finding.times import find_time
from studios.booking.rooms import rooms
from studios.booking.waiting.lapses import lead
from studios.booking.waiting.queries import declined_holds
from studios.booking.waiting.requests import own_for
from studios.booking.waiting.rules import around, equivalents, first_start, hours_of, window_around
from studios.booking.wishes import Booking, booking_from_json, studio_ids
from studios.calendars.rules import Span


@dataclass(frozen=True)
class Place:
    """A time at which all can, and their studios in the order of the table; guests have none."""

    start: datetime
    end: datetime
    studio_ids: tuple[int, ...]


def place_for(request: WaitingRequest, barred: Sequence[Span] = (), near: Span | None = None) -> Place | None:
    """The best time that is free for a request now, never one it has turned down; `near` bounds it to what could get
    in the way of a span."""
    booking = booking_from_json(request.booking)
    whole, length = Span(request.earliest, request.latest), booking.end - booking.start
    turned_down = [Span(hold.starts_at, hold.ends_at) for hold in declined_holds(request.id)]
    return exact(
        booking,
        around(near, length, whole) if near else whole,
        own_for(request.organisation_id, request.account),
        hours_of(whole.start, whole.end, length, zone()),
        [*barred, *turned_down],
    )


def next_best(booking: Booking, own: Own) -> Place | None:
    """For a conference whose studios were taken: other studios at the same time, else the nearest time within a week
    to either side, else that in other studios."""
    same, near = Span(booking.start, booking.end), window_around(booking.start, booking.end, zone())
    like = elsewhere(booking)
    hours = hours_of(near.start, near.end, same.length, zone())
    return (
        exact(booking, same, own)
        or exact(like, same, own)
        or exact(booking, near, own, hours)
        or exact(like, near, own, hours)
    )


def another_time(booking: Booking, own: Own) -> Place | None:
    """The nearest to the booking's time that is free: in its own studios, else in equivalent ones."""
    near = window_around(booking.start, booking.end, zone())
    hours = hours_of(near.start, near.end, booking.end - booking.start, zone())
    return exact(booking, near, own, hours) or exact(elsewhere(booking), near, own, hours)


def elsewhere(booking: Booking) -> Booking:
    """The booking with any equivalent studio of the same site for each that it names."""
    named = studio_ids(booking.parties)
    return replace(booking, parties=equivalents(booking.parties, set(named), rooms(named)))


def exact(
    booking: Booking, within: Span, own: Own, hours: tuple | None = None, barred: Sequence[Span] = ()
) -> Place | None:  # fmt: skip
    """The free time nearest to the booking's start, of exactly its length and wholly within; else none."""
    start = first_start(within.start, datetime.now(UTC), lead())
    length = booking.end - booking.start
    if start + length > within.end:
        return None
    minutes = length // timedelta(minutes=1)
    found = find_time(
        booking.parties, minutes, start, within.end, own=own, purpose=booking.purpose,
        preferred=booking.start, hours=hours, barred=barred, limit=1,
    ).suggestions  # fmt: skip
    if not found or found[0].shifted or found[0].shortened:
        return None
    return Place(found[0].start, found[0].end, tuple(room for room in found[0].rooms if room is not None))


def zone() -> ZoneInfo:
    return ZoneInfo(settings().zone)
