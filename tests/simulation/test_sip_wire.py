"""A studio's SIP user agent, as a stranger on the wire sees it (RFC 3261)."""

import asyncio
import itertools
import logging
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation.sip_messages import SipRequest, SipResponse, parse, to_bytes
from simulation.sip_phone import SipPhone
from simulation.sip_sdp import answer, offer
from simulation.studio import SimulatedStudio, StudioSpec, Timings
from tests.simulation.fleets import QUICK, fleet_of, idle, in_call, own_address, studios, until

SDP = [("content-type", "application/sdp")]
_branches = itertools.count()


class Stranger:
    """A hand-made user agent: sends what a test wants, keeps what comes."""

    def __init__(self, studio: SimulatedStudio, **details: Any) -> None:
        self.studio, self.address = studio, own_address()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 5060))
        self.socket.setblocking(False)

    async def __aenter__(self) -> "Stranger":
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.socket.close()

    def request(self, method: str, **changes: Any) -> SipRequest:
        spec = self.studio.spec
        headers = {
            "via": f"SIP/2.0/UDP {self.address}:5060;branch=z9hG4bK{next(_branches)};rport",
            "from": f"<sip:stranger@{self.address}>;tag=theirs",
            "to": f"<{spec.uri}>",
            "call-id": f"call@{self.address}",
            "cseq": f"1 {method}",
            "contact": f"<sip:{self.address}:5060>",
            **changes.get("headers", {}),
        }
        pairs = [pair for pair in headers.items() if pair[1]]
        body = changes.get("body", b"")
        return SipRequest(pairs + (SDP if body else []), body, method, changes.get("uri", spec.uri))

    def send(self, message: SipRequest | SipResponse) -> None:
        self.send_bytes(to_bytes(message))

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendto(data, (self.studio.spec.address, 5060))

    async def receive(self) -> Any:
        loop = asyncio.get_running_loop()
        return parse(await asyncio.wait_for(loop.sock_recv(self.socket, 65_535), 3))

    async def final(self, method: str = "INVITE") -> SipResponse:
        """The next final response to such a request; provisional ones are passed over."""
        while True:
            message = await self.receive()
            if isinstance(message, SipResponse) and message.status >= 200 and message.cseq[1] == method:
                return message

    async def next_request(self, method: str) -> SipRequest:
        while True:
            message = await self.receive()
            if isinstance(message, SipRequest) and message.method == method:
                return message

    async def call(self) -> tuple[SipRequest, SipResponse]:
        """INVITE, 200, ACK."""
        invite = self.request("INVITE", body=offer(self.address))
        self.send(invite)
        accepted = await self.final()
        self.send(self.request("ACK", headers={"to": accepted.get("to")}))
        await until(lambda: in_call(self.studio))
        return invite, accepted


def test_an_invitation_gets_trying_ringing_and_ok_with_an_answer_and_one_tag():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            stranger.send(stranger.request("INVITE", body=offer(stranger.address)))
            answers = [await stranger.receive() for _ in range(3)]
            assert [each.status for each in answers] == [100, 180, 200]
            assert answers[0].to_tag == ""
            assert answers[1].to_tag == answers[2].to_tag != ""
            assert answers[2].get("contact") == f"<sip:{studio.spec.address}:5060>"
            assert f"received={stranger.address}" in answers[2].get("via")
            assert b"m=audio 9 RTP/AVP 8\r\n" in answers[2].body

    asyncio.run(trial())


def test_ok_is_said_again_until_it_is_acknowledged_and_only_then_is_the_call_connected():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            stranger.send(stranger.request("INVITE"))
            first, second = await stranger.final(), await stranger.final()
            assert (first.status, to_bytes(first)) == (200, to_bytes(second))
            assert not in_call(studio)
            stranger.send(stranger.request("ACK", headers={"to": first.get("to")}))
            await until(lambda: in_call(studio))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stranger.final(), 0.5)

    asyncio.run(trial())


def test_a_call_that_nobody_acknowledges_is_given_up_with_a_goodbye():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            stranger.send(stranger.request("INVITE"))
            bye = await stranger.next_request("BYE")
            assert bye.from_tag
            assert idle(studio)

    asyncio.run(trial())


