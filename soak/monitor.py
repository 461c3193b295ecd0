"""Watches 900 studios for long: how soon a death is seen, that a lost site is one incident, and no false alarm."""

import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from bench.program import KEY
from bench.table import Figure, show
from bench.watched import LARGEST, LARGEST_SITE, Studios, code_of, fleet, monitor, write_inventory
from config import Settings
from models import Endpoint, EndpointStatus, Health, Incident, StatusChange, Studio, db, write
from monitoring.cadence import Cadence
from monitoring.rules import Patience
from simulation.studio import Fault

PATIENCE = 90.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/soak monitor", description=__doc__)
    parser.add_argument("--studios", type=int, default=900)
    parser.add_argument("--deaths", type=int, default=10, help="of single studios, with traps and without")
    parser.add_argument("--minutes", type=float, default=30, help="under load, in which nobody may be found down")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/soak.db"
        with create_app(Settings(database_url=url, secret_key=KEY)).app_context(), fleet(options.studios) as studios:
            upgrade()
            write(lambda: write_inventory(options.studios))
            with monitor(url, Path(folder, "monitor.log")) as process:
                show(list(_trials(studios, process, options)))


def _trials(studios: Studios, process: "subprocess.Popen[bytes]", options: argparse.Namespace) -> Iterator[Figure]:
    chance, began = random.Random(options.seed), time.monotonic()
    _await(lambda: _number_in(Health.OK) == options.studios, "not all are found well")
    yield Figure(f"until all {options.studios} are found well", time.monotonic() - began, "s")
    codes = [code_of(number) for number in chance.sample(range(LARGEST_SITE, options.studios), options.deaths)]
    for traps in (False, True):
        took = [_death(studios, code, traps) for code in codes]
        what = f"from a death to the tables, {'with' if traps else 'without'} a trap"
        yield Figure(f"{what}, half of {len(took)}", median(took), "s")
        yield Figure(f"{what}, the longest", max(took), "s")
    cadence, patience = Cadence(), Patience()
    confirmed = cadence.alive + cadence.timeout + (patience.misses - 1) * cadence.patient_timeout
    yield Figure("the time in which a death without a trap is confirmed", confirmed, "s")
    yield from _lost_site(studios)
    yield from _under_load(process, options.minutes)


def _death(studios: Studios, code: str, traps: bool) -> float:
    """Seconds until the tables say so. Whatever makes it silent without a word is a line that is cut."""
    before = time.time()
    if traps:
        studios.suffer(code, Fault.DEAD)
    else:
        studios.cut(code, True)
    _await(lambda: _health(code) is Health.DOWN, f"{code} is not found down")
    took = time.time() - before
    if traps:
        studios.suffer(code, Fault.CLEAR)
    else:
        studios.cut(code, False)
    _await(lambda: _health(code) is Health.OK, f"{code} is not found well again")
    return took


def _lost_site(studios: Studios) -> Iterator[Figure]:
    ids = sa.select(Incident.id)
    before = set(_read(ids))
    began = time.time()
    studios.cut_site(LARGEST, True)
    _await(lambda: bool(set(_read(ids.where(Incident.site_id.is_not(None)))) - before), "the lost site is not found")
    yield Figure(f"from the loss of a site with {LARGEST_SITE} studios to its incident", time.time() - began, "s")
    time.sleep(45)  # longer than a single studio waits before it is an incident of its own
    yield Figure("incidents of it", len(set(_read(ids)) - before), "incidents")
    studios.cut_site(LARGEST, False)
    _await(lambda: _number_in(Health.DOWN, Health.UNREACHABLE) == 0, "the site is not found back")


def _under_load(process: "subprocess.Popen[bytes]", minutes: float) -> Iterator[Figure]:
    """All cores busy with something else, as when a report is made; memory before and after."""
    began, memory = datetime.now(UTC), _resident(process.pid)
    busy = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(os.cpu_count() or 1)]
    for each in busy:
        each.start()
    try:
        time.sleep(minutes * 60)
    finally:
        for each in busy:
            each.terminate()
    down = sa.select(StatusChange.id).where(StatusChange.at > began, StatusChange.to_health == Health.DOWN)
    yield Figure(f"found down in {minutes:g} minutes with all cores busy", len(_read(down)), "studios")
    sweeps = minutes * 60 / Cadence().alive
    grown = (_resident(process.pid) - memory) / 1024
    yield Figure(
        f"memory of the monitor, grown in {sweeps:.0f} sweeps", grown, "MB", 1 + grown * 1024 / memory, "before"
    )


def _spin() -> None:
    while True:
        sum(range(10_000))


def _health(code: str) -> Health | None:
    query = sa.select(EndpointStatus.health).join(Endpoint).join(Studio).where(Studio.code == code)
    found: Health | None = db.session.scalar(query)
    db.session.rollback()
    return found


def _number_in(*healths: Health) -> int:
    return len(_read(sa.select(EndpointStatus.endpoint_id).where(EndpointStatus.health.in_(healths))))


def _read(query: sa.Select[Any]) -> Sequence[int]:
    found: Sequence[int] = db.session.scalars(query).all()
    db.session.rollback()
    return found


def _await(condition: Callable[[], bool], failure: str) -> None:
    ends_at = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > ends_at:
            sys.exit(f"soak monitor: {failure}.")
        time.sleep(0.05)


def _resident(pid: int) -> int:
    """Kilobytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


if __name__ == "__main__":
    main()
