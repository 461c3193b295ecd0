"""What falls due."""

from datetime import datetime, timedelta

from models import Conference, database_now, db


def due_within(ahead: timedelta) -> list[tuple[int, datetime]]:
    """The conferences to look at within the time ahead, and those that are late, each with when; earliest first."""
    query = (
        db.select(Conference.id, Conference.due_at)
        .where(Conference.due_at <= database_now() + ahead)
        .order_by(Conference.due_at)
    )
    return [(row.id, row.due_at) for row in db.session.execute(query)]
