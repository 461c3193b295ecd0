"""Studios for the parties of conferences: chosen, locked, checked and reserved. The caller commits.

The one way in which a conference comes to its studios, whoever asks: a new booking, a change, a cancellation taken
back, an offer from the waiting list, a swap, all meetings of a series at once.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa

from models import Account, Again, Conference, Studio, db
from studios.booking import diaries, queries
from studios.booking.candidates import Candidate, Own, Unfit, unfit
from studios.booking.diaries import Diary, span_of
from studios.booking.drawing import (
    NO_ONE,
    Absent,
    Pools,
    Said,
    Seat,
    Seats,
    absent_of,
    draws_on_pools,
    named_studios,
    own_of,
)
from studios.booking.expiry import release_expired
from studios.booking.obstacles import Kind, NoneFree, Obstacle, StudioClosed, StudioTaken, StudioUnfit
from studios.booking.ports import reserve_ports, store_conferences
from studios.booking.reserving import reserve
from studios.booking.rooms import locked_rooms, rooms
from studios.booking.rules import ports_needed
from studios.booking.wishes import Booking, GuestWish, PoolWish, StudioWish
from studios.calendars.rules import Span

# How often pools are drawn from anew, when what was chosen is gone by the time it is locked.
DRAWS = 4
UNFIT = {
    Unfit.PRIVATE: Kind.PRIVATE,
    Unfit.TOO_SMALL: Kind.TOO_SMALL,
    Unfit.LACKS_EQUIPMENT: Kind.LACKS_EQUIPMENT,
}

Seating = tuple[Conference, Booking]
Drawn = Sequence[int | None]
"""A studio's key for each party; none for guests."""
NOBODY: Mapping[int, Collection[int]] = MappingProxyType({})
NOTHING: Mapping[int, Sequence[Said]] = MappingProxyType({})


def seat(
    conference: Conference,
    booking: Booking,
    person: Account | None,
    drawn: Drawn | None = None,
    said: Sequence[Said] = (),
    own: Own | None = None,
) -> Seats:
    """Reserve a studio for every party, and bridge ports, for the conference's time; nobody sits there before. `said`:
    what stands of its parties.

    Raises StudioUnfit, StudioTaken, StudioClosed, NoneFree or NoPorts.
    """
    kept = {conference.id: [each.studio_id for each in said if not each.declined]} if said else NOBODY
    stands = {conference.id: said} if said else NOTHING
    return seat_all([(conference, booking)], person, kept, stands, None if drawn is None else [drawn], own)[0]


def draw(
    booking: Booking, own: Own, but: Collection[int] = (), kept: Collection[int] = (), absent: Absent = NO_ONE
) -> Drawn | None:
    """What the booking would draw now, for who locks other studios with them: all in one go, in the order of their
    keys. None where its pools have too few. `but`: conferences that are moved away."""
    known = rooms()
    pools = Pools(known, own)
    try:
        diary = diaries.read(pools.of([booking]).values(), _meetings([booking]), but)
        return pools.draw(booking, diary, kept, absent)
    except NoneFree:
        return None


