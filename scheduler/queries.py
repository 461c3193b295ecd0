"""What falls due."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

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


_BEGINS = sa.or_(Conference.due_at >= Conference.starts_at, Conference.joined_at.is_not(None))
# The columns that `due_of` reads.
DUE = (
    Conference.id,
    Conference.due_at,
    Conference.state,
    sa.and_(Conference.state == ConferenceState.PLANNED, _BEGINS),
    sa.and_(Conference.state == ConferenceState.RUNNING, Conference.due_at < Conference.ends_at),
)


def due_of(row: sa.Row[*tuple[Any, ...]] | None) -> Due | None:
    """None where nothing is left to look at."""
    if row is None or row[1] is None:
        return None
    conference_id, at, state, starts, calm = row
    return Due(conference_id, at, state, bool(starts), bool(calm))


def due_within(ahead: timedelta) -> list[Due]:
    """The conferences to look at within the time ahead, and those that are late; earliest first."""
    query = sa.select(*DUE).where(Conference.due_at <= database_now() + ahead).order_by(Conference.due_at)
    return [due for row in db.session.execute(query) if (due := due_of(row))]
