"""Reads about the program itself: its processes and its database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from models import Worker, db
from models.database import database_clock, database_now, instant_told
from operation.rules import Kind, is_silent


@dataclass(frozen=True, slots=True)
class Process:
    """One process of ours that gave a sign of life and did not stop on purpose since."""

    kind: Kind
    name: str
    host: str
    pid: int | None
    started_at: datetime
    beat_at: datetime
    silent: bool
    figures: Mapping[str, Any]


def last_beats() -> tuple[dict[str, datetime], datetime]:
    """Of each kind of process the last sign of life of any, and the time by the same clock: one small query."""
    last = sa.func.max(Worker.beat_at, type_=Worker.beat_at.type)
    rows = db.session.execute(sa.select(Worker.kind, last, database_clock()).group_by(Worker.kind)).all()
    # Without any sign of life no time is needed to say how old it is.
    now = instant_told(rows[0][2]) if rows else datetime.now(UTC)
    return {kind: beat_at for kind, beat_at, _ in rows}, now


def processes() -> tuple[list[Process], datetime]:
    """All, in the order of their kinds and starts, and the time by the database's clock."""
    now = database_now()
    rows = db.session.scalars(db.select(Worker).order_by(Worker.started_at, Worker.name))
    found = [_process(row, now) for row in rows if row.kind in list(Kind)]
    return sorted(found, key=lambda process: list(Kind).index(process.kind)), now


def _process(row: Worker, now: datetime) -> Process:
    details = row.details or {}
    return Process(
        kind=Kind(row.kind),
        name=row.name,
        host=str(details.get("host", "")),
        pid=details.get("pid"),
        started_at=row.started_at,
        beat_at=row.beat_at,
        silent=is_silent(row.beat_at, now),
        figures=details,
    )


def database_size() -> int:
    """Bytes."""
    if db.engine.dialect.name == "sqlite":
        pages = db.session.scalar(sa.text("PRAGMA page_count")) or 0
        return int(pages) * int(db.session.scalar(sa.text("PRAGMA page_size")) or 0)
    return int(db.session.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)


def database_kind() -> str:
    if db.engine.dialect.name == "sqlite":
        return f"SQLite {db.session.scalar(sa.text('SELECT sqlite_version()'))}"
    return f"PostgreSQL {str(db.session.scalar(sa.text('SHOW server_version'))).split()[0]}"
