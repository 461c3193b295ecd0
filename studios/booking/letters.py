"""How a mail of the bookings is written: once for each reader, in that reader's language; asked for in the caller's
`write`."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from flask_babel import force_locale, format_date, format_time

from accounts.language import DEFAULT_LANGUAGE, LANGUAGES
from accounts.queries import coordinators_of
from config import settings
from messages.outbox import queue
from models import Account, Conference
from studios.booking.times import clock, day_name

Text = Callable[[], tuple[str, list[str]]]
"""The subject and the lines of a mail, in the language of the moment."""


def send(key: str, recipients: Iterable[Account], text: Text) -> None:
    """To each of them who may still sign in; the key names the matter."""
    for account in recipients:
        if account.disabled_at is not None:
            continue
        with force_locale(account.language if account.language in LANGUAGES else DEFAULT_LANGUAGE):
            subject, lines = text()
            body = "\n".join(lines) + "\n"
            queue(key=f"{key}/{account.id}", recipient=account.email, subject=subject, body=body)


def organisers_of(conference: Conference) -> Sequence[Account]:
    """Its organiser and who booked it for them; where neither may sign in, its organisation's coordinators."""
    people = {each.id: each for each in (conference.organiser, conference.booked_by) if each}
    able = [each for each in people.values() if each.disabled_at is None]
    return able or coordinators_of(conference.organisation_id)


def time_span(start: datetime | None, end: datetime | None) -> str:
    """Thursday 26 November 2026 10:00–11:00, in the installation's zone."""
    if start is None or end is None:
        return ""
    return f"{format_date(start, 'full')} {format_time(start, 'HH:mm')}–{format_time(end, 'HH:mm')}"


def moment(instant: datetime) -> str:
    return f"{day_name(instant)} {clock(instant)}"


def link(conference: Conference | None) -> list[str]:
    """The way to a conference's page, where there is one and the installation knows its address."""
    address = settings().public_url
    return ["", f"{address}/conferences/{conference.reference}"] if address and conference else []
