"""What every engine promises, against agents of other hands: Debian's snmpd and the simulated studios."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from monitoring.profiles import FULL, SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, SYS_UPTIME
from monitoring.snmp.engine import Outcome, Reading, SnmpEngine, Target, read_many
from monitoring.snmp.pysnmp_engine import PysnmpEngine
from simulation.fleet import Fleet
from simulation.studio import StudioSpec
from tests.monitoring import snmpd

Read = Callable[..., list[Reading]]

IF_OPER_STATUS = "1.3.6.1.2.1.2.2.1.8.1"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1.1"
IF_OCTETS = "1.3.6.1.2.1.31.1.1.1.6.1"
POLY_STATUS = "1.3.6.1.4.1.13885.101.1.6.0"
NAMES = {"snmpd": (b"studio-snmpd", b"lo"), "fleet": (b"HOS-42", b"eth0")}


@contextmanager
def fleet() -> Iterator[Target]:
    host = "127.202.4.2"
    port = snmpd.free_port(host)
    studio = StudioSpec("HOS-42", "Studio", host, None, None, port, community=snmpd.COMMUNITY, serial="FTT42")
    served, loop = Fleet([studio]), asyncio.new_event_loop()
    loop.run_until_complete(served.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield Target(1, host, port, community=snmpd.COMMUNITY)
    asyncio.run_coroutine_threadsafe(served.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture(scope="module", params=["snmpd", "fleet"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "snmpd" and snmpd.BINARY is None:
        pytest.skip("snmpd is not installed")
    return str(request.param)


@pytest.fixture(scope="module")
def agent(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    served = snmpd.running(tmp_path_factory.mktemp("snmpd"), "127.202.4.1") if kind == "snmpd" else fleet()
    with served as target:
        yield target


@pytest.fixture(params=[PysnmpEngine])
def read(request: pytest.FixtureRequest) -> Read:
    def read(targets: list[Target], oids: tuple[str, ...] = FULL, timeout: float = 0.5) -> list[Reading]:
        async def run() -> list[Reading]:
            engine: SnmpEngine = request.param()
            try:
                return await read_many(engine, targets, oids, timeout=timeout, tries=1)
            finally:
                engine.close()

        return asyncio.run(run())

    return read


def test_a_full_read_tells_the_system_and_its_interface(kind: str, agent: Target, read: Read) -> None:
    [reading] = read([agent], (*FULL, IF_NAME, POLY_STATUS))
    assert reading.answered
    assert b"Cisco Codec" in bytes(reading.values[SYS_DESCR])  # type: ignore[arg-type]
    assert str(reading.values[SYS_OBJECT_ID]).startswith("1.3.6.1.4.1.")
    assert isinstance(reading.values[SYS_UPTIME], int)
    assert (reading.values[SYS_NAME], reading.values[IF_NAME]) == NAMES[kind]
    assert reading.values[IF_OPER_STATUS] == 1
    assert isinstance(reading.values[IF_OCTETS], int)
    assert reading.values[POLY_STATUS] is None


def test_a_wrong_community_is_silence(agent: Target, read: Read) -> None:
    [reading] = read([Target(1, agent.host, agent.port, community="gjettet")])
    assert reading.outcome is Outcome.TIMEOUT


def test_many_reads_of_one_agent_keep_apart(agent: Target, read: Read) -> None:
    targets = [Target(key, agent.host, agent.port, community=agent.community) for key in range(50)]
    readings = read(targets, timeout=2.0)
    assert [reading.key for reading in readings] == list(range(50))
    assert all(reading.answered for reading in readings)


def test_an_answer_too_big_for_the_agent_says_so_or_comes_whole(agent: Target, read: Read) -> None:
    [reading] = read([agent], tuple(SYS_DESCR for _ in range(60)))
    assert reading.answered
    assert reading.values or reading.detail
