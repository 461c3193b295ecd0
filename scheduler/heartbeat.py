"""This process's sign of life."""

from collections.abc import Mapping

from models import Worker, database_now, db


def beat(name: str, kind: str, details: Mapping[str, object]) -> None:
    """Write that `name` is alive. The caller commits."""
    now = database_now()
    worker = db.session.get(Worker, name)
    if worker is None:
        worker = Worker(name=name, kind=kind, started_at=now)
        db.session.add(worker)
    worker.beat_at = now
    worker.details = dict(details)
