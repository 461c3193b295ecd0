"""What every engine promises, in both versions, against agents of other hands: Debian's snmpd and simulated studios."""

import asyncio
import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from monitoring.profiles import FULL, SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, SYS_UPTIME
from monitoring.snmp.engine import Outcome, Reading, Refusal, Target, read_many
from simulation.fleet import Fleet
from simulation.studio import SnmpUser, StudioSpec
from tests.monitoring import snmpd
from tests.monitoring.snmp.engines import ENGINES, with_engine

Read = Callable[..., list[Reading]]

IF_OPER_STATUS = "1.3.6.1.2.1.2.2.1.8.1"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1.1"
IF_OCTETS = "1.3.6.1.2.1.31.1.1.1.6.1"
POLY_STATUS = "1.3.6.1.4.1.13885.101.1.6.0"
SECURE_HOST = "127.202.4.3"
NAMES = {"snmpd": [(b"studio-snmpd", b"lo")], "fleet": [(b"HOS-42", b"eth0"), (b"HOS-43", b"eth0")]}


@contextmanager
def fleet() -> Iterator[Target]:
    """Two studios: the one yielded speaks version 2c, the one at SECURE_HOST version 3."""
    host = "127.202.4.2"
    port = snmpd.free_port(host)
    user = SnmpUser(snmpd.USER, snmpd.AUTH, snmpd.PRIV)
    plain = StudioSpec("HOS-42", "Studio", host, None, None, port, community=snmpd.COMMUNITY, serial="FTT42")
    secure = dataclasses.replace(plain, code="HOS-43", address=SECURE_HOST, snmp_user=user)
    served, loop = Fleet([plain, secure]), asyncio.new_event_loop()
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
def served(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    agents = snmpd.running(tmp_path_factory.mktemp("snmpd"), "127.202.4.1") if kind == "snmpd" else fleet()
    with agents as target:
        yield target


@pytest.fixture(params=["2c", "3"])
def agent(request: pytest.FixtureRequest, kind: str, served: Target) -> Target:
    if request.param == "2c":
        return served
    host = SECURE_HOST if kind == "fleet" else served.host
    return Target(1, host, served.port, "3", user=snmpd.USER, auth=snmpd.AUTH, priv=snmpd.PRIV)


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def read(request: pytest.FixtureRequest) -> Read:
    def read(
        targets: list[Target], oids: tuple[str, ...] = FULL, timeout: float = 0.5, tries: int = 1
    ) -> list[Reading]:
        return with_engine(request.param, lambda engine: read_many(engine, targets, oids, timeout=timeout, tries=tries))

    return read


def test_a_full_read_tells_the_system_and_its_interface(kind: str, agent: Target, read: Read) -> None:
    [reading] = read([agent], (*FULL, IF_NAME, POLY_STATUS))
    assert reading.answered
    assert b"Cisco Codec" in bytes(reading.values[SYS_DESCR])  # type: ignore[arg-type]
    assert str(reading.values[SYS_OBJECT_ID]).startswith("1.3.6.1.4.1.")
    assert isinstance(reading.values[SYS_UPTIME], int)
    assert (reading.values[SYS_NAME], reading.values[IF_NAME]) in NAMES[kind]
    assert reading.values[IF_OPER_STATUS] == 1
    assert isinstance(reading.values[IF_OCTETS], int)
    assert reading.values[POLY_STATUS] is None


def test_a_wrong_community_is_silence(served: Target, read: Read) -> None:
    [reading] = read([dataclasses.replace(served, community="gjettet")])
    assert reading.outcome is Outcome.TIMEOUT


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"user": "nobody"}, Refusal.UNKNOWN_USER),
        ({"auth": "feil-autentisering"}, Refusal.WRONG_KEYS),
        ({"priv": "feil-kryptering"}, Refusal.WRONG_KEYS),  # snmpd is silent to it
    ],
)
@pytest.mark.parametrize("agent", ["3"], indirect=True)
def test_a_wrong_user_or_key_is_refused(agent: Target, read: Read, wrong: dict[str, str], why: str) -> None:
    [reading] = read([dataclasses.replace(agent, **wrong)], tries=3)
    assert (reading.outcome, reading.detail) == (Outcome.REFUSED, why)


def test_many_reads_of_one_agent_keep_apart(agent: Target, read: Read) -> None:
    targets = [dataclasses.replace(agent, key=key) for key in range(50)]
    readings = read(targets, timeout=2.0)
    assert [reading.key for reading in readings] == list(range(50))
    assert all(reading.answered for reading in readings)


def test_an_answer_too_big_for_the_agent_says_so_or_comes_whole(agent: Target, read: Read) -> None:
    [reading] = read([agent], tuple(SYS_DESCR for _ in range(60)))
    assert reading.answered
    assert reading.values or reading.detail
