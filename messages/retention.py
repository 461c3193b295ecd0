"""How long messages are kept after they have served."""

from datetime import timedelta

import sqlalchemy as sa

from models import Message, database_now, db, write

KEPT = timedelta(days=90)
AT_ONCE = 1000  # rows in one transaction, so that nobody waits long for it


def delete_old() -> int:
    """Delete messages asked for more than 90 days ago that are sent or given up; returns how many."""
    deleted = 0
    while some := write(_delete_some):
        deleted += some
    return deleted


def _delete_some() -> int:
    is_finished = Message.due_at.is_(None), Message.created_at < database_now() - KEPT
    # FOR UPDATE SKIP LOCKED: schedulers that delete at the same time take different rows.
    old = db.select(Message.id).where(*is_finished).limit(AT_ONCE).with_for_update(skip_locked=True)
    found = db.session.scalars(old).all()
    if found:
        db.session.execute(sa.delete(Message).where(Message.id.in_(found)))
    return len(found)
