"""Who is offered what came free, until when, and where a conference can go that makes room. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from models.booking import RequestState
from studios.booking.candidates import Candidate
from studios.booking.wishes import Booking, GuestWish, PartyWish, PoolWish, StudioWish
from studios.calendars.rules import Span

CHANCES = 2
"""So many offers may go unanswered; then nobody waits any longer."""
LEAST_TO_ANSWER = timedelta(minutes=15)
CLOSES_BEFORE = timedelta(minutes=5)
"""An offer ends so long before its start at the latest, so that others can still have the time."""
SWAP_PATIENCE = timedelta(hours=48)
NEAR = timedelta(days=7)
"""How far from its own time another one is looked for, for a conference that makes room."""
DAY_BEGINS, DAY_ENDS = time(7), time(17)


def in_order(unanswered: Mapping[int, int]) -> list[int]:
    """Requests in the order in which they are served: by their keys, but those that let an offer pass come last, or
    the time would go back to who did not want it. `unanswered`: by request how many offers it let pass."""
    return sorted(unanswered, key=lambda request_id: (unanswered[request_id], request_id))


def offer_expires_at(start: datetime, now: datetime, patience: timedelta, lead: timedelta) -> datetime:
    """Until when an offer stands: after it a booking of that time is still not too late."""
    return min(now + patience, start - max(lead, CLOSES_BEFORE))


def first_start(earliest: datetime, now: datetime, lead: timedelta) -> datetime:
    """The first start that can be offered: it leaves time for the answer."""
    return max(earliest, now + max(lead, CLOSES_BEFORE) + LEAST_TO_ANSWER)


def is_past(latest: datetime, length: timedelta, now: datetime, lead: timedelta) -> bool:
    """Whether nothing can be offered any more that ends by `latest`."""
    return latest - length < first_start(now, now, lead)


def after_silence(unanswered: int, past: bool) -> RequestState:
    """What becomes of a request when an offer, the last of so many unanswered ones, has run out."""
    return RequestState.EXPIRED if past or unanswered >= CHANCES else RequestState.WAITING


def hours_of(earliest: datetime, latest: datetime, length: timedelta, zone: ZoneInfo) -> tuple[time, time] | None:
    """The hours of each day that a window over several days means: Monday 08:00 to Friday 16:00 is not the night
    between. None for a window within a day, and for hours that are too short for the meeting."""
    first, last = earliest.astimezone(zone), latest.astimezone(zone)
    minutes = (last.hour * 60 + last.minute) - (first.hour * 60 + first.minute)
    if first.date() == last.date() or timedelta(minutes=minutes) < length:
        return None
    return time(first.hour, first.minute), time(last.hour, last.minute)


def window_around(start: datetime, end: datetime, zone: ZoneInfo) -> Span:
    """A week to each side of a conference, in the hours of the day when people work, or when it was itself."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    within_a_day = first.date() == last.date()
    opens = min(DAY_BEGINS, first.time()) if within_a_day else first.time()
    closes = max(DAY_ENDS, last.time()) if within_a_day else last.time()
    return Span(
        datetime.combine(first.date() - NEAR, opens, zone).astimezone(start.tzinfo),
        datetime.combine(last.date() + NEAR, closes, zone).astimezone(start.tzinfo),
    )


def around(span: Span, length: timedelta, window: Span) -> Span:
    """The part of a window in which a meeting of this length could get in the way of the span."""
    return span.widened(length, length).shared_with(window)


def settled(booking: Booking, start: datetime, end: datetime, studio_ids: Sequence[int]) -> Booking:
    """The booking at this time and in exactly these studios, which are in the order of the table; guests stay."""
    return replace(booking, start=start, end=end, parties=tuple(_settled(booking.parties, iter(studio_ids))))


def _settled(wishes: Iterable[PartyWish], studio_ids: Iterator[int]) -> Iterator[PartyWish]:
    for wish in wishes:
        match wish:
            case GuestWish():
                yield wish
            case StudioWish():
                yield replace(wish, studio_id=next(studio_ids))
            case PoolWish(capacity=capacity, equipment=equipment):
                yield StudioWish(next(studio_ids), capacity, equipment)


def equivalents(
    wishes: Sequence[PartyWish], lost: Collection[int], studios: Mapping[int, Candidate]
) -> tuple[PartyWish, ...]:
    """The same wishes, where each of the `lost` studios may be any at its site that can do as much."""
    return tuple(
        _like(studios[wish.studio_id], wish)
        if isinstance(wish, StudioWish) and wish.studio_id in lost and wish.studio_id in studios
        else wish
        for wish in wishes
    )


def _like(studio: Candidate, wish: StudioWish) -> PoolWish:
    return PoolWish(
        site=studio.site,
        organisation=studio.organisation,
        capacity=wish.attendees or studio.capacity,
        equipment=wish.equipment | studio.equipment,
    )


def swap_expires_at(now: datetime, starts: Iterable[datetime]) -> datetime:
    """Nobody can agree any longer when one of the times in question has come."""
    return min(now + SWAP_PATIENCE, *starts)
