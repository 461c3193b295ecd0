"""Who joins a conference that is under way, and who takes the place of a studio that fails. The caller commits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict
from models import Account, Bridge, Conference, LegState, Party, db
from studios.booking import diaries, queries
from studios.booking.answers import party_at
from studios.booking.candidates import Candidate, Own
from studios.booking.conferences import booking_of, change, facts, fall_due, locked, mark_changed, tell
from studios.booking.detours import MOST_MIXED
from studios.booking.drawing import Seat, own_of
from studios.booking.expiry import release_expired
from studios.booking.hosts import choose_host, is_seated
from studios.booking.obstacles import Kind, Obstacle, StudioClosed, StudioTaken, StudioUnfit
from studios.booking.ports import check_ports, store_conferences
from studios.booking.queries import clashes_by_reservation
from studios.booking.reserving import reserve_one_more
from studios.booking.rooms import locked_rooms
from studios.booking.running import check_runs
from studios.booking.seating import misfits
from studios.booking.wishes import GuestWish, StudioWish
from studios.calendars.rules import Span


def join(
    conference_id: int, wish: StudioWish | GuestWish, version: int | None, person: Account | None
) -> Conference:  # fmt: skip
    """One more party, called at once, while its studio and the port are free until the end. Raises as `book`."""
    conference = locked(conference_id, version)
    check_runs(conference)
    _need_one_more_port(conference)
    party = _sit_down(conference, wish, person)
    fall_due(conference)
    mark_changed(conference)
    tell(conference, "party.joined", person, party.studio_id)
    record("party.joined", conference.reference, after=facts(conference))
    return conference


def replace_studio(
    conference_id: int, position: int, studio_id: int, version: int, person: Account | None
) -> Conference:  # fmt: skip
    """Another studio for a party. Before anything of the calls is set up it is a change like any other; later the old
    studio is given back, its call taken down, and the new one called."""
    conference = locked(conference_id, version)
    party = party_at(conference, position)
    if party.reservation is None or not is_seated(party):
        raise Conflict(_("No studio is reserved there any longer."))
    wish = StudioWish(studio_id, party.attendees)
    if not queries.legs_of(conference) and not queries.is_muted(conference):
        before = booking_of(conference)
        parties = tuple(wish if place == position else each for place, each in enumerate(before.parties))
        return change(conference_id, replace(before, parties=parties), version, person)
    legs = queries.legs_of(conference)
    if party.host and conference.bridge_id is None and any(leg.state is LegState.CONNECTED for leg in legs.values()):
        raise Conflict(_("This studio carries the calls of the others. End the conference instead."))
    before_facts = facts(conference)
    party.reservation.released_at = datetime.now(UTC)
    newcomer = _sit_down(conference, wish, person)
    if party.host:
        choose_host(conference)
    fall_due(conference)
    mark_changed(conference)
    tell(conference, "party.replaced", person, newcomer.studio_id, replaced=party.reservation.studio.name)
    record("party.replaced", conference.reference, before=before_facts, after=facts(conference))
    return conference


def _need_one_more_port(conference: Conference) -> None:
    """On the bridge, if there is one; a codec mixes only so many. Raises NoPorts or Conflict."""
    if not conference.video:
        return
    if conference.bridge_id is not None:
        with db.session.no_autoflush:
            conference.ports += 1
            check_ports(conference, conference.starts_at, conference.ends_at)
        store_conferences()
        return
    seated = sum(is_seated(party) or party.reservation is None for party in conference.parties)
    if seated >= MOST_MIXED and db.session.scalar(sa.select(Bridge.id).where(Bridge.retired_at.is_(None)).limit(1)):
        raise Conflict(_("A codec carries these calls, and it takes %(number)s parties at most.", number=MOST_MIXED))


def _sit_down(conference: Conference, wish: StudioWish | GuestWish, person: Account | None) -> Party:
    """From now on: nobody prepares a room in which people wait already."""
    now, own = datetime.now(UTC), own_of(person)
    start = max(now, conference.starts_at)
    if isinstance(wish, GuestWish):
        return reserve_one_more(conference, Seat(wish, None), start, own)
    if any(party.studio_id == wish.studio_id and is_seated(party) for party in conference.parties):
        raise Conflict(_("This studio takes part already."))
    studio = locked_rooms([wish.studio_id]).get(wish.studio_id)
    if studio is None:
        raise StudioUnfit([Obstacle(Kind.RETIRED)])
    release_expired({studio.id})
    unprepared = studio._replace(setup=timedelta())
    _check(conference, Seat(wish, unprepared), unprepared, Span(start, conference.ends_at), own)
    return reserve_one_more(conference, Seat(wish, unprepared), start, own)


def _check(conference: Conference, seat: Seat, studio: Candidate, meeting: Span, own: Own) -> None:
    diary = diaries.read([studio], [meeting])
    booking = replace(booking_of(conference), start=meeting.start, parties=(seat.wish,))
    if unfitting := misfits(booking, [seat], own, diary):
        raise StudioUnfit(unfitting)
    if taken := diary.taken(studio, meeting):
        raise StudioTaken(list(clashes_by_reservation({each.key for each in taken}).values()))
    if closed := diary.closed(studio, meeting):
        raise StudioClosed(closed)
    if studio.needs_approval and not own.covers(studio.organisation_id):
        told = _("%(studio)s is lent only with its owner's approval, and there is no time to ask.", studio=studio.name)
        raise Conflict(told)
