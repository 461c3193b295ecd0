"""The whole monitor on real databases, against real sockets."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from models import (
    Closure,
    Credential,
    Endpoint,
    EndpointStatus,
    Event,
    Health,
    Incident,
    Leg,
    Reservation,
    SnmpVersion,
    StatusChange,
    Studio,
    Worker,
    db,
    write,
)
from monitoring.rules import Cause, Patience
from simulation.snmp_v3 import V3Engine
from simulation.studio import SimulatedStudio, SnmpUser, StudioSpec, Timings
from tests import factories
from tests.devices import codec as codecs
from tests.monitoring import agents as played
from tests.monitoring import snmpd
from tests.monitoring.agents import Agents
from tests.monitoring.running import CADENCE, until, watching

HOST = "127.202.6.1"
HOUR = timedelta(hours=1)
# For rules that the choice of database can't touch.
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture
def agents() -> Iterator[Agents]:
    with played.agents() as agents:
        yield agents


def an_endpoint(agents: Agents, host: str = HOST, behaviour: played.Behaviour = played.answering) -> Endpoint:
    """A studio whose equipment is watched by SNMP alone."""
    port = agents.add(host, behaviour).port
    return factories.endpoint(factories.studio(), host, snmp_port=port, control_driver=None, control_url=None)


def status(endpoint_id: int) -> EndpointStatus:
    found = db.session.get(EndpointStatus, endpoint_id)
    assert found is not None
    return found


def change(statement: sa.Executable) -> None:
    """Another process's write, while the monitor runs."""
    write(lambda: db.session.execute(statement))


def is_now(endpoint_id: int, health: Health) -> bool:
    return status(endpoint_id).health is health


def changes(endpoint_id: int) -> list[tuple[Health, Health]]:
    rows = db.session.scalars(
        sa.select(StatusChange).where(StatusChange.endpoint_id == endpoint_id).order_by(StatusChange.id)
    )
    return [(row.from_health, row.to_health) for row in rows]


def test_a_studio_dies_and_comes_back(app: Flask, agents: Agents) -> None:
    endpoint = an_endpoint(agents)
    key, studio_id = endpoint.id, endpoint.studio_id
    with watching(app):
        until(lambda: is_now(key, Health.OK))
        agents.become(HOST, played.silent)
        died = time.monotonic()
        until(lambda: is_now(key, Health.DOWN))
        assert time.monotonic() - died < 2
        assert status(key).cause == Cause.NO_ANSWER
        agents.become(HOST, played.answering)
        until(lambda: is_now(key, Health.OK))
    expected = [(Health.UNKNOWN, Health.OK), (Health.OK, Health.DOWN), (Health.DOWN, Health.OK)]
    assert changes(key) == expected
    events = db.session.scalars(sa.select(Event).where(Event.studio_id == studio_id).order_by(Event.id))
    assert [event.kind for event in events] == ["studio.ok", "studio.down", "studio.ok"]


@on_sqlite
def test_a_lost_packet_now_and_then_changes_nothing(app: Flask, agents: Agents) -> None:
    def every_third_lost(request: bytes) -> list[bytes]:
        return [] if agents.asked[HOST] % 3 == 0 else played.answering(request)

    key = an_endpoint(agents, behaviour=every_third_lost).id
    with watching(app):
        until(lambda: agents.asked[HOST] >= 12)
    assert changes(key) == [(Health.UNKNOWN, Health.OK)]


def test_what_the_equipment_says_of_itself_is_learned(app: Flask, agents: Agents) -> None:
    key = an_endpoint(agents).id
    with watching(app):
        until(lambda: db.session.get(Endpoint, key).serial)  # type: ignore[union-attr]
        polls = agents.asked[HOST]
        until(lambda: agents.asked[HOST] > polls + 3)
    endpoint = db.session.get(Endpoint, key)
    assert endpoint is not None
    assert (endpoint.vendor, endpoint.model) == ("Cisco", "Cisco TelePresence SX80")
    assert (endpoint.serial, endpoint.software) == ("FTT1234567", "ce9.10.0.1ab2c3d")
    assert status(key).uptime_seconds == 42.42
    assert status(key).round_trip_ms is not None


