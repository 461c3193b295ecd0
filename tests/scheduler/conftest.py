"""Simulated studios on addresses of the test's own, and a database that knows them."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from flask import Flask

from devices.pexip import PexipClient
from devices.xapi import XapiClient
from models import Bridge, BridgeDriver, Conference, Studio, db, write
from scheduler.equipment import Equipment
from simulation.bridge import BridgeSpec, SimulatedBridge
from simulation.fleet import Fleet
from simulation.studio import Call, Fault, StudioSpec, Timings
from tests import factories
from tests.conftest import settings_for

HTTP_PORT, SIP_PORT = 28180, 25160
SECRET = "hemmelig"
CODES = ["TROMSO", "BODO", "ALTA", "NARVIK"]
# Test processes side by side each have a network of their own.
NETWORK = f"127.{204 + int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw'))}"
_runs = count(1)
STUDIONETT = Path(sys.executable).with_name("studionett")


@pytest.fixture
def dialect() -> str:
    """What is tried here is at the studios; processes side by side, and those that die, on both databases."""
    return "sqlite"


@dataclass
class Network:
    """The studios as they really are (`calls`), whatever our tables say."""

    fleet: Fleet
    specs: dict[str, StudioSpec]
    loop: asyncio.AbstractEventLoop

    @property
    def bridge(self) -> SimulatedBridge:
        return self.fleet.bridges["North"]

    def calls(self, code: str) -> list[Call]:
        return list(self.fleet.studios[code].calls.values())

    def suffer(self, code: str, fault: Fault) -> None:
        self.run(lambda: self.fleet.studios[code].suffer(fault))

    def hang_up(self, code: str) -> None:
        for call in self.calls(code):
            self.run(lambda call=call: self.fleet.studios[code].hang_up(call.call_id))

    def dial(self, code: str, number: str) -> None:
        """As somebody in the room does."""
        self.run(lambda: self.fleet.studios[code].dial(number))

    def press(self, code: str) -> None:
        """The press is delivered when this returns."""
        self.run(self.fleet.studios[code].press)
        for _ in range(100):
            if not self.fleet._feedback._under_way:
                return
            time.sleep(0.02)

    def lose_calls(self, code: str) -> None:
        for call in self.calls(code):
            self.run(lambda call=call: self.fleet.studios[code].lose(call))

    def bridge_suffers(self, fault: Fault, name: str = "North") -> None:
        self.run(lambda: self.fleet.bridges[name].suffer(fault))

    def run(self, act) -> None:
        """In the fleet's own loop."""

        async def inside() -> None:
            act()

        asyncio.run_coroutine_threadsafe(inside(), self.loop).result(5)


@pytest.fixture
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """Four studios, or those that a test names as its parameter, and two bridges."""
    run = next(_runs)
    specs = {
        code: StudioSpec(code, code.title(), f"{NETWORK}.{run % 250}.{n}", HTTP_PORT, SIP_PORT, None, "admin", SECRET)
        for n, code in enumerate(getattr(request, "param", CODES), start=1)
    }
    bridges = [
        BridgeSpec(name, host, HTTP_PORT, host, SIP_PORT, 10, "admin", SECRET)
        for name, host in (("North", f"{NETWORK}.{run % 250}.251"), ("South", f"{NETWORK}.{run % 250}.252"))
    ]
    timings = Timings(ring=(0.05, 0.1), drops_after=0.5, slow=9.5, replication=0)
    fleet = Fleet([*specs.values(), *bridges], timings=timings)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(fleet.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield Network(fleet, specs, loop)
    asyncio.run_coroutine_threadsafe(fleet.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture
def studios(app: Flask, network: Network) -> dict[str, Studio]:
    """The same studios in the inventory."""
    key = factories.credential("codec", "admin", SECRET)
    found = {}
    for code, spec in network.specs.items():
        found[code] = factories.studio(code=code)
        factories.endpoint(
            found[code],
            spec.address,
            dial_address=spec.uri,
            control_url=f"http://{spec.address}:{HTTP_PORT}",
            control_credential_id=key.id,
        )
    return found


@pytest.fixture
def bridges(app: Flask, network: Network) -> dict[str, Bridge]:
    """The same bridges in the inventory."""
    key = factories.credential("bridge", "admin", SECRET)
    found = {
        name: Bridge(
            name=name,
            driver=BridgeDriver.PEXIP,
            address=f"http://{bridge.spec.api_address}:{bridge.spec.http_port}",
            dial_domain=f"{bridge.spec.address}:{bridge.spec.sip_port}",
            control_credential_id=key.id,
            ports=bridge.spec.ports,
        )
        for name, bridge in network.fleet.bridges.items()
    }
    write(lambda: db.session.add_all(found.values()))
    return found


@pytest.fixture
def equipment() -> Iterator[Equipment]:
    found = Equipment(XapiClient(), PexipClient(read=1), at_once=4)
    yield found
    found.close()


@pytest.fixture
def running_now(app: Flask, studios: dict[str, Studio]):
    """A conference whose time has come."""

    def make(*codes: str, since: timedelta = timedelta(seconds=1), **changes) -> Conference:
        start = datetime.now(UTC) - since
        made = factories.conference(*(studios[code] for code in codes), start=start, **changes)
        db.session.rollback()
        return made

    return make


@pytest.fixture
def start_scheduler(database_url: str) -> Iterator[object]:
    started: list[subprocess.Popen[bytes]] = []
    settings = settings_for(database_url)
    environment = {
        **os.environ,
        "STUDIONETT_DATABASE_URL": database_url,
        "STUDIONETT_SECRET_KEY": settings.secret_key,
    }

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([STUDIONETT, "scheduler"], env=environment, stdout=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(5)


def wait_for(wanted, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < give_up, "it took too long"
        db.session.rollback()
        time.sleep(0.1)
