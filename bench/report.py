"""What making one day's report takes, against the bare SQL that reads its rows: 900 studios and a working day."""

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import structlog

from app import create_app
from bench.pages import KEY, demonstration
from bench.table import Figure, show
from config import Settings, settings
from models import db
from reports.days import facts_of
from reports.queries import past
from reports.usage import today_of

BARE = "its bare SQL"


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench report", description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--database", help="A filled one; otherwise a demonstration is made.")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or demonstration(folder)
        with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
            show(_measure(options.times))


def _measure(times: int) -> list[Figure]:
    now = datetime.now(UTC)
    day = today_of(now)
    known = past(day, day, now)
    asked = _statements(lambda: past(day, day, now))
    bare = _median(lambda: _run(asked), times)
    read = _median(lambda: past(day, day, now), times)
    whole = _median(lambda: facts_of(day, settings().zone, past(day, day, now)), times)
    return [
        Figure("conferences of the day", len(known.bookings), "conferences"),
        Figure(BARE, bare * 1000, "ms"),
        Figure("reading its rows", read * 1000, "ms", read / bare, BARE),
        Figure("reading and reckoning", whole * 1000, "ms", whole / bare, BARE),
    ]


def _statements(work: Callable[[], object]) -> list[tuple[str, Any]]:
    """What the work asks of the database, as the driver gets it."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    work()
    sa.event.remove(db.engine, "before_cursor_execute", note)
    return asked


def _run(asked: list[tuple[str, Any]]) -> None:
    cursor = db.session.connection().connection.cursor()
    for statement, parameters in asked:
        cursor.execute(statement, parameters)
        cursor.fetchall()


def _median(work: Callable[[], object], times: int) -> float:
    """Seconds."""
    taken = []
    for _ in range(times + 1):
        db.session.rollback()
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


if __name__ == "__main__":
    main()