@on_sqlite
def test_a_monitor_that_comes_late_marks_nobody_down(app: Flask, agents: Agents) -> None:
    hosts = [f"127.202.6.{n}" for n in range(1, 21)]
    keys = [an_endpoint(agents, host).id for host in hosts]
    with watching(app, replace(CADENCE, timeout=0.05, patient_timeout=0.05)) as monitor:
        until(lambda: all(is_now(key, Health.OK) for key in keys))
        # Answers that come while the monitor is busy elsewhere are lost, again and again.
        for host in hosts:
            agents.become(host, played.silent)
        until_free = threading.Event()
        monitor._poller._loop.call_soon_threadsafe(block, monitor._poller._loop, 8, until_free)
        until_free.wait(10)
        for host in hosts:
            agents.become(host, played.answering)
        until(lambda: status(keys[0]).last_answer_at > datetime.now(UTC) - timedelta(seconds=0.5))  # type: ignore[operator]
        assert monitor._poller.figures.late >= 3 * len(hosts)
    assert db.session.scalar(sa.select(sa.func.count()).where(StatusChange.to_health == Health.DOWN)) == 0


def block(loop: asyncio.AbstractEventLoop, times: int, until_free: threading.Event) -> None:
    """Keep the loop from its work, but for moments too short for any time-out."""
    time.sleep(0.35)
    if times:
        loop.call_later(0.01, block, loop, times - 1, until_free)
    else:
        until_free.set()
        time.sleep(0.05)


@on_sqlite
def test_garbage_takes_a_studio_down_and_the_monitor_lives(app: Flask, agents: Agents) -> None:
    garbled = an_endpoint(agents, behaviour=lambda request: [request, b"\x30\x84\xff\xff\xff\xff", b"\x00" * 9000])
    key, well = garbled.id, an_endpoint(agents, "127.202.6.2").id
    with watching(app) as monitor:
        until(lambda: is_now(key, Health.DOWN) and is_now(well, Health.OK))
        figures = until(lambda: db.session.get(Worker, monitor.worker).details)  # type: ignore[union-attr]
        until(lambda: db.session.get(Worker, monitor.worker).details["ignored_packets"] >= 9)  # type: ignore[union-attr]
        assert figures["endpoints"] == 2
    assert status(key).cause == Cause.BAD_ANSWER


@on_sqlite
def test_what_can_not_be_asked_is_unknown_with_its_reason(app: Flask, agents: Agents) -> None:
    well = an_endpoint(agents).id
    plain = {"control_driver": None, "control_url": None}
    named = factories.endpoint(factories.studio(), "studio.example", **plain).id
    community, keys = factories.credential("community").id, factories.credential("keys", privacy="priv-priv").id
    bare = factories.endpoint(factories.studio(), HOST, snmp_version="3", **plain).id
    lacking = factories.endpoint(factories.studio(), HOST, snmp_version="3", snmp_credential_id=community, **plain).id
    in_clear = factories.endpoint(factories.studio(), HOST, snmp_credential_id=keys, **plain).id
    unfit = (bare, lacking, in_clear)
    sealed = factories.credential("elsewhere")
    sealed.sealed_secret = "gAAAAA"
    db.session.commit()
    unsealed = factories.endpoint(factories.studio(), HOST, snmp_credential_id=sealed.id, **plain).id
    with watching(app):
        until(lambda: is_now(well, Health.OK) and status(unsealed).cause)
        until(
            lambda: (
                [status(key).cause for key in (named, unsealed, *unfit)]
                == ["bad-address", "credential", *(["snmp-credential"] * 3)]
            )
        )
    assert {status(key).health for key in (named, unsealed, *unfit)} == {Health.UNKNOWN}


