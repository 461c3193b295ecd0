"""Kills a maker of night reports at random instants; each night has one report all the same, each manager one mail."""

import argparse
import logging
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import structlog

from app import create_app
from bench.program import KEY, demonstration
from bench.table import Figure, show
from config import Settings
from demonstration.days import write_year
from models import ConferenceUsage, HourUsage, Message, Report, StudioUsage, db, write
from reports.usage import make_due_reports

NIGHTS = 6
FACTS: tuple[Any, ...] = (StudioUsage, ConferenceUsage, HourUsage)


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/soak night", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        url = demonstration(folder)
        with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
            write_year(1, datetime.now(UTC), lambda _done, _total: None, days=NIGHTS)
            calm, took = _calm_run()
            write(_forget)
            killed = 0
            for _ in range(options.kills):
                _begin_anew_when_done(len(calm["report"]))
                killed += _killed_at(url, chance.uniform(0, took))
            make_due_reports()
            _compare(calm, _made(), options.seed)
    nights, mails = len(calm["report"]), len(calm["message"])
    show(
        [Figure("nights", nights, "nights"), Figure("mails", mails, "mails"), Figure("kills at work", killed, "kills")]
    )


def _calm_run() -> tuple[dict[str, list[Any]], float]:
    """What is made when nothing is killed, and how many seconds it takes."""
    write(_forget)
    began = time.monotonic()
    make_due_reports()
    taken = time.monotonic() - began
    made = _made()
    if not made["report"] or not made["message"]:
        sys.exit("soak night: nothing was due, so nothing is tried")
    return made, taken


def _forget() -> None:
    """As if no night had been reported yet."""
    for model in (*FACTS, Report, Message):
        db.session.execute(sa.delete(model))


def _begin_anew_when_done(nights: int) -> None:
    """Let every night be due again once all are made, so that each kill finds work; the mails stay, asked for once."""
    db.session.rollback()
    if db.session.scalar(sa.select(sa.func.count()).select_from(Report)) == nights:
        write(lambda: db.session.execute(sa.delete(Report)))


def _killed_at(url: str, seconds: float) -> bool:
    """Let a process make what is due and kill it some seconds after it began. Whether it was still at work."""
    ready = multiprocessing.get_context("spawn").Event()
    maker = multiprocessing.get_context("spawn").Process(target=_make, args=(url, ready))
    maker.start()
    ready.wait(60)
    time.sleep(seconds)
    was_at_work = maker.is_alive()
    maker.kill()
    maker.join()
    return was_at_work


def _make(url: str, ready: Any) -> None:
    with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
        ready.set()
        make_due_reports()


def _made() -> dict[str, list[Any]]:
    """Every fact, the nights that have a report, and who was sent what: without keys and times of making."""
    db.session.rollback()
    made: dict[str, list[Any]] = {model.__tablename__: _rows(model) for model in FACTS}
    made["report"] = sorted(db.session.scalars(sa.select(Report.day)))
    made["message"] = sorted(tuple(row) for row in db.session.execute(sa.select(Message.recipient, Message.subject)))
    return made


def _rows(model: Any) -> list[str]:
    columns = [column for column in model.__table__.columns if column.name != "id"]
    return sorted(repr(tuple(row)) for row in db.session.execute(sa.select(*columns)))


def _compare(calm: dict[str, list[Any]], made: dict[str, list[Any]], seed: int) -> None:
    if wrong := list(_differing(calm, made)):
        sys.exit(f"soak night: not as in a calm run: {', '.join(wrong)} (seed {seed})")


def _differing(calm: dict[str, list[Any]], made: dict[str, list[Any]]) -> Iterable[str]:
    for name in calm:
        if calm[name] != made[name]:
            yield f"{name} ({len(made[name])} rows, {len(calm[name])} expected)"


if __name__ == "__main__":
    main()
