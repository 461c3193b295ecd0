"""The invited organisation's word on its part in a conference. The caller commits."""

from datetime import UTC, datetime

from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict, NotFound
from models import Account, Answer, Conference, Party, ReservationKind
from studios.booking import queries
from studios.booking.conferences import locked, mark_changed, tell
from studios.booking.hosts import choose_host
from studios.booking.mails import not_taking_part
from studios.booking.obstacles import WishRefused
from studios.booking.rules import Phase, reason_problems
from studios.booking.seating import lock_studios


def accept(conference_id: int, position: int, person: Account | None, version: int | None = None) -> Conference:
    """The invited organisation takes part; a studio that needs its owner's approval is reserved for good.

    `version`: the one that the person saw, if that counts; raises ChangedMeanwhile when it is another by now.
    """
    conference, party = _asked(conference_id, position, version)
    _check_answerable(conference, party)
    reservation = party.reservation
    if reservation is None or reservation.released_at is not None or _has_expired(party):
        raise Conflict(_("The studio is no longer held for this conference. Ask the organiser to book it again."))
    reservation.kind, reservation.expires_at = ReservationKind.CONFERENCE, None
    _note(conference, party, Answer.ACCEPTED, "", person)
    return conference


def decline(
    conference_id: int, position: int, reason: str, person: Account | None, version: int | None = None
) -> Conference:
    """The invited organisation does not take part: its studio comes free, and the others go on. `version` as for
    `accept`."""
    if problems := reason_problems(reason):
        raise WishRefused(problems)
    conference, party = _asked(conference_id, position, version)
    _check_answerable(conference, party)
    if party.reservation:
        party.reservation.released_at = party.reservation.released_at or datetime.now(UTC)
    _note(conference, party, Answer.DECLINED, reason, person)
    not_taking_part(party)
    return conference


def party_at(conference: Conference, position: int) -> Party:
    """The party at a place of the table, which counts from 0. Raises NotFound."""
    found = next((party for party in conference.parties if party.position == position), None)
    if found is None:
        raise NotFound(_("Nobody sits at that place of this conference."))
    return found


def _asked(conference_id: int, position: int, version: int | None) -> tuple[Conference, Party]:
    """Locked in the order in which bookings lock: the conference, then the studio."""
    conference = locked(conference_id, version)
    party = party_at(conference, position)
    if party.reservation:
        lock_studios([party.reservation.studio_id])
    return conference, party


def _check_answerable(conference: Conference, party: Party) -> None:
    if queries.phase_of(conference) is not Phase.PLANNED or queries.legs_of(conference):
        raise Conflict(_("This conference has begun or is over; there is nothing left to answer."))
    if party.answer is Answer.NOT_ASKED:
        raise Conflict(_("Nobody was asked for an answer here."))


def _has_expired(party: Party) -> bool:
    expires_at = party.reservation.expires_at if party.reservation else None
    return expires_at is not None and expires_at <= datetime.now(UTC)


def _note(conference: Conference, party: Party, answer: Answer, reason: str, person: Account | None) -> None:
    party.answer, party.answer_reason = answer, " ".join(reason.split()) or None
    party.answered_at, party.answered_by_id = datetime.now(UTC), person.id if person else None
    choose_host(conference)
    mark_changed(conference)
    studio_id = party.reservation.studio_id if party.reservation else None
    tell(conference, f"party.{answer}", person, studio_id)
    record(f"party.{answer}", conference.reference, after={"party": party.position, "reason": party.answer_reason})
