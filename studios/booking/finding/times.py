"""`find_time`: reads what the search has to know, asks it, and names who is in the way."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from config import settings
from models import Purpose
from studios.booking.candidates import Candidate, Own, Unfit, unfit
from studios.booking.finding import reading
from studios.booking.finding.asked import asked_spans
from studios.booking.finding.question import MOST_SHIFTED, Answer, Blocker, NearMiss, Question, Room, Seat, Why
from studios.booking.finding.search import find
from studios.booking.hours import closed_spans
from studios.booking.rooms import candidates_for, rooms
from studios.booking.wishes import GuestWish, PartyWish, PoolWish, StudioWish, studio_ids
from studios.calendars.rules import Span

Hours = tuple[time, time]


@dataclass(frozen=True)
class Posed:
    """A question with all that the search has to know. `studios`: all that come into it, by key. `unfit`: for parties
    that ask for a studio which is not one for them, why; one that is no longer in use has no reason. `closures`: the
    reasons of closures by their keys."""

    question: Question
    studios: Mapping[int, Candidate]
    unfit: Mapping[int, tuple[Unfit, ...]]
    closures: Mapping[int, str]


def find_time(
    wishes: Sequence[PartyWish],
    minutes: int,
    start: datetime,
    end: datetime,
    *,
    own: Own,
    purpose: Purpose,
    preferred: datetime | None = None,
    hours: Hours | None = None,
    days: Collection[int] | None = None,
    but: int | None = None,
    limit: int = 5,
    barred: Sequence[Span] = (),
    exactly: bool = False,
    now: datetime | None = None,
) -> Answer:
    """Times between `start` and `end` at which all these parties can meet for so many minutes, best first.

    `hours` and `days` (0 is Monday) are of the wall clock in the installation's zone. `but` is the key of a conference
    that is being moved: its own reservations don't count. `barred`: when there are too few bridge ports. `exactly`:
    with no compromise on what was asked for, and no word of what is in the way. Nothing
    begins before `now` and the lead time of bookings, or beyond their horizon.
    """
    zone = ZoneInfo(settings().zone)
    within = asked_spans(start, end, hours, days, zone)
    wished = Wished(timedelta(minutes=minutes), within, preferred, barred, limit, exactly)
    return answer(pose(wishes, wished, rooms(_named_only(wishes)), own=own, purpose=purpose, but=but, now=now))


@dataclass(frozen=True)
class Wished:
    """When a meeting shall be, and what is asked about it; see `find_time`. `read`: more time than the search looks at,
    of which the question shall know what is taken."""

    length: timedelta
    within: Sequence[Span]
    preferred: datetime | None = None
    barred: Sequence[Span] = ()
    limit: int = 5
    exactly: bool = False
    read: Span | None = None


def pose(
    wishes: Sequence[PartyWish],
    wished: Wished,
    there: Mapping[int, Candidate],
    *,
    own: Own,
    purpose: Purpose,
    but: int | None = None,
    now: datetime | None = None,
) -> Posed:
    """Read what is taken in the studios of `there` that come into question."""
    now = now or datetime.now(UTC)
    seats = _seats(wishes, there, own, purpose)
    question = Question(
        seats, {}, wished.length, wished.within, now, ZoneInfo(settings().zone),
        None if wished.preferred is None else wished.preferred.astimezone(UTC),
        timedelta(minutes=settings().lead_minutes), now + timedelta(days=settings().horizon_days), wished.barred,
        wished.limit, wished.exactly,
    )  # fmt: skip
    studios = {key: there[key] for key in dict.fromkeys(key for seat in seats for key in seat.rooms or ())}
    found, reasons = _rooms(question, studios, wished.read, but)
    return Posed(replace(question, rooms=found), studios, _unfit(wishes, seats, there, own), reasons)


def answer(posed: Posed) -> Answer:
    """The search's answer, with the names of what is in the way."""
    found = find(posed.question)
    missed = named(found.missed, posed.closures) if found.missed else None
    return replace(found, missed=missed, studios=posed.studios, unfit=posed.unfit)