def seat_all(
    seatings: Sequence[Seating],
    person: Account | None,
    kept: Mapping[int, Collection[int]] = NOBODY,
    said: Mapping[int, Sequence[Said]] = NOTHING,
    drawn: Sequence[Drawn] | None = None,
    own: Own | None = None,
) -> list[Seats]:
    """Seat many conferences at once, all of them or none; raises as `seat`, with what is in the way of any of them.
    `kept`: by conference the studios it had, which its pools give it again where they can. `said`: what stands of its
    parties: a studio that was reserved for good stays so, with its answer, and who declined stays away. `drawn`: what
    was drawn for each of them before, outside the transaction or under other locks. `own`: the organisations that it is
    booked for, where they are not those of the person's everyday roles.

    1. Draw: a named studio is itself; for pools find-a-time chooses, different studios for different parties.
    2. Lock the studios in the order of their keys, so that no two bookings deadlock, and release what has expired.
    3. Check under the locks, where the answer holds until the commit: fitness, bookable hours, clashes, closures.
       Where a studio was taken since 1, its conference's pools are drawn anew.
    4. Reserve ports, insert the reservations and the parties. The database's own guards are the last word.
    """
    own = own or own_of(person)
    has_pools = any(draws_on_pools(booking) for _, booking in seatings)
    stands = [said.get(conference.id, ()) for conference, _ in seatings]
    absent = [absent_of(booking.parties, each) for (_, booking), each in zip(seatings, stands, strict=True)]
    chosen = drawn or (_drawn(seatings, own, kept, absent) if has_pools else _named(seatings, absent))
    for round_ in range(DRAWS):
        try:
            seats = [_with_what_stands(*each) for each in zip(_locked(seatings, chosen), stands, absent, strict=True)]
            _check(seatings, seats, own)
            break
        except (StudioTaken, StudioClosed) as refused:
            if round_ == DRAWS - 1 or not has_pools:
                raise
            if drawn is None:  # nothing but what was drawn is locked: to lock others beside it could deadlock
                raise Again(refused) from None
            chosen = _drawn_anew(seatings, chosen, own, kept, absent)
    reserve_ports(
        [
            (conference, ports_needed(booking.parties, booking.video), region_of(each))
            for (conference, booking), each in zip(seatings, seats, strict=True)
        ]
    )
    store_conferences()
    reserve([(conference, each) for (conference, _), each in zip(seatings, seats, strict=True)], own)
    return seats


def region_of(seats: Sequence[Seat]) -> str:
    """Where a bridge is best: in the health region of the first studio."""
    return next((each.studio.health_region for each in seats if each.studio), "")


def lock_studios(studio_ids: Iterable[int]) -> None:
    """Until the transaction ends nobody else books or closes these. SQLite's writers have the whole file anyway."""
    if db.engine.dialect.name != "sqlite":
        wanted = sa.select(Studio.id).where(Studio.id.in_(list(studio_ids))).order_by(Studio.id)
        db.session.execute(wanted.with_for_update(key_share=True)).all()


def misfits(booking: Booking, seats: Sequence[Seat], own: Own, diary: Diary) -> list[Obstacle]:
    """What makes studios unfit for their parties, whatever is booked in them."""
    meeting = Span(booking.start, booking.end)
    return [
        Obstacle(kind, (position,), each.studio.code)
        for position, each in enumerate(seats)
        if each.studio and not isinstance(each.wish, GuestWish)
        for kind in _misfit(each.studio, each.wish, own, diary.is_open(each.studio, meeting))
    ]


def check_free(studios: Sequence[Candidate], start: datetime, end: datetime, moved_id: int | None) -> None:
    """Refuse what is taken or closed; read under the studios' locks. The conference `moved_id` is never in the way."""
    diary = diaries.read(studios, [Span(start, end)], [] if moved_id is None else [moved_id])
    if found := queries.clashes({studio.id: span_of(studio, start, end) for studio in studios}, moved_id):
        raise StudioTaken(found)
    if closed := [found for studio in studios for found in diary.closed(studio, Span(start, end))]:
        raise StudioClosed(closed)


def _with_what_stands(seats: Seats, said: Sequence[Said], absent: Absent) -> Seats:
    reserved = {each.studio_id: each for each in said if not each.declined}
    return [
        replace(each, said=reserved.get(each.studio.id) if each.studio else absent.get(position))
        for position, each in enumerate(seats)
    ]


def _named(seatings: Sequence[Seating], absent: Sequence[Absent]) -> list[Drawn]:
    return [named_studios(booking, away) for (_, booking), away in zip(seatings, absent, strict=True)]


def _drawn(
    seatings: Sequence[Seating], own: Own, kept: Mapping[int, Collection[int]], absent: Sequence[Absent]
) -> list[Drawn]:
    """A studio's key for each party; what one conference draws, another at the same time does not get."""
    known = rooms()
    pools, bookings = Pools(known, own), [booking for _, booking in seatings]
    diary = diaries.read(pools.of(bookings).values(), _meetings(bookings), _moved(seatings))
    found: list[Drawn] = []
    for (conference, booking), away in zip(seatings, absent, strict=True):
        found.append(pools.draw(booking, diary, kept.get(conference.id, ()), away))
        _hold(diary, found[-1], known, booking)
    return found


