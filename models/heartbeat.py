"""The signs of life of our own processes: one row each, written every few seconds. The caller commits."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from models.database import database_now, db
from models.monitoring import Worker

FORGOTTEN = timedelta(days=1)


def beat(name: str, kind: str, started_at: datetime, details: Mapping[str, object]) -> None:
    """`name` is alive, with figures about its work. Rows of its kind that are long silent are cleared away."""
    now = database_now()
    worker = db.session.get(Worker, name)
    if worker is None:
        worker = Worker(name=name, kind=kind, started_at=started_at)
        db.session.add(worker)
    worker.beat_at, worker.details = now, dict(details)
    db.session.execute(sa.delete(Worker).where(Worker.kind == kind, Worker.beat_at < now - FORGOTTEN))


def fall_silent(name: str) -> None:
    """`name` stops on purpose: nobody is to wait for it."""
    db.session.execute(sa.delete(Worker).where(Worker.name == name))
