"""Kills the scheduler at random instants of starts and stops; the endpoints must equal the calendar all the same."""

import argparse
import asyncio
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from flask_migrate import upgrade

from app import create_app
from bench.table import Figure, show
from config import Settings
from models import Conference, ConferenceState, Event, Party, Purpose, Reservation, Studio, db, write
from simulation.fleet import Fleet
from simulation.studio import CallState, SimulatedStudio, StudioSpec, Timings
from tests import factories

KEY = "a key for endurance trials, and for nothing else"
SECRET = "hemmelig"
HTTP_PORT, SIP_PORT = 28480, 25460
PAIRS = 6
LOG = "scheduler.log"
LEAD = 3.0  # seconds from the booking to the first start
LASTS = 26.0  # seconds; a lease of 9 s must run out before the next scheduler takes over
PATIENCE = 30.0
STUDIONETT = Path(sys.executable).with_name("studionett")


class Broken(Exception):
    """A promise was not kept; the message says which."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/soak scheduler", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--beside", action="store_true", help="another scheduler runs all the time beside the killed")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    logging.disable(logging.INFO)
    chance = random.Random(options.seed)
    print(f"{options.rounds} rounds of {PAIRS} conferences, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/soak.db"
        app = create_app(Settings(database_url=url, secret_key=KEY))
        with app.app_context(), _fleet(chance) as fleet, _schedulers(url, Path(folder, LOG)) as start:
            upgrade()
            pairs = _inventory(fleet)
            if options.beside:
                start()
            took: list[float] = []
            try:
                for number in range(1, options.rounds + 1):
                    took += _round(pairs, fleet, start, chance)
                    told = ", ".join(f"{seconds:.1f} s" for seconds in took[-2:])
                    print(f"round {number}: every call once, none left; after the kills {told}", flush=True)
            except Broken as broken:
                print("\n".join([*_told(fleet), Path(folder, LOG).read_text()]))
                sys.exit(f"soak scheduler: {broken} (seed {options.seed})")
    calls = options.rounds * PAIRS
    show(
        [
            Figure("calls", calls, "calls"),
            Figure("kills", 2 * options.rounds, "kills"),
            Figure("from a kill until the endpoints equal the calendar, half", median(took), "s"),
            Figure("from a kill until the endpoints equal the calendar, the longest", max(took), "s"),
            Figure("double dials", 0, "calls"),
        ]
    )


def _round(
    pairs: Sequence[tuple[str, str]],
    fleet: Fleet,
    start: Callable[[], "subprocess.Popen[bytes]"],
    chance: random.Random,
) -> tuple[float, float]:
    """One kill while calls start, one while they end; how many seconds after each all was as it should be, counted from
    when all was due, if that was later."""
    before = {code: _last_number(fleet.studios[code]) for code, _ in pairs}
    ids, starts, ends = _book(pairs, chance)
    doomed = start()
    _sleep_until(min(starts) + timedelta(seconds=chance.uniform(-0.3, 2)))
    doomed.kill()
    began = max(datetime.now(UTC), *starts)
    doomed = start()
    _await(lambda: all(_is_connected(fleet, pair) for pair in pairs), "calls that should run do not")
    up = datetime.now(UTC) - began
    _expect_running(ids)
    _sleep_until(min(ends) + timedelta(seconds=chance.uniform(-0.3, 2)))
    doomed.kill()
    began = max(datetime.now(UTC), *ends)
    calm = start()
    _await(lambda: not any(studio.calls for studio in fleet.studios.values()), "calls are left up")
    down = datetime.now(UTC) - began
    _await(lambda: _states(ids) == {ConferenceState.ENDED}, "conferences do not end")
    calm.terminate()
    calm.wait(PATIENCE)
    for host, _ in pairs:
        dialled = _outgoing(fleet.studios[host], before[host])
        if dialled != 1:
            raise Broken(f"{host} dialled {dialled} times for one conference")
    return up.total_seconds(), down.total_seconds()


def _book(pairs: Sequence[tuple[str, str]], chance: random.Random) -> tuple[list[int], list[datetime], list[datetime]]:
    base, ids, starts, ends = datetime.now(UTC) + timedelta(seconds=LEAD), [], [], []
    for pair in pairs:
        starts.append(base + timedelta(seconds=chance.uniform(0, 1.5)))
        ends.append(base + timedelta(seconds=LASTS + chance.uniform(0, 1.5)))
        ids.append(write(partial(_add, pair, starts[-1], ends[-1])))
    return ids, starts, ends


def _add(pair: tuple[str, str], start: datetime, end: datetime) -> int:
    """A conference of two studios, the first its host. Its key."""
    studios = [db.session.scalars(db.select(Studio).filter_by(code=code)).one() for code in pair]
    owner = studios[0].site.organisation_id
    times = {"starts_at": start, "ends_at": end}
    row = Conference(
        title="Trial", purpose=Purpose.CLINICAL, organisation_id=owner, created_at=start, due_at=start, **times
    )
    db.session.add(row)
    db.session.flush()
    for position, studio in enumerate(studios):
        held = Reservation(studio_id=studio.id, conference_id=row.id, **times)
        db.session.add(held)
        db.session.flush()
        who = {"studio_id": studio.id, "organisation_id": owner, "reservation_id": held.id}
        db.session.add(Party(conference_id=row.id, position=position, host=position == 0, **who))
    return row.id


def _is_connected(fleet: Fleet, pair: tuple[str, str]) -> bool:
    """Both, with one call each: a second one would be a double dial that still stands."""
    for code in pair:
        if (count := len(fleet.studios[code].calls)) > 1:
            raise Broken(f"{code} is in {count} calls at once")
    return all(
        [call.state for call in list(fleet.studios[code].calls.values())] == [CallState.CONNECTED] for code in pair
    )


def _expect_running(ids: Sequence[int]) -> None:
    _await(lambda: _states(ids) == {ConferenceState.RUNNING}, "calls run that their conferences do not know of")


def _states(ids: Sequence[int]) -> set[ConferenceState]:
    db.session.rollback()
    return set(db.session.scalars(db.select(Conference.state).where(Conference.id.in_(ids))))


def _told(fleet: Fleet) -> Iterator[str]:
    """What the tables and the endpoints say, for whoever looks for the reason."""
    db.session.rollback()
    for event in db.session.scalars(db.select(Event).order_by(Event.id.desc()).limit(80)):
        yield f"{event.at:%H:%M:%S.%f} {event.conference_id} {event.kind} {event.details}"
    for code, studio in fleet.studios.items():
        yield f"{code}: {[(call.call_id, call.direction, call.state) for call in studio.calls.values()]}"


def _last_number(studio: SimulatedStudio) -> int:
    return max((call.call_id for call in [*studio.history, *studio.calls.values()]), default=0)


def _outgoing(studio: SimulatedStudio, after: int) -> int:
    return sum(call.direction == "Outgoing" and call.call_id > after for call in studio.history)


def _await(wanted: Callable[[], bool], otherwise: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while not wanted():
        if time.monotonic() > give_up:
            raise Broken(otherwise)
        time.sleep(0.05)


def _sleep_until(instant: datetime) -> None:
    time.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds()))


@contextmanager
def _fleet(chance: random.Random) -> Iterator[Fleet]:
    """Simulated studios in a thread, on a network of their own."""
    network = f"127.{chance.randrange(40, 90)}.{chance.randrange(1, 250)}"
    codes = [f"{side}-{number}" for number in range(PAIRS) for side in ("HOST", "GUEST")]
    fleet = Fleet(
        [
            StudioSpec(code, code, f"{network}.{place}", HTTP_PORT, SIP_PORT, None, "admin", SECRET)
            for place, code in enumerate(codes, start=1)
        ],
        timings=Timings(ring=(0.05, 0.8)),
    )
    loop = asyncio.new_event_loop()
    loop.run_until_complete(fleet.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield fleet
    finally:
        asyncio.run_coroutine_threadsafe(fleet.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def _inventory(fleet: Fleet) -> list[tuple[str, str]]:
    """The same studios in the tables; of each pair the host and its guest."""
    key = factories.credential("codec", "admin", SECRET)
    for code, studio in fleet.studios.items():
        spec = studio.spec
        factories.endpoint(
            factories.studio(code=code),
            spec.address,
            dial_address=spec.uri,
            control_url=f"http://{spec.address}:{HTTP_PORT}",
            control_credential_id=key.id,
        )
    return [(f"HOST-{number}", f"GUEST-{number}") for number in range(PAIRS)]


@contextmanager
def _schedulers(url: str, log: Path) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    """Starts schedulers as processes of their own; at the end none is left."""
    own = {"STUDIONETT_DATABASE_URL": url, "STUDIONETT_SECRET_KEY": KEY, "STUDIONETT_GO_ON_MINUTES": "0"}
    environment = {**os.environ, **own}
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        with log.open("a") as told:
            started.append(subprocess.Popen([STUDIONETT, "scheduler"], env=environment, stdout=told, stderr=told))
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait(10)


if __name__ == "__main__":
    main()