@on_sqlite
def test_wrong_keys_are_unknown_with_their_reason_and_new_ones_are_tried_at_once(app: Flask, agents: Agents) -> None:
    user = SnmpUser("studionett", "autentisering", "kryptering")
    engine = V3Engine(SimulatedStudio(StudioSpec("S-1", "S-1", HOST, snmp_user=user), Timings()))
    credential = factories.credential("watch", user.name, "feil-autentisering", privacy=user.privacy)
    endpoint = an_endpoint(agents, HOST, lambda request: [answer] if (answer := engine.respond(request)) else [])
    endpoint.snmp_version, endpoint.snmp_credential_id = SnmpVersion.V3, credential.id
    db.session.commit()
    key = endpoint.id
    with watching(app, replace(CADENCE, alive=30.0)):  # it wouldn't be asked again for a minute
        until(lambda: is_now(key, Health.UNKNOWN) and status(key).cause == Cause.SNMP_KEYS)
        assert status(key).misses == 0
        db.session.get_one(Credential, credential.id).seal(user.authentication)
        db.session.commit()
        until(lambda: is_now(key, Health.OK))
    assert [change.to_health for change in db.session.scalars(sa.select(StatusChange))] == [Health.OK]


@pytest.mark.parametrize(("behaviour", "at_last"), [(played.answering, Health.OK), (played.silent, Health.DOWN)])
def test_what_nobody_watched_for_half_a_day_is_unknown_from_when_the_last_poll_was_too_old(
    app: Flask, agents: Agents, behaviour: played.Behaviour, at_last: Health
) -> None:
    key = an_endpoint(agents, behaviour=behaviour).id
    last_poll = datetime.now(UTC) - 12 * HOUR
    change(
        sa.update(EndpointStatus).values(
            health=Health.OK, since=last_poll - HOUR, last_poll_at=last_poll, last_answer_at=last_poll
        )
    )
    began = datetime.now(UTC)
    with watching(app):
        until(lambda: len(changes(key)) == 2)
    assert changes(key) == [(Health.OK, Health.UNKNOWN), (Health.UNKNOWN, at_last)]
    gap, found = db.session.scalars(sa.select(StatusChange).order_by(StatusChange.id))
    assert (gap.at, gap.cause) == (last_poll + Patience().stale, Cause.STALE)
    assert found.at > began


def test_a_monitor_that_carries_on_at_once_makes_no_gap(app: Flask, agents: Agents) -> None:
    key = an_endpoint(agents).id
    with watching(app):
        until(lambda: is_now(key, Health.OK))
    with watching(app):
        polls = agents.asked[HOST]
        until(lambda: agents.asked[HOST] > polls + 2)
    assert changes(key) == [(Health.UNKNOWN, Health.OK)]


def test_a_closure_is_maintenance_while_it_lasts(app: Flask, agents: Agents) -> None:
    endpoint = an_endpoint(agents)
    key, now = endpoint.id, datetime.now(UTC)
    closure = Closure(
        studio_id=endpoint.studio_id, starts_at=now, ends_at=now + timedelta(hours=1), reason="New carpet"
    )
    with watching(app):
        until(lambda: is_now(key, Health.OK))
        write(lambda: db.session.add(closure))
        until(lambda: is_now(key, Health.MAINTENANCE))
        change(sa.delete(Closure))
        until(lambda: is_now(key, Health.OK))


def test_endpoints_come_change_and_go_while_it_runs(app: Flask, agents: Agents) -> None:
    endpoint, moved = an_endpoint(agents), agents.add("127.202.6.2")
    key, studio_id = endpoint.id, endpoint.studio_id
    change(sa.update(Studio).values(retired_at=datetime.now(UTC)))
    change(sa.delete(EndpointStatus))
    with watching(app):
        time.sleep(0.3)
        change(sa.update(Studio).values(retired_at=None))
        until(lambda: db.session.get(EndpointStatus, key) and is_now(key, Health.OK))
        change(sa.update(Endpoint).values(snmp_host=moved.host, snmp_port=moved.port))
        until(lambda: agents.asked[moved.host] > 1)
        change(sa.update(Studio).where(Studio.id == studio_id).values(retired_at=datetime.now(UTC)))
        time.sleep(0.5)
        asked = agents.asked[moved.host]
        time.sleep(0.5)
        assert agents.asked[moved.host] == asked


