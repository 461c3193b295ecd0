import asyncio
import resource
import time
from collections.abc import Callable, Iterator

import pytest

from monitoring.snmp.engine import Outcome, Reading, SnmpEngine
from monitoring.snmp.gufo_engine import GufoEngine
from monitoring.snmp.open_files import SPARE, make_room
from monitoring.snmp.pysnmp_engine import PysnmpEngine
from tests.monitoring import agents as played
from tests.monitoring.agents import UPTIME, Agents
from tests.monitoring.snmp.engines import with_engine


@pytest.fixture
def agents() -> Iterator[Agents]:
    with played.agents() as agents:
        yield agents


@pytest.fixture
def file_limits() -> Iterator[tuple[int, int]]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield limits
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_targets_beyond_the_limit_of_open_files_are_read_all_the_same(agents: Agents) -> None:
    targets = [agents.add(f"127.202.7.{n}", key=n) for n in range(1, 11)]

    async def work(engine: SnmpEngine) -> list[Reading]:
        return await asyncio.gather(*(engine.read(target, (UPTIME,), 1.0) for target in targets))

    def cramped() -> GufoEngine:
        return GufoEngine(sockets=3)

    assert all(reading.answered for reading in with_engine(cramped, work))


def test_a_slow_agent_is_asked_again_while_its_first_answer_is_under_way(agents: Agents) -> None:
    """Each request has a socket to be heard on, so neither answer is lost."""

    def slow(request: bytes) -> list[bytes]:
        time.sleep(0.3)
        return played.answering(request)

    target, belated = agents.add("127.202.7.1", slow), asyncio.Queue[bool]()

    async def work(engine: SnmpEngine) -> list[Reading]:
        engine.on_belated = lambda target, reading: belated.put_nowait(reading.answered)
        readings = [await engine.read(target, (UPTIME,), 0.1) for _ in range(2)]
        assert [await asyncio.wait_for(belated.get(), 3) for _ in readings] == [True, True]
        return readings

    assert [reading.outcome for reading in with_engine(GufoEngine, work)] == [Outcome.TIMEOUT] * 2


@pytest.mark.parametrize("engine", [PysnmpEngine, lambda: GufoEngine(sockets=0)], ids=["pysnmp", "gufo"])
def test_a_shortage_of_files_is_our_own_and_no_silence_of_the_target(
    agents: Agents, file_limits: tuple[int, int], engine: Callable[[], SnmpEngine]
) -> None:
    target = agents.add("127.202.7.1")

    async def work(engine: SnmpEngine) -> list[Outcome]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, file_limits[1]))
        without = await engine.read(target, (UPTIME,), 1.0)
        resource.setrlimit(resource.RLIMIT_NOFILE, file_limits)
        return [without.outcome, (await engine.read(target, (UPTIME,), 1.0)).outcome]

    assert with_engine(engine, work) == [Outcome.LATE, Outcome.ANSWERED]


def test_room_is_made_for_the_sockets_up_to_the_hard_limit(file_limits: tuple[int, int]) -> None:
    _, hard = file_limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (SPARE + 10, hard))
    assert make_room(200) == 200
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == SPARE + 200


def test_a_hard_limit_leaves_room_for_what_else_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (100, SPARE + 44))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: asked.append(limits))
    assert make_room(1000) == 44
    assert asked == [(SPARE + 44, SPARE + 44)]
