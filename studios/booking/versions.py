"""By what programs and calendars tell that a conference has changed."""

import sqlalchemy as sa

from models import Conference, db


def mark_changed(conference: Conference) -> None:
    """Of a conference that is locked."""
    conference.version += 1
    conference.sequence += 1


def mark_changed_unlocked(conference: Conference) -> None:
    """Counted by the database, for somebody else may be counting too."""
    values = {"version": Conference.version + 1, "sequence": Conference.sequence + 1}
    found = sa.update(Conference).where(Conference.id == conference.id).values(values)
    db.session.execute(found.execution_options(synchronize_session=False))
    db.session.expire(conference, list(values))
