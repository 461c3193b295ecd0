"""By what programs, calendars and those concerned learn that a conference has changed."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from models import Conference, db

UNDO_WITHIN = timedelta(seconds=60)
"""So long what was just done can be undone, and nobody is written to of it."""
AT_ONCE = timedelta(minutes=15)
"""Those concerned by a conference that starts this soon are written to at once."""


def mark_changed(conference: Conference) -> None:
    """Of a conference that is locked."""
    conference.version += 1
    conference.sequence += 1
    conference.tell_at = when_to_tell(conference.starts_at)


def mark_changed_unlocked(conference: Conference) -> None:
    """Counted by the database, for somebody else may be counting too."""
    values = {
        "version": Conference.version + 1,
        "sequence": Conference.sequence + 1,
        "tell_at": when_to_tell(conference.starts_at),
    }
    found = sa.update(Conference).where(Conference.id == conference.id).values(values)
    db.session.execute(found.execution_options(synchronize_session=False))
    db.session.expire(conference, list(values))


def when_to_tell(starts_at: datetime) -> datetime:
    """A moment after what was just done can no longer be undone."""
    now = datetime.now(UTC)
    return now if starts_at - now < AT_ONCE else now + UNDO_WITHIN + timedelta(seconds=5)
