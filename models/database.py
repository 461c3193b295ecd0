"""The database session, its column types, and the one way to write.

SQLite (WAL, foreign keys on) is the embedded default, PostgreSQL the choice for production; both speak through here.
"""

import enum
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from random import random
from threading import Lock
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase

WRITE_ATTEMPTS = 8
MOST_PATIENCE = 0.1  # seconds before the second attempt, at most; twice that before the third, and so on
SQLITE_BUSY_SECONDS = 15
# PostgreSQL's serialization_failure, deadlock_detected and lock_not_available.
RETRYABLE_SQLSTATES = {"40001", "40P01", "55P03"}

WRITING = "writing"  # marks a session in which `write` is at work

T = TypeVar("T")


class Again(Exception):
    """What the work chose is gone, and other locks in another order would be needed: `write` runs it once more.
    `refusal` is what to raise when that has been tried often enough."""

    def __init__(self, refusal: Exception) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


# SQLite has one writer at a time and its busy handler sleeps while it waits. Threads of one process queue here
# instead, where they are woken; the busy handler is left for other processes.
_one_at_a_time = Lock()


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """An instant: time-zone aware in Python, `timestamptz` in PostgreSQL, UTC text of one width in SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant without a time zone: {value!r}")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def choice(kind: type[enum.StrEnum], name: str) -> sa.Enum:
    """A column of one of the values of `kind`, stored as text and checked by the database."""
    return sa.Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=24,
        values_callable=lambda values: [value.value for value in values],
    )


def write(work: Callable[[], T]) -> T:
    """Run `work` as one unit in a writing transaction of its own, commit, and return what it returned.

    SQLite takes its write lock before anything is read (`BEGIN IMMEDIATE`): a transaction that reads first and writes
    later fails with "database is locked" under load. A deadlock or serialisation failure is run again, so `work` must
    do nothing outside the database. Raises RuntimeError inside another `write`: it would throw away the other's work.
    """
    if db.session.info.get(WRITING):
        raise RuntimeError("write() inside another write(): do both in one")
    queue = _one_at_a_time if db.engine.dialect.name == "sqlite" else nullcontext()
    for attempt in range(1, WRITE_ATTEMPTS + 1):
        db.session.rollback()
        try:
            with queue, _ended_in_any_case():
                db.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
                result = work()
                db.session.commit()
        except sa.exc.OperationalError as error:
            if attempt == WRITE_ATTEMPTS or not _is_retryable(error):
                raise
            sleep(random() * MOST_PATIENCE * attempt)  # or those that deadlocked would meet again at once
        except Again as again:
            if attempt == WRITE_ATTEMPTS:
                raise again.refusal from None
        else:
            return result
    raise AssertionError("unreachable")


@contextmanager
def _ended_in_any_case() -> Iterator[None]:
    db.session.info[WRITING] = True
    try:
        yield
    except BaseException:
        db.session.rollback()
        raise
    finally:
        db.session.info[WRITING] = False


def insert(model: type[Base]) -> Any:
    """An insert in the database's own dialect, which can say what to do about a row that is there already."""
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    return dialect.insert(model)


def database_now() -> datetime:
    """The database's own clock, which every process agrees on; leases and fences are judged by it."""
    return instant_told(db.session.scalar(sa.select(database_clock())))


def database_clock() -> sa.ColumnElement[Any]:
    """The clock as a column, for a query that asks for other things too; `instant_told` reads what it tells."""
    if db.engine.dialect.name == "sqlite":
        return sa.func.strftime("%Y-%m-%d %H:%M:%f", "now")
    return sa.func.clock_timestamp()


def instant_told(told: Any) -> datetime:
    if isinstance(told, datetime):
        return told.astimezone(UTC)
    return datetime.fromisoformat(str(told)).replace(tzinfo=UTC)


def _is_retryable(error: sa.exc.OperationalError) -> bool:
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig)
    return getattr(error.orig, "sqlstate", None) in RETRYABLE_SQLSTATES


@sa.event.listens_for(sa.Engine, "connect")
def _prepare_sqlite(connection: Any, _record: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # the driver begins nothing by itself: see _begin_sqlite
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={SQLITE_BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


@sa.event.listens_for(sa.Engine, "begin")
def _begin_sqlite(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")
