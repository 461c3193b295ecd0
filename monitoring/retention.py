"""What is kept no longer: looks before conferences, once nobody asks any more why one failed."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from models import Preflight, database_now, db, write

KEPT = timedelta(days=90)


def delete_old() -> None:
    """May be run at any time, by any number of processes."""
    write(lambda: _delete(database_now()))


def _delete(now: datetime) -> None:
    db.session.execute(sa.delete(Preflight).where(Preflight.checked_at < now - KEPT))
