"""Traps that reach a running monitor: they wake polls, are told, and no flood of them harms anybody."""

import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Event, Health, db
from monitoring.trap_rules import BURST, RATE, Allowance, name_of
from tests.monitoring import agents as played
from tests.monitoring.agents import Agents
from tests.monitoring.running import CADENCE, until, watching
from tests.monitoring.snmp.test_traps import COLD_START, LINK_DOWN, whole_trap
from tests.monitoring.test_monitor import an_endpoint, change, is_now, on_sqlite, status

HOST, NEIGHBOUR, STRANGER, HERE = "127.202.13.1", "127.202.13.4", "127.202.13.2", "127.202.13.9"
SELDOM = replace(CADENCE, alive=60.0, full=60.0)


@pytest.fixture
def agents() -> Iterator[Agents]:
    with played.agents() as agents:
        yield agents


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((HERE, 0))
        return int(udp.getsockname()[1])


def send(port: int, *packets: bytes, host: str = HOST) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((host, 0))
        for packet in packets:
            udp.sendto(packet, (HERE, port))


def trap(kind: str = LINK_DOWN, community: str = "public") -> bytes:
    packet = whole_trap(kind).replace(b"\x04\x08hemmelig", b"\x04\x08" + community.ljust(8)[:8].encode())
    return packet if community != "public" else _public(packet)


def _public(packet: bytes) -> bytes:
    """The same with the shorter community, and the outer length put right."""
    body = packet[2:].replace(b"\x04\x08public  ", b"\x04\x06public")
    return bytes((packet[0], len(body))) + body


def told() -> list[tuple[str, int]]:
    db.session.rollback()
    rows = db.session.scalars(sa.select(Event).where(Event.kind == "studio.trap").order_by(Event.id))
    return [(row.details["trap"], row.studio_id or 0) for row in rows]


def owners(keys: Iterable[int]) -> set[str | None]:
    return {status(key).lease_owner for key in keys}


def test_a_trap_wakes_a_poll_and_the_poll_decides(app: Flask, agents: Agents) -> None:
    endpoint = an_endpoint(agents, HOST)
    key, studio_id = endpoint.id, endpoint.studio_id
    port = free_port()
    with watching(app, SELDOM, traps_at=(HERE, port)):
        until(lambda: is_now(key, Health.OK))
        time.sleep(0.3)
        asked = agents.asked[HOST]
        send(port, trap(COLD_START))
        until(lambda: agents.asked[HOST] > asked)
        until(lambda: told() == [("cold-start", studio_id)])
        assert is_now(key, Health.OK)
        agents.become(HOST, played.silent)
        send(port, trap(LINK_DOWN))
        until(lambda: is_now(key, Health.DOWN), within=3)


@on_sqlite
def test_a_trap_that_comes_while_the_database_is_away_is_told_when_it_is_back(app: Flask, agents: Agents) -> None:
    key = an_endpoint(agents, HOST).id
    port = free_port()
    with watching(app, SELDOM, traps_at=(HERE, port)) as monitor:
        until(lambda: is_now(key, Health.OK))
        change(sa.text("ALTER TABLE event RENAME TO away"))
        send(port, trap(COLD_START))
        until(lambda: monitor._traps.figures.heard == 1)
        time.sleep(0.5)
        change(sa.text("ALTER TABLE away RENAME TO event"))
        until(lambda: [kind for kind, _ in told()] == ["cold-start"])


@on_sqlite
def test_strangers_and_wrong_communities_wake_nobody_and_are_counted(app: Flask, agents: Agents) -> None:
    key = an_endpoint(agents, HOST).id
    port = free_port()
    with watching(app, SELDOM, traps_at=(HERE, port)) as monitor:
        until(lambda: is_now(key, Health.OK))
        time.sleep(0.3)
        asked = agents.asked[HOST]
        send(port, trap(), host=STRANGER)
        send(port, trap(community="hemmelig"), b"\x30garbage")
        figures = monitor._traps.figures
        until(lambda: (figures.unknown, figures.refused, figures.unreadable) == (1, 1, 1))
        time.sleep(0.2)
        assert (agents.asked[HOST], figures.heard, told()) == (asked, 0, [])


def test_a_trap_wakes_whichever_monitor_watches_its_sender(app: Flask, agents: Agents) -> None:
    """Two monitors share the endpoints; only one of them hears traps."""
    keys = {an_endpoint(agents, host).id: host for host in (HOST, NEIGHBOUR)}
    port = free_port()
    with watching(app, SELDOM, traps_at=(HERE, port)) as hearing, watching(app, SELDOM) as other:
        until(lambda: owners(keys) == {hearing.worker, other.worker})
        until(lambda: all(is_now(key, Health.OK) for key in keys))
        host = next(keys[key] for key in keys if status(key).lease_owner == other.worker)
        time.sleep(0.5)  # both have taken in what is whose
        asked = agents.asked[host]
        send(port, trap(COLD_START), host=host)
        until(lambda: agents.asked[host] > asked)
        until(lambda: [kind for kind, _ in told()] == ["cold-start"])
        assert hearing._traps.figures.unknown == 0


@on_sqlite
def test_a_flood_costs_a_few_polls_and_takes_nobody_down(app: Flask, agents: Agents) -> None:
    """From a studio that is known, and from a stranger, ten thousand each, as fast as they can be sent."""
    keys = [an_endpoint(agents, HOST).id, an_endpoint(agents, "127.202.13.3").id]
    port = free_port()
    with watching(app, traps_at=(HERE, port)) as monitor:
        until(lambda: all(is_now(key, Health.OK) for key in keys))
        began = time.monotonic()
        for _ in range(100):
            send(port, *[trap(COLD_START)] * 100)
            send(port, *[trap(COLD_START)] * 100, host=STRANGER)
        took = time.monotonic() - began
        figures = monitor._traps.figures
        until(lambda: figures.received > 0 and figures.too_many > 1000 and figures.unknown > 1000)
        time.sleep(0.5)
        assert figures.heard <= BURST + RATE * (took + 3)
        assert all(is_now(key, Health.OK) for key in keys)
    assert len(told()) == 1


@on_sqlite
def test_a_port_that_is_taken_stops_nobody_from_polling(app: Flask, agents: Agents) -> None:
    key = an_endpoint(agents, HOST).id
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HERE, 0))
        with watching(app, traps_at=(HERE, taken.getsockname()[1])):
            until(lambda: is_now(key, Health.OK))


def test_an_allowance_is_a_burst_and_then_a_rate() -> None:
    allowance = Allowance(3, 1.0)
    assert [allowance.takes(100.0) for _ in range(5)] == [True, True, True, False, False]
    assert [allowance.takes(at) for at in (100.5, 101.2, 101.3, 99.0)] == [False, True, False, False]
    assert [allowance.takes(1000.0) for _ in range(4)] == [True, True, True, False]


def test_what_has_no_name_is_told_by_its_number() -> None:
    assert (name_of(LINK_DOWN), name_of("1.2.3")) == ("link-down", "1.2.3")
