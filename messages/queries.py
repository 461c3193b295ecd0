"""What waits in the outbox."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from models import Message, db

# Every instant is later: what is asked is whether there is one, in a form for which SQLite uses the index.
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Backlog:
    """Messages that are neither sent nor given up. `waiting_since` is when the oldest of them was asked for,
    `oldest_due` when the first of them is tried next (past: it should be on its way), `last_error` why one waits."""

    waiting: int
    waiting_since: datetime | None
    oldest_due: datetime | None
    last_error: str | None


def backlog() -> Backlog:
    is_waiting = Message.due_at >= BEGINNING
    figures = sa.select(sa.func.count(), sa.func.min(Message.created_at), sa.func.min(Message.due_at)).where(is_waiting)
    waiting, since, due = db.session.execute(figures).one()
    return Backlog(waiting, since, due, _latest_error(is_waiting, by=Message.due_at))


@dataclass(frozen=True)
class GivenUp:
    count: int
    last_error: str | None


def given_up_since(instant: datetime) -> GivenUp:
    """How many messages were given up from an instant on, and why the last of them was."""
    is_late = Message.given_up_at >= instant
    count = db.session.scalar(sa.select(sa.func.count()).select_from(Message).where(is_late)) or 0
    return GivenUp(count, _latest_error(is_late, by=Message.given_up_at))


def sent_since(instant: datetime) -> int:
    """How many were sent from an instant on; none is sent more than a week or so after it was asked for."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(Message).where(Message.sent_at >= instant)) or 0


def _latest_error(where: sa.ColumnElement[bool], by: sa.orm.InstrumentedAttribute[datetime | None]) -> str | None:
    failed = Message.last_error.is_not(None)
    return db.session.scalar(db.select(Message.last_error).where(where, failed).order_by(by.desc()).limit(1))