@on_sqlite
def test_a_wish_to_be_polled_is_heard_at_once(app: Flask, agents: Agents) -> None:
    key = an_endpoint(agents).id
    with watching(app, replace(CADENCE, alive=60, full=60)):
        until(lambda: status(key).due_at and is_now(key, Health.OK))
        time.sleep(0.3)
        assert agents.asked[HOST] == 1
        change(sa.update(EndpointStatus).values(wanted_at=datetime.now(UTC)))
        until(lambda: agents.asked[HOST] == 2)


@on_sqlite
def test_a_slow_answer_is_a_sign_of_life_all_the_same(app: Flask, agents: Agents) -> None:
    def slow(request: bytes) -> list[bytes]:
        time.sleep(0.15)
        return played.answering(request)

    key = an_endpoint(agents).id
    with watching(app, replace(CADENCE, timeout=0.1, patient_timeout=0.1)) as monitor:
        until(lambda: is_now(key, Health.OK))
        agents.become(HOST, slow)
        until(lambda: monitor._poller.figures.belated >= 6)
    assert changes(key) == [(Health.UNKNOWN, Health.OK)]


@on_sqlite
def test_one_miss_is_followed_up_at_once_and_not_at_the_next_turn(app: Flask, agents: Agents) -> None:
    key = an_endpoint(agents).id
    with watching(app, replace(CADENCE, alive=60, full=60)):
        until(lambda: is_now(key, Health.OK))
        time.sleep(0.3)
        agents.become(HOST, played.silent)
        change(sa.update(EndpointStatus).values(wanted_at=datetime.now(UTC)))
        until(lambda: is_now(key, Health.DOWN), within=3)


def test_calls_are_seen_come_and_gone(app: Flask, agents: Agents) -> None:
    with codecs.playing() as codec:
        codec.paths["/getxml"] = codecs.answering(b"<Status/>")
        key = an_endpoint_with_codec(agents, codec)
        with watching(app):
            until(lambda: status(key).calls_seen_at)
            assert not status(key).in_call
            before = status(key).changed_at
            codec.paths["/getxml"] = codecs.answering(codecs.ONE_CALL)
            until(lambda: status(key).in_call)
            assert status(key).call_peer == "oslo@nhn.example"
            assert status(key).changed_at > before
            codec.paths["/getxml"] = codecs.answering(b"<Status/>")
            until(lambda: not status(key).in_call)
    assert codec.sessions == set()


@on_sqlite
def test_a_leg_that_changes_has_its_codecs_asked_at_once(app: Flask, agents: Agents) -> None:
    with codecs.playing() as codec:
        codec.paths["/getxml"] = codecs.answering(b"<Status/>")
        key = an_endpoint_with_codec(agents, codec)
        studio = db.session.get_one(Endpoint, key).studio
        conference = factories.conference(studio, factories.studio())
        party_id, token = conference.parties[1].id, "K-1/2"
        leg = {"conference_id": conference.id, "party_id": party_id, "token": token, "wanted": "up", "attempts": 0}
        with watching(app, replace(CADENCE, calls=1.0, calls_busy=600)):
            until(lambda: status(key).calls_seen_at)
            # Its next turn, were nobody to say anything, is ten minutes away.
            change(sa.update(Reservation).values(starts_at=datetime.now(UTC), ends_at=datetime.now(UTC) + HOUR))
            codec.paths["/getxml"] = codecs.answering(codecs.ONE_CALL)
            time.sleep(1.2)
            assert not status(key).in_call
            change(sa.insert(Leg).values(**leg, state="connected", changed_at=datetime.now(UTC)))
            until(lambda: status(key).in_call)


@on_sqlite
def test_a_studio_whose_conference_starts_soon_is_asked_for_its_calls_more_often(app: Flask, agents: Agents) -> None:
    with codecs.playing() as codec:
        codec.paths["/getxml"] = codecs.answering(b"<Status/>")
        key = an_endpoint_with_codec(agents, codec)
        studio = db.session.get_one(Endpoint, key).studio
        with watching(app, replace(CADENCE, calls=600, calls_busy=0.2)):
            until(lambda: is_now(key, Health.OK))
            time.sleep(0.5)
            assert codec.begun == 0
            soon = datetime.now(UTC) + timedelta(minutes=10)
            reservation = {"studio_id": studio.id, "starts_at": soon, "ends_at": soon + HOUR, "kind": "conference"}
            change(sa.insert(Reservation).values(**reservation))
            until(lambda: codec.begun >= 3)


