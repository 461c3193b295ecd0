"""How late calls come up: 250 conferences over 900 studios that start at once, against a bare script that dials."""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from bench.authority import AUTHORITY, issue, served
from bench.program import KEY, STUDIONETT
from bench.table import Figure, show
from config import Settings
from devices.tls import verification
from devices.xapi import Codec, XapiClient
from models import Conference, ControlDriver, Endpoint, Party, Purpose, Reservation, StartMode, Studio, db, write
from simulation.fleet import Fleet
from simulation.studio import Fault, StudioSpec, Timings
from tests import factories

SECRET = "hemmelig"
HTTP_PORT, SIP_PORT = 28643, 25660
CONTROL = ("127.97.250.1", 28679)
AT_ONCE = 24  # as the scheduler by default
# Ahead of a start the studios are muted.
LEAD = {StartMode.OPEN: 6.0, StartMode.MUTED: 30.0}
PATIENCE = 90.0
# Between the last call up and the end: all panels have been told, and only looks at running calls go on.
SETTLED = 10.0
FAULTS = (Fault.DEAD, Fault.BUSY, Fault.SLOW, Fault.LIES)
BARE = "the bare script"

Table = tuple[int, ...]
"""The studios of a conference by their numbers, the host first."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench calls", description=__doc__)
    parser.add_argument("--studios", type=int, default=900)
    parser.add_argument("--conferences", type=int, default=250)
    parser.add_argument("--minutes", type=float, help="instead: pairs that start within so long, half of them at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve(options.studios, Path(options.serve)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        issue(folder, [_address(number) for number in range(options.studios)])
        with _fleet(options.studios, folder) as fleet, _database(options.studios, folder) as environment:
            trial = Trial(fleet, environment, folder)
            if options.minutes:
                show(list(_spread(trial, options)))
            else:
                show(list(_bursts(trial, options)))


def _bursts(trial: "Trial", options: argparse.Namespace) -> Iterator[Figure]:
    tables = _tables(options.studios, options.conferences)
    calls = sum(len(table) - 1 for table in tables)
    up, down = trial.bare(tables)
    yield Figure("calls", calls, "calls")
    yield Figure(f"{BARE}: the last call up", up, "s")
    yield Figure(f"{BARE}: the last call gone", down, "s")
    healthy: dict[StartMode, Outcome] = {}
    for mode in (StartMode.OPEN, StartMode.MUTED):
        healthy[mode] = found = trial.scheduled(tables, mode)
        yield Figure(f"{mode}: the last call up", found.up, "s", found.up / up, BARE)
        yield Figure(f"{mode}: half of the dials sent", median(found.late), "s")
        yield Figure(f"{mode}: the last dial sent", max(found.late), "s")
        yield Figure(f"{mode}: the last call gone", found.down, "s", found.down / down, BARE)
    chance = random.Random(options.seed)
    ailing = dict.fromkeys(chance.sample(range(options.studios), options.studios // 10), Fault.CLEAR)
    ailing = {number: FAULTS[place % len(FAULTS)] for place, number in enumerate(ailing)}
    found = trial.scheduled(tables, StartMode.MUTED, ailing)
    well = [table for table in tables if not ailing.keys() & set(table)]
    beside = [late for host, late in healthy[StartMode.MUTED].by_host.items() if (host,) in {each[:1] for each in well}]
    mine = [late for host, late in found.by_host.items() if (host,) in {each[:1] for each in well}]
    what = f"with {len(ailing)} studios dead, busy, slow or lying"
    yield Figure(f"{what}: half of the others' dials sent", median(mine), "s", median(mine) / median(beside), "without")
    yield Figure(f"{what}: the last of the others' dials", max(mine), "s", max(mine) / max(beside), "without")


def _spread(trial: "Trial", options: argparse.Namespace) -> Iterator[Figure]:
    """As on a day: half of them on the hour, the others at any time."""
    tables = [(2 * number, 2 * number + 1) for number in range(options.conferences)]
    chance, span = random.Random(options.seed), options.minutes * 60
    offsets = [span / 2 if number % 2 else chance.uniform(0, span) for number in range(len(tables))]
    found = trial.scheduled(tables, StartMode.MUTED, offsets=offsets)
    alone = [late for (host, _), offset in zip(tables, offsets, strict=True)
             if abs(offset - span / 2) > 10 and (late := found.by_host.get(host)) is not None]  # fmt: skip
    yield Figure("conferences", len(tables), "conferences")
    yield Figure("dial sent, half of those outside the burst", median(alone) * 1000, "ms")
    yield Figure("dial sent, the last of those outside the burst", max(alone) * 1000, "ms")
    yield Figure("dial sent, half of all", median(found.late) * 1000, "ms")
    yield Figure("dial sent, the last of all", max(found.late) * 1000, "ms")


@dataclass(frozen=True)
class Outcome:
    """Seconds from the start to the last call up on both ends, and from the end to the last call gone; by the number
    of the host how late its first dial was, and of all dials how late each was."""

    up: float
    down: float
    by_host: dict[int, float]
    late: list[float]


class Trial:
    def __init__(self, fleet: "Observer", environment: Mapping[str, str], folder: Path) -> None:
        self._fleet, self._environment, self._folder = fleet, environment, folder

    def bare(self, tables: Sequence[Table]) -> tuple[float, float]:
        """Seconds until all calls are up, and until all are gone again."""
        settings = Settings(
            database_url="sqlite://", secret_key=KEY, control_ca=str(self._folder / AUTHORITY), control_verify=True
        )
        client = XapiClient(verify=verification(settings))
        legs = [(table[0], far) for table in tables for far in table[1:]]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            began = datetime.now(UTC)
            ids = list(pool.map(lambda leg: client.dial(_codec(leg[0]), _uri(leg[1]), f"bare/{leg[1]}"), legs))
            up = self._fleet.wait_until_up(2 * len(legs)) - began
            ended = datetime.now(UTC)
            orders = list(zip(legs, ids, strict=True))
            list(pool.map(lambda order: client.disconnect(_codec(order[0][0]), order[1]), orders))
            down = self._fleet.wait_until_idle() - ended
        client.close()
        return up.total_seconds(), down.total_seconds()

    def scheduled(
        self,
        tables: Sequence[Table],
        mode: StartMode,
        ailing: Mapping[int, Fault] | None = None,
        offsets: Sequence[float] | None = None,
    ) -> Outcome:
        """The same by the scheduler, a process of its own."""
        ailing = ailing or {}
        write(lambda: db.session.execute(sa.update(Studio).values(start_mode=mode)))
        for number, fault in ailing.items():
            self._fleet.suffer(number, fault)
        start = datetime.now(UTC) + timedelta(seconds=LEAD[mode])
        starts = [start + timedelta(seconds=each) for each in offsets or [0.0] * len(tables)]
        write(lambda: _book(tables, starts, max(starts) + timedelta(hours=1)))
        with _scheduler(self._environment, self._folder):
            wanted = sum(2 * (len(table) - 1) for table in tables if not ailing.keys() & set(table))
            seen = self._fleet.dials_until(lambda calls: _up_among(calls, tables, ailing) >= wanted, max(starts))
            time.sleep(SETTLED)
            end = datetime.now(UTC) + timedelta(seconds=2)
            write(lambda: _end_all(end))
            for number in ailing:
                self._fleet.suffer(number, Fault.CLEAR)
            down = (self._fleet.wait_until_idle() - end).total_seconds()
            _await_over()
        begun, last_up = seen
        at = {table[0]: each for table, each in zip(tables, starts, strict=True)}
        late = [(instant - at[host]).total_seconds() for host, instant in begun if host in at]
        by_host: dict[int, float] = {}
        for host, instant in begun:
            if host in at:
                found = (instant - at[host]).total_seconds()
                by_host[host] = min(found, by_host.get(host, found))
        return Outcome((last_up - max(starts)).total_seconds(), down, by_host, late)


class Observer:
    """The fleet's process, asked at its control address."""

    def __init__(self) -> None:
        self._client = httpx.Client(base_url=f"http://{CONTROL[0]}:{CONTROL[1]}", trust_env=False, timeout=60)

    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.get("/calls").json()
        return found

    def suffer(self, number: int, fault: Fault) -> None:
        self._client.post("/fault", json={"code": _code(number), "fault": fault}).raise_for_status()

    def wait_until_up(self, ends: int) -> datetime:
        """When the last of so many ends of calls was connected."""
        return self.dials_until(lambda calls: len(_connected(calls)) >= ends, datetime.now(UTC))[1]

    def dials_until(
        self, done: Callable[[list[dict[str, Any]]], bool], start: datetime
    ) -> tuple[list[tuple[int, datetime]], datetime]:
        """By the number of the host when each dial came in; and when the last call was up."""
        time.sleep(max(0.0, (start - datetime.now(UTC)).total_seconds()))
        give_up = time.monotonic() + PATIENCE
        while not done(calls := self.calls()):
            if time.monotonic() > give_up:
                sys.exit(f"bench calls: of the calls only {len(_connected(calls)) // 2} came up.")
            time.sleep(0.5)
        begun = [(_number(call["code"]), _instant(call["begun"])) for call in calls if call["direction"] == "Outgoing"]
        return begun, max(_instant(call["since"]) for call in _connected(calls))

    def wait_until_idle(self) -> datetime:
        give_up = time.monotonic() + PATIENCE
        while left := self.calls():
            if time.monotonic() > give_up:
                sys.exit(f"bench calls: {len(left)} ends of calls are left up.")
            time.sleep(0.1)
        return datetime.now(UTC)