def test_an_invitation_that_comes_twice_rings_once():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            invite = stranger.request("INVITE")
            stranger.send(invite)
            stranger.send(invite)
            statuses = [(await stranger.receive()).status for _ in range(3)]
            assert 486 not in statuses
            assert len(studio.calls) == 1

    asyncio.run(trial())


def test_a_cancelled_invitation_is_answered_487_and_its_cancel_200():
    async def trial():
        async with studios(1, Timings(ring=(60, 60), sip_t1=0.03)) as (studio,), Stranger(studio) as stranger:
            invite = stranger.request("INVITE")
            stranger.send(invite)
            await until(lambda: studio.calls)
            stranger.send(stranger.request("CANCEL", headers={"via": invite.get("via")}))
            answers = {response.cseq[1]: response.status for response in [await stranger.receive() for _ in range(4)]}
            assert answers == {"INVITE": 487, "CANCEL": 200}
            assert idle(studio)

    asyncio.run(trial())


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"uri": "sip:someone@127.0.0.1"}, 404),
        ({"uri": "tel:+4722000000"}, 416),
        ({"headers": {"require": "100rel"}}, 420),
        ({"headers": {"to": "<sip:x@127.0.0.1>;tag=never"}}, 481),
        ({"body": b"v=0\r\nm=audio 9 RTP/SAVP 8\r\n"}, 488),
    ],
)
def test_an_invitation_that_cannot_be_taken_is_refused_by_name(changes: dict, status: int):
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            stranger.send(stranger.request("INVITE", **changes))
            assert (await stranger.final()).status == status
            await until(lambda: idle(studio))

    asyncio.run(trial())


@pytest.mark.parametrize(
    ("method", "status"), [("BYE", 481), ("CANCEL", 481), ("OPTIONS", 200), ("REGISTER", 405), ("NONSENSE", 405)]
)
def test_a_request_outside_any_call_is_answered(method: str, status: int):
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            stranger.send(stranger.request(method))
            assert (await stranger.final(method)).status == status

    asyncio.run(trial())


def test_a_goodbye_ends_the_call_once_and_is_answered_again_when_it_comes_again():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            _, accepted = await stranger.call()
            bye = stranger.request("BYE", headers={"to": accepted.get("to"), "cseq": "2 BYE"})
            for _ in range(2):
                stranger.send(bye)
                assert (await stranger.final("BYE")).status == 200
            assert idle(studio)
            assert len(studio.history) == 1

    asyncio.run(trial())


def test_a_request_older_than_the_last_in_its_call_is_out_of_order():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            _, accepted = await stranger.call()
            stranger.send(stranger.request("BYE", headers={"to": accepted.get("to"), "cseq": "0 BYE"}))
            assert (await stranger.final("BYE")).status == 500
            assert in_call(studio)

    asyncio.run(trial())


def test_a_renewed_invitation_in_a_call_is_accepted_and_changes_nothing():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            _, accepted = await stranger.call()
            headers = {"to": accepted.get("to"), "cseq": "2 INVITE"}
            stranger.send(stranger.request("INVITE", headers=headers, body=offer(stranger.address)))
            renewed = await stranger.final()
            assert (renewed.status, renewed.to_tag) == (200, accepted.to_tag)
            stranger.send(stranger.request("ACK", headers={"to": accepted.get("to"), "cseq": "2 ACK"}))
            assert in_call(studio)

    asyncio.run(trial())


def test_a_studio_that_dials_repeats_its_invitation_and_acknowledges_every_ok():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            studio.dial(f"stranger@{stranger.address}")
            first, second = await stranger.next_request("INVITE"), await stranger.next_request("INVITE")
            assert first.branch == second.branch
            headers = [pair for pair in first.headers if pair[0] in {"via", "from", "call-id", "cseq"}]
            headers += [("to", first.get("to") + ";tag=theirs"), ("contact", f"<sip:other@{stranger.address}:5060>")]
            accepted = SipResponse(headers, b"", 200, "OK")
            for _ in range(2):
                stranger.send(accepted)
                ack = await stranger.next_request("ACK")
                assert (ack.uri, ack.cseq, ack.to_tag) == (f"sip:other@{stranger.address}:5060", (1, "ACK"), "theirs")
                assert ack.branch != first.branch
            studio.hang_up(next(iter(studio.calls)))
            goodbyes = [await stranger.next_request("BYE") for _ in range(2)]
            assert {bye.cseq for bye in goodbyes} == {(2, "BYE")}

    asyncio.run(trial())