@on_sqlite
def test_a_dead_studio_is_in_no_call_and_its_codec_is_asked_less_and_less(app: Flask, agents: Agents) -> None:
    tried = []

    def dead(handler: codecs.Handler) -> None:
        tried.append(time.monotonic())
        codecs.hanging_up(handler)

    with codecs.playing() as codec:
        key = an_endpoint_with_codec(agents, codec)
        with watching(app):
            until(lambda: status(key).in_call)
            agents.become(HOST, played.silent)
            codec.paths["/xmlapi/session/begin"] = dead
            until(lambda: is_now(key, Health.DOWN))
            assert not status(key).in_call
            until(lambda: len(tried) >= 4)
            assert tried[3] - tried[2] > 2 * (tried[1] - tried[0])
            agents.become(HOST, played.answering)
            codec.paths["/xmlapi/session/begin"] = codecs.begin
            until(lambda: status(key).in_call)


@on_sqlite
def test_a_codec_that_refuses_our_password_is_degraded(app: Flask, agents: Agents) -> None:
    with codecs.playing() as codec:
        codec.paths["/xmlapi/session/begin"] = codecs.answering(b"", 401)
        key = an_endpoint_with_codec(agents, codec)
        with watching(app):
            until(lambda: is_now(key, Health.DEGRADED))
            assert status(key).cause == Cause.CONTROL_REFUSED
            codec.paths["/xmlapi/session/begin"] = codecs.begin
            until(lambda: is_now(key, Health.OK))


@on_sqlite
@pytest.mark.skipif(snmpd.BINARY is None, reason="snmpd is not installed")
def test_a_real_agent_is_one_of_the_studios(app: Flask, tmp_path: Path) -> None:
    with snmpd.running(tmp_path, "127.202.6.9") as target:
        community = factories.credential("lese", "", target.community)
        key = factories.endpoint(
            factories.studio(),
            target.host,
            snmp_port=target.port,
            snmp_credential_id=community.id,
            control_driver=None,
            control_url=None,
        ).id
        with watching(app):
            until(lambda: is_now(key, Health.OK) and db.session.get_one(Endpoint, key).serial)
    assert db.session.get_one(Endpoint, key).serial == "FTT9990001"
    assert db.session.get_one(Endpoint, key).model == "Cisco TelePresence MX700"


@on_sqlite
def test_without_snmp_the_codec_is_the_sign_of_life(app: Flask) -> None:
    with codecs.playing() as codec:
        credential = factories.credential("codec", codec.codec.username, codec.codec.password)
        key = factories.endpoint(
            factories.studio(), snmp_host=None, control_url=codec.codec.url, control_credential_id=credential.id
        ).id
        with watching(app):
            until(lambda: is_now(key, Health.OK))
            codec.paths["/xmlapi/session/begin"] = codecs.hanging_up
            until(lambda: is_now(key, Health.DOWN))


def an_endpoint_with_codec(agents: Agents, codec: codecs.PlayedCodec) -> int:
    credential = factories.credential("codec", codec.codec.username, codec.codec.password)
    endpoint = factories.endpoint(
        factories.studio(),
        HOST,
        snmp_port=agents.add(HOST).port,
        control_url=codec.codec.url,
        control_credential_id=credential.id,
    )
    return endpoint.id


def test_what_happens_while_the_database_is_away_is_stored_when_it_is_back(app: Flask, agents: Agents) -> None:
    key = an_endpoint(agents).id
    with watching(app):
        until(lambda: is_now(key, Health.OK))
        change(sa.text("ALTER TABLE endpoint_status RENAME TO away"))
        agents.become(HOST, played.silent)
        time.sleep(1.2)
        agents.become(HOST, played.answering)
        time.sleep(0.5)
        away_until = datetime.now(UTC)
        change(sa.text("ALTER TABLE away RENAME TO endpoint_status"))
        until(lambda: len(changes(key)) == 3)
        assert is_now(key, Health.OK)
    assert changes(key)[1:] == [(Health.OK, Health.DOWN), (Health.DOWN, Health.OK)]
    assert status(key).since < away_until <= status(key).changed_at


