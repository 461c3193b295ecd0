"""What every engine promises, against agents that answer as each test says; `test_contract.py` has real ones."""

import asyncio
import dataclasses
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from monitoring.profiles import SYS_NAME
from monitoring.snmp.engine import Outcome, Reading, Refusal, SnmpEngine, Target, Unreadable, read_many
from monitoring.snmp.pysnmp_engine import PACKET_LIMIT
from simulation import snmp_v3 as v3
from simulation.snmp_v3 import V3Engine
from simulation.studio import SimulatedStudio, SnmpUser, StudioSpec, Timings
from tests.monitoring import agents as played
from tests.monitoring.agents import DESCRIPTION, SX80, UPTIME, Agents
from tests.monitoring.snmp.engines import ENGINES, Work, with_engine

HOST = "127.202.1.1"
MISSING = "1.3.6.1.9.9.0"
USER, AUTH, PRIV = "studionett", "autentisering", "kryptering"
Run = Callable[[Work[Any]], Any]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def run(request: pytest.FixtureRequest) -> Run:
    return lambda work: with_engine(request.param, work)


@pytest.fixture
def agents() -> Iterator[Agents]:
    with played.agents() as agents:
        yield agents


def read(run: Run, target: Target, *oids: str, timeout: float = 0.2) -> tuple[Reading, SnmpEngine]:
    async def one(engine: SnmpEngine) -> tuple[Reading, SnmpEngine]:
        return await engine.read(target, oids or (UPTIME,), timeout), engine

    found: tuple[Reading, SnmpEngine] = run(one)
    return found


def test_values_come_as_plain_python(run: Run, agents: Agents) -> None:
    reading, _ = read(run, agents.add(HOST), DESCRIPTION, UPTIME, MISSING)
    assert reading.values == {DESCRIPTION: SX80, UPTIME: 4242, MISSING: None}
    assert reading.answered
    assert reading.round_trip is not None
    assert 0 < reading.round_trip < 0.2


def test_a_silent_target_times_out(run: Run, agents: Agents) -> None:
    reading, engine = read(run, agents.add(HOST, played.silent))
    assert reading.outcome is Outcome.TIMEOUT
    assert engine.counters.timed_out == 1


def cut(request: bytes) -> list[bytes]:
    return [played.response(request)[:-3]]


def cut_within_a_length(request: bytes) -> list[bytes]:
    return [b"\x30\x82"] * 2


def noise(request: bytes) -> list[bytes]:
    return [b"\x30\x84\xff\xff\xff\xff", b"", b"\x00" * 40, bytes(range(256))]


def its_own_request(request: bytes) -> list[bytes]:
    return [request]


def huge(request: bytes) -> list[bytes]:
    return [played.response(request) + b"\x00" * PACKET_LIMIT]


@pytest.mark.parametrize("behaviour", [cut, cut_within_a_length, noise, its_own_request, huge])
def test_unreadable_packets_are_ignored_and_counted(run: Run, agents: Agents, behaviour: played.Behaviour) -> None:
    reading, engine = read(run, agents.add(HOST, behaviour))
    assert reading.outcome is Outcome.BAD_ANSWER
    assert engine.counters.unreadable + engine.counters.huge >= 1
    assert engine.counters.answered == 0


@pytest.mark.parametrize("before", [cut, cut_within_a_length, noise, its_own_request, huge])
def test_a_whole_answer_after_garbage_counts(run: Run, agents: Agents, before: played.Behaviour) -> None:
    reading, _ = read(run, agents.add(HOST, lambda request: before(request) + played.answering(request)))
    assert reading.answered


def test_an_answer_to_another_request_is_ignored(run: Run, agents: Agents) -> None:
    reading, engine = read(run, agents.add(HOST, lambda request: [played.response(request, 0x01010101)]))
    assert reading.outcome is Outcome.TIMEOUT
    assert engine.counters.foreign == 1


