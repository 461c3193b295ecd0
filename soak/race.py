"""Many processes book, move, swap, wait and cancel in the same few studios: nothing is ever had twice."""

import argparse
import logging
import multiprocessing
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from flask_migrate import upgrade

from app import create_app
from bench.table import Figure, show
from bench.year import DIALECTS, empty_database
from config import Settings
from errors import Refused
from models import Account, Bridge, BridgeDriver, Conference, ConferenceState, Purpose, Swap, WaitingRequest, db, write
from studios.booking import conferences
from studios.booking.obstacles import Unavailable
from studios.booking.series.previews import SeriesRequest
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.saving import book_series
from studios.booking.waiting.minding import mind_who_waits
from studios.booking.waiting.offers import accept_offer
from studios.booking.waiting.requests import ask_to_wait
from studios.booking.waiting.swaps import accept_swap, ask_to_swap
from studios.booking.wishes import Booking, PoolWish, StudioWish
from tests import factories

KEY = "a key for endurance trials, and for nothing else"
PROCESSES, TRIES = 16, 200
STUDIOS, DAYS = 6, 5
HOLDS_LAST = 0.05  # minutes: offers run out while the others go on
MINUTE = timedelta(minutes=1)
OSLO = ZoneInfo("Europe/Oslo")
SITES = ("Race North", "Race South")

# What must be zero, in plain SQL beside the code under test.
BROKEN = {
    "overlapping reservations": """
        SELECT count(*) FROM reservation a JOIN reservation b ON a.studio_id = b.studio_id AND a.id < b.id
        WHERE a.starts_at < b.ends_at AND b.starts_at < a.ends_at
          AND a.released_at IS NULL AND b.released_at IS NULL""",
    "planned conferences without all their studios": """
        SELECT count(*) FROM conference c WHERE c.state = 'planned' AND EXISTS (
          SELECT 1 FROM party p JOIN reservation r ON r.id = p.reservation_id
          WHERE p.conference_id = c.id AND r.released_at IS NOT NULL)""",
    "cancelled conferences with studios": """
        SELECT count(*) FROM conference c JOIN reservation r ON r.conference_id = c.id
        WHERE c.state = 'cancelled' AND r.released_at IS NULL""",
    "conferences without parties": """
        SELECT count(*) FROM conference c WHERE NOT EXISTS (SELECT 1 FROM party p WHERE p.conference_id = c.id)""",
    "instants with too many ports": """
        SELECT count(*) FROM (
          SELECT c.id, b.ports AS there,
            (SELECT sum(o.ports) FROM conference o WHERE o.bridge_id = c.bridge_id AND o.state <> 'cancelled'
               AND o.starts_at <= c.starts_at AND o.ends_at > c.starts_at) AS taken
          FROM conference c JOIN bridge b ON b.id = c.bridge_id WHERE c.state <> 'cancelled') AS peaks
        WHERE taken > there""",
}


@dataclass(frozen=True)
class Ground:
    """Where they race."""

    url: str
    organisations: tuple[int, int]
    people: tuple[int, int]
    studios: tuple[tuple[int, ...], tuple[int, ...]]
    monday: datetime


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/soak race", description=__doc__)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--tries", type=int, default=TRIES)
    parser.add_argument("--only", choices=DIALECTS, help="One of the databases.")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    figures: list[Figure] = []
    for dialect in [options.only] if options.only else DIALECTS:
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = stack.enter_context(empty_database(Path(folder), dialect))
            figures += race(dialect, url, options.processes, options.tries, options.seed)
    show(figures)
    if any(figure.value for figure in figures if figure.name.endswith((*BROKEN, "errors", "untold"))):
        sys.exit(f"soak race: a promise was not kept (seed {options.seed})")


def race(dialect: str, url: str, processes: int, tries: int, seed: int) -> list[Figure]:
    """Let them race on an empty database, then count."""
    ground = _ground(url)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    outcomes = context.Queue()
    racers = [context.Process(target=_run, args=(n, ground, tries, seed, outcomes)) for n in range(processes)]
    for racer in racers:
        racer.start()
    told: Counter[str] = Counter()
    for _ in racers:
        told += outcomes.get(timeout=1200)
    for racer in racers:
        racer.join(60)
    with create_app(_settings(url)).app_context():
        broken = {name: int(db.session.scalar(sa.text(query)) or 0) for name, query in BROKEN.items()}
        db.session.remove()
        db.engine.dispose()
    counts = {"tries": told.total(), **{name: told[name] for name in sorted(told)}, "errors": 0, "untold": 0}
    counts |= {"errors": told["errors"], "untold": told["untold"]}
    return [Figure(f"{dialect}: {name}", number, "") for name, number in {**counts, **broken}.items()]


def _settings(url: str) -> Settings:
    return Settings(database_url=url, secret_key=KEY, offer_minutes=HOLDS_LAST)


def _ground(url: str) -> Ground:
    with create_app(_settings(url)).app_context():
        upgrade()
        organisations = [factories.organisation(name) for name in SITES]
        sites = [factories.site(each, name=name) for each, name in zip(organisations, SITES, strict=True)]
        studios = [tuple(factories.studio(site).id for _ in range(STUDIOS)) for site in sites]
        people = [factories.account(organisation=each).id for each in organisations]
        write(lambda: db.session.add(Bridge(name="Race", driver=BridgeDriver.PEXIP, address="https://b", ports=12)))
        today = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
        monday = today + timedelta(days=14 - today.weekday())
        found = Ground(
            url, (organisations[0].id, organisations[1].id), (people[0], people[1]), (studios[0], studios[1]), monday
        )
        db.session.remove()
        db.engine.dispose()
    return found


