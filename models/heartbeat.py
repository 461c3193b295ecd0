"""The signs of life of our own processes: one row each, written every few seconds. The caller commits."""

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from threading import Event, Thread

import sqlalchemy as sa

from models.database import database_now, db, write
from models.monitoring import Worker

FORGOTTEN = timedelta(days=1)
# Every process gives a sign of life each 5 s at least; a writer that waits for another may be late with one.
SILENT_AFTER = timedelta(seconds=30)
EVERY = 5.0  # seconds
LAST_WORD = 5.0  # seconds that a process waits at its end for a database that does not answer


def beat(name: str, kind: str, started_at: datetime, details: Mapping[str, object]) -> None:
    """`name` is alive, with figures about its work. Rows of its kind that are long silent are cleared away, and those
    from before a clock was set back, which would pass for the newest sign of life."""
    now = database_now()
    worker = db.session.get(Worker, name)
    if worker is None:
        worker = Worker(name=name, kind=kind)
        db.session.add(worker)
    # A container gives a restarted process the name of the one before.
    worker.started_at, worker.beat_at = started_at, now
    worker.details = {"host": socket.gethostname(), "pid": os.getpid(), **details}
    db.session.flush()
    gone = sa.or_(Worker.beat_at < now - FORGOTTEN, Worker.beat_at > now + SILENT_AFTER)
    db.session.execute(sa.delete(Worker).where(Worker.kind == kind, gone))


def fall_silent(name: str) -> None:
    """`name` stops on purpose: nobody is to wait for it.

    The last of its kind takes along those that fell silent before: their last sign of life is not when the work ended.
    """
    now = database_now()
    kind = db.session.scalar(sa.select(Worker.kind).where(Worker.name == name))
    db.session.execute(sa.delete(Worker).where(Worker.name == name))
    alive = Worker.beat_at.between(now - SILENT_AFTER, now + SILENT_AFTER)
    if not db.session.scalar(sa.select(sa.exists().where(Worker.kind == kind, alive))):
        db.session.execute(sa.delete(Worker).where(Worker.kind == kind))


class Heart:
    """Gives a process's signs of life from a thread of its own, from `start` to `stop`.

    `context` opens what the database session needs, `figures` tells about the process's work. While the database is
    away nothing is given, which is what others then see.
    """

    def __init__(
        self,
        kind: str,
        context: Callable[[], AbstractContextManager[object]],
        figures: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        self.worker = f"{kind}-{socket.gethostname()[:50]}-{os.getpid()}-{token_hex(2)}"
        self._kind = kind
        self._context = context
        self._figures = figures
        self._started_at = datetime.now(UTC)
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop on purpose, so that nobody takes it for silence."""
        self._stopping.set()
        self._thread.join(LAST_WORD)

    def _run(self) -> None:
        self._tell(lambda: beat(self.worker, self._kind, self._started_at, self._figures()))
        while not self._stopping.wait(EVERY):
            self._tell(lambda: beat(self.worker, self._kind, self._started_at, self._figures()))
        self._tell(lambda: fall_silent(self.worker))

    def _tell(self, work: Callable[[], None]) -> None:
        with suppress(sa.exc.SQLAlchemyError), self._context():
            write(work)