def _up_among(calls: Sequence[Mapping[str, Any]], tables: Sequence[Table], ailing: Mapping[int, Fault]) -> int:
    well = {number for table in tables if not ailing.keys() & set(table) for number in table}
    return sum(_number(call["code"]) in well for call in _connected(calls))


def _connected(calls: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [call for call in calls if call["state"] == "Connected"]


def _tables(studios: int, conferences: int) -> list[Table]:
    """All studios, shared out as evenly as can be."""
    smaller, larger = divmod(studios, conferences)
    tables, first = [], 0
    for number in range(conferences):
        size = smaller + (number < larger)
        tables.append(tuple(range(first, first + size)))
        first += size
    return tables


def _book(tables: Sequence[Table], starts: Sequence[datetime], end: datetime) -> None:
    keys = list(db.session.scalars(sa.select(Studio.id).order_by(Studio.id)))
    owner = db.session.scalars(db.select(Studio).limit(1)).one().site.organisation_id
    for table, start in zip(tables, starts, strict=True):
        times = {"starts_at": start, "ends_at": end}
        due = start - timedelta(minutes=5)
        values = {"organisation_id": owner, "created_at": due, "due_at": due, **times}
        row = Conference(title="Trial", purpose=Purpose.CLINICAL, **values)
        db.session.add(row)
        db.session.flush()
        held = [Reservation(studio_id=keys[number], conference_id=row.id, **times) for number in table]
        db.session.add_all(held)
        db.session.flush()
        for position, each in enumerate(held):
            who = {"studio_id": each.studio_id, "organisation_id": owner, "reservation_id": each.id}
            db.session.add(Party(conference_id=row.id, position=position, host=position == 0, **who))


def _end_all(end: datetime) -> None:
    running = Conference.ends_at > end
    db.session.execute(sa.update(Reservation).where(Reservation.ends_at > end).values(ends_at=end))
    values = {"ends_at": end, "due_at": end, "version": Conference.version + 1}
    db.session.execute(sa.update(Conference).where(running).values(values))


def _await_over() -> None:
    """The scheduler has seen all ends, too: the next run finds no studio occupied."""
    give_up = time.monotonic() + PATIENCE
    while db.session.scalar(sa.select(sa.func.count()).select_from(Conference).where(Conference.due_at.is_not(None))):
        db.session.rollback()
        if time.monotonic() > give_up:
            sys.exit("bench calls: conferences do not end.")
        time.sleep(0.5)
    db.session.rollback()


@contextmanager
def _database(studios: int, folder: Path) -> Iterator[dict[str, str]]:
    """With the studios in it; the environment of a process that uses it."""
    url = f"sqlite:///{folder}/bench.db"
    with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
        upgrade()
        key, site = factories.credential("codec", "admin", SECRET), factories.site(factories.organisation("Network"))
        write(lambda: _write_inventory(studios, key.id, site.id))
        yield {
            **os.environ,
            "STUDIONETT_DATABASE_URL": url,
            "STUDIONETT_SECRET_KEY": KEY,
            "STUDIONETT_CONTROL_CA": str(folder / AUTHORITY),
            "STUDIONETT_DIALS_AT_ONCE": str(AT_ONCE),
            "STUDIONETT_GO_ON_MINUTES": "0",
        }


def _write_inventory(studios: int, credential_id: int, site_id: int) -> None:
    rows = [Studio(code=_code(number), name=_code(number), site_id=site_id, capacity=8) for number in range(studios)]
    db.session.add_all(rows)
    db.session.flush()
    for number, row in enumerate(rows):
        control = {"control_driver": ControlDriver.CISCO_XAPI, "control_credential_id": credential_id}
        url = f"https://{_address(number)}:{HTTP_PORT}"
        db.session.add(Endpoint(studio_id=row.id, dial_address=_uri(number), control_url=url, **control))


@contextmanager
def _scheduler(environment: Mapping[str, str], folder: Path) -> Iterator[None]:
    with (folder / "scheduler.log").open("a") as log:
        process = subprocess.Popen([STUDIONETT, "scheduler"], env=dict(environment), stdout=log, stderr=log)
        try:
            time.sleep(2)
            if process.poll() is not None:
                sys.exit(f"bench calls: {(folder / 'scheduler.log').read_text().strip()}")
            yield
        finally:
            process.terminate()
            process.wait(30)


async def _serve(studios: int, folder: Path) -> None:
    specs = [
        StudioSpec(_code(number), _code(number), _address(number), HTTP_PORT, SIP_PORT, None, "admin", SECRET)
        for number in range(studios)
    ]
    fleet = Fleet(specs, CONTROL, Timings(ring=(0.2, 1.0)), served(folder))
    await fleet.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await fleet.stop()


@contextmanager
def _fleet(studios: int, folder: Path) -> Iterator[Observer]:
    command = [sys.executable, "-m", "bench.calls", "--serve", str(folder), "--studios", str(studios)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                sys.exit("The simulated studios did not start.")
            yield Observer()
        finally:
            process.terminate()


def _code(number: int) -> str:
    return f"S-{number:04}"


def _number(code: str) -> int:
    return int(code.removeprefix("S-"))


def _address(number: int) -> str:
    return f"127.97.{number // 200}.{number % 200 + 1}"


def _uri(number: int) -> str:
    return f"sip:{_code(number)}@{_address(number)}:{SIP_PORT}"


def _codec(number: int) -> Codec:
    return Codec(f"https://{_address(number)}:{HTTP_PORT}", "admin", SECRET)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


if __name__ == "__main__":
    main()