def _run(number: int, ground: Ground, tries: int, seed: int, outcomes: Any) -> None:
    """One process. Its counts go home even when it breaks."""
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    told: Counter[str] = Counter()
    try:
        with create_app(_settings(ground.url)).app_context():
            racer = Racer(random.Random(seed * 1000 + number), ground, number % 2)
            for _ in range(tries):
                told[racer.try_something()] += 1
            db.session.remove()
            db.engine.dispose()
    finally:
        outcomes.put(told)


class Racer:
    """Somebody of one of the two organisations, who does this and that at random."""

    def __init__(self, chance: random.Random, ground: Ground, side: int) -> None:
        self._chance, self._ground, self._side = chance, ground, side
        self._deeds: list[tuple[int, Callable[[], object]]] = [
            (8, self._book),
            (4, self._draw),
            (3, self._series),
            (4, self._move),
            (4, self._cancel),
            (2, self._wait),
            (2, self._mind),
            (2, self._accept_offer),
            (3, self._ask_to_swap),
            (3, self._answer_swap),
        ]

    def try_something(self) -> str:
        """What came of it; whoever loses must be told what is in the way."""
        weights, deeds = zip(*self._deeds, strict=True)
        deed = self._chance.choices(deeds, weights)[0]
        db.session.rollback()
        try:
            return "done" if deed() else "nothing to do"
        except Unavailable as refused:
            return "refused" if refused.obstacles else "untold"
        except Refused as refused:
            return "refused" if refused.message else "untold"
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return "errors"

    def _book(self) -> object:
        wanted = self._wish(*map(StudioWish, self._chance.sample(self._all(), self._chance.randint(2, 4))))
        return write(lambda: conferences.book(wanted, self._person()).id)

    def _draw(self) -> object:
        wanted = self._wish(*(PoolWish(site=self._chance.choice(SITES)) for _ in range(self._chance.randint(2, 3))))
        return write(lambda: conferences.book(wanted, self._person()).id)

    def _series(self) -> object:
        wanted = self._wish(*map(StudioWish, self._chance.sample(self._all(), 2)))
        wall = wanted.start.astimezone(OSLO)
        minutes = (wanted.end - wanted.start) // MINUTE
        rule = Recurrence("FREQ=DAILY;COUNT=2", wall.date(), wall.time(), minutes, "Europe/Oslo")
        return write(lambda: book_series(SeriesRequest(wanted, rule), self._person()).series.id)

    def _move(self) -> object:
        if (found := self._any_own()) is None:
            return None
        asked = conferences.booking_of(found)
        start, length = self._start(), asked.end - asked.start
        key, version, moved = found.id, found.version, replace(asked, start=start, end=start + length)
        return write(lambda: conferences.change(key, moved, version, self._person()).id)

    def _cancel(self) -> object:
        if (found := self._any_own()) is None:
            return None
        key, version = found.id, found.version
        return write(lambda: conferences.cancel(key, version, self._person()).id)

    def _wait(self) -> object:
        wanted = self._wish(*map(StudioWish, self._chance.sample(self._all(), 2)))
        earliest, latest = wanted.start - 60 * MINUTE, wanted.end + 60 * MINUTE
        return write(lambda: ask_to_wait(wanted, earliest, latest, self._person()).id)

    def _mind(self) -> object:
        mind_who_waits()
        return True

    def _accept_offer(self) -> object:
        mine = WaitingRequest.organisation_id == self._organisation()
        offered = sa.select(WaitingRequest.id).where(mine, WaitingRequest.state == "offered")
        key = db.session.scalar(offered.order_by(sa.func.random()).limit(1))
        return key and write(lambda: accept_offer(key, self._person()).id)

    def _ask_to_swap(self) -> object:
        """For the time of some conference of the other side."""
        theirs = Conference.organisation_id == self._ground.organisations[1 - self._side]
        found = db.session.scalar(self._planned().where(theirs).order_by(sa.func.random()).limit(1))
        if found is None:
            return None
        key, version, asked = found.id, found.version, conferences.booking_of(found)
        wanted = replace(
            self._wish(*(party for party in asked.parties if isinstance(party, StudioWish))),
            start=asked.start,
            end=asked.end,
        )
        return write(lambda: ask_to_swap(key, version, wanted, None, "Urgent", self._person()).id)

    def _answer_swap(self) -> object:
        asked = (
            sa.select(Swap.id)
            .join(Conference, Conference.id == Swap.conference_id)
            .where(Swap.state == "waiting", Conference.organisation_id == self._organisation())
        )
        key = db.session.scalar(asked.order_by(sa.func.random()).limit(1))
        return key and write(lambda: accept_swap(key, self._person()).id)

    def _any_own(self) -> Conference | None:
        own = self._planned().where(Conference.organisation_id == self._organisation())
        return db.session.scalar(own.order_by(sa.func.random()).limit(1))

    def _planned(self) -> sa.Select[Conference]:
        return db.select(Conference).where(Conference.state == ConferenceState.PLANNED)

    def _wish(self, *parties: StudioWish | PoolWish) -> Booking:
        start = self._start()
        length = self._chance.choice((30, 60, 90)) * MINUTE
        return Booking(
            "Race", Purpose.ADMINISTRATION, self._organisation(), start, start + length, parties, movable=True
        )

    def _start(self) -> datetime:
        return self._ground.monday + timedelta(
            days=self._chance.randrange(DAYS), minutes=15 * self._chance.randrange(32)
        )

    def _all(self) -> list[int]:
        return [studio_id for each in self._ground.studios for studio_id in each]

    def _organisation(self) -> int:
        return self._ground.organisations[self._side]

    def _person(self) -> Account:
        return db.session.get_one(Account, self._ground.people[self._side])


if __name__ == "__main__":
    main()
