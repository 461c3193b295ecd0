"""Asking to wait for time to come free. The caller commits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict, Invalid, NotFound
from models import Account, Conference, ConferenceState, RequestState, WaitingRequest, db
from studios.booking.candidates import Candidate, Own, unfit
from studios.booking.conferences import limits
from studios.booking.obstacles import Kind, Obstacle, StudioUnfit, WishRefused
from studios.booking.rooms import candidates_for, rooms
from studios.booking.rules import Limits, Problem, party_problems, title_problems
from studios.booking.seating import UNFIT, own_of
from studios.booking.waiting.queries import check_acts_for
from studios.booking.waiting.rules import is_past
from studios.booking.wishes import Booking, GuestWish, PoolWish, StudioWish, booking_to_json


def ask_to_wait(
    booking: Booking, earliest: datetime, latest: datetime, person: Account, conference_id: int | None = None
) -> WaitingRequest:
    """Wait for the booking's studios to come free for its length between `earliest` and `latest`.

    Its own start is the preferred one, where the window has it; over several days the window means its hours of each
    day. With `conference_id` it is a conference of the same organisation, planned or cancelled, that gets the time.
    Raises WishRefused, Invalid, StudioUnfit or Forbidden.
    """
    check_acts_for(person, booking.organisation_id)
    _check(booking, earliest, latest, limits())
    _check_fits(booking, own_for(booking.organisation_id, person))
    if conference_id is not None:
        _check_conference(conference_id, booking.organisation_id)
    asked = replace(booking, organiser_id=booking.organiser_id or person.id)  # whoever accepts the offer for them
    request = add(asked, earliest, latest, person, conference_id)
    record("waiting.asked", f"waiting/{request.id}", after=facts(request))
    return request


def add(
    booking: Booking, earliest: datetime, latest: datetime, person: Account | None, conference_id: int | None
) -> WaitingRequest:
    """The request itself, at the end of the line."""
    request = WaitingRequest(
        organisation_id=booking.organisation_id,
        account_id=person.id if person else None,
        conference_id=conference_id,
        booking=booking_to_json(booking),
        earliest=earliest,
        latest=latest,
        state=RequestState.WAITING,
        created_at=datetime.now(UTC),
    )
    db.session.add(request)
    db.session.flush()
    return request


def own_for(organisation_id: int, person: Account | None) -> Own:
    """What is sought for an organisation may be its own, or what the person who asked acts for."""
    own = own_of(person) if person else Own(frozenset())
    if own.organisation_ids is None:
        return own
    return Own(frozenset({organisation_id, *own.organisation_ids}))


def facts(request: WaitingRequest) -> dict[str, Any]:
    """What the audit trail keeps; no title."""
    moments: dict[str, datetime | None] = {"earliest": request.earliest, "latest": request.latest}
    if request.state is RequestState.OFFERED:
        moments |= {"start": request.offered_start, "end": request.offered_end, "until": request.offer_expires_at}
    return {name: moment.isoformat() for name, moment in moments.items() if moment} | {"state": request.state.value}


def check_can_have_time(conference: Conference) -> None:
    """A conference that has begun or is over is given no other time."""
    if conference.state not in (ConferenceState.PLANNED, ConferenceState.CANCELLED):
        raise Conflict(_("This conference has begun or is over. It can no longer be given another time."))


def _check(booking: Booking, earliest: datetime, latest: datetime, allowed: Limits) -> None:
    now, length = datetime.now(UTC), booking.end - booking.start
    found = title_problems(booking.title) + party_problems(booking.parties, booking.video)
    if length <= timedelta():
        found.append(Problem.END_BEFORE_START)
    elif length > allowed.longest:
        found.append(Problem.TOO_LONG)
    if latest > now + allowed.horizon:
        found.append(Problem.TOO_FAR_AHEAD)
    if found:
        raise WishRefused(found)
    if latest - earliest < length:
        raise Invalid(_("The conference does not fit between the earliest and the latest time."), "latest")
    if is_past(latest, length, now, allowed.lead):
        raise Invalid(_("This time is past, or so near that nothing can come free in it."), "latest")


def _check_fits(booking: Booking, own: Own) -> None:
    """Nobody shall wait for what will never be."""
    there = rooms()
    found = [
        Obstacle(_why_not(wish, there, own), (position,))
        for position, wish in enumerate(booking.parties)
        if not isinstance(wish, GuestWish) and not candidates_for(wish, there, own, booking.purpose)
    ]
    if found:
        raise StudioUnfit(found)


def _why_not(wish: StudioWish | PoolWish, there: Mapping[int, Candidate], own: Own) -> Kind:
    if isinstance(wish, PoolWish):
        return Kind.NONE_IN_POOL
    studio = there.get(wish.studio_id)
    return UNFIT[unfit(studio, wish, own)[0]] if studio else Kind.RETIRED


def _check_conference(conference_id: int, organisation_id: int) -> None:
    conference = db.session.get(Conference, conference_id)
    if conference is None or conference.organisation_id != organisation_id:
        raise NotFound(_("Your organisation has no such conference."))
    check_can_have_time(conference)
