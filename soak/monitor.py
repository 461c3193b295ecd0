"""Watches 900 studios for long: how soon a death is seen, that a lost site is one incident, and no false alarm."""

import argparse
import asyncio
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from bench.table import Figure, show
from config import Settings
from models import Endpoint, EndpointStatus, Health, Incident, Site, StatusChange, Studio, db, write
from monitoring.cadence import Cadence
from monitoring.rules import Patience
from simulation.fleet import Fleet
from simulation.open_files import make_room
from simulation.studio import Fault, StudioSpec
from tests import factories

KEY = "a key for endurance trials, and for nothing else"
CONTROL = ("127.96.250.1", 28779)
SNMP_PORT, TRAP_PORT = 28716, 28762
LARGEST_SITE = 22
STUDIONETT = Path(sys.executable).with_name("studionett")
PATIENCE = 90.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/soak monitor", description=__doc__)
    parser.add_argument("--studios", type=int, default=900)
    parser.add_argument("--deaths", type=int, default=10, help="of single studios, with traps and without")
    parser.add_argument("--minutes", type=float, default=30, help="under load, in which nobody may be found down")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve(options.studios))
        return
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/soak.db"
        with create_app(Settings(database_url=url, secret_key=KEY)).app_context(), _fleet(options.studios) as fleet:
            upgrade()
            write(lambda: _write_inventory(options.studios))
            with _monitor(url, Path(folder, "monitor.log")) as process:
                show(list(_trials(fleet, process, options)))


def _trials(fleet: "Studios", process: "subprocess.Popen[bytes]", options: argparse.Namespace) -> Iterator[Figure]:
    chance, began = random.Random(options.seed), time.monotonic()
    _await(lambda: _number_in(Health.OK) == options.studios, "not all are found well")
    yield Figure(f"until all {options.studios} are found well", time.monotonic() - began, "s")
    codes = [_code(number) for number in chance.sample(range(LARGEST_SITE, options.studios), options.deaths)]
    for traps in (False, True):
        took = [_death(fleet, code, traps) for code in codes]
        what = f"from a death to the tables, {'with' if traps else 'without'} a trap"
        yield Figure(f"{what}, half of {len(took)}", median(took), "s")
        yield Figure(f"{what}, the longest", max(took), "s")
    cadence, patience = Cadence(), Patience()
    confirmed = cadence.alive + cadence.timeout + (patience.misses - 1) * cadence.patient_timeout
    yield Figure("the time in which a death without a trap is confirmed", confirmed, "s")
    yield from _lost_site(fleet)
    yield from _under_load(process, options.minutes)


def _death(fleet: "Studios", code: str, traps: bool) -> float:
    """Seconds until the tables say so. Whatever makes it silent without a word is a line that is cut."""
    before = time.time()
    if traps:
        fleet.suffer(code, Fault.DEAD)
    else:
        fleet.cut(code, True)
    _await(lambda: _health(code) is Health.DOWN, f"{code} is not found down")
    took = time.time() - before
    if traps:
        fleet.suffer(code, Fault.CLEAR)
    else:
        fleet.cut(code, False)
    _await(lambda: _health(code) is Health.OK, f"{code} is not found well again")
    return took


def _lost_site(fleet: "Studios") -> Iterator[Figure]:
    ids = sa.select(Incident.id)
    before = set(_read(ids))
    began = time.time()
    fleet.cut_site("The largest", True)
    _await(lambda: bool(set(_read(ids.where(Incident.site_id.is_not(None)))) - before), "the lost site is not found")
    yield Figure(f"from the loss of a site with {LARGEST_SITE} studios to its incident", time.time() - began, "s")
    time.sleep(45)  # longer than a single studio waits before it is an incident of its own
    yield Figure("incidents of it", len(set(_read(ids)) - before), "incidents")
    fleet.cut_site("The largest", False)
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


class Studios:
    """The fleet's process, at its control address."""

    def __init__(self) -> None:
        self._client = httpx.Client(base_url=f"http://{CONTROL[0]}:{CONTROL[1]}", trust_env=False, timeout=30)

    def suffer(self, code: str, fault: Fault) -> None:
        self._post({"code": code, "fault": fault})

    def cut(self, code: str, cut: bool) -> None:
        """Each studio outside the largest site is a site of its own in the fleet."""
        self.cut_site(code, cut)

    def cut_site(self, site: str, cut: bool) -> None:
        self._post({"site": site, "fault": "line" if cut else "clear"})

    def _post(self, content: dict[str, str]) -> None:
        self._client.post("/fault", json=content).raise_for_status()


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


def _write_inventory(studios: int) -> None:
    organisation = factories.organisation("Network")
    largest, others = factories.site(organisation, name="The largest"), list[Site]()
    rows = []
    for number in range(studios):
        if number < LARGEST_SITE:
            site = largest
        else:
            if number % 2 == LARGEST_SITE % 2 or not others:
                others.append(factories.site(organisation))
            site = others[-1]
        rows.append(Studio(code=_code(number), name=_code(number), site_id=site.id, capacity=4))
    db.session.add_all(rows)
    db.session.flush()
    db.session.add_all(
        Endpoint(studio_id=row.id, snmp_host=_address(number), snmp_port=SNMP_PORT) for number, row in enumerate(rows)
    )


@contextmanager
def _monitor(url: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {
        **os.environ,
        "STUDIONETT_DATABASE_URL": url,
        "STUDIONETT_SECRET_KEY": KEY,
        "STUDIONETT_TRAP_PORT": str(TRAP_PORT),
    }
    with log.open("wb") as output:
        process = subprocess.Popen([STUDIONETT, "monitor"], env=environment, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def _fleet(studios: int) -> Iterator[Studios]:
    command = [sys.executable, "-m", "soak.monitor", "--serve", "--studios", str(studios)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                sys.exit("The simulated studios did not start.")
            yield Studios()
        finally:
            process.terminate()


async def _serve(studios: int) -> None:
    make_room(studios)
    specs = [
        StudioSpec(
            _code(number),
            _code(number),
            _address(number),
            http_port=None,
            sip_port=None,
            snmp_port=SNMP_PORT,
            site="The largest" if number < LARGEST_SITE else _code(number),
        )
        for number in range(studios)
    ]
    fleet = Fleet(specs, CONTROL, traps_to=("127.0.0.1", TRAP_PORT))
    await fleet.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await fleet.stop()


def _code(number: int) -> str:
    return f"S-{number:05}"


def _address(number: int) -> str:
    return f"127.96.{number // 200}.{number % 200 + 1}"


if __name__ == "__main__":
    main()
