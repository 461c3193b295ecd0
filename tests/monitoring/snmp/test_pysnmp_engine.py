import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.snmp.engine import Outcome, Reading, Target, Unreadable, read_many
from monitoring.snmp.pysnmp_engine import PACKET_LIMIT, PysnmpEngine
from monitoring.snmp.pysnmp_messages import NotAResponse, decode, encode_get
from tests.monitoring import agents as played
from tests.monitoring.agents import DESCRIPTION, SX80, UPTIME, Agents

HOST = "127.202.1.1"
MISSING = "1.3.6.1.9.9.0"
T = TypeVar("T")


@pytest.fixture
def agents() -> Iterator[Agents]:
    with played.agents() as agents:
        yield agents


def with_engine(work: Callable[[PysnmpEngine], Awaitable[T]]) -> T:
    async def run() -> T:
        engine = PysnmpEngine()
        try:
            return await work(engine)
        finally:
            engine.close()

    return asyncio.run(run())


def read(target: Target, *oids: str, timeout: float = 0.2) -> tuple[Reading, PysnmpEngine]:
    async def one(engine: PysnmpEngine) -> tuple[Reading, PysnmpEngine]:
        return await engine.read(target, oids or (UPTIME,), timeout), engine

    return with_engine(one)


def test_values_come_as_plain_python(agents: Agents) -> None:
    reading, _ = read(agents.add(HOST), DESCRIPTION, UPTIME, MISSING)
    assert reading.values == {DESCRIPTION: SX80, UPTIME: 4242, MISSING: None}
    assert reading.answered
    assert reading.round_trip is not None
    assert 0 < reading.round_trip < 0.2


def test_a_silent_target_times_out(agents: Agents) -> None:
    reading, engine = read(agents.add(HOST, played.silent))
    assert reading.outcome is Outcome.TIMEOUT
    assert engine.counters.timed_out == 1


def cut(request: bytes) -> list[bytes]:
    return [played.response(request)[:-3]]


def noise(request: bytes) -> list[bytes]:
    return [b"\x30\x84\xff\xff\xff\xff", b"", b"\x00" * 40, bytes(range(256))]


def its_own_request(request: bytes) -> list[bytes]:
    return [request]


def huge(request: bytes) -> list[bytes]:
    return [played.response(request) + b"\x00" * PACKET_LIMIT]


@pytest.mark.parametrize("behaviour", [cut, noise, its_own_request, huge])
def test_unreadable_packets_are_ignored_and_counted(agents: Agents, behaviour: played.Behaviour) -> None:
    reading, engine = read(agents.add(HOST, behaviour))
    assert reading.outcome is Outcome.BAD_ANSWER
    assert engine.counters.unreadable + engine.counters.huge >= 1
    assert engine.counters.answered == 0


@pytest.mark.parametrize("before", [cut, noise, its_own_request, huge])
def test_a_whole_answer_after_garbage_counts(agents: Agents, before: played.Behaviour) -> None:
    reading, _ = read(agents.add(HOST, lambda request: before(request) + played.answering(request)))
    assert reading.answered


def test_an_answer_to_another_request_is_ignored(agents: Agents) -> None:
    reading, engine = read(agents.add(HOST, lambda request: [played.response(request, 0x01010101)]))
    assert reading.outcome is Outcome.TIMEOUT
    assert engine.counters.foreign == 1


def test_the_right_answer_from_elsewhere_is_ignored(agents: Agents) -> None:
    elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    elsewhere.bind(("127.202.1.2", 0))
    asker: list[Any] = []

    async def run(engine: PysnmpEngine) -> Reading:
        waiting = asyncio.create_task(engine.read(target, (UPTIME,), 0.3))
        await asyncio.sleep(0.1)
        [udp] = engine._sockets.values()
        elsewhere.sendto(played.response(asker[0]), ("127.0.0.1", udp.getsockname()[1]))
        reading = await waiting
        assert engine.counters.foreign == 1
        return reading

    def overheard(request: bytes) -> list[bytes]:
        asker.append(request)
        return []

    target = agents.add(HOST, overheard)
    assert with_engine(run).outcome is Outcome.TIMEOUT
    elsewhere.close()


def test_another_asked_target_can_not_answer_in_its_name(agents: Agents) -> None:
    heard: list[bytes] = []
    victim = agents.add(HOST, lambda request: heard.append(request) or [])  # type: ignore[func-returns-value]
    liar = agents.add("127.202.1.2", lambda request: [played.response(heard[0])])

    async def run(engine: PysnmpEngine) -> Reading:
        waiting = asyncio.create_task(engine.read(victim, (UPTIME,), 0.3))
        await asyncio.sleep(0.05)
        await engine.read(liar, (UPTIME,), 0.1)
        return await waiting

    assert with_engine(run).outcome is Outcome.TIMEOUT


