"""Conferences whose bridge calls the parties: real HTTP to a simulated bridge, which really calls the studios."""

from datetime import UTC, datetime, timedelta

import pytest

from models import BridgeRoom, Conference, ConferenceState, StartMode, db, write
from scheduler.calls import reconcile
from scheduler.rooms import close_rooms
from simulation.studio import CallState, Fault
from studios.booking import detours
from studios.booking.running import reroute
from tests.scheduler.test_calls import is_in, kinds, look_now, passes_until, set_end, set_times

NAMES = ("TROMSO", "BODO", "ALTA")


@pytest.fixture
def bridged(running_now, bridges, studios):
    for code in NAMES:
        studios[code].start_mode = StartMode.OPEN
    db.session.commit()

    def make(**changes):
        return running_now(*NAMES, bridge_id=bridges["North"].id, ports=3, **changes)

    return make


@pytest.fixture
def nobody_mixes(monkeypatch) -> None:
    monkeypatch.setattr(detours, "MOST_MIXED", 2)


def in_call_with_the_bridge(network, bridge) -> list[str]:
    """The codes of the studios that say so themselves."""
    at = f"@{bridge.spec.address}:{bridge.spec.sip_port}"
    return [
        code
        for code in network.specs
        for call in network.calls(code)
        if call.state is CallState.CONNECTED and call.remote.endswith(at)
    ]


def test_a_bridge_calls_every_party_and_lets_go_of_all_and_of_the_room(network, bridged, equipment):
    conference = bridged()
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert sorted(in_call_with_the_bridge(network, network.bridge)) == sorted(NAMES)
    assert {one.room for one in network.bridge.participants.values()} == {conference.reference}
    set_end(conference, datetime.now(UTC))
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference))
    assert not network.bridge.participants
    assert not any(network.calls(code) for code in NAMES)
    close_rooms(equipment)
    assert not network.bridge.rooms
    assert db.session.scalars(db.select(BridgeRoom)).one().closed_at


def test_the_room_is_ready_before_the_start_and_nobody_is_called_into_it(network, bridged, equipment):
    conference = bridged(since=timedelta(minutes=-4))
    look_now(conference)
    reconcile(conference.id, "tester", equipment)
    assert len(network.bridge.rooms) == 1
    assert not network.bridge.participants
    assert is_in(ConferenceState.PLANNED, conference)()


def test_while_the_bridge_does_not_know_the_room_yet_it_is_tried_again(network, bridged, equipment):
    conference = bridged(since=timedelta(minutes=-1))
    look_now(conference)
    reconcile(conference.id, "tester", equipment)
    (room,) = network.bridge.rooms.values()
    room.known_at += 3600
    set_times(conference, starts_at=datetime.now(UTC))
    passes_until(conference, equipment, lambda: kinds(conference).count("leg.failed") >= 3)
    room.known_at = 0
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert len(network.bridge.participants) == 3


def test_a_room_that_is_lost_on_its_bridge_is_made_again(network, bridged, equipment):
    """Somebody deleted it there, or the bridge was set up anew; for two minutes it may only be late."""
    conference = bridged(since=timedelta(minutes=-1))
    look_now(conference)
    reconcile(conference.id, "tester", equipment)
    network.bridge.close_all_rooms()
    set_times(conference, starts_at=datetime.now(UTC))
    passes_until(conference, equipment, lambda: kinds(conference).count("leg.failed") >= 3)
    assert not network.bridge.rooms
    earlier = datetime.now(UTC) - timedelta(minutes=3)
    write(lambda: db.session.execute(db.update(BridgeRoom).values(opened_at=earlier)))
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert len(network.bridge.rooms) == 1
    assert len(network.bridge.participants) == 3


def test_who_is_gone_from_the_room_by_a_fault_is_called_again(network, bridged, equipment):
    conference = bridged()
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    network.lose_calls("BODO")
    look_now(conference)
    passes_until(conference, equipment, lambda: "leg.dropped" in kinds(conference))
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert len(network.bridge.participants) == 3


def test_a_small_conference_whose_bridge_is_dead_is_carried_by_a_codec(network, bridged, equipment):
    network.bridge_suffers(Fault.DEAD)
    conference = bridged()
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference), seconds=40)
    assert db.session.get_one(Conference, conference.id).bridge_id is None
    assert [len(network.calls(code)) for code in NAMES] == [2, 1, 1]
    assert kinds(conference).count("conference.rerouted") == 1


@pytest.mark.usefixtures("nobody_mixes")
@pytest.mark.parametrize("fault", [Fault.DEAD, Fault.BUSY])
def test_a_bridge_that_is_dead_or_full_is_left_for_another(network, bridged, bridges, equipment, fault):
    network.bridge_suffers(fault)
    conference = bridged()
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference), seconds=40)
    assert sorted(in_call_with_the_bridge(network, network.fleet.bridges["South"])) == sorted(NAMES)
    assert (conference.bridge_id, conference.ports) == (bridges["South"].id, 3)


def test_a_bridge_without_a_room_before_the_start_is_left_in_time_for_another(network, bridged, bridges, equipment):
    network.bridge_suffers(Fault.DEAD)
    conference = bridged(since=timedelta(minutes=-4))
    look_now(conference)
    reconcile(conference.id, "tester", equipment)
    assert db.session.get_one(Conference, conference.id).bridge_id == bridges["North"].id  # it may still come back
    set_times(conference, starts_at=datetime.now(UTC) + timedelta(minutes=1))
    passes_until(conference, equipment, lambda: len(network.fleet.bridges["South"].rooms) == 1)
    assert db.session.get_one(Conference, conference.id).bridge_id == bridges["South"].id
    assert not any(network.calls(code) for code in NAMES)


def test_a_bridge_that_is_silent_while_calls_are_up_is_left_only_when_a_person_says_so(network, bridged, equipment):
    conference = bridged()
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    network.bridge_suffers(Fault.DEAD)
    for _ in range(2):
        look_now(conference)
        reconcile(conference.id, "tester", equipment)
    assert "conference.rerouted" not in kinds(conference)
    assert all(len(network.calls(code)) == 1 for code in NAMES)  # as far as they know

    write(lambda: reroute(conference.id, None, None))
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference), seconds=40)
    assert [len(network.calls(code)) for code in NAMES] == [2, 1, 1]
    assert not in_call_with_the_bridge(network, network.bridge)
    network.bridge_suffers(Fault.CLEAR)
    close_rooms(equipment)
    assert not network.bridge.rooms


def test_where_there_is_no_other_way_the_bridge_is_tried_on(network, bridged, bridges, equipment, nobody_mixes):
    bridges["South"].ports = 2
    db.session.commit()
    network.bridge_suffers(Fault.BUSY)
    conference = bridged()
    passes_until(conference, equipment, lambda: kinds(conference).count("leg.failed") >= 6, seconds=40)
    network.bridge_suffers(Fault.CLEAR)
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert (conference.bridge_id, conference.ports) == (bridges["North"].id, 3)
