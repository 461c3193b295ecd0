"""Where a request, or a conference that makes room, could go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from config import settings
from models import WaitingRequest
from studios.booking import diaries
from studios.booking.candidates import Own
from studios.booking.drawing import draws_on_pools
from studios.booking.finding.times import Hours, find_time
from studios.booking.rooms import rooms
from studios.booking.waiting.lapses import lead
from studios.booking.waiting.queries import declined_holds
from studios.booking.waiting.requests import own_for
from studios.booking.waiting.rules import equivalents, first_start, hours_of, window_around
from studios.booking.wishes import Booking, StudioWish, booking_from_json, studio_ids
from studios.calendars.rules import Span


@dataclass(frozen=True)
class Place:
    """A time at which all can, and their studios in the order of the table; guests have none."""

    start: datetime
    end: datetime
    studio_ids: tuple[int, ...]


def place_for(request: WaitingRequest, barred: Sequence[Span] = ()) -> Place | None:
    """The best time that is free for a request now, never one it has turned down."""
    booking = booking_from_json(request.booking)
    whole, length = Span(request.earliest, request.latest), booking.end - booking.start
    turned_down = [Span(hold.starts_at, hold.ends_at) for hold in declined_holds(request.id)]
    return exact(
        booking,
        whole,
        own_for(request.organisation_id, request.account),
        hours_of(whole.start, whole.end, length, zone()),
        [*barred, *turned_down],
    )


def next_best(booking: Booking, own: Own) -> Place | None:
    """For a conference whose studios were taken: other studios at the same time, else the nearest time within a week
    to either side, else that in other studios."""
    near, hours = _near(booking)
    return (
        _at_its_time(booking, own)
        or exact(booking, near, own, hours)
        or exact(_elsewhere(booking, set(studio_ids(booking.parties))), near, own, hours)
    )


def another_time(booking: Booking, own: Own) -> Place | None:
    """In its own studios at the nearest time to its own that is free; else in equivalent ones."""
    near, hours = _near(booking)
    return (
        exact(booking, near, own, hours)
        or _at_its_time(booking, own)
        or exact(_elsewhere(booking, set(studio_ids(booking.parties))), near, own, hours)
    )


def _near(booking: Booking) -> tuple[Span, Hours | None]:
    near = window_around(booking.start, booking.end, zone())
    return near, hours_of(near.start, near.end, booking.end - booking.start, zone())


def _at_its_time(booking: Booking, own: Own) -> Place | None:
    """With an equivalent of each studio that is taken then; the others keep theirs."""
    named = rooms(studio_ids(booking.parties)).values()
    meeting = Span(booking.start, booking.end)
    diary = diaries.read(named, [meeting])
    taken = [studio.id for studio in named if diary.taken(studio, meeting)]
    return exact(_elsewhere(booking, taken), meeting, own)


def _elsewhere(booking: Booking, lost: Collection[int]) -> Booking:
    """The booking with any equivalent studio of the same site for each of these."""
    return replace(booking, parties=equivalents(booking.parties, lost, rooms(lost)))


def exact(
    booking: Booking, within: Span, own: Own, hours: Hours | None = None, barred: Sequence[Span] = ()
) -> Place | None:  # fmt: skip
    """The free time nearest to the booking's start, of exactly its length and wholly within; else none."""
    start = first_start(within.start, datetime.now(UTC), lead())
    length = booking.end - booking.start
    if start + length > within.end:
        return None
    search = partial(
        find_time, minutes=length // timedelta(minutes=1), start=start, end=within.end, own=own,
        purpose=booking.purpose, preferred=booking.start, hours=hours, barred=barred, limit=1, exactly=True,
    )  # fmt: skip
    named = [wish for wish in booking.parties if isinstance(wish, StudioWish)]
    if named and draws_on_pools(booking) and not search(named).suggestions:  # what pools have takes longer to read
        return None
    found = search(booking.parties).suggestions
    return Place(found[0].start, found[0].end, tuple(filter(None, found[0].rooms))) if found else None


def zone() -> ZoneInfo:
    return ZoneInfo(settings().zone)
