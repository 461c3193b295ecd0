"""Series as tests ask for them: by default weekly on Mondays at 09:00 in Oslo, from a Monday that is to come."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from models import Conference, Purpose, Studio, db, write
from studios.booking.rules import instant
from studios.booking.series.choices import Choice
from studios.booking.series.previews import Preview, SeriesRequest, preview
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.saving import book_series
from studios.booking.wishes import Booking, PartyWish
from studios.booking.wishes import studios as these_studios

OSLO = ZoneInfo("Europe/Oslo")
NINE = time(9)
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)

# Two reservations of one studio at one time, whatever the guards say.
OVERLAPS = """
SELECT count(*) FROM reservation a JOIN reservation b ON a.studio_id = b.studio_id AND a.id < b.id
AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at WHERE a.released_at IS NULL AND b.released_at IS NULL
"""


def monday() -> date:
    """The Monday after next."""
    today = datetime.now(UTC).date()
    return today + timedelta(days=14 - today.weekday())


def nine(week: int = 0) -> datetime:
    """Nine o'clock on a Monday, counted from `monday`."""
    return instant(monday() + week * WEEK, NINE, OSLO)


def day(week: int) -> str:
    return (monday() + week * WEEK).isoformat()


def recurrence(count: int = 4, **changes: Any) -> Recurrence:
    values = {
        "rule": f"FREQ=WEEKLY;COUNT={count}", "first_day": monday(), "start_time": NINE, "minutes": 60,
        "zone": "Europe/Oslo",
    }  # fmt: skip
    return Recurrence(**{**values, **changes})


def request(
    seats: Sequence[Studio | PartyWish],
    count: int = 4,
    choices: Mapping[str, Choice] | None = None,
    rule: Mapping[str, Any] | None = None,
    **changes: Any,
) -> SeriesRequest:
    first = next(seat for seat in seats if isinstance(seat, Studio)) if "organisation_id" not in changes else None
    parties = [these_studios([seat.id])[0] if isinstance(seat, Studio) else seat for seat in seats]
    values = {
        "title": "Lung meeting", "purpose": Purpose.ADMINISTRATION, "start": nine(), "end": nine() + HOUR,
        "organisation_id": first.site.organisation_id if first else None, "parties": tuple(parties),
    }  # fmt: skip
    booking = Booking(**{**values, **changes})
    return SeriesRequest(booking, recurrence(count, **(rule or {})), choices or {})


def seen(*args: Any, person: Any = None, **kwargs: Any) -> Preview:
    return preview(request(*args, **kwargs), person)


def saved(*args: Any, **kwargs: Any) -> list[Conference]:
    """The conferences of a new series, in order."""
    asked = request(*args, **kwargs)
    series_id = write(lambda: book_series(asked, None).series.id)
    return members(series_id)


def members(series_id: int) -> list[Conference]:
    query = db.select(Conference).where(Conference.series_id == series_id).order_by(Conference.recurs_at)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def states(found: Preview) -> list[str]:
    return [line.state.value for line in found.lines]


def codes(conference: Conference) -> list[str]:
    return [party.reservation.studio.code for party in conference.parties if party.reservation]


def wall(instants: Iterable[datetime]) -> list[str]:
    return [f"{each.astimezone(OSLO):%Y-%m-%d %H:%M}" for each in instants]


def count(table: str) -> int:
    return int(db.session.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)


def overlaps() -> int:
    return int(db.session.scalar(sa.text(OVERLAPS)) or 0)
