"""Where an installation wants it: a studio that the last look before the start found wanting is replaced by itself, by
one at the same site, so that people only go next door."""

from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
import structlog

from config import settings
from errors import Refused
from models import Conference, ConferenceState, Light, Party, Preflight, db, write
from studios.booking.candidates import Own
from studios.booking.hosts import is_seated
from studios.booking.joining import replace_studio
from studios.booking.proposals import Proposal, replacements

LAST_LOOK = 5  # minutes before the start; earlier there is time for people to decide
CONSIDERED = 5

log = structlog.get_logger()


def stand_in_due() -> int:
    """Returns how many were replaced. Cheap where nothing is wrong, or nobody wants it."""
    if not settings().stand_in:
        return 0
    return sum(_stands_in(conference_id, studio_id) for conference_id, studio_id in _wanting())


def _wanting() -> list[tuple[int, int]]:
    query = (
        sa.select(Preflight.conference_id, Preflight.studio_id)
        .join(Conference)
        .where(Preflight.minutes == LAST_LOOK, Preflight.light == Light.RED)
        .where(Conference.state == ConferenceState.PLANNED, Conference.starts_at > datetime.now(UTC))
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]


def _stands_in(conference_id: int, studio_id: int) -> bool:
    conference = db.session.get_one(Conference, conference_id)
    party = next((each for each in conference.parties if _sits_in(each, studio_id)), None)
    best = _next_door(conference, party) if party else None
    if party is None or best is None:
        return False
    try:
        write(partial(_replace, conference.id, party.position, best.studio.id, conference.version))
    except Refused as refused:
        log.info("no stand-in", conference=conference.reference, reason=str(refused))
        return False
    log.info("a studio stands in", studio=best.studio.code)
    return True


def _sits_in(party: Party, studio_id: int) -> bool:
    return party.reservation is not None and party.reservation.studio_id == studio_id and is_seated(party)


def _next_door(conference: Conference, party: Party) -> Proposal | None:
    own = Own(frozenset({conference.organisation_id}))
    found = replacements(conference, party, own, datetime.now(UTC), CONSIDERED)
    return next((each for each in found if each.same_site), None)


def _replace(conference_id: int, position: int, studio_id: int, version: int) -> None:
    replace_studio(conference_id, position, studio_id, version, None)
