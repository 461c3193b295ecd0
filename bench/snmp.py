"""What polling by SNMP costs: CPU of one sweep of all studios, both engines and versions, against bare gufo-snmp; read
only, and judged and stored in either database; and how long a sweep takes when a tenth of the studios is dead."""

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

import structlog
from flask_migrate import upgrade
from gufo.snmp import Aes128Key, Sha256Key, User
from gufo.snmp.aio import SnmpSession
from pysnmp.hlapi.v3arch import asyncio as hlapi

from app import create_app
from bench.program import KEY
from bench.table import Figure, show
from bench.year import DIALECTS, empty_database
from config import Settings
from models import (
    Endpoint,
    EndpointStatus,
    Health,
    Organisation,
    OrganisationKind,
    Site,
    Studio,
    db,
    write,
)
from monitoring.profiles import FULL
from monitoring.rules import Cause, Patience, Pulse, Verdict
from monitoring.snmp.engine import SnmpEngine, Target, read_many
from monitoring.snmp.gufo_engine import GufoEngine
from monitoring.snmp.open_files import make_room
from monitoring.snmp.pysnmp_engine import PysnmpEngine
from monitoring.statuses import finding, save
from monitoring.watched import Equipment, Watched
from simulation.fleet import Fleet
from simulation.studio import SnmpUser, StudioSpec

PORT, SILENT_PORT = 21161, 21162
USER, AUTH, PRIV = "studionett", "autentisering", "kryptering"
# The simulated agents take seconds for a burst: what is measured is the asker's CPU, not how long it waits for them.
PATIENCE = 30.0
SWEEPS = 9
# Of what is far slower only so many agents are asked, and the cost multiplied.
SAMPLE = 90
TRY, TRIES = 1.0, 2
DEAD_RATE = 5000.0
GROWTH, PACED = (900, 3_000, 10_000), 2_000.0
WORKER, LEASE = "bench", timedelta(minutes=5)
BARE = "gufo-snmp's own sessions"

