"""Conferences whose bridge calls the parties: real HTTP to a node that plays its part."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from models import Bridge, BridgeDriver, BridgeRoom, ConferenceState, StartMode, db, write
from scheduler.calls import reconcile
from scheduler.rooms import close_rooms
from tests import factories
from tests.devices.bridge import SECRET, USER, PlayedNode, playing
from tests.scheduler.test_calls import is_in, kinds, look_now, passes_until, set_end

NAMES = ("TROMSO", "BODO", "ALTA")


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def node() -> Iterator[PlayedNode]:
    with playing() as found:
        yield found


@pytest.fixture
def bridge(app, node) -> Bridge:
    key = factories.credential("bridge", USER, SECRET)
    more = {"dial_domain": "rom.example", "control_credential_id": key.id}
    row = Bridge(name="North", driver=BridgeDriver.PEXIP, address=node.node.url, ports=10, **more)
    write(lambda: db.session.add(row))
    return row


@pytest.fixture
def bridged(running_now, bridge, studios):
    for code in NAMES:
        studios[code].start_mode = StartMode.OPEN
    db.session.commit()

    def make(**changes):
        return running_now(*NAMES, bridge_id=bridge.id, ports=3, **changes)

    return make


def test_a_bridge_calls_every_party_and_lets_go_of_all_and_of_the_room(node, bridged, equipment):
    conference = bridged()
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert {one["conference"] for one in node.participants.values()} == {conference.reference}
    assert len(node.participants) == 3
    set_end(conference, datetime.now(UTC))
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference))
    assert not node.participants
    close_rooms(equipment)
    assert not node.rooms
    assert db.session.scalars(db.select(BridgeRoom)).one().closed_at


def test_the_room_is_ready_before_the_start_and_nobody_is_called_into_it(node, bridged, equipment):
    conference = bridged(since=timedelta(minutes=-4))
    look_now(conference)
    reconcile(conference.id, "tester", equipment)
    assert len(node.rooms) == 1
    assert not node.participants
    assert is_in(ConferenceState.PLANNED, conference)()


def test_while_the_bridge_does_not_know_the_room_yet_it_is_tried_again(node, bridged, equipment):
    node.ready = False
    conference = bridged()
    passes_until(conference, equipment, lambda: kinds(conference).count("leg.failed") >= 3)
    node.ready = True
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert len(node.participants) == 3


def test_who_is_gone_from_the_room_by_a_fault_is_called_again(node, bridged, equipment):
    conference = bridged()
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    node.leave(next(iter(node.participants)), "Media lost")
    look_now(conference)
    passes_until(conference, equipment, lambda: "leg.dropped" in kinds(conference))
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert len(node.participants) == 3