def test_another_asked_target_can_not_answer_in_its_name(run: Run, agents: Agents) -> None:
    heard: list[bytes] = []
    victim = agents.add(HOST, lambda request: heard.append(request) or [])  # type: ignore[func-returns-value]
    liar = agents.add("127.202.1.2", lambda request: [played.response(heard[0])])

    async def work(engine: SnmpEngine) -> Reading:
        waiting = asyncio.create_task(engine.read(victim, (UPTIME,), 0.3))
        await asyncio.sleep(0.05)
        await engine.read(liar, (UPTIME,), 0.1)
        return await waiting

    assert run(work).outcome is Outcome.TIMEOUT


def test_an_agent_that_answers_with_an_error_lives(run: Run, agents: Agents) -> None:
    def failing(request: bytes) -> list[bytes]:
        answer = bytearray(request)  # RFC 3416, 4.2.1: the request's own names, with no values
        status = answer.index(b"\x02\x01\x00\x02\x01\x00")
        answer[answer.index(0xA0)], answer[status + 2] = 0xA2, 5
        return [bytes(answer)]

    reading, _ = read(run, agents.add(HOST, failing))
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
def test_what_can_not_be_asked_is_told_apart_from_silence(run: Run, target: Target, why: Unreadable) -> None:
    reading, _ = read(run, target)
    assert (reading.outcome, reading.detail) == (Outcome.NOT_ASKED, why)


def test_an_answer_that_waited_while_the_loop_was_blocked_still_counts(run: Run, agents: Agents) -> None:
    target = agents.add(HOST)

    async def work(engine: SnmpEngine) -> Reading:
        waiting = asyncio.create_task(engine.read(target, (UPTIME,), 0.1))
        await asyncio.sleep(0)
        time.sleep(0.6)  # the monitor is busy elsewhere
        return await waiting

    assert run(work).answered


def test_silence_while_the_loop_was_blocked_is_late_and_no_timeout(run: Run, agents: Agents) -> None:
    target = agents.add(HOST, played.silent)

    async def work(engine: SnmpEngine) -> Reading:
        waiting = asyncio.create_task(engine.read(target, (UPTIME,), 0.1))
        await asyncio.sleep(0)
        time.sleep(0.6)
        return await waiting

    assert run(work).outcome is Outcome.LATE


@pytest.mark.parametrize("behaviour", [cut, cut_within_a_length, noise])
def test_an_unreadable_packet_that_waited_while_the_loop_was_blocked_ends_the_read_too(
    run: Run, agents: Agents, behaviour: played.Behaviour
) -> None:
    target = agents.add(HOST, behaviour)

    async def work(engine: SnmpEngine) -> Reading:
        waiting = asyncio.create_task(engine.read(target, (UPTIME,), 0.1))
        await asyncio.sleep(0)
        time.sleep(0.6)
        return await asyncio.wait_for(waiting, 5)

    assert not run(work).answered


def test_an_answer_after_the_time_out_is_told_once(run: Run, agents: Agents) -> None:
    def slow(request: bytes) -> list[bytes]:
        time.sleep(0.3)
        return played.answering(request) * 2

    target, belated = agents.add(HOST, slow), []

    async def work(engine: SnmpEngine) -> Reading:
        engine.on_belated = lambda target, reading: belated.append((target, reading.answered))
        reading = await engine.read(target, (UPTIME,), 0.1)
        await asyncio.sleep(0.4)
        assert (engine.counters.belated, engine.counters.foreign) == (1, 1)
        return reading

    assert run(work).outcome is Outcome.TIMEOUT
    assert belated == [(target, True)]


def test_dead_targets_hold_no_slot(run: Run, agents: Agents) -> None:
    dead = [agents.add(f"127.202.2.{n}", played.silent, key=n) for n in range(1, 101)]
    alive = [agents.add(f"127.202.3.{n}", key=100 + n) for n in range(1, 101)]

    async def work(engine: SnmpEngine) -> list[Reading]:
        return await read_many(engine, dead + alive, (UPTIME,), timeout=0.3, tries=2)

    started = time.monotonic()
    readings = run(work)
    assert time.monotonic() - started < 1.5
    assert [reading.key for reading in readings] == list(range(1, 201))
    assert [reading.answered for reading in readings] == [False] * 100 + [True] * 100


