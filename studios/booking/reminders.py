"""The afternoon before: one mail to each person with the conferences of the next day that concern them."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from accounts.language import DEFAULT_LANGUAGE, LANGUAGES
from config import settings
from messages.outbox import queue
from models import Account, Conference, ConferenceState, Message, db, write
from studios.booking.calendars import studio_names
from studios.booking.hours import first_instant
from studios.booking.invitations import WHOLE, Audience
from studios.booking.times import clock, day_name

AT, UNTIL = time(15), time(18)
SATURDAY = 5
LASTS = timedelta(hours=17)
"""A reminder that cannot be sent by the next morning is not sent."""


def remind_due(now: datetime | None = None) -> int:
    """Between three and six in the afternoon; whoever was reminded of a day is not reminded of it again. Returns how
    many mails were asked for."""
    now = now or datetime.now(UTC)
    wall = now.astimezone(ZoneInfo(settings().zone))
    if not AT <= wall.time() < UNTIL or wall.weekday() >= SATURDAY:
        return 0
    return write(lambda: remind(now))


def remind(now: datetime) -> int:
    """In the caller's `write`. On Friday of the weekend and Monday."""
    zone = ZoneInfo(settings().zone)
    today = now.astimezone(zone).date()
    days = 3 if today.weekday() == SATURDAY - 1 else 1
    start = first_instant(today + timedelta(days=1), 0, zone)
    end = first_instant(today + timedelta(days=1 + days), 0, zone)
    query = db.select(Conference).where(
        Conference.starts_at >= start, Conference.starts_at < end, Conference.state == ConferenceState.PLANNED
    )
    conferences = db.session.scalars(query.order_by(Conference.starts_at, Conference.id).options(*WHOLE)).all()
    audience, by_reader = Audience(), dict[int, list[Conference]]()
    for conference in conferences:
        for reader in audience.of(conference):
            by_reader.setdefault(reader.id, []).append(conference)
    keys = {reader_id: f"reminder/{today.isoformat()}/{reader_id}" for reader_id in by_reader}
    done = set(db.session.scalars(db.select(Message.key).where(Message.key.in_(list(keys.values())))))
    due = [reader_id for reader_id, key in keys.items() if key not in done]
    for reader_id in due:
        _write_to(audience.known[reader_id], by_reader[reader_id], keys[reader_id])
    return len(due)


def _write_to(reader: Account, conferences: Sequence[Conference], key: str) -> None:
    with force_locale(reader.language if reader.language in LANGUAGES else DEFAULT_LANGUAGE):
        lines = []
        for conference in conferences:
            when = f"{day_name(conference.starts_at)} {clock(conference.starts_at)}–{clock(conference.ends_at)}"
            lines += [f"{when}  {conference.reference}", f"  {'; '.join(studio_names(conference))}"]
        number = len(conferences)
        subject = ngettext("Next working day: %(num)s conference", "Next working day: %(num)s conferences", number)
        lines += ["", _("Is a studio not to be used after all? Cancel or decline in time.")]
        body = "\n".join(lines) + "\n"
        queue(key=key, recipient=reader.email, subject=subject, body=body, expires_after=LASTS)
