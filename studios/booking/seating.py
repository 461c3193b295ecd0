"""Studios for the parties of a conference: chosen, locked, checked and reserved. The caller commits.

The one way in which a conference comes to its studios, whoever asks: a new booking, a change, a cancellation taken
back, an offer from the waiting list, a swap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from accounts.queries import access_of
from config import settings
from models import (
    Account,
    Answer,
    Conference,
    Party,
    PartyKind,
    Purpose,
    Reservation,
    ReservationKind,
    Role,
    Studio,
    db,
)
from models.guards import is_closed, is_overlap
from studios.booking import queries
from studios.booking.candidates import Candidate, Own, Unfit, unfit
from studios.booking.expiry import release_expired
from studios.booking.finding.matching import cheapest, too_few
from studios.booking.hosts import choose_host
from studios.booking.hours import is_within
from studios.booking.obstacles import Kind, NoneFree, Obstacle, StudioClosed, StudioTaken, StudioUnfit
from studios.booking.ports import reserve_ports
from studios.booking.rooms import candidates_for, rooms
from studios.booking.rules import ports_needed
from studios.booking.wishes import Booking, GuestWish, PartyWish, PoolWish, StudioWish, to_json
from studios.calendars.rules import Span

# How often pools are drawn from anew, when what was chosen is gone by the time it is locked.
DRAWS = 4
UNFIT = {
    Unfit.PRIVATE: Kind.PRIVATE,
    Unfit.TOO_SMALL: Kind.TOO_SMALL,
    Unfit.LACKS_EQUIPMENT: Kind.LACKS_EQUIPMENT,
}


@dataclass(frozen=True)
class Seat:
    """A party's studio; none for a guest."""

    wish: PartyWish
    studio: Candidate | None


def seat(conference: Conference, booking: Booking, person: Account | None) -> list[Seat]:
    """Reserve a studio for every party, and bridge ports, for the conference's time; nobody sits there before.

    1. Draw: a named studio is itself; for pools find-a-time chooses, different studios for different parties.
    2. Lock the studios in the order of their keys, so that no two bookings deadlock, and release what has expired.
    3. Check under the locks, where the answer holds until the commit: fitness, bookable hours, clashes, closures.
       A pool's studio that was taken since 1 is drawn anew.
    4. Reserve ports, insert the reservations and the parties. The database's own guards are the last word.

    Raises StudioUnfit, StudioTaken, StudioClosed, NoneFree or NoPorts.
    """
    own = own_of(person)
    for draw in range(DRAWS):
        chosen = _draw(conference, booking, own)
        try:
            seats = _locked(booking.parties, chosen)
            _check(conference, booking, seats, own)
            break
        except (StudioTaken, StudioClosed):
            if draw == DRAWS - 1 or not any(isinstance(wish, PoolWish) for wish in booking.parties):
                raise
    region = next((each.studio.health_region for each in seats if each.studio), "")
    reserve_ports(conference, ports_needed(booking.parties, booking.video), region)
    db.session.flush()
    _insert(conference, seats, own)
    return seats


def own_of(person: Account | None) -> Own:
    """The organisations that somebody books for; a process of ours, for all."""
    if person is None:
        return Own()
    access = access_of(person)
    bookers = (Role.COORDINATOR, Role.ADMINISTRATOR)
    return Own(None if access.everywhere(*bookers) else access.organisation_ids(*bookers))


def lock_studios(studio_ids: Iterable[int]) -> None:
    """Until the transaction ends nobody else books or closes these. SQLite's writers have the whole file anyway."""
    if db.engine.dialect.name != "sqlite":
        wanted = sa.select(Studio.id).where(Studio.id.in_(list(studio_ids))).order_by(Studio.id)
        db.session.execute(wanted.with_for_update(key_share=True)).all()


def span_of(studio: Candidate, start: datetime, end: datetime) -> Span:
    """The studio's time that a conference takes, buffers included."""
    return Span(start - studio.setup, end + studio.clear_down)


def _draw(conference: Conference, booking: Booking, own: Own) -> list[int | None]:
    """A studio's key for each party; none for guests."""
    if not any(isinstance(wish, PoolWish) for wish in booking.parties):
        return [wish.studio_id if isinstance(wish, StudioWish) else None for wish in booking.parties]
    known = rooms()
    fitting = [_fitting(wish, known, own, booking.purpose) for wish in booking.parties]
    taken = _not_free({studio.id: studio for each in fitting for studio in each}, conference, booking)
    free = [[studio.id for studio in each if studio.id not in taken] for each in fitting]
    asked = [position for position, wish in enumerate(booking.parties) if not isinstance(wish, GuestWish)]
    # A studio asked for by name is its party's whatever stands in its way, which the check under the lock will say.
    choices = [
        [wish.studio_id] if isinstance(wish := booking.parties[position], StudioWish) else free[position]
        for position in asked
    ]
    chosen = cheapest(choices, lambda number, studio_id: _cost(booking.parties[asked[number]], known.get(studio_id)))
    if chosen is None:
        raise NoneFree(_short(asked, choices, fitting))
    found = dict(zip(asked, chosen, strict=True))
    return [found.get(position) for position in range(len(booking.parties))]


def _fitting(wish: PartyWish, known: Mapping[int, Candidate], own: Own, purpose: Purpose) -> list[Candidate]:
    return candidates_for(wish, known, own, purpose) if isinstance(wish, PoolWish) else []


