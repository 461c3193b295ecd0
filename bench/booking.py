"""What booking takes in a year of bookings: one, many at once, a series; and a race in which nothing is had twice."""

import argparse
import itertools
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
import structlog

from app import create_app
from bench.program import KEY
from bench.serving import client, minimal, served, token
from bench.table import Figure, show
from bench.timing import median, timed
from bench.year import DIALECTS, empty_database, filled
from config import Settings
from models import Reservation, Studio, db
from soak.race import PROCESSES, TRIES, race

CLIENTS, TABLE = 8, 4
HOUR = timedelta(hours=1)
NIGHT = 21  # o'clock UTC: the year's studios are empty then
MINIMAL = "a minimal Flask view that inserts the same rows"


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench booking", description=__doc__)
    parser.add_argument("--times", type=int, default=60, help="How often each thing is done.")
    parser.add_argument("--only", choices=DIALECTS, help="One of the databases.")
    parser.add_argument("--processes", type=int, default=1, help="Web processes that many clients are spread over.")
    parser.add_argument("--no-race", action="store_true", help="Leave out the race, which takes minutes.")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    figures: list[Figure] = []
    for dialect in [options.only] if options.only else DIALECTS:
        with tempfile.TemporaryDirectory() as folder, filled(folder, dialect) as url:
            figures += [_of(dialect, figure) for figure in _measured(url, options.times, options.processes)]
        if not options.no_race:
            with tempfile.TemporaryDirectory() as folder, empty_database(Path(folder), dialect) as url:
                figures += race(f"{dialect}, race", url, PROCESSES, TRIES, seed=1)
    show(figures)


def _of(dialect: str, figure: Figure) -> Figure:
    against = f"{dialect}: {figure.against}" if figure.against else ""
    return Figure(f"{dialect}: {figure.name}", figure.value, figure.unit, figure.ratio, against)


def _measured(url: str, times: int, processes: int) -> list[Figure]:
    studios, reservations = _studios(url)
    nights = _nights()
    with ExitStack() as stack:
        secret = token(url)
        ours = stack.enter_context(client(stack.enter_context(served(url)), secret))
        plain = stack.enter_context(client(stack.enter_context(minimal(url))))
        figures = [Figure("reservations", reservations, "reservations")]
        bare = median(lambda: _insert(plain, studios[0], next(nights)), times)
        figures.append(Figure(MINIMAL, bare * 1000, "ms"))
        one = median(lambda: _book(ours, studios[0], next(nights)), times)
        figures.append(Figure(f"booking {TABLE} studios", one * 1000, "ms", one / bare, MINIMAL))
        addresses = [str(ours.base_url), *(stack.enter_context(served(url)) for _ in range(processes - 1))]
        figures += _at_once(addresses, secret, studios, nights, times)
        figures += _refused(ours, studios[0], next(nights), times)
        figures += _series(ours, studios, times, bare)
        figures += _peers_questions(ours, times, bare)
    return figures


def _studios(url: str) -> tuple[list[list[str]], int]:
    """Codes in groups for one table each, and how many reservations there are."""
    with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
        query = sa.select(Studio.code).where(Studio.retired_at.is_(None)).order_by(Studio.code)
        codes = list(db.session.scalars(query.limit((CLIENTS + 2) * TABLE)))
        count = db.session.scalar(sa.select(sa.func.count(Reservation.id))) or 0
        db.session.remove()
        db.engine.dispose()
    return [codes[start : start + TABLE] for start in range(0, len(codes), TABLE)], count


def _nights() -> Iterator[datetime]:
    """Hours at which nobody has booked anything, each once."""
    first = datetime.now(UTC).replace(hour=NIGHT, minute=0, second=0, microsecond=0) + timedelta(days=2)
    for hour, day in itertools.product(range(6), range(180)):
        yield first + timedelta(days=day) + hour * HOUR


def _wish(codes: Sequence[str], start: datetime, **more: Any) -> dict[str, Any]:
    times = {"start": start.isoformat(), "end": (start + HOUR).isoformat()}
    return {"title": "Bench", "purpose": "test", "parties": [{"studio": code} for code in codes], **times, **more}


def _book(ours: httpx.Client, codes: Sequence[str], start: datetime) -> None:
    _answered(ours.post("/api/v1/conferences", json=_wish(codes, start)), 201)


def _insert(plain: httpx.Client, codes: Sequence[str], start: datetime) -> None:
    body = {"organisation_id": 1, "studio_ids": _ids(codes), "start": start.isoformat()}
    _answered(plain.post("/conferences", json={**body, "end": (start + HOUR).isoformat()}), 201)


