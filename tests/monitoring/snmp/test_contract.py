"""What every engine promises, against agents that aren't ours."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from monitoring.snmp.engine import Outcome, Reading, SnmpEngine, Target, read_many
from monitoring.snmp.pysnmp_engine import PysnmpEngine
from tests.monitoring import snmpd

HOST = "127.202.4.1"
SYSTEM = "1.3.6.1.2.1.1"
LOOPBACK = 1
FULL = (
    *(f"{SYSTEM}.{n}.0" for n in (1, 2, 3, 5, 6)),
    f"1.3.6.1.2.1.2.2.1.8.{LOOPBACK}",
    f"1.3.6.1.2.1.31.1.1.1.1.{LOOPBACK}",
    f"1.3.6.1.2.1.31.1.1.1.6.{LOOPBACK}",
    f"1.3.6.1.2.1.31.1.1.1.10.{LOOPBACK}",
    "1.3.6.1.4.1.13885.101.1.6.0",
)

pytestmark = pytest.mark.skipif(snmpd.BINARY is None, reason="snmpd is not installed")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with snmpd.running(tmp_path_factory.mktemp("snmpd"), HOST) as target:
        yield target


@pytest.fixture(params=[PysnmpEngine])
def read(request: pytest.FixtureRequest) -> Callable[..., list[Reading]]:
    def read(targets: list[Target], oids: tuple[str, ...] = FULL, timeout: float = 0.5) -> list[Reading]:
        async def run() -> list[Reading]:
            engine: SnmpEngine = request.param()
            try:
                return await read_many(engine, targets, oids, timeout=timeout, tries=1)
            finally:
                engine.close()

        return asyncio.run(run())

    return read


def test_a_full_read_tells_the_system_and_its_interface(agent: Target, read: Callable[..., list[Reading]]) -> None:
    [reading] = read([agent])
    assert reading.answered
    assert reading.values[f"{SYSTEM}.1.0"] == snmpd.DESCRIPTION.encode()
    assert str(reading.values[f"{SYSTEM}.2.0"]).startswith("1.3.6.1.4.1.8072")
    assert isinstance(reading.values[f"{SYSTEM}.3.0"], int)
    assert reading.values[f"{SYSTEM}.5.0"] == b"studio-snmpd"
    assert reading.values[f"1.3.6.1.2.1.2.2.1.8.{LOOPBACK}"] == 1
    assert reading.values[f"1.3.6.1.2.1.31.1.1.1.1.{LOOPBACK}"] == b"lo"
    assert isinstance(reading.values[f"1.3.6.1.2.1.31.1.1.1.6.{LOOPBACK}"], int)
    assert reading.values["1.3.6.1.4.1.13885.101.1.6.0"] is None


def test_a_wrong_community_is_silence(agent: Target, read: Callable[..., list[Reading]]) -> None:
    [reading] = read([Target(1, agent.host, agent.port, community="gjettet")])
    assert reading.outcome is Outcome.TIMEOUT


def test_many_reads_of_one_agent_keep_apart(agent: Target, read: Callable[..., list[Reading]]) -> None:
    targets = [Target(key, agent.host, agent.port, community=agent.community) for key in range(50)]
    readings = read(targets)
    assert [reading.key for reading in readings] == list(range(50))
    assert all(reading.answered for reading in readings)


def test_an_answer_too_big_for_the_agent_says_so_or_comes_whole(
    agent: Target, read: Callable[..., list[Reading]]
) -> None:
    oids = tuple(f"{SYSTEM}.1.0" for _ in range(60))
    [reading] = read([agent], oids)
    assert reading.answered
    assert reading.values or reading.detail
