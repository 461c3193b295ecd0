"""What making one day's report takes, against the bare SQL that reads its rows: 900 studios and a working day."""

import argparse
import logging
import tempfile
from datetime import UTC, datetime

import structlog

from app import create_app
from bench.program import KEY, demonstration
from bench.table import Figure, show
from bench.timing import median, run, statements
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
    asked = statements(lambda: past(day, day, now))
    bare = median(lambda: run(asked), times, db.session.rollback)
    read = median(lambda: past(day, day, now), times, db.session.rollback)
    whole = median(lambda: facts_of(day, settings().zone, past(day, day, now)), times, db.session.rollback)
    return [
        Figure("conferences of the day", len(known.bookings), "conferences"),
        Figure(BARE, bare * 1000, "ms"),
        Figure("reading its rows", read * 1000, "ms", read / bare, BARE),
        Figure("reading and reckoning", whole * 1000, "ms", whole / bare, BARE),
    ]


if __name__ == "__main__":
    main()