def _ids(codes: Sequence[str]) -> list[int]:
    """The minimal view knows no codes; these studios are the first ones, and so are their keys."""
    return list(range(1, len(codes) + 1))


def _at_once(
    addresses: Sequence[str], secret: str, studios: Sequence[Sequence[str]], nights: Iterator[datetime], times: int
) -> list[Figure]:
    """So many clients, each with studios of its own, spread over the web processes at these addresses."""
    hours = [[next(nights) for _ in range(times)] for _ in range(CLIENTS)]

    def work(number: int) -> list[float]:
        with client(addresses[number % len(addresses)], secret) as own:
            return [timed(partial(_book, own, studios[1 + number], start)) for start in hours[number]]

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        taken = sorted(itertools.chain.from_iterable(pool.map(work, range(CLIENTS))))
    elapsed = time.perf_counter() - began
    return [
        Figure(f"{CLIENTS} clients: bookings", len(taken) / elapsed, "a second"),
        Figure(f"{CLIENTS} clients: p95", taken[int(len(taken) * 0.95)] * 1000, "ms"),
        Figure(f"{CLIENTS} clients: web processes", len(addresses), ""),
        Figure(f"{CLIENTS} clients: errors", 0, ""),  # any other answer has ended the program
    ]


def _refused(ours: httpx.Client, codes: Sequence[str], start: datetime, times: int) -> list[Figure]:
    """A clash: who has it, and other times."""
    _book(ours, codes, start)
    taken = median(lambda: _answered(ours.post("/api/v1/conferences", json=_wish(codes, start)), 409), times)
    return [Figure("a clash told, with alternatives", taken * 1000, "ms")]


def _series(ours: httpx.Client, studios: Sequence[Sequence[str]], times: int, bare: float) -> list[Figure]:
    """Weekly for half a year in 4 studios, and for a year in 8; in hours of the night that nothing else here takes."""
    late = datetime.now(UTC).replace(hour=NIGHT + 1, minute=0, second=0, microsecond=0) + timedelta(days=3)
    early = late + 3 * HOUR
    starts = iter([late + HOUR * n + timedelta(days=day) for day in range(7) for n in range(2)])
    rule, year = {"rule": "FREQ=WEEKLY;COUNT=26"}, {"rule": "FREQ=WEEKLY;COUNT=52"}
    large = [*studios[-2], *studios[-1]]
    nights = iter([early + timedelta(days=day) for day in range(7)])
    previewed = median(
        lambda: _answered(ours.post("/api/v1/series/preview", json=_wish(studios[-1], late, **rule)), 200),
        min(times, 20),
    )
    saved = median(
        lambda: _answered(ours.post("/api/v1/series", json=_wish(studios[-1], next(starts), **rule)), 201), 10
    )
    preview_large = median(
        lambda: _answered(ours.post("/api/v1/series/preview", json=_wish(large, early, **year)), 200), 5
    )
    saved_large = median(
        lambda: _answered(ours.post("/api/v1/series", json=_wish(large, next(nights), **year)), 201), 4
    )
    return [
        Figure("a series of 26 in 4 studios previewed", previewed * 1000, "ms", previewed / bare, MINIMAL),
        Figure("a series of 26 in 4 studios saved", saved * 1000, "ms", saved / bare, MINIMAL),
        Figure("a series of 52 in 8 studios previewed", preview_large * 1000, "ms", preview_large / bare, MINIMAL),
        Figure("a series of 52 in 8 studios saved", saved_large * 1000, "ms", saved_large / bare, MINIMAL),
    ]


def _peers_questions(ours: httpx.Client, times: int, bare: float) -> list[Figure]:
    """What other booking systems were timed at (docs/measured.md names them)."""
    noon = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=7)
    asked = {
        "which studios are free for an hour": (noon, noon + HOUR),
        "all studios' day": (noon - 9 * HOUR, noon + 15 * HOUR),
    }
    figures = []
    for name, (start, end) in asked.items():
        span = {"from": start.isoformat(), "to": end.isoformat(), "limit": "900"}
        taken = median(partial(_availability, ours, span), min(times, 15))
        figures.append(Figure(name, taken * 1000, "ms", taken / bare, MINIMAL))
    return figures


def _availability(ours: httpx.Client, span: dict[str, str]) -> None:
    _answered(ours.get("/api/v1/availability", params=span), 200)


def _answered(answer: httpx.Response, status: int) -> httpx.Response:
    if answer.status_code != status:
        sys.exit(f"bench booking: {answer.request.url} answers {answer.status_code}: {answer.text[:500]}")
    return answer


if __name__ == "__main__":
    main()
