"""What polling by SNMP costs: CPU of one sweep of all studios, both engines and versions, against bare gufo-snmp."""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from gufo.snmp import Aes128Key, Sha256Key, User
from gufo.snmp.aio import SnmpSession

from bench.table import Figure, show
from monitoring.profiles import FULL
from monitoring.snmp.engine import SnmpEngine, Target, read_many
from monitoring.snmp.gufo_engine import GufoEngine
from monitoring.snmp.open_files import make_room
from monitoring.snmp.pysnmp_engine import PysnmpEngine
from simulation.fleet import Fleet
from simulation.open_files import make_room as make_fleet_room
from simulation.studio import SnmpUser, StudioSpec

PORT = 21161
USER, AUTH, PRIV = "studionett", "autentisering", "kryptering"
# The simulated agents take seconds for a burst: what is measured is the asker's CPU, not how long it waits for them.
PATIENCE = 30.0
SWEEPS = 3
BARE = "gufo-snmp's own sessions"

# One sweep; how many answered.
Sweep = Callable[[], Awaitable[int]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench snmp", description=__doc__)
    parser.add_argument("--agents", type=int, default=900)
    parser.add_argument("--rate", type=float, default=1e6, help="polls a second; all at once without")
    parser.add_argument("--serve", choices=("2c", "3"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve(options.agents, options.serve))
    else:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        make_room(3 * options.agents)
        show([figure for version in ("2c", "3") for figure in _measure(version, options.agents, options.rate)])


def _measure(version: str, agents: int, rate: float) -> Iterator[Figure]:
    targets = [_target(number, version) for number in range(agents)]
    with _fleet(agents, version):
        found = {BARE: asyncio.run(_bare(targets, rate))}
        for engine in (GufoEngine, PysnmpEngine):
            found[f"our {engine.name} engine"] = asyncio.run(_engine(engine, targets, rate))
    for when in (0, 1):
        bare = found[BARE][when]
        for name, costs in found.items():
            what = f"v{version}, {('first', 'later')[when]} sweep, {name}"
            beside = (None, "") if name == BARE else (costs[when] / bare, BARE)
            yield Figure(what, costs[when] * 1000, "CPU ms", *beside)


async def _engine(kind: type[SnmpEngine], targets: Sequence[Target], rate: float) -> tuple[float, float]:
    engine = kind()

    async def sweep() -> int:
        readings = await read_many(engine, targets, FULL, timeout=PATIENCE, tries=1, rate=rate)
        return sum(reading.answered for reading in readings)

    try:
        return await _cpu_seconds(sweep, len(targets))
    finally:
        engine.close()


async def _bare(targets: Sequence[Target], rate: float) -> tuple[float, float]:
    user = User(USER, auth_key=Sha256Key(AUTH.encode()), priv_key=Aes128Key(PRIV.encode()))
    sessions: dict[int, SnmpSession] = {}

    async def one(number: int, target: Target, start: float) -> bool:
        await asyncio.sleep(start + number / rate - asyncio.get_running_loop().time())
        if number not in sessions:
            secure = user if target.version == "3" else None
            sessions[number] = SnmpSession(target.host, target.port, user=secure, timeout=PATIENCE)
            await sessions[number].refresh()
        return bool(await sessions[number].get_many(FULL))

    async def sweep() -> int:
        start = asyncio.get_running_loop().time()
        return sum(await asyncio.gather(*(one(number, target, start) for number, target in enumerate(targets))))

    return await _cpu_seconds(sweep, len(targets))


async def _cpu_seconds(sweep: Sweep, agents: int) -> tuple[float, float]:
    """Of the first sweep, and of each later one."""
    costs = []
    for _ in range(SWEEPS):
        began = time.process_time()
        answered = await sweep()
        costs.append(time.process_time() - began)
        if answered < agents:
            sys.exit(f"Only {answered} of {agents} agents answered: this machine is too busy to measure.")
    return costs[0], sum(costs[1:]) / len(costs[1:])


def _target(number: int, version: str) -> Target:
    host = f"127.98.{number // 250}.{number % 250 + 1}"
    return Target(number, host, PORT, version, user=USER, auth=AUTH, priv=PRIV)


@contextmanager
def _fleet(agents: int, version: str) -> Iterator[None]:
    """The agents, in a process of their own, whose CPU doesn't count."""
    command = [sys.executable, "-m", "bench.snmp", "--serve", version, "--agents", str(agents)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                sys.exit("The simulated agents did not start.")
            yield
        finally:
            process.terminate()


async def _serve(agents: int, version: str) -> None:
    make_fleet_room(agents)
    user = SnmpUser(USER, AUTH, PRIV) if version == "3" else None
    specs = [
        StudioSpec(f"S-{number}", f"Studio {number}", _target(number, version).host, None, None, PORT, snmp_user=user)
        for number in range(agents)
    ]
    await Fleet(specs).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
