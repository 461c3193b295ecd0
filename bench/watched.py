"""Simulated studios in a process of their own, watched by a real monitor in another. No member.

`python -m bench.watched NUMBER` is the process of the studios.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.program import KEY, STUDIONETT
from models import Endpoint, Site, Studio, db
from simulation.fleet import Fleet
from simulation.open_files import make_room
from simulation.studio import Fault, StudioSpec
from tests import factories

CONTROL = ("127.96.250.1", 28779)
SNMP_PORT, TRAP_PORT = 28716, 28762
LARGEST_SITE = 22
LARGEST = "The largest"


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


def write_inventory(studios: int) -> None:
    """The first ones at one large site, the others two at a site."""
    organisation = factories.organisation("Network")
    largest, others = factories.site(organisation, name=LARGEST), list[Site]()
    rows = []
    for number in range(studios):
        if number < LARGEST_SITE:
            site = largest
        else:
            if number % 2 == LARGEST_SITE % 2 or not others:
                others.append(factories.site(organisation))
            site = others[-1]
        rows.append(Studio(code=code_of(number), name=code_of(number), site_id=site.id, capacity=4))
    db.session.add_all(rows)
    db.session.flush()
    db.session.add_all(
        Endpoint(studio_id=row.id, snmp_host=address_of(number), snmp_port=SNMP_PORT) for number, row in enumerate(rows)
    )


@contextmanager
def monitor(url: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A real monitor on this database, which listens for traps."""
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
def fleet(studios: int) -> Iterator[Studios]:
    """The studios, answering to SNMP and sending traps."""
    command = [sys.executable, "-m", "bench.watched", str(studios)]
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
            code_of(number),
            code_of(number),
            address_of(number),
            http_port=None,
            sip_port=None,
            snmp_port=SNMP_PORT,
            site=LARGEST if number < LARGEST_SITE else code_of(number),
        )
        for number in range(studios)
    ]
    played = Fleet(specs, CONTROL, traps_to=("127.0.0.1", TRAP_PORT))
    await played.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await played.stop()


def code_of(number: int) -> str:
    return f"S-{number:05}"


def address_of(number: int) -> str:
    return f"127.96.{number // 200}.{number % 200 + 1}"


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