def _drawn_anew(
    seatings: Sequence[Seating],
    chosen: Sequence[Drawn],
    own: Own,
    kept: Mapping[int, Collection[int]],
    absent: Sequence[Absent],
) -> list[Drawn]:
    """Only for those whose studios are gone; where the others leave them too few, for all."""
    known, moved, found = rooms(), _moved(seatings), list(chosen)
    gone = _gone(seatings, chosen, known, moved)
    pools, bookings = Pools(known, own), [seatings[number][1] for number in gone]
    diary = diaries.read(pools.of(bookings).values(), _meetings(bookings), moved)
    for number in set(range(len(seatings))).difference(gone):
        _hold(diary, chosen[number], known, seatings[number][1])
    try:
        for number in gone:
            conference, booking = seatings[number]
            found[number] = pools.draw(booking, diary, kept.get(conference.id, ()), absent[number])
            _hold(diary, found[number], known, booking)
    except NoneFree:
        return _drawn(seatings, own, kept, absent)
    return found


def _gone(
    seatings: Sequence[Seating], chosen: Sequence[Drawn], known: Mapping[int, Candidate], moved: Collection[int]
) -> list[int]:
    """Which of them, by number, can no longer have what was drawn for them."""
    studios = {key: known[key] for each in chosen for key in each if key is not None and key in known}
    diary = diaries.read(studios.values(), _meetings([booking for _, booking in seatings]), moved)
    found = []
    for number, ((_conference, booking), each) in enumerate(zip(seatings, chosen, strict=True)):
        meeting = Span(booking.start, booking.end)
        if all(diary.is_free(studios[key], meeting) for key in each if key in studios):
            _hold(diary, each, known, booking)
        else:
            found.append(number)
    return found


def _hold(diary: Diary, each: Drawn, known: Mapping[int, Candidate], booking: Booking) -> None:
    for studio_id in each:
        if studio_id is not None and studio_id in known:
            diary.hold(known[studio_id], Span(booking.start, booking.end))


def _locked(seatings: Sequence[Seating], chosen: Sequence[Drawn]) -> list[Seats]:
    studio_ids = {studio_id for each in chosen for studio_id in each if studio_id is not None}
    known = locked_rooms(studio_ids) if studio_ids else {}
    release_expired(studio_ids)
    gone = dict.fromkeys(
        position
        for each in chosen
        for position, studio_id in enumerate(each)
        if studio_id is not None and studio_id not in known
    )
    if gone:
        raise StudioUnfit([Obstacle(Kind.RETIRED, (position,)) for position in gone])
    return [
        [
            Seat(wish, None if studio_id is None else known[studio_id])
            for wish, studio_id in zip(booking.parties, each, strict=True)
        ]
        for (_, booking), each in zip(seatings, chosen, strict=True)
    ]


def _check(seatings: Sequence[Seating], seats: Sequence[Seats], own: Own) -> None:
    bookings = [booking for _, booking in seatings]
    studios = {each.studio.id: each.studio for some in seats for each in some if each.studio}
    diary = diaries.read(studios.values(), _meetings(bookings), _moved(seatings))
    pairs = list(zip(bookings, seats, strict=True))
    if unfitting := [found for booking, some in pairs for found in misfits(booking, some, own, diary)]:
        raise StudioUnfit(unfitting)
    taken, closed = set[int](), []
    for booking, some in pairs:
        meeting = Span(booking.start, booking.end)
        for studio in (each.studio for each in some if each.studio):
            taken |= {found.key for found in diary.taken(studio, meeting)}
            closed += diary.closed(studio, meeting)
            diary.hold(studio, meeting)
    if taken:
        raise StudioTaken(list(queries.clashes_by_reservation(taken - {diaries.SIBLING}).values()))
    if closed:
        raise StudioClosed(closed)


def _meetings(bookings: Sequence[Booking]) -> list[Span]:
    return [Span(booking.start, booking.end) for booking in bookings]


def _moved(seatings: Sequence[Seating]) -> list[int]:
    """The conferences that exist already: their old times are not in the way of any."""
    return [conference.id for conference, _ in seatings if conference.id is not None]


def _misfit(studio: Candidate, wish: StudioWish | PoolWish, own: Own, is_open: bool) -> list[Kind]:
    kinds = [UNFIT[reason] for reason in unfit(studio, wish, own)]
    return kinds if is_open else [*kinds, Kind.OUTSIDE_HOURS]