def test_a_retry_reaches_a_target_that_lost_the_first_packet(run: Run, agents: Agents) -> None:
    def deaf_once(request: bytes) -> list[bytes]:
        return [] if agents.asked[HOST] == 1 else played.answering(request)

    target = agents.add(HOST, deaf_once)
    [reading] = run(lambda engine: read_many(engine, [target], (UPTIME,), timeout=0.2, tries=2))
    assert reading.answered


def test_the_right_answer_from_elsewhere_is_ignored(run: Run, agents: Agents) -> None:
    elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    elsewhere.bind(("127.202.1.2", 0))
    heard: list[bytes] = []

    async def work(engine: SnmpEngine) -> Reading:
        waiting = asyncio.create_task(engine.read(target, (UPTIME,), 0.3))
        await asyncio.sleep(0.1)
        elsewhere.sendto(played.response(heard[0]), agents.asker)
        reading = await waiting
        # gufo's sockets are connected: the kernel drops such a packet before anybody can count it.
        assert engine.counters.foreign == (engine.name == "pysnmp")
        return reading

    def overheard(request: bytes) -> list[bytes]:
        heard.append(request)
        return []

    target = agents.add(HOST, overheard)
    assert run(work).outcome is Outcome.TIMEOUT
    elsewhere.close()


def test_an_agent_with_an_ipv6_address_is_read(run: Run, agents: Agents) -> None:
    try:
        target = agents.add("::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert read(run, target)[0].answered


# Version 3. The agents are the simulated studios': another hand's reading of the same RFCs.


def studio(code: str = "HOS-42") -> V3Engine:
    spec = StudioSpec(code, code, HOST, snmp_user=SnmpUser(USER, AUTH, PRIV))
    return V3Engine(SimulatedStudio(spec, Timings()))


def speaking(engine: V3Engine) -> played.Behaviour:
    return lambda request: [answer] if (answer := engine.respond(request)) else []


def secure(target: Target, **changes: Any) -> Target:
    return dataclasses.replace(target, version="3", **{"user": USER, "auth": AUTH, "priv": PRIV, **changes})


def sealed(packet: bytes) -> bool:
    return bool(v3.read(packet).flags & v3.ENCRYPTED)


def outcomes(run: Run, target: Target, reads: int, between: Callable[[], None] = lambda: None) -> list[Reading]:
    """Several reads by one engine, with something happening after the first."""

    async def work(engine: SnmpEngine) -> list[Reading]:
        found = []
        for number in range(reads):
            found.append(await engine.read(target, (UPTIME, SYS_NAME, MISSING), 0.3))
            if number == 0:
                between()
        return found

    found: list[Reading] = run(work)
    return found


def test_a_version_3_agent_is_read_with_user_and_keys(run: Run, agents: Agents) -> None:
    for reading in outcomes(run, secure(agents.add(HOST, speaking(studio()))), 3):
        assert reading.answered
        assert (reading.values[SYS_NAME], reading.values[MISSING]) == (b"HOS-42", None)


def test_no_secret_is_ever_shown() -> None:
    shown = repr(secure(Target(1, HOST, community="hemmelig")))
    assert not [secret for secret in (USER, AUTH, PRIV, "hemmelig") if secret in shown]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"user": "nobody"}, Refusal.UNKNOWN_USER),
        ({"auth": "feil-autentisering"}, Refusal.WRONG_KEYS),
        ({"priv": "feil-kryptering"}, Refusal.WRONG_KEYS),
    ],
)
def test_refused_keys_are_told_apart_from_silence(run: Run, agents: Agents, wrong: dict[str, str], why: str) -> None:
    for reading in outcomes(run, secure(agents.add(HOST, speaking(studio())), **wrong), 2):
        assert (reading.outcome, reading.detail) == (Outcome.REFUSED, why)