def test_an_agent_that_answers_with_an_error_lives(agents: Agents) -> None:
    def failing(request: bytes) -> list[bytes]:
        answer = bytearray(played.response(request))
        status = answer.index(b"\x02\x01\x00\x02\x01\x00")
        answer[status + 2] = 5
        return [bytes(answer)]

    reading, _ = read(agents.add(HOST, failing))
    assert reading.answered
    assert reading.values == {}
    assert reading.detail == "genErr"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (Target(1, "studio.example"), Unreadable.ADDRESS),
        (Target(1, ""), Unreadable.ADDRESS),
        (Target(1, HOST, version="1"), Unreadable.VERSION),
        (Target(1, HOST, version="3", user="watcher", auth="only-this-one"), Unreadable.CREDENTIAL),
    ],
)
def test_what_can_not_be_asked_is_told_apart_from_silence(target: Target, why: Unreadable) -> None:
    reading, _ = read(target)
    assert (reading.outcome, reading.detail) == (Outcome.NOT_ASKED, why)


def test_an_answer_that_waited_while_the_loop_was_blocked_still_counts(agents: Agents) -> None:
    target = agents.add(HOST)

    async def run(engine: PysnmpEngine) -> Reading:
        waiting = asyncio.create_task(engine.read(target, (UPTIME,), 0.1))
        await asyncio.sleep(0)
        time.sleep(0.6)  # the monitor is busy elsewhere
        return await waiting

    assert with_engine(run).answered


def test_silence_while_the_loop_was_blocked_is_late_and_no_timeout(agents: Agents) -> None:
    target = agents.add(HOST, played.silent)

    async def run(engine: PysnmpEngine) -> Reading:
        waiting = asyncio.create_task(engine.read(target, (UPTIME,), 0.1))
        await asyncio.sleep(0)
        time.sleep(0.6)
        return await waiting

    assert with_engine(run).outcome is Outcome.LATE


def test_an_answer_after_the_time_out_is_told_once(agents: Agents) -> None:
    def slow(request: bytes) -> list[bytes]:
        time.sleep(0.3)
        return played.answering(request) * 2

    target, belated = agents.add(HOST, slow), []

    async def run(engine: PysnmpEngine) -> Reading:
        engine.on_belated = lambda target, reading: belated.append((target, reading.answered))
        reading = await engine.read(target, (UPTIME,), 0.1)
        await asyncio.sleep(0.4)
        assert (engine.counters.belated, engine.counters.foreign) == (1, 1)
        return reading

    assert with_engine(run).outcome is Outcome.TIMEOUT
    assert belated == [(target, True)]


def test_dead_targets_hold_no_slot(agents: Agents) -> None:
    dead = [agents.add(f"127.202.2.{n}", played.silent, key=n) for n in range(1, 101)]
    alive = [agents.add(f"127.202.3.{n}", key=100 + n) for n in range(1, 101)]

    async def run(engine: PysnmpEngine) -> list[Reading]:
        return await read_many(engine, dead + alive, (UPTIME,), timeout=0.3, tries=2)

    started = time.monotonic()
    readings = with_engine(run)
    assert time.monotonic() - started < 1.5
    assert [reading.key for reading in readings] == list(range(1, 201))
    assert [reading.answered for reading in readings] == [False] * 100 + [True] * 100


def test_a_retry_reaches_a_target_that_lost_the_first_packet(agents: Agents) -> None:
    def deaf_once(request: bytes) -> list[bytes]:
        return [] if agents.asked[HOST] == 1 else played.answering(request)

    target = agents.add(HOST, deaf_once)
    [reading] = with_engine(lambda engine: read_many(engine, [target], (UPTIME,), timeout=0.2, tries=2))
    assert reading.answered


def test_requests_differ_in_their_number_only() -> None:
    one = encode_get("public", (UPTIME,), 0x01020304)
    assert b"\x01\x02\x03\x04" in one
    assert len(one) == len(encode_get("public", (UPTIME,), 0x7F000000))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
def test_no_bytes_whatever_break_the_decoder(noise: bytes, place: int, byte: int) -> None:
    whole = bytearray(played.response(encode_get("public", (DESCRIPTION, UPTIME), 0x01020304)))
    whole[place % len(whole)] = byte
    for packet in (noise, bytes(whole), bytes(whole[:place]), bytes(whole) + noise):
        with contextlib.suppress(NotAResponse):
            decode(packet)