def _not_free(studios: Mapping[int, Candidate], conference: Conference, booking: Booking) -> set[int]:
    """Those of these studios that are taken, closed or outside their bookable hours then."""
    meeting = Span(booking.start, booking.end)
    blocked = {studio.id: span_of(studio, booking.start, booking.end) for studio in studios.values()}
    taken = queries.taken_among(blocked, but=conference.id)
    closed = {closed.studio.id for closed in queries.closures(list(studios.values()), booking.start, booking.end)}
    shut = {studio.id for studio in studios.values() if not is_within(studio.hours, ZoneInfo(studio.zone), meeting)}
    return taken | closed | shut


def _cost(wish: PartyWish, studio: Candidate | None) -> int:
    """Of a pool's studios: first one whose quality is known, then the smallest that is large enough."""
    if studio is None or not isinstance(wish, PoolWish):
        return 0
    return (not studio.quality_ok) * 10_000 + studio.capacity - wish.capacity


def _short(
    asked: Sequence[int], choices: Sequence[Sequence[int]], fitting: Sequence[Sequence[Candidate]]
) -> list[Obstacle]:
    """Which parties can't have studios of their own: of none that fit, or of too few that are free."""
    parties, _studios = too_few(choices) or ([], [])
    return [
        Obstacle(Kind.NONE_FREE if fitting[asked[number]] else Kind.NONE_IN_POOL, (asked[number],))
        for number in parties
    ]


def _locked(parties: Sequence[PartyWish], chosen: Sequence[int | None]) -> list[Seat]:
    studio_ids = [studio_id for studio_id in chosen if studio_id is not None]
    lock_studios(studio_ids)
    release_expired(studio_ids)
    known = rooms(studio_ids)
    if retired := [position for position, studio_id in enumerate(chosen) if studio_id and studio_id not in known]:
        raise StudioUnfit([Obstacle(Kind.RETIRED, (position,)) for position in retired])
    return [
        Seat(wish, known[studio_id] if studio_id else None) for wish, studio_id in zip(parties, chosen, strict=True)
    ]


def _check(conference: Conference, booking: Booking, seats: Sequence[Seat], own: Own) -> None:
    if found := [
        obstacle for position, each in enumerate(seats) for obstacle in _misfits(position, each, booking, own)
    ]:
        raise StudioUnfit(found)
    studios = [each.studio for each in seats if each.studio]
    check_free(studios, booking.start, booking.end, conference.id)


def check_free(studios: Sequence[Candidate], start: datetime, end: datetime, moved_id: int | None) -> None:
    """Refuse what is taken or closed; read under the studios' locks. The conference `moved_id` is never in the way."""
    if found := queries.clashes({studio.id: span_of(studio, start, end) for studio in studios}, moved_id):
        raise StudioTaken(found)
    if closed := queries.closures(studios, start, end):
        raise StudioClosed(closed)


def _misfits(position: int, each: Seat, booking: Booking, own: Own) -> list[Obstacle]:
    studio = each.studio
    if studio is None or isinstance(each.wish, GuestWish):
        return []
    kinds = [UNFIT[reason] for reason in unfit(studio, each.wish, own)]
    if not is_within(studio.hours, ZoneInfo(studio.zone), Span(booking.start, booking.end)):
        kinds.append(Kind.OUTSIDE_HOURS)
    return [Obstacle(kind, (position,), studio.code) for kind in kinds]


def _insert(conference: Conference, seats: Sequence[Seat], own: Own) -> None:
    """A reservation and a place at the table for each party, in order."""
    now = datetime.now(UTC)
    reservations = [_reservation(conference, each.studio, own, now) if each.studio else None for each in seats]
    db.session.add_all(reservation for reservation in reservations if reservation)
    try:
        db.session.flush()
    except sa.exc.DBAPIError as error:
        # Only a writer that does not take the studios' locks can get us here; the guards have still kept them whole.
        if is_overlap(error):
            raise StudioTaken([]) from None
        if is_closed(error):
            raise StudioClosed([]) from None
        raise
    for position, (each, reservation) in enumerate(zip(seats, reservations, strict=True)):
        db.session.add(_party(conference, position, each, reservation, own))
    db.session.flush()
    db.session.expire(conference, ["parties", "reservations"])
    choose_host(conference)


def _reservation(conference: Conference, studio: Candidate, own: Own, now: datetime) -> Reservation:
    """A studio whose owner has to approve is only asked for; the request expires at the start at the latest."""
    span = span_of(studio, conference.starts_at, conference.ends_at)
    asks = studio.needs_approval and not own.covers(studio.organisation_id)
    patience = timedelta(hours=settings().approval_hours)
    return Reservation(
        studio_id=studio.id,
        conference_id=conference.id,
        starts_at=span.start,
        ends_at=span.end,
        kind=ReservationKind.PENDING_REQUEST if asks else ReservationKind.CONFERENCE,
        expires_at=max(min(now + patience, conference.starts_at), now) if asks else None,
    )


def _party(conference: Conference, position: int, each: Seat, reservation: Reservation | None, own: Own) -> Party:
    studio, wish = each.studio, each.wish
    asks = studio is not None and not own.covers(studio.organisation_id)
    return Party(
        conference_id=conference.id,
        position=position,
        kind=_KINDS[type(wish)],
        studio_id=studio.id if studio else None,
        pool=to_json([wish])[0] if isinstance(wish, PoolWish) else None,
        guest_address=wish.address if isinstance(wish, GuestWish) else None,
        attendees=wish.attendees if isinstance(wish, StudioWish) else None,
        organisation_id=studio.organisation_id if studio else None,
        answer=Answer.WAITING if asks else Answer.NOT_ASKED,
        reservation_id=reservation.id if reservation else None,
    )


_KINDS = {StudioWish: PartyKind.STUDIO, PoolWish: PartyKind.POOL, GuestWish: PartyKind.GUEST}
