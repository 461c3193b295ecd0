"""What falls due."""

from datetime import datetime, timedelta

from models import Conference, ConferenceState, database_now, db

LIVE = (ConferenceState.STARTING, ConferenceState.RUNNING, ConferenceState.DEGRADED, ConferenceState.STOPPING)
OVER = (ConferenceState.ENDED, ConferenceState.FAILED, ConferenceState.CANCELLED)


def live_conferences() -> int:
    """How many are being set up, held or taken down. What falls due no more is none of them, and there is an index."""
    live = (Conference.due_at.is_not(None), Conference.state.in_(LIVE))
    return db.session.scalar(db.select(db.func.count(Conference.id)).where(*live)) or 0


def due_within(ahead: timedelta) -> list[tuple[int, datetime]]:
    """The conferences to look at within the time ahead, and those that are late, each with when; earliest first."""
    query = (
        db.select(Conference.id, Conference.due_at)
        .where(Conference.due_at <= database_now() + ahead)
        .order_by(Conference.due_at)
    )
    return [(row.id, row.due_at) for row in db.session.execute(query)]
