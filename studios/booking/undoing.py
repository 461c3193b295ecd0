"""Taking back what was just done: by whoever did it, within a minute, while nothing else has happened.

The caller commits.

It is made of what anybody could do by hand, so every rule holds; and those concerned were not written to yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _

from errors import Conflict
from models import Account, Conference, Event, Series, db
from studios.booking import queries
from studios.booking.conferences import cancel, change, locked, take_back_cancellation
from studios.booking.rules import Phase
from studios.booking.series.editing import cancel_series
from studios.booking.series.edits import Scope
from studios.booking.versions import UNDO_WITHIN
from studios.booking.wishes import booking_from_json


@dataclass(frozen=True)
class Undoable:
    """What can be undone until `until`: the kind of its event."""

    kind: str
    until: datetime
    is_series: bool


def undoable(conference: Conference, last: Event | None, person_id: int | None, now: datetime) -> Undoable | None:
    """Of a conference and the last thing that happened to it, what this person may undo. Edits and cancellations of
    several meetings at once are not undone meeting by meeting."""
    if last is None or person_id is None or last.account_id != person_id or last.kind not in _UNDO:
        return None
    details, until = last.details or {}, last.at + UNDO_WITHIN
    if now >= until or (last.kind == "conference.changed" and "before" not in details):
        return None
    is_series = "series" in details
    if is_series and last.kind == "conference.cancelled":
        return None
    is_over = queries.phase_of(conference) is not Phase.PLANNED and last.kind != "conference.cancelled"
    return None if is_over else Undoable(last.kind, until, is_series)


def undo(conference_id: int, version: int, person: Account, now: datetime | None = None) -> Conference:
    """Raises Conflict where there is nothing to undo any longer, ChangedMeanwhile, and as the undoing itself does."""
    conference = locked(conference_id, version)
    last = last_event(conference_id)
    found = undoable(conference, last, person.id, now or datetime.now(UTC))
    if found is None or last is None:
        raise Conflict(_("It is too late to undo this, or something else has happened since."))
    return _UNDO[found.kind](conference, last, person)


def last_event(conference_id: int) -> Event | None:
    query = db.select(Event).where(Event.conference_id == conference_id)
    return db.session.scalar(query.order_by(Event.at.desc(), Event.id.desc()).limit(1))


def _unbook(conference: Conference, last: Event, person: Account) -> Conference:
    series_id = (last.details or {}).get("series")
    if series_id is None:
        return cancel(conference.id, conference.version, person)
    if _is_touched(series_id):
        raise Conflict(_("A meeting of this series was changed since. Cancel the series instead."))
    cancel_series(conference.id, Scope.ALL, conference.version, person)
    return conference


def _is_touched(series_id: int) -> bool:
    series = db.session.get_one(Series, series_id)
    return any(each.version > 1 for each in series.conferences)


def _change_back(conference: Conference, last: Event, person: Account) -> Conference:
    before = last.details["before"]
    drawn = before["seats"]
    return change(conference.id, booking_from_json(before["booking"]), conference.version, person, drawn)


def _plan_again(conference: Conference, last: Event, person: Account) -> Conference:
    return take_back_cancellation(conference.id, conference.version, person)


_UNDO: dict[str, Callable[[Conference, Event, Account], Conference]] = {
    "conference.booked": _unbook,
    "conference.changed": _change_back,
    "conference.cancelled": _plan_again,
}


def seconds_left(found: Undoable, now: datetime) -> int:
    return max(0, (found.until - now) // timedelta(seconds=1))