def test_a_refusal_is_acknowledged_on_the_invitations_own_branch():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            studio.dial(f"stranger@{stranger.address}")
            invite = await stranger.next_request("INVITE")
            headers = [pair for pair in invite.headers if pair[0] in {"via", "from", "call-id", "cseq"}]
            stranger.send(SipResponse([*headers, ("to", invite.get("to") + ";tag=no")], b"", 480, "Away"))
            ack = await stranger.next_request("ACK")
            assert (ack.branch, ack.to_tag) == (invite.branch, "no")
            assert studio.history[-1].cause == "RemoteNoAnswer"

    asyncio.run(trial())


def test_a_recorded_route_is_followed_by_what_the_studio_says_in_the_call():
    async def trial():
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            proxy = f"<sip:{stranger.address};lr>"
            stranger.send(stranger.request("INVITE", headers={"record-route": proxy, "contact": "<sip:x@127.9.9.9>"}))
            accepted = await stranger.final()
            assert accepted.get("record-route") == proxy
            stranger.send(stranger.request("ACK", headers={"to": accepted.get("to")}))
            await until(lambda: in_call(studio))
            studio.hang_up(next(iter(studio.calls)))
            bye = await stranger.next_request("BYE")
            assert (bye.get("route"), bye.uri) == (proxy, "sip:x@127.9.9.9")

    asyncio.run(trial())


def test_streams_other_than_audio_and_video_are_refused_one_by_one():
    offered = b"v=0\r\nm=audio 4000 RTP/AVP 96 0\r\na=rtpmap:96 opus/48000/2\r\nm=application 5 UDP/BFCP *\r\n"
    taken = (answer(offered, "127.0.0.1") or b"").decode().splitlines()
    assert [line for line in taken if line[:2] in {"m=", "a="}] == [
        "m=audio 9 RTP/AVP 96",
        "a=rtpmap:96 opus/48000/2",
        "a=inactive",
        "m=application 0 UDP/BFCP *",
    ]


class _Wire(asyncio.DatagramTransport):
    """The far edge of the network: takes everything, says nothing."""

    def sendto(self, data: Any, addr: Any = None) -> None:
        assert data

    def is_closing(self) -> bool:
        return False


WORDS = st.sampled_from(
    ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "sip:OUS01@127.0.0.1", "", "a,b", '"', "<", ">;tag="]
)
LINES = st.lists(
    st.tuples(
        st.sampled_from(["Via", "From", "To", "Contact", "Record-Route", "Require", "v", "Route"]), st.text(max_size=30)
    ),
    max_size=6,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=WORDS, uri=WORDS, lines=LINES, to_tag=WORDS, body=st.binary(max_size=60), repeats=st.integers(1, 3))
def test_no_datagram_however_made_gets_past_the_handler(caplog, method, uri, lines, to_tag, body, repeats):
    extra = "".join(f"{name}: {value}\r\n" for name, value in lines)
    head = (
        f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:x>;tag=1\r\n"
        f"To: <sip:y>;tag={to_tag}\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\nContent-Type: application/sdp\r\n{extra}\r\n"
    )

    async def trial():
        phone = SipPhone(SimulatedStudio(StudioSpec("OUS01", "Oslo", "127.0.0.1"), QUICK))
        phone.connection_made(_Wire())
        for _ in range(repeats):
            phone.datagram_received(head.encode("utf-8", "replace") + body, ("127.0.0.1", 5060))

    caplog.set_level(logging.ERROR)
    asyncio.run(trial())
    assert not caplog.records


def test_rubbish_on_the_wire_leaves_the_studio_ready_for_a_call():
    async def trial():
        async with fleet_of() as fleet:
            assert not fleet.studios
        async with studios(1) as (studio,), Stranger(studio) as stranger:
            for rubbish in (b"", b"\x00", b"\r\n\r\n", b"INVITE", b"\xff" * 60_000):
                stranger.send_bytes(rubbish)
            await stranger.call()

    asyncio.run(trial())
