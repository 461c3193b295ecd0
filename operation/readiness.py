"""Whether this process can do its work: the database answers, its tables are of this version, its guards stand."""

from functools import cache
from threading import Lock, Thread

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask, current_app

from models import db
from models.guards import missing_guards

READY = "ready"
NO_ANSWER = "the database does not answer"


def unready() -> str:
    """What is not as it should be, in words that tell a stranger nothing; empty when all is well."""
    try:
        with db.engine.connect() as connection:
            connection.execute(sa.select(1))
            try:
                current = tables_version(connection)
                missing = missing_guards(connection)
            except sa.exc.DatabaseError:
                return "the database has no tables"
    except sa.exc.SQLAlchemyError:
        return NO_ANSWER
    if current != newest_version():
        return "the tables are of another version"
    return "the database's guards are missing" if missing else ""


def tables_version(connection: sa.Connection) -> str:
    """Of the last migration that was run here; empty before the first."""
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")


def newest_version() -> str:
    """Of the newest migration that this program has."""
    return _head(current_app.extensions["migrate"].directory)


@cache
def _head(directory: str) -> str:
    return ScriptDirectory(directory).get_current_head() or ""


class Readiness:
    """Asks `unready` in a thread beside, so that a database that hangs holds up nobody for longer than `patience`
    seconds. While one question is under way the others wait for its answer: they do not pile up."""

    def __init__(self, app: Flask, patience: float) -> None:
        self._app = app
        self._patience = patience
        self._lock = Lock()
        self._asking: _Question | None = None

    def unready(self) -> str:
        with self._lock:
            if self._asking is None or not self._asking.is_alive():
                self._asking = _Question(self._app)
                self._asking.start()
            asking = self._asking
        asking.join(self._patience)
        return NO_ANSWER if asking.is_alive() else asking.answer


class _Question(Thread):
    def __init__(self, app: Flask) -> None:
        super().__init__(name="readiness", daemon=True)
        self._app = app
        self.answer = NO_ANSWER  # and stays it, should the question itself fail

    def run(self) -> None:
        with self._app.app_context():
            self.answer = unready()