def test_two_monitors_share_the_endpoints_and_poll_none_twice(app: Flask, agents: Agents) -> None:
    hosts = [f"127.202.7.{n}" for n in range(1, 11)]
    keys = [an_endpoint(agents, host).id for host in hosts]

    def owners() -> dict[str | None, int]:
        rows = db.session.execute(
            sa.select(EndpointStatus.lease_owner, sa.func.count()).group_by(EndpointStatus.lease_owner)
        )
        return {row[0]: row[1] for row in rows}

    with watching(app) as first:
        until(lambda: owners() == {first.worker: 10} and all(is_now(key, Health.OK) for key in keys))
        with watching(app) as second:
            until(lambda: owners() == {first.worker: 5, second.worker: 5})
            time.sleep(0.3)
            before, since = agents.asked.copy(), time.monotonic()
            time.sleep(1.0)
            turns = (time.monotonic() - since) / CADENCE.alive
            polls = [agents.asked[host] - before[host] for host in hosts]
            # One at the edges may be in or out; twice would be five more.
            assert all(count <= turns + 2 for count in polls), (polls, turns)
            assert min(polls) >= 1
        # The second left in good order: the first takes all at once, without waiting for any lease to run out.
        until(lambda: owners() == {first.worker: 10}, within=1.5)
    until(lambda: owners() == {None: 10})
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Worker)) == 0


def test_after_a_kill_the_next_monitor_carries_on(app: Flask, database_url: str, agents: Agents) -> None:
    key = an_endpoint(agents).id
    command = [sys.executable, "-m", "tests.monitoring.running", database_url]
    first = subprocess.Popen(command)
    try:
        until(lambda: is_now(key, Health.OK), within=20)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait(10)
    agents.become(HOST, played.silent)
    with watching(app):
        until(lambda: is_now(key, Health.DOWN))
    assert changes(key) == [(Health.UNKNOWN, Health.OK), (Health.OK, Health.DOWN)]


def test_a_site_that_falls_silent_is_one_incident_and_shadows_its_studios(app: Flask, agents: Agents) -> None:
    site = factories.site()
    hosts = [f"127.202.6.{number}" for number in range(10, 15)]
    keys = [
        factories.endpoint(
            factories.studio(site), host, snmp_port=agents.add(host).port, control_driver=None, control_url=None
        ).id
        for host in hosts
    ]
    site_id = site.id
    with watching(app):
        until(lambda: all(is_now(key, Health.OK) for key in keys))
        for host in hosts[:4]:
            agents.become(host, played.silent)
        until(lambda: all(is_now(key, Health.UNREACHABLE) for key in keys[:4]))
        assert is_now(keys[4], Health.OK)
        incident = until(lambda: db.session.scalars(sa.select(Incident)).all())
        assert [(one.site_id, one.cause) for one in incident] == [(site_id, Cause.SITE_OUTAGE)]
        for host in hosts[:4]:
            agents.become(host, played.answering)
        until(lambda: all(is_now(key, Health.OK) for key in keys))
        until(lambda: db.session.scalars(sa.select(Incident)).one().quiet_since)


def test_a_codec_that_can_be_steered_is_not_down_for_a_wrong_community(app: Flask, agents: Agents) -> None:
    with codecs.playing() as codec:
        codec.paths["/getxml"] = codecs.answering(b"<Status/>")
        key = an_endpoint_with_codec(agents, codec)
        with watching(app):
            until(lambda: is_now(key, Health.OK))
            agents.become(HOST, played.silent)
            until(lambda: is_now(key, Health.DEGRADED))
            assert status(key).cause == Cause.SNMP_SILENT
            codec.paths["/getxml"] = codecs.hanging_up
            until(lambda: is_now(key, Health.DOWN))
    assert (Health.OK, Health.DOWN) not in changes(key)
