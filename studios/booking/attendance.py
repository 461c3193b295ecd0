"""Who is left to meet at the table of a conference."""

from datetime import datetime

from models import Conference, Party, PartyKind
from studios.booking.rules import FEWEST_PARTIES


def is_left(party: Party, now: datetime) -> bool:
    """A guest always is; a studio while its time is held, if only until its owner approves."""
    held = party.reservation
    if held is None:
        return party.kind is PartyKind.GUEST
    return held.released_at is None and (held.expires_at is None or held.expires_at > now)


def is_without_parties(conference: Conference, now: datetime) -> bool:
    """Whether so many have declined that nobody is left to call; a room that is only marked as used calls nobody."""
    return conference.video and sum(is_left(party, now) for party in conference.parties) < FEWEST_PARTIES
