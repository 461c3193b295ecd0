"""How long work takes, and what it asks of the database. No member: it measures nothing itself."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from models import db

Statement = tuple[str, Any]


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median(work: Callable[[], object], times: int, before: Callable[[], object] = lambda: None) -> float:
    """Seconds; `before` is done each time and not counted. The first time is left out: it has things to set up."""
    taken = []
    for _ in range(times + 1):
        before()
        taken.append(timed(work))
    return statistics.median(taken[1:])


def statements(work: Callable[[], object]) -> list[Statement]:
    """What the work asks of the database, as the driver gets it."""
    asked: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    work()
    sa.event.remove(db.engine, "before_cursor_execute", note)
    return asked


def run(asked: Sequence[Statement]) -> None:
    """The statements again, without all that stands around them."""
    cursor = db.session.connection().connection.cursor()
    for statement, parameters in asked:
        cursor.execute(statement, parameters)
        cursor.fetchall()
