"""What falls due."""

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from models import Conference, ConferenceState, database_now, db

LIVE = (ConferenceState.STARTING, ConferenceState.RUNNING, ConferenceState.DEGRADED, ConferenceState.STOPPING)
OVER = (ConferenceState.ENDED, ConferenceState.FAILED, ConferenceState.CANCELLED)


def live_conferences() -> int:
    """How many are being set up, held or taken down. What falls due no more is none of them, and there is an index."""
    live = (Conference.due_at.is_not(None), Conference.state.in_(LIVE))
    return db.session.scalar(db.select(db.func.count(Conference.id)).where(*live)) or 0


def recall_live() -> None:
    """Have all that is under way fall due now, unless somebody is at work on it."""
    live = (Conference.due_at.is_not(None), Conference.state.in_(LIVE), Conference.lease_until.is_(None))
    db.session.execute(db.update(Conference).where(*live).values(due_at=database_now()))


class Due(NamedTuple):
    """A conference to look at, and when. `starts`: its calls are due, and nobody has looked at them yet; `calm`: they
    are up, and nobody waits for what the look may find."""

    conference_id: int
    at: datetime
    state: ConferenceState
    starts: bool
    calm: bool


def due_within(ahead: timedelta) -> list[Due]:
    """The conferences to look at within the time ahead, and those that are late; earliest first."""
    return _dues(Conference.due_at <= database_now() + ahead)


def due_of(conference_id: int) -> Due | None:
    """When to look at one conference next; none where that is never."""
    return next(iter(_dues(Conference.id == conference_id)), None)


def _dues(which: sa.ColumnElement[bool]) -> list[Due]:
    begins = sa.or_(Conference.due_at >= Conference.starts_at, Conference.joined_at.is_not(None))
    starts = sa.and_(Conference.state == ConferenceState.PLANNED, begins)
    calm = sa.and_(Conference.state == ConferenceState.RUNNING, Conference.due_at < Conference.ends_at)
    query = (
        sa.select(Conference.id, Conference.due_at, Conference.state, starts, calm)
        .where(which, Conference.due_at.is_not(None))
        .order_by(Conference.due_at)
    )
    rows = db.session.execute(query)
    return [Due(key, at, state, bool(begin), bool(is_calm)) for key, at, state, begin, is_calm in rows if at]
