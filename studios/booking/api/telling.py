"""Conferences as programs are told them. What is for those around the table is left out for everybody else."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from accounts.permissions import access
from api.answers import Answer
from api.endpoint import PREFIX
from models import Conference, Party, ReservationKind, db
from studios.booking import queries
from studios.booking.api.rights import own_conference_locked, person, version_seen
from studios.booking.api.told import ConferenceAnswer, PartyAnswer, WarningAnswer
from studios.booking.explaining import worry_sentence
from studios.booking.worries import Concern, Present, concerns_of, present_of


def told(conference: Conference, status: int = 200) -> Answer:
    """A conference that was just booked or changed, read anew with all that is told of it."""
    db.session.flush()
    return shown(queries.conference_anew(conference), status)


def at_version(reference: str, act: Callable[..., Conference]) -> Answer:
    """Do it to the version that If-Match names, or to the one that there is."""
    version = version_seen()
    found = own_conference_locked(reference)
    return told(act(found.id, found.version if version is None else version, person()))


def shown(conference: Conference, status: int = 200) -> Answer:
    """A conference that was loaded whole; its version is the ETag, which If-Match takes."""
    headers = {"ETag": f'"{conference.version}"'}
    if status == 201:
        headers["Location"] = f"{PREFIX}/conferences/{conference.reference}"
    return Answer(conference_answers([conference])[0], status, headers)


def conference_answers(conferences: Sequence[Conference]) -> list[ConferenceAnswer]:
    """Of conferences whose parties, studios and organisations are loaded."""
    present = present_of(conferences, datetime.now(UTC))
    return [_conference(each, present) for each in conferences]


def _conference(conference: Conference, present: Present) -> ConferenceAnswer:
    at_the_table = queries.may_see_title(access(), conference)
    parties = [_party(party, at_the_table) for party in conference.parties]
    organiser = conference.organiser if at_the_table else None
    return ConferenceAnswer(
        reference=conference.reference,
        title=conference.title if at_the_table else None,
        purpose=conference.purpose,
        organisation=conference.organisation.name,
        organiser=organiser.email if organiser else None,
        start=conference.starts_at,
        end=conference.ends_at,
        state=conference.state,
        studios=[party.studio for party in parties],
        parties=parties,
        movable=conference.movable,
        video=conference.video,
        bridge=conference.bridge.name if conference.bridge else None,
        ports=conference.ports,
        series=conference.series_id,
        version=conference.version,
        warnings=[_warning(each) for each in concerns_of(conference, present)],
    )


def _warning(found: Concern) -> WarningAnswer:
    code = found.studio.code
    message = worry_sentence(found.worry, code)
    return WarningAnswer(code=found.worry, party=found.position + 1, studio=code, message=message)


def _party(party: Party, at_the_table: bool) -> PartyAnswer:
    held = party.reservation
    return PartyAnswer(
        number=party.position + 1,
        kind=party.kind,
        studio=held.studio.code if held else None,
        guest=party.guest_address if at_the_table else None,
        organisation=party.organisation.name if party.organisation else None,
        attendees=party.attendees,
        host=party.host,
        answer=party.answer,
        reason=party.answer_reason if at_the_table else None,
        pending=held is not None and held.released_at is None and held.kind is ReservationKind.PENDING_REQUEST,
        released=held is not None and held.released_at is not None,
    )
