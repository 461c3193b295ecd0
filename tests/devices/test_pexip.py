from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from devices.errors import Ambiguous, CapacityFull, NotReady, RateLimited, Unauthorised, UnknownNumber, Unreachable
from devices.pexip import PexipClient, PexipNode
from tests.devices.bridge import CONFERENCES, PlayedNode, playing

ROOM, ALIAS = "K-10001", "k-10001@rom.example"
STUDIO, TAG = "sip:bodo@127.0.0.2", "K-10001/1"


@pytest.fixture
def played() -> Iterator[PlayedNode]:
    with playing() as found:
        yield found


@pytest.fixture
def client() -> Iterator[PexipClient]:
    with closing(PexipClient(per_second=1000)) as found:
        yield found


def test_a_room_is_opened_once_and_takes_calls_that_bring_their_tag_back(played, client):
    for _ in range(2):
        client.open_room(played.node, ROOM, ALIAS)
    assert len(played.rooms) == 1
    participant_id = client.dial(played.node, ALIAS, STUDIO, TAG)
    (found,) = client.participants(played.node, ROOM)
    assert (found.participant_id, found.tag, found.connected, found.outgoing) == (participant_id, TAG, True, True)
    assert STUDIO in found.addresses
    assert client.participants(played.node, "K-10002") == []


def test_who_is_taken_out_is_out_and_twice_is_no_error(played, client):
    client.open_room(played.node, ROOM, ALIAS)
    participant_id = client.dial(played.node, ALIAS, STUDIO, TAG)
    for _ in range(2):
        client.disconnect(played.node, participant_id)
    assert client.participants(played.node, ROOM) == []
    assert client.ending(played.node, participant_id) == "Call disconnected"
    assert client.ending(played.node, "p-99") == ""


def test_a_room_is_closed_by_its_number_and_the_others_stay(played, client):
    client.open_room(played.node, ROOM, ALIAS)
    client.open_room(played.node, "K-10002", "k-10002@rom.example")
    for _ in range(2):
        client.close_room(played.node, ROOM)
    assert [room["name"] for room in played.rooms.values()] == ["K-10002"]
    assert ("DELETE", CONFERENCES) not in played.asked, "that would wipe the bridge"


def test_what_a_node_refuses_is_told_apart(played, client):
    with pytest.raises(NotReady):
        client.dial(played.node, ALIAS, STUDIO, TAG)
    client.open_room(played.node, ROOM, ALIAS)
    played.ports = 0
    with pytest.raises(CapacityFull):
        client.dial(played.node, ALIAS, STUDIO, TAG)
    with pytest.raises(UnknownNumber):
        client.dial(played.node, ALIAS, " ", TAG)
    with pytest.raises(Unauthorised):
        client.participants(replace(played.node, password="wrong"), ROOM)
    with pytest.raises(Unreachable):
        client.participants(PexipNode("http://127.202.0.9:9", "", ""), ROOM)


def test_a_dial_whose_answer_is_lost_is_ambiguous(played, client):
    client.open_room(played.node, ROOM, ALIAS)
    played.drop_answer = True
    with pytest.raises(Ambiguous):
        client.dial(played.node, ALIAS, STUDIO, TAG)
    assert len(played.participants) == 1


def test_too_many_orders_at_once_are_refused_here_and_never_reach_the_node(played):
    with closing(PexipClient(per_second=0.05)) as slow:
        slow.participants(played.node, ROOM)
        with pytest.raises(RateLimited):
            slow.participants(played.node, ROOM)
    assert len(played.asked) == 1
