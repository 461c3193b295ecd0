"""A codec's HTTP interface, spoken to as a client would."""

import asyncio
import socket
import time
from functools import partial
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from simulation.studio import CallState, Fault
from tests.simulation.fleets import a_call, client_of, idle, in_call, studios, until

codecs = partial(studios, http_port=8080)


def dial_command(number: str, booking: str = "K-1") -> str:
    return (
        f'<Command><Dial command="True"><Number>{number}</Number><Protocol>Sip</Protocol>'
        f"<BookingId>{booking}</BookingId></Dial></Command>"
    )


def hang_up_command(call_id: object) -> str:
    return f'<Command><Call><Disconnect command="True"><CallId>{call_id}</CallId></Disconnect></Call></Command>'


async def command(client: httpx.AsyncClient, body: str | bytes):
    answer = await client.post("/putxml", content=body)
    assert answer.status_code == 200
    return fromstring(answer.content)[0]


async def shown(client: httpx.AsyncClient, location: str):
    answer = await client.get("/getxml", params={"location": location})
    assert answer.status_code == 200
    return fromstring(answer.content)


def test_a_dial_is_accepted_before_it_is_connected_and_seen_at_both_ends():
    async def trial():
        async with codecs(2) as (one, two), client_of(one.spec) as caller, client_of(two.spec) as called:
            accepted = await command(caller, dial_command(two.spec.uri))
            assert (accepted.tag, accepted.get("status")) == ("DialResult", "OK")
            await until(lambda: in_call(one, two))
            call = (await shown(caller, "/Status/Call")).find("Call")
            seen = (await shown(called, "Status/Call/")).find("Call")
            assert call.get("item") == accepted.findtext("CallId")
            assert {name: call.findtext(name) for name in ("Status", "Direction", "BookingId", "Duration")} == {
                "Status": "Connected",
                "Direction": "Outgoing",
                "BookingId": "K-1",
                "Duration": "0",
            }
            assert call.findtext("RemoteNumber") == two.spec.uri.removeprefix("sip:")
            assert call.findtext("CallbackNumber") == two.spec.uri
            assert seen.findtext("RemoteNumber") == one.spec.uri.removeprefix("sip:")
            assert (seen.findtext("AnswerState"), seen.findtext("DisplayName")) == ("Autoanswered", one.spec.name)
            assert seen.find("BookingId") is None
            ended = await command(caller, hang_up_command(accepted.findtext("CallId")))
            assert (ended.tag, ended.get("status")) == ("CallDisconnectResult", "OK")
            await until(lambda: idle(one, two))
            assert len(await shown(caller, "/Status/Call")) == 0

    asyncio.run(trial())


@pytest.mark.parametrize(
    "body",
    [
        dial_command(""),
        dial_command("someone@example.org"),
        dial_command("x" * 300),
        dial_command("x@127.0.0.1", "b" * 256),
        dial_command("x@127.0.0.1").replace("Sip", "H323"),
        hang_up_command(77),
        hang_up_command("x"),
        hang_up_command(""),
        '<Command><Self><Destruct command="True"/></Self></Command>',
        "<Command/>",
    ],
)
def test_a_command_that_cannot_be_done_is_an_error_with_http_200(body: str):
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec) as client:
            assert (await command(client, body)).get("status") == "Error"
            assert idle(studio)

    asyncio.run(trial())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Command>",
        b"<Other/>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="no-such"?><Command/>',
        b'<!DOCTYPE x [<!ENTITY a "b">]><Command>&a;</Command>',
    ],
)
def test_what_is_no_command_is_a_bad_request(body: bytes):
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec) as client:
            assert (await client.post("/putxml", content=body)).status_code == 400

    asyncio.run(trial())


def test_a_body_that_is_too_big_is_refused():
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec) as client:
            assert (await client.post("/putxml", content=b"<" * 70_000)).status_code == 413

    asyncio.run(trial())


def test_three_sessions_may_be_open_and_a_fourth_only_after_one_ends():
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec) as client:
            begun = [await client.post("/xmlapi/session/begin") for _ in range(4)]
            assert [answer.status_code for answer in begun] == [204, 204, 204, 503]
            cookie = {"SessionId": begun[0].cookies["SessionId"]}
            assert "HttpOnly" in begun[0].headers["set-cookie"]
            async with client_of(studio.spec, signed_in=False) as other:
                other.cookies.update(cookie)
                assert (await other.get("/getxml?location=/Status/Call")).status_code == 200
                assert (await other.post("/xmlapi/session/end")).status_code == 204
                assert (await other.get("/getxml?location=/Status/Call")).status_code == 401
            assert (await client.post("/xmlapi/session/begin")).status_code == 204

    asyncio.run(trial())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Basic !!"},
        {"authorization": "Bearer x"},
        {"authorization": "Basic c3R1ZGlvbmV0dDpmZWls"},
        {"cookie": "SessionId=made-up"},
        {"cookie": "SessionId="},
    ],
)
def test_without_the_password_or_a_session_nothing_is_told_or_done(headers: dict):
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec, signed_in=False) as client:
            for method, path in (
                ("POST", "/xmlapi/session/begin"),
                ("GET", "/getxml?location=/Status/Call"),
                ("POST", "/putxml"),
            ):
                assert (await client.request(method, path, headers=headers)).status_code == 401

    asyncio.run(trial())


