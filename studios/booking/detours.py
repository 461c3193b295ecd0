"""Another way for the calls of a conference whose bridge fails: another bridge, or the codec of a studio that mixes.
The caller holds the conference's row and commits."""

from contextlib import suppress
from typing import Any

from models import Account, Bridge, Conference, Event, LegState, Wanted, db
from studios.booking import queries
from studios.booking.conferences import booking_of, fall_due, mark_changed, tell
from studios.booking.hosts import choose_host, host_of
from studios.booking.obstacles import NoPorts
from studios.booking.ports import reserve_ports
from studios.booking.rules import ports_needed

# Parties that a codec with MultiSite mixes, itself included; more would have to know each codec's licence.
MOST_MIXED = 4
KIND = "conference.rerouted"


def go_another_way(
    conference: Conference, *, at_once: bool, person: Account | None = None, **details: Any
) -> bool:  # fmt: skip
    """Whether there is another way; its legs begin anew there then. `at_once`: the parties wait already, and a codec
    needs no minute to be ready as another bridge does."""
    left = conference.bridge
    if left is None:
        return False
    found = at_once and _mix(conference)
    found = found or _take_other_bridge(conference, left)
    if not (found or _mix(conference)):
        return False
    for leg in queries.legs_of(conference).values():
        if leg.wanted is Wanted.UP and not leg.held_down:
            leg.state, leg.attempts, leg.next_attempt_at = LegState.IDLE, 0, None
            leg.remote_call_id = leg.cause = None
    db.session.flush()
    db.session.expire(conference, ["bridge"])
    by = conference.bridge or host_of(conference)
    fall_due(conference)
    mark_changed(conference)
    tell(conference, KIND, person, **details, bridge=left.name, bridge_id=left.id, other=by.name if by else "")
    return True


def _take_other_bridge(conference: Conference, left: Bridge) -> bool:
    """Not back to one that was left before: it would be left again."""
    query = db.select(Event.details).where(Event.conference_id == conference.id, Event.kind == KIND)
    before = {details["bridge_id"] for details in db.session.scalars(query)}
    needed = ports_needed(booking_of(conference).parties, conference.video)
    with suppress(NoPorts):
        reserve_ports([(conference, needed, left.health_region)], but={left.id, *before})
    if conference.bridge_id is not None:
        return True
    conference.bridge_id, conference.ports = left.id, needed
    return False


def _mix(conference: Conference) -> bool:
    if len(conference.parties) > MOST_MIXED:
        return False
    choose_host(conference)
    if host_of(conference) is None:
        return False
    conference.bridge_id, conference.ports = None, 0
    return True
