"""A conference as an entry of somebody's calendar, in the language of the moment."""

from collections.abc import Sequence

from flask_babel import gettext as _

from config import settings
from models import Account, Conference, ConferenceState, Party
from studios.booking.entries import Entry, Person, lines
from studios.booking.wording import PURPOSES


def entry_of(conference: Conference, sees_title: bool, reader: Account | None = None) -> Entry:
    """Of a conference that was loaded with its parties, their studios and sites."""
    organiser = conference.organiser
    sender = settings().mail_from
    address = settings().public_url
    return Entry(
        uid=conference.uid,
        sequence=conference.sequence,
        start=conference.starts_at,
        end=conference.ends_at,
        summary=conference.title if sees_title else conference.reference,
        location="; ".join(studio_names(conference)),
        description=_description(conference, sees_title),
        cancelled=conference.state is ConferenceState.CANCELLED,
        recurs_at=conference.recurs_at,
        address=f"{address}/conferences/{conference.reference}" if address else "",
        # The mail comes from us, and who would answer it is the organiser.
        organiser=Person(organiser.name or organiser.email, sender.addr_spec if sender else organiser.email)
        if organiser
        else None,
        reader=Person(reader.name, reader.email) if reader else None,
    )


def seated(conference: Conference) -> list[Party]:
    """The parties that have their studios."""
    return [party for party in conference.parties if party.reservation and party.reservation.released_at is None]


def studio_names(conference: Conference) -> list[str]:
    return [party.reservation.studio.name for party in seated(conference) if party.reservation]


def _description(conference: Conference, sees_title: bool) -> str:
    """Who meets where and whom to call there; nothing of any patient is known here."""
    return lines(
        [
            f"{conference.reference}, {PURPOSES[conference.purpose]}, {conference.organisation.name}",
            *_contacts(seated(conference)),
            _("The studios are called at the start and hung up at the end by themselves.") if conference.video else "",
        ]
    )


def _contacts(parties: Sequence[Party]) -> list[str]:
    found = []
    for party in parties:
        assert party.reservation is not None
        site = party.reservation.studio.site
        phone = f", {_('contact')} {site.contact_phone}" if site.contact_phone else ""
        found.append(f"– {party.reservation.studio.name}{phone}")
    return found