def _named_only(wishes: Sequence[PartyWish]) -> list[int] | None:
    """The studios to read when no party draws on a pool; None for all."""
    return None if any(isinstance(wish, PoolWish) for wish in wishes) else studio_ids(wishes)


def _seats(wishes: Sequence[PartyWish], there: Mapping[int, Candidate], own: Own, purpose: Purpose) -> list[Seat]:
    @cache
    def drawn(wish: PartyWish) -> tuple[int, ...]:
        return tuple(candidate.id for candidate in candidates_for(wish, there, own, purpose))

    return [Seat(None if isinstance(wish, GuestWish) else drawn(wish), _people(wish)) for wish in wishes]


def _people(wish: PartyWish) -> int:
    match wish:
        case PoolWish():
            return wish.capacity
        case StudioWish():
            return wish.attendees or 1
        case GuestWish():
            return 1


def _unfit(
    wishes: Sequence[PartyWish], seats: Sequence[Seat], there: Mapping[int, Candidate], own: Own
) -> dict[int, tuple[Unfit, ...]]:
    found = {}
    for party, (wish, seat) in enumerate(zip(wishes, seats, strict=True)):
        if isinstance(wish, StudioWish) and not seat.rooms:
            asked_for = there.get(wish.studio_id)
            found[party] = tuple(unfit(asked_for, wish, own)) if asked_for else ()
    return found


def _rooms(
    question: Question, studios: Mapping[int, Candidate], read: Span | None, but: int | None
) -> tuple[dict[int, Room], Mapping[int, str]]:
    """The studios as the search sees them, and the reasons of closures by their keys."""
    if not question.within and read is None:
        return {key: Room(key) for key in studios}, {}
    window = _read_window(question, studios, read)
    reserved = reading.reserved(studios.keys(), window, question.now, but)
    closed, reasons = reading.closures(studios.values(), window)
    shut = _shut(window)
    found = {
        key: Room(
            key, each.capacity, each.setup, each.clear_down, each.site_id, each.latitude, each.longitude,
            each.quality_ok, each.is_down, reserved[key], closed.get(key, ()), shut(each),
        )
        for key, each in studios.items()
    }  # fmt: skip
    return found, reasons


def _read_window(question: Question, studios: Mapping[int, Candidate], read: Span | None) -> Span:
    """All the time that the search may look at: meetings can be shifted, and have buffers."""
    asked = [*question.within, *([read] if read else [])]
    before = max((each.setup for each in studios.values()), default=timedelta()) + MOST_SHIFTED
    after = max((each.clear_down for each in studios.values()), default=timedelta()) + MOST_SHIFTED
    return Span(min(span.start for span in asked), max(span.end for span in asked)).widened(before, after)


def _shut(window: Span) -> Callable[[Candidate], Sequence[Span]]:
    """When a studio is outside its bookable hours; many have the same, which are worked out once."""

    @cache
    def outside(text: str, zone: str) -> list[Span]:
        return closed_spans(json.loads(text), ZoneInfo(zone), window.start, window.end)

    return lambda each: () if each.hours is None else outside(json.dumps(each.hours), each.zone)


def named(missed: NearMiss, reasons: Mapping[int, str]) -> NearMiss:
    """With the reference and the owner of each conference that is in the way, and the reasons of closures. A query."""
    blockers = [blocker for seat in missed.seats for blocker in seat.blockers]
    keys = {blocker.key for blocker in blockers if blocker.why is Why.RESERVED and blocker.key is not None}
    known = reading.holders(keys) if keys else {}

    def with_name(blocker: Blocker) -> Blocker:
        if blocker.why is Why.CLOSED:
            return replace(blocker, reason=reasons.get(blocker.key or 0, ""))
        holder = known.get(blocker.key or 0)
        return replace(blocker, **asdict(holder)) if holder else blocker

    seats = (replace(seat, blockers=tuple(map(with_name, seat.blockers))) for seat in missed.seats)
    return replace(missed, seats=tuple(seats))
