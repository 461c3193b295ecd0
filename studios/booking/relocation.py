"""Other studios for all that a closure hits: proposed together, looked through by a person, and taken in one step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from errors import Refused
from models import Closure, Conference, Party, db, write
from studios.booking.candidates import Own
from studios.booking.closures import threatened_by
from studios.booking.hosts import is_seated
from studios.booking.joining import replace_studio
from studios.booking.proposals import Proposal, replacements

# How many are looked at for each: the first ones may be proposed to others already.
CONSIDERED = 12


@dataclass(frozen=True)
class Move:
    """A conference that is hit at a place of its table, and what could take that place; none where nothing does."""

    conference: Conference
    party: Party
    proposal: Proposal | None


@dataclass(frozen=True)
class Chosen:
    """What was looked through and found good: at that version of the conference this studio takes the place."""

    conference_id: int
    version: int
    position: int
    studio_id: int


@dataclass(frozen=True)
class Outcome:
    """`refused`: why it was not done; empty where it was."""

    chosen: Chosen
    refused: str = ""


def proposed_moves(closure: Closure) -> list[Move]:
    """By start. No studio is proposed twice for times that overlap, and to each conference only what its own
    organisation may have."""
    now, taken, found = datetime.now(UTC), list[tuple[int, datetime, datetime]](), []
    for threat in threatened_by(closure):
        conference = threat.conference
        own = Own(frozenset({conference.organisation_id}))
        for party in conference.parties:
            if party.reservation is None or party.reservation.studio_id != threat.studio.id or not is_seated(party):
                continue
            fitting = replacements(conference, party, own, now, CONSIDERED)
            best = next((each for each in fitting if not _is_taken(each, conference, taken)), None)
            if best:
                taken.append((best.studio.id, conference.starts_at, conference.ends_at))
            found.append(Move(conference, party, best))
    return found


def move_all(chosen: Sequence[Chosen]) -> list[Outcome]:
    """Each by itself, so that one that was changed or taken meanwhile does not hold up the others."""
    return [_move(each) for each in chosen]


def _move(chosen: Chosen) -> Outcome:
    try:
        write(partial(_replace, chosen))
    except Refused as refused:
        return Outcome(chosen, refused.message)
    return Outcome(chosen)


def _replace(chosen: Chosen) -> None:
    # For whom the closure is, not for whom the person books: what may be had was looked at when it was proposed.
    replace_studio(chosen.conference_id, chosen.position, chosen.studio_id, chosen.version, None)
    db.session.flush()


def _is_taken(proposal: Proposal, conference: Conference, taken: Sequence[tuple[int, datetime, datetime]]) -> bool:
    return any(
        studio_id == proposal.studio.id and start < conference.ends_at and conference.starts_at < end
        for studio_id, start, end in taken
    )
