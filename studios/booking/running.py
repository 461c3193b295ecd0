"""What people do with a conference that is under way. The caller commits."""

from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict
from models import Account, Conference, Leg, LegState
from studios.booking import queries
from studios.booking.answers import party_at
from studios.booking.conferences import facts, fall_due, limits, locked, mark_changed, set_end, tell
from studios.booking.detours import go_another_way
from studios.booking.hosts import is_seated
from studios.booking.obstacles import WishRefused
from studios.booking.rules import Problem


def extend(conference_id: int, minutes: int, version: int | None, person: Account | None) -> Conference:
    """Let it last longer, if every studio and its ports are free; otherwise the refusal says who is in the way.

    Bookable hours are no bar to those who sit there already.
    """
    conference = locked(conference_id, version)
    check_runs(conference)
    end = conference.ends_at + timedelta(minutes=minutes)
    if end - conference.starts_at > limits().longest:
        raise WishRefused([Problem.TOO_LONG])
    before = facts(conference)
    set_end(conference, end)
    fall_due(conference)
    mark_changed(conference)
    tell(conference, "conference.extended", person, changes={"end": [before["end"], end.isoformat()]})
    record("conference.extended", conference.reference, before=before, after=facts(conference))
    return conference


def release_studio(conference_id: int, position: int, version: int | None, person: Account | None) -> Conference:
    """Give one studio back before the end: its call is taken down and its time is free; the others go on."""
    conference = locked(conference_id, version)
    check_runs(conference)
    party = party_at(conference, position)
    if party.reservation is None or not is_seated(party):
        raise Conflict(_("No studio is reserved there any longer."))
    if party.host and conference.video and conference.bridge_id is None:
        raise Conflict(_("This studio carries the calls of the others. End the conference instead."))
    party.reservation.released_at = datetime.now(UTC)
    fall_due(conference)
    mark_changed(conference)
    tell(conference, "party.released", person, party.reservation.studio_id)
    record("party.released", conference.reference, after={"studio": party.reservation.studio.code})
    return conference


def call_again(conference_id: int, position: int, person: Account | None) -> Conference:
    """Have a party called at once, whatever kept it out until now."""
    conference = locked(conference_id)
    leg = _leg_at(conference, position)
    if leg.state is LegState.CONNECTED and not leg.held_down:
        raise Conflict(_("This party is connected already."))
    leg.held_down, leg.attempts, leg.next_attempt_at = False, 0, datetime.now(UTC)
    _leg_told(conference, leg, "leg.call_asked", person)
    return conference


def hang_up(conference_id: int, position: int, person: Account | None) -> Conference:
    """Take one party out of the call, and keep it out until somebody has it called again."""
    conference = locked(conference_id)
    leg = _leg_at(conference, position)
    others = [each for each in queries.legs_of(conference).values() if each is not leg and not each.held_down]
    if not others:
        raise Conflict(_("Nobody would be left in the call. End the conference instead."))
    leg.held_down = True
    _leg_told(conference, leg, "leg.hang_up_asked", person)
    return conference


def reroute(conference_id: int, version: int | None, person: Account | None) -> Conference:
    """Leave the bridge, because the person sees that it fails: all are hung up, and called another way."""
    conference = locked(conference_id, version)
    check_runs(conference)
    if conference.bridge_id is None:
        raise Conflict(_("The calls of this conference go by no bridge."))
    if not go_another_way(conference, at_once=True, person=person):
        raise Conflict(_("No other bridge has the ports, and no studio here can carry the calls."))
    record("conference.rerouted", conference.reference)
    return conference


def _leg_at(conference: Conference, position: int) -> Leg:
    check_runs(conference)
    leg = queries.legs_of(conference).get(party_at(conference, position).id)
    if leg is None:
        raise Conflict(_("This party is not called: it carries the calls of the others."))
    return leg


def _leg_told(conference: Conference, leg: Leg, kind: str, person: Account | None) -> None:
    fall_due(conference)
    reservation = leg.party.reservation
    tell(conference, kind, person, reservation.studio_id if reservation else None)
    record(kind, conference.reference, after={"party": leg.party.position})


def check_runs(conference: Conference) -> None:
    if not queries.is_under_way(conference):
        raise Conflict(_("This conference is not under way."))