def test_the_status_tree_is_told_whole_or_by_branch():
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec) as client:
            whole = await shown(client, "/Status")
            assert {"Audio", "SIP", "SystemUnit"} <= {node.tag for node in whole}
            assert whole.findtext("SystemUnit/Hardware/Module/SerialNumber") == studio.spec.serial
            branch = await shown(client, "/Status/SIP/Registration/Status")
            assert [node.tag for node in branch.iter()] == ["Status", "SIP", "Registration", "Status"]
            assert branch.findtext("SIP/Registration/Status") == "Registered"
            for wrong in ("/Status/Nonsense", "/Configuration", ""):
                assert (await client.get("/getxml", params={"location": wrong})).status_code == 400
            assert (await client.get("/elsewhere")).status_code == 404

    asyncio.run(trial())


def test_microphones_are_muted_and_unmuted():
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec) as client:
            for word, state in (("Mute", "On"), ("Unmute", "Off")):
                body = f'<Command><Audio><Microphones><{word} command="True"/></Microphones></Audio></Command>'
                assert (await command(client, body)).get("status") == "OK"
                assert (await shown(client, "/Status/Audio")).findtext("Audio/Microphones/Mute") == state

    asyncio.run(trial())


def test_an_unplugged_camera_and_microphone_are_told_as_a_codec_tells_them():
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec) as client:

            async def told() -> tuple[str | None, str | None]:
                tree = await shown(client, "/Status")
                camera = tree.findtext("Cameras/Camera[@item='1']/Connected")
                return camera, tree.findtext("Audio/Input/Connectors/Microphone[@item='1']/ConnectionStatus")

            assert await told() == ("True", "Connected")
            studio.suffer(Fault.CAMERA_UNPLUGGED)
            assert await told() == ("False", "Connected")
            assert [node.tag for node in await shown(client, "/Status/Cameras")] == ["Cameras"]
            studio.suffer(Fault.MICROPHONE_UNPLUGGED)
            assert await told() == ("True", "NotConnected")
            assert len(await shown(client, "/Status/Audio/Input/Connectors")) == 1
            studio.suffer(Fault.CLEAR)
            assert await told() == ("True", "Connected")

    asyncio.run(trial())


def test_the_call_log_tells_why_the_last_call_ended():
    async def trial():
        async with codecs(2) as (one, two), client_of(one.spec) as client:
            two.suffer(Fault.DECLINES)
            await command(client, dial_command(two.spec.uri, "K-9"))
            await until(lambda: idle(one))
            log = await command(client, '<Command><CallHistory><Get command="True"/></CallHistory></Command>')
            assert log.findtext("Entry/DisconnectCauseType") == "RemoteRejected"
            assert log.findtext("Entry/BookingId") == "K-9"

    asyncio.run(trial())


def test_one_disconnect_all_ends_every_call():
    async def trial():
        async with codecs(3) as (host, *guests), client_of(host.spec) as client:
            for guest in guests:
                a_call(host, guest)
            await until(lambda: in_call(host, *guests))
            await command(client, '<Command><Call><DisconnectAll command="True"/></Call></Command>')
            await until(lambda: idle(host, *guests))

    asyncio.run(trial())


def test_a_busy_codec_refuses_to_dial():
    async def trial():
        async with codecs(2) as (one, two), client_of(one.spec) as client:
            one.suffer(Fault.BUSY)
            assert (await command(client, dial_command(two.spec.uri))).get("status") == "Error"
            call = (await shown(client, "/Status/Call")).find("Call")
            assert call.findtext("Status") == CallState.CONNECTED

    asyncio.run(trial())


def test_a_dead_codec_takes_the_request_and_never_answers():
    async def trial():
        async with codecs(2) as (one, two), client_of(one.spec) as client:
            one.suffer(Fault.DEAD)
            with pytest.raises(httpx.ReadTimeout):
                await client.post("/putxml", content=dial_command(two.spec.uri), timeout=0.3)
            assert idle(one, two)

    asyncio.run(trial())


def test_a_slow_codec_carries_out_at_once_and_answers_late():
    async def trial():
        async with codecs(2) as (one, two), client_of(one.spec) as client:
            one.suffer(Fault.SLOW)
            with pytest.raises(httpx.ReadTimeout):
                await client.post("/putxml", content=dial_command(two.spec.uri), timeout=0.1)
            await until(lambda: in_call(one, two))
            started = time.monotonic()
            assert (await client.get("/getxml?location=/Status/Call")).status_code == 200
            assert time.monotonic() - started >= one.timings.slow

    asyncio.run(trial())


def test_a_name_with_unprintable_characters_still_makes_good_xml():
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec) as client:
            line = studio.phone.place(studio._new_call("Incoming", "x"), "sip:x@127.0.0.1", studio.spec.uri, "")
            studio.receive("sip:\x01<&>@127.0.0.1", "\x00\x1b]\ufffe", "", line)
            call = (await shown(client, "/Status/Call")).find("Call")
            assert call.findtext("RemoteNumber") == "<&>@127.0.0.1"

    asyncio.run(trial())


def test_a_stranger_that_sends_rubbish_or_goes_away_does_no_harm():
    async def trial():
        async with codecs(1) as (studio,), client_of(studio.spec) as client:
            for rubbish in (b"", b"\x00" * 1000, b"POST /putxml HTTP/1.1\r\ncontent-length: 99\r\n\r\n<Comm"):
                with socket.create_connection((studio.spec.address, 8080)) as stranger:
                    stranger.sendall(rubbish)
            assert (await client.get("/getxml?location=/Status/Call")).status_code == 200

    asyncio.run(trial())