def test_an_agent_that_is_silent_to_our_keys_alone_refuses_them(run: Run, agents: Agents) -> None:
    engine = studio()
    target = agents.add(HOST, lambda request: [] if sealed(request) else [engine.respond(request)])
    found = outcomes(run, secure(target), 4)
    assert found[0].outcome is Outcome.TIMEOUT  # a packet may have been lost
    assert [reading.outcome for reading in found[2:]] == [Outcome.REFUSED] * 2


def test_a_dead_agent_refuses_nothing(run: Run, agents: Agents) -> None:
    target = secure(agents.add(HOST, speaking(studio())))
    found = outcomes(run, target, 4, between=lambda: agents.become(HOST, played.silent))
    assert [reading.outcome for reading in found] == [Outcome.ANSWERED, *([Outcome.TIMEOUT] * 3)]


@pytest.mark.parametrize("boots", [-1000, 0, 1])
@pytest.mark.parametrize("ran_for", [0, 100_000])
def test_an_agent_that_restarted_is_read_by_the_next_poll(run: Run, agents: Agents, boots: int, ran_for: int) -> None:
    before, later = studio(), studio()
    later.boots, later._began = before.boots + boots, later._began - ran_for
    target = secure(agents.add(HOST, speaking(before)))
    found = outcomes(run, target, 3, between=lambda: agents.become(HOST, speaking(later)))
    assert [reading.answered for reading in found] == [True] * 3


def test_an_agent_that_was_replaced_is_read_by_the_next_poll(run: Run, agents: Agents) -> None:
    target = secure(agents.add(HOST, speaking(studio())))
    found = outcomes(run, target, 3, between=lambda: agents.become(HOST, speaking(studio("NEW-7"))))
    assert [reading.values.get(SYS_NAME) for reading in found] == [b"HOS-42", b"NEW-7", b"NEW-7"]


def test_an_agent_whose_clock_nobody_can_follow_is_not_in_time(run: Run, agents: Agents) -> None:
    engine = studio()

    def restless(request: bytes) -> list[bytes]:
        engine.boots += 1
        return [engine.respond(request)]

    reading = outcomes(run, secure(agents.add(HOST, restless)), 1)[0]
    assert (reading.outcome, reading.detail) == (Outcome.REFUSED, Refusal.NOT_IN_TIME)


def tampered(engine: V3Engine, request: bytes) -> bytes:
    answer = bytearray(engine.respond(request))
    answer[-1] ^= 1
    return bytes(answer)


def signed_by_nobody(engine: V3Engine, request: bytes) -> bytes:
    answer = engine.respond(request)
    digest = v3.read(answer).digest
    return answer.replace(digest, digest[::-1])


def in_clear(engine: V3Engine, request: bytes) -> bytes:
    message = v3.read(request)
    pdu = v3.first(v3.first(engine._scoped(message, request), v3.OCTETS)[1], v3.OCTETS)[1]
    return engine._sealed(message, v3.answer(engine._studio, pdu, 1000), 0)


def by_another_user(engine: V3Engine, request: bytes) -> bytes:
    return engine.respond(request).replace(USER.encode(), USER.upper().encode())


@pytest.mark.parametrize("forged", [tampered, signed_by_nobody, in_clear, by_another_user])
def test_an_answer_that_is_not_sealed_with_our_keys_is_none(
    run: Run, agents: Agents, forged: Callable[[V3Engine, bytes], bytes]
) -> None:
    engine = studio()
    target = agents.add(HOST, lambda request: [forged(engine, request) if sealed(request) else engine.respond(request)])
    reading = outcomes(run, secure(target), 1)[0]
    assert reading.outcome in (Outcome.BAD_ANSWER, Outcome.TIMEOUT)


def test_an_old_answer_played_again_is_none(run: Run, agents: Agents) -> None:
    engine, heard = studio(), list[bytes]()

    def overheard(request: bytes) -> list[bytes]:
        heard.append(engine.respond(request))
        return heard[-1:]

    target = secure(agents.add(HOST, overheard))
    found = outcomes(run, target, 2, between=lambda: agents.become(HOST, lambda request: heard[-1:]))
    assert [reading.answered for reading in found] == [True, False]
