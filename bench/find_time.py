"""What finding a time takes: 5 parties with pools of 10, and one party over all 900 studios, in a year of bookings."""

import argparse
import logging
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as wall

import httpx
import sqlalchemy as sa
import structlog
from flask import Flask

from app import create_app, serving
from bench.pages import administrator
from bench.program import KEY
from bench.table import Figure, show
from bench.timing import Statement, median, run, statements
from bench.year import DIALECTS, filled
from config import Settings
from models import Purpose, db
from studios.booking.candidates import Candidate, Own
from studios.booking.finding import times
from studios.booking.finding.question import Answer, Question
from studios.booking.rooms import rooms
from studios.booking.wishes import PoolWish, to_json
from tests import factories

ROUTE = "/api/v1/find-time"
PARTIES, POOL = 5, 10
DAYS = timedelta(days=14)
MINUTES = 60
HOURS = (wall(8), wall(15, 30))
WORKING_DAYS = frozenset(range(5))


@dataclass(frozen=True)
class Asked:
    """A question, by its name in the figures."""

    name: str
    wishes: Sequence[PoolWish]


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench find_time", description=__doc__)
    parser.add_argument("--times", type=int, default=25, help="How often each question is asked.")
    parser.add_argument("--only", choices=DIALECTS, help="One of the databases.")
    parser.add_argument("--database", help="A filled one; otherwise a year is made in each, which takes a while.")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    figures: list[Figure] = []
    for dialect, url in _databases(options.only, options.database):
        with _in(url) as app, _served(app) as client:
            there = rooms()
            for asked in (_five_parties(there), Asked("1 party over all studios", [PoolWish()])):
                name = f"{dialect}, {asked.name}"
                figures += _measured(name, asked, options.times)
                seconds = over_http(client, asked, options.times)
                figures.append(Figure(f"{name}: over HTTP", seconds * 1000, "ms"))
    show(figures)


def _databases(only: str | None, given: str | None) -> Iterator[tuple[str, str]]:
    if given:
        yield sa.make_url(given).get_backend_name(), given
        return
    for dialect in [only] if only else DIALECTS:
        with tempfile.TemporaryDirectory() as folder, filled(folder, dialect) as url:
            yield dialect, url


@contextmanager
def _in(url: str) -> Iterator[Flask]:
    app = create_app(Settings(database_url=url, secret_key=KEY))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@contextmanager
def _served(app: Flask) -> Iterator[httpx.Client]:
    """The application's real server on loopback, in this process, and a program that asks it."""
    server = serving(app, "127.0.0.1", 0)
    threading.Thread(target=server.run, daemon=True).start()
    address = f"http://127.0.0.1:{server.effective_port}"
    with httpx.Client(base_url=address, headers=factories.token(administrator()), trust_env=False, timeout=60) as one:
        yield one


def _five_parties(there: Mapping[int, Candidate]) -> Asked:
    """The sites whose pools are nearest in size to what is measured."""
    sizes = Counter(room.site for room in there.values())
    sites = sorted(sizes, key=lambda site: (abs(sizes[site] - POOL), site))[:PARTIES]
    return Asked(f"{PARTIES} parties with pools of {POOL}", [PoolWish(site=site) for site in sites])


def _measured(name: str, asked: Asked, number: int) -> list[Figure]:
    question, statement = _looked_into(asked)
    bare = median(lambda: run([statement]), number, db.session.rollback)
    engine = median(lambda: times.find(question), number, db.session.rollback)
    whole = median(lambda: _ask(asked), number, db.session.rollback)
    against = f"{name}: bare query of its reservations"
    reservations = sum(len(room.reserved) for room in question.rooms.values())
    return [
        Figure(f"{name}: reservations read", reservations, "reservations"),
        Figure(against, bare * 1000, "ms"),
        Figure(f"{name}: search alone", engine * 1000, "ms", engine / bare, against),
        Figure(f"{name}: in process", whole * 1000, "ms", whole / bare, against),
    ]


def _ask(asked: Asked) -> Answer:
    """A window of working hours, the preferred start in the middle of its second week."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return times.find_time(
        asked.wishes, MINUTES, start, start + DAYS, own=Own(None), purpose=Purpose.ADMINISTRATION,
        preferred=start + timedelta(days=8), hours=HOURS, days=WORKING_DAYS,
    )  # fmt: skip


def over_http(client: httpx.Client, asked: Asked, number: int) -> float:
    """Seconds from question to answer through the API, for a program that keeps its connection."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    body = {
        "parties": to_json(asked.wishes),
        "duration_minutes": MINUTES,
        "start": start.isoformat(),
        "end": (start + DAYS).isoformat(),
        "preferred": (start + timedelta(days=8)).isoformat(),
        "hours": {"from": f"{HOURS[0]:%H:%M}", "to": f"{HOURS[1]:%H:%M}"},
        "days": sorted(WORKING_DAYS),
        "purpose": Purpose.ADMINISTRATION,
    }
    return median(lambda: client.post(ROUTE, json=body).raise_for_status(), number, db.session.rollback)


def _looked_into(asked: Asked) -> tuple[Question, Statement]:
    """What the search is asked, and the statement that read its reservations, as the driver gets it."""
    questions: list[Question] = []
    find = times.find

    def noted(question: Question) -> Answer:
        questions.append(question)
        return find(question)

    times.find = noted
    try:
        done = statements(lambda: _ask(asked))
    finally:
        times.find = find
    return questions[0], next(each for each in done if "FROM reservation" in each[0] and "expires_at" in each[0])


if __name__ == "__main__":
    main()
