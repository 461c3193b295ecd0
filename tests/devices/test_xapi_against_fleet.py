"""The client against the simulated studios, which were written from the same reference guide by other hands."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from devices.errors import Busy, Unauthorised, UnknownNumber
from devices.xapi import Codec, CodecCall, CodecStatus, Peripherals, XapiClient
from simulation.fleet import Fleet
from simulation.studio import Fault, StudioSpec, Timings


def free_port(host: str, kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def a_studio(code: str, host: str) -> StudioSpec:
    http, sip = (free_port(host, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
    return StudioSpec(code, code.title(), host, http, sip, None, "studio", "hemmelig")


OSLO = a_studio("OSLO", "127.202.5.1")
BODO = a_studio("BODO", "127.202.5.2")
CODEC = Codec(f"http://{OSLO.address}:{OSLO.http_port}", "studio", "hemmelig")


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Two studios that can really call one another, in a loop of their own."""
    fleet = Fleet([OSLO, BODO], timings=Timings(ring=(0.05, 0.1)))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(fleet.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield fleet
    asyncio.run_coroutine_threadsafe(fleet.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture
def client() -> Iterator[XapiClient]:
    with XapiClient() as client:
        yield client


def connected(client: XapiClient) -> CodecCall:
    for _ in range(100):
        calls = client.calls(CODEC)
        if calls and calls[0].status == "Connected":
            return calls[0]
        time.sleep(0.03)
    raise AssertionError(f"never connected: {calls}")


def test_a_call_is_dialled_seen_at_both_ends_and_ended(fleet: Fleet, client: XapiClient) -> None:
    call_id = client.dial(CODEC, BODO.uri, "K-10001/2")
    call = connected(client)
    assert (call.call_id, call.booking_id, call.direction) == (call_id, "K-10001/2", "Outgoing")
    assert len(fleet.studios["BODO"].calls) == 1
    client.disconnect(CODEC, call_id)
    client.disconnect(CODEC, call_id)
    assert client.calls(CODEC) == []
    assert fleet.studios["OSLO"].sessions == set()


def test_calls_and_peripherals_are_read_in_one_session(fleet: Fleet, client: XapiClient) -> None:
    plugged = Peripherals({"1": True}, {"1": True})
    assert client.status(CODEC, peripherals=True) == CodecStatus([], plugged, registered=True)
    assert client.status(CODEC, peripherals=False) == CodecStatus([], None)
    fleet.studios["OSLO"].suffer(Fault.CAMERA_UNPLUGGED)
    client.dial(CODEC, BODO.uri, "K-10001/2")
    connected(client)
    seen = client.status(CODEC, peripherals=True)
    assert ([call.booking_id for call in seen.calls], seen.peripherals) == (
        ["K-10001/2"],
        Peripherals({"1": False}, {"1": True}),
    )
    fleet.studios["OSLO"].suffer(Fault.MICROPHONE_UNPLUGGED)
    assert client.status(CODEC, peripherals=True).peripherals == Peripherals({"1": True}, {"1": False})
    assert fleet.studios["OSLO"].sessions == set()


def test_refusals_come_as_what_they_are(fleet: Fleet, client: XapiClient) -> None:
    with pytest.raises(Unauthorised):
        client.calls(Codec(CODEC.url, "studio", "feil"))
    with pytest.raises(UnknownNumber):
        client.dial(CODEC, "a" * 256, "1")
    fleet.studios["OSLO"].suffer(Fault.BUSY)
    with pytest.raises(Busy):
        client.dial(CODEC, BODO.uri, "1")
    assert fleet.studios["OSLO"].sessions == set()


def test_what_is_kept_is_one_session_ended_at_the_end(client: XapiClient, fleet: Fleet) -> None:
    sessions = fleet.studios["OSLO"].sessions
    with client.keep(CODEC):
        assert sessions == set()
        client.calls(CODEC)
        (first,) = sessions
        call_id = client.dial(CODEC, BODO.uri, "1")
        client.disconnect(CODEC, call_id)
        assert sessions == {first}
    assert sessions == set()


def test_a_codec_that_forgets_a_kept_session_is_signed_in_to_again(client: XapiClient, fleet: Fleet) -> None:
    sessions = fleet.studios["OSLO"].sessions
    with client.keep(CODEC):
        client.calls(CODEC)
        sessions.clear()  # as when it starts again
        client.dial(CODEC, BODO.uri, "1")
        assert len(fleet.studios["OSLO"].calls) == 1
    assert sessions == set()


def test_a_codec_whose_sessions_were_all_left_open_by_others_still_takes_orders(
    client: XapiClient, fleet: Fleet
) -> None:
    fleet.studios["OSLO"].sessions |= {"left", "by", "others"}
    client.dial(CODEC, BODO.uri, "1")
    assert [call.booking_id for call in client.calls(CODEC)] == ["1"]
    assert fleet.studios["OSLO"].sessions == {"left", "by", "others"}