# One sweep; how many answered.
Sweep = Callable[[], Awaitable[int]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench snmp", description=__doc__)
    parser.add_argument("--agents", type=int, default=900)
    parser.add_argument("--rate", type=float, default=1e6, help="polls a second; all at once without")
    parser.add_argument("--growth", action="store_true", help="instead: how the cost grows with the number of agents")
    parser.add_argument("--serve", choices=("2c", "3"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve(options.agents, options.serve))
    else:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        make_room(3 * options.agents)
        if options.growth:
            make_room(max(GROWTH))
            show([figure for agents in GROWTH for figure in _grown(agents)])
            return
        figures = [figure for version in ("2c", "3") for figure in _measure(version, options.agents, options.rate)]
        show([*figures, *_with_dead(options.agents)])


def _measure(version: str, agents: int, rate: float) -> Iterator[Figure]:
    targets = [_target(number, version) for number in range(agents)]
    with _fleet(agents, version):
        found = {BARE: asyncio.run(_bare(targets, rate))}
        for engine in (GufoEngine, PysnmpEngine):
            found[f"our {engine.name} engine"] = asyncio.run(_engine(engine, targets, rate))
        found["pysnmp's plain hlapi"] = asyncio.run(_plain(targets))
        if snmpget := shutil.which("snmpget"):
            found["net-snmp's snmpget, a process each"] = _tools(snmpget, targets)
        for name in DIALECTS:
            with tempfile.TemporaryDirectory() as folder, empty_database(Path(folder), name) as url:
                found[f"judged and stored in {name}"] = _judged(url, targets, rate)
    for when in (0, 1):
        bare = found[BARE][when]
        for name, costs in found.items():
            what = f"v{version}, {('first', 'later')[when]} sweep, {name}"
            beside = (None, "") if name == BARE else (costs[when] / bare, BARE)
            yield Figure(what, costs[when] * 1000, "CPU ms", *beside)


def _grown(agents: int) -> Iterator[Figure]:
    """A later sweep over version 2c, judged and stored in SQLite; paced, as no monitor asks all at once."""
    targets = [_target(number, "2c") for number in range(agents)]
    with _fleet(agents, "2c"):
        bare = asyncio.run(_bare(targets, PACED))[1]
        with tempfile.TemporaryDirectory() as folder, empty_database(Path(folder), "sqlite") as url:
            judged = _judged(url, targets, PACED)[1]
    yield Figure(f"{agents} agents, judged and stored", judged * 1000, "CPU ms", judged / bare, BARE)
    yield Figure(f"{agents} agents, judged and stored, each", judged / agents * 1e6, "CPU us")


async def _engine(kind: type[SnmpEngine], targets: Sequence[Target], rate: float) -> tuple[float, float]:
    engine = kind()

    async def sweep() -> int:
        readings = await read_many(engine, targets, FULL, timeout=PATIENCE, tries=1, rate=rate)
        return sum(reading.answered for reading in readings)

    try:
        return await _cpu_seconds(sweep, len(targets))
    finally:
        engine.close()


async def _plain(targets: Sequence[Target]) -> tuple[float, float]:
    """As its documentation shows: one engine, one call for each agent."""
    engine = hlapi.SnmpEngine()
    objects = [hlapi.ObjectType(hlapi.ObjectIdentity(oid)) for oid in FULL]
    community = hlapi.CommunityData("public")
    user = hlapi.UsmUserData(
        USER, AUTH, PRIV, authProtocol=hlapi.USM_AUTH_HMAC192_SHA256, privProtocol=hlapi.USM_PRIV_CFB128_AES
    )

    async def one(target: Target) -> bool:
        address = await hlapi.UdpTransportTarget.create((target.host, target.port), timeout=PATIENCE, retries=0)
        who = user if target.version == "3" else community
        error, *_ = await hlapi.get_cmd(engine, who, address, hlapi.ContextData(), *objects, lookupMib=False)
        return error is None

    async def sweep() -> int:
        return sum([await one(target) for target in targets[:SAMPLE]])

    try:
        return _scaled(await _cpu_seconds(sweep, len(targets[:SAMPLE])), len(targets))
    finally:
        engine.close_dispatcher()


def _tools(snmpget: str, targets: Sequence[Target]) -> tuple[float, float]:
    costs = []
    for _ in range(2):
        before = getrusage(RUSAGE_CHILDREN)
        for target in targets[:SAMPLE]:
            secure = ["-v3", "-l", "authPriv", "-u", USER, "-a", "SHA-256", "-A", AUTH, "-x", "AES", "-X", PRIV]
            who = secure if target.version == "3" else ["-v2c", "-c", "public"]
            command = [snmpget, *who, "-t", "5", "-On", f"{target.host}:{target.port}", *FULL]
            subprocess.run(command, check=True, capture_output=True, env={"MIBS": ""})
        after = getrusage(RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return _scaled((costs[0], costs[1]), len(targets))


def _scaled(costs: tuple[float, float], agents: int) -> tuple[float, float]:
    times = agents / min(agents, SAMPLE)
    return costs[0] * times, costs[1] * times


def _judged(url: str, targets: Sequence[Target], rate: float) -> tuple[float, float]:
    """As the monitor does it: read, judged, and all that changed stored in one transaction."""
    with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
        upgrade()
        write(lambda: _write_inventory(targets))
        keys = list(db.session.scalars(db.select(Endpoint.id).order_by(Endpoint.id)))
        now = datetime.now(UTC)
        watched = [_watched(key, target, now) for key, target in zip(keys, targets, strict=True)]
        found = asyncio.run(_sweeps_judged(watched, rate))
        db.session.remove()
        db.engine.dispose()
    return found


async def _sweeps_judged(watched: Sequence[Watched], rate: float) -> tuple[float, float]:
    engine = GufoEngine()
    targets = [one.equipment.target for one in watched if one.equipment.target]

    async def sweep() -> int:
        asked_at = datetime.now(UTC)
        readings = await read_many(engine, targets, FULL, timeout=PATIENCE, tries=1, rate=rate)
        for one, reading in zip(watched, readings, strict=True):
            one.heard(reading, asked_at=asked_at)
        findings = [finding(one) for one in watched if one.unsaved]
        write(lambda: save(WORKER, findings, LEASE))
        for one, found in zip(watched, findings, strict=True):
            one.stored(len(found.changes), found.learned, asked_at)
        return sum(reading.answered for reading in readings)

    try:
        return await _cpu_seconds(sweep, len(watched))
    finally:
        engine.close()


def _watched(key: int, target: Target, now: datetime) -> Watched:
    never = Verdict(Health.UNKNOWN, Cause.NEVER_POLLED)
    return Watched(Equipment(key, key, 1, target, None), Pulse(), never, now, now, now, Patience())


def _write_inventory(targets: Sequence[Target]) -> None:
    now = datetime.now(UTC)
    organisation = Organisation(name="Network", kind=OrganisationKind.HEALTH_TRUST, health_region="Nord")
    db.session.add(organisation)
    db.session.flush()
    place = {"town": "Tromsø", "municipality": "Tromsø", "county": "Troms", "health_region": "Nord"}
    site = Site(organisation_id=organisation.id, name="Tromsø", latitude=69.65, longitude=18.96, **place)
    db.session.add(site)
    db.session.flush()
    studios = [Studio(code=f"S-{each.key}", name=f"S-{each.key}", site_id=site.id, capacity=4) for each in targets]
    db.session.add_all(studios)
    db.session.flush()
    endpoints = [
        Endpoint(studio_id=studio.id, snmp_host=target.host, snmp_port=target.port)
        for studio, target in zip(studios, targets, strict=True)
    ]
    db.session.add_all(endpoints)
    db.session.flush()
    db.session.add_all(
        EndpointStatus(endpoint_id=each.id, since=now, changed_at=now, lease_owner=WORKER) for each in endpoints
    )


def _with_dead(agents: int) -> Iterator[Figure]:
    """Every tenth address has nobody: what a sweep takes beyond their own tries."""
    targets = [_target(number, "2c", SILENT_PORT if number % 10 == 0 else PORT) for number in range(agents)]
    with _fleet(agents, "2c"):
        took = asyncio.run(_wall_seconds(targets))
    what = f"{agents // 10} of {agents} dead, {TRIES} tries of {TRY:g} s: a sweep"
    yield Figure(what, took, "s", took / (TRIES * TRY), "the tries alone")


async def _wall_seconds(targets: Sequence[Target]) -> float:
    engine = GufoEngine()
    try:
        await read_many(engine, [each for each in targets if each.port == PORT], FULL, timeout=PATIENCE, tries=1)
        began = time.monotonic()
        readings = await read_many(engine, targets, FULL, timeout=TRY, tries=TRIES, rate=DEAD_RATE)
        took = time.monotonic() - began
    finally:
        engine.close()
    alive = sum(target.port == PORT for target in targets)
    if (answered := sum(reading.answered for reading in readings)) != alive:
        sys.exit(f"{answered} answered where {alive} are alive: this machine is too busy to measure.")
    return took


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
    """Of the first sweep, and the median of the later ones."""
    costs = []
    for _ in range(SWEEPS):
        began = time.process_time()
        answered = await sweep()
        costs.append(time.process_time() - began)
        if answered < agents:
            sys.exit(f"Only {answered} of {agents} agents answered: this machine is too busy to measure.")
    return costs[0], median(costs[1:])


def _target(number: int, version: str, port: int = PORT) -> Target:
    host = f"127.98.{number // 250}.{number % 250 + 1}"
    return Target(number, host, port, version, user=USER, auth=AUTH, priv=PRIV)


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
