"""The database: whether it is there, of the right kind and state."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from config import Settings
from models import database_now, db
from models.guards import missing_guards
from operation.checks.finding import Finding, ok, warning, wrong
from operation.queries import database_kind
from operation.readiness import newest_version, tables_version

OLDEST_POSTGRESQL = 140_000  # as the server writes 14
LEAST_SPACE = 1_000_000_000  # bytes
SKEW = 2.0  # seconds


def reachable(_found: Settings) -> Finding:
    path = _file()
    if path is not None and not path.is_file():
        return wrong(f"There is no database at {path}: run studionett db upgrade.")
    try:
        return ok(f"{database_kind()} answers.")
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        return wrong(f"The database does not answer: {reason}. Look at STUDIONETT_DATABASE_URL and at the server.")


def storage(_found: Settings) -> Finding:
    """Where SQLite writes, or which PostgreSQL it is."""
    path = _file()
    if path is None:
        number = int(db.session.scalar(sa.text("SHOW server_version_num")) or 0)
        if number < OLDEST_POSTGRESQL:
            return wrong(f"PostgreSQL {number // 10_000} is too old; 14 or newer is needed.")
        return ok(f"PostgreSQL {number // 10_000} is new enough.")
    if not os.access(path.parent, os.W_OK) or not os.access(path, os.W_OK):
        return wrong(f"{path} and its folder must be writable for this user.")
    if (mode := db.session.scalar(sa.text("PRAGMA journal_mode"))) != "wal":
        return wrong(f"SQLite keeps its journal as {mode}, not wal; put {path} on a local disk.")
    if (free := shutil.disk_usage(path.parent).free) < LEAST_SPACE:
        return warning(f"Only {free // 1_000_000} MB are free on the disk of {path}; make room.")
    return ok(f"{path} can be written, its journal is wal, and its disk has room.")


def migrations(_found: Settings) -> Finding:
    newest = newest_version()
    if not sa.inspect(db.session.connection()).has_table("alembic_version"):
        return wrong("There are no tables: run studionett db upgrade.")
    current = tables_version(db.session.connection())
    if current != newest:
        return wrong(
            f"The tables are of version {current or 'none'}, the program needs {newest}: run studionett db upgrade."
        )
    return ok(f"The tables are of version {newest}, the newest.")


def guards(_found: Settings) -> Finding:
    if missing := missing_guards(db.session.connection()):
        return wrong(
            f"The database does not refuse what it must, for these guards are gone: {', '.join(missing)}. "
            "Restore the database, or create them as models/guards.py says."
        )
    return ok("The database refuses double bookings and a rewritten audit trail.")


def clock(_found: Settings) -> Finding:
    apart = abs((database_now() - datetime.now(UTC)).total_seconds())
    if apart > SKEW:
        return wrong(f"The database's clock and this machine's are {apart:.1f} s apart; let both follow NTP.")
    return ok("The database's clock and this machine's agree.")


def _file() -> Path | None:
    """The file of a SQLite database; none for PostgreSQL."""
    return Path(str(db.engine.url.database)) if db.engine.dialect.name == "sqlite" else None
