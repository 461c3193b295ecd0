import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devices.errors import (
    Ambiguous,
    BadAnswer,
    Busy,
    CapacityFull,
    DeviceError,
    NoAnswer,
    RateLimited,
    Rejected,
    Unauthorised,
    UnknownNumber,
    Unreachable,
)
from devices.xapi import Codec, CodecCall, XapiClient
from tests.devices import codec as play

REFUSED = '<Command><DialResult status="Error"><Cause>{}</Cause><Description>{}</Description></DialResult></Command>'
NOT_READABLE = {
    "no XML": b"<html><p>Welcome",
    "empty": b"",
    "entities": b'<!DOCTYPE a [<!ENTITY b "c">]><Status>&b;</Status>',
    "an unknown encoding": b'<?xml version="1.0" encoding="klingon"?><Status/>',
    "another document": b"<Configuration/>",
    "a call without a number": b"<Status><Call><Status>Connected</Status></Call></Status>",
}


@pytest.fixture
def played() -> Iterator[play.PlayedCodec]:
    with play.playing() as played:
        yield played


@pytest.fixture
def client() -> Iterator[XapiClient]:
    with XapiClient(connect=1.0, read=0.4) as client:
        yield client


def test_a_dial_gives_the_call_id_and_ends_its_session(played: play.PlayedCodec, client: XapiClient) -> None:
    assert client.dial(played.codec, "oslo@nhn.example", "C-1001/2") == "3"
    assert [path for path, _ in played.asked] == ["/xmlapi/session/begin", "/putxml", "/xmlapi/session/end"]
    assert played.sessions == set()


def test_calls_tells_who_is_connected_for_which_booking(played: play.PlayedCodec, client: XapiClient) -> None:
    expected = CodecCall("3", "Connected", "Outgoing", "oslo@nhn.example", "C-1001/2", 42)
    assert client.calls(played.codec) == [expected]
    assert played.asked[1][0] == "/getxml?location=/Status/Call"


@pytest.mark.parametrize(
    "idle",
    [
        b'<Status product="Cisco Codec"/>',
        b"<EmptyResult/>",
        b'<Status><Status status="Error"><Reason>No match on address expression</Reason></Status></Status>',
        b'<Status><Call item="3" ghost="True"/></Status>',
    ],
)
def test_a_codec_without_calls_is_idle(played: play.PlayedCodec, client: XapiClient, idle: bytes) -> None:
    played.paths["/getxml"] = play.answering(idle)
    assert client.calls(played.codec) == []


def test_markup_in_a_number_stays_text(played: play.PlayedCodec, client: XapiClient) -> None:
    client.dial(played.codec, "</Number><Protocol>H323</Protocol>&amp;", "a<b")
    sent = played.asked[1][1]
    assert b"<Number>&lt;/Number&gt;&lt;Protocol&gt;H323&lt;/Protocol&gt;&amp;amp;</Number>" in sent
    assert b"<BookingId>a&lt;b</BookingId>" in sent


def test_nothing_is_sent_for_a_number_that_is_none(played: play.PlayedCodec, client: XapiClient) -> None:
    for number in ("", " ", "oslo\x00", "oslo\nfoo"):
        with pytest.raises(UnknownNumber):
            client.dial(played.codec, number, "1")
    assert played.asked == []


@pytest.mark.parametrize(
    ("cause", "description", "kind"),
    [
        ("LocalBusy", "", Busy),
        ("17", "The far end is busy", Busy),
        ("RemoteNoAnswer", "", NoAnswer),
        ("UnknownRemoteSite", "", UnknownNumber),
        ("17", "Maximum number of calls reached", Busy),
        ("34", "No free ports", CapacityFull),
        ("RemoteRejected", "Declined", Rejected),
        ("99", "Something nobody has seen before", Rejected),
    ],
)
def test_an_error_with_http_200_is_told_by_its_cause(
    played: play.PlayedCodec, client: XapiClient, cause: str, description: str, kind: type[DeviceError]
) -> None:
    played.paths["/putxml"] = play.answering(REFUSED.format(cause, description).encode())
    with pytest.raises(kind) as caught:
        client.dial(played.codec, "oslo@nhn.example", "1")
    assert type(caught.value) is kind
    assert (description or cause) in str(caught.value)
    assert played.sessions == set()


def test_a_wrong_password_is_unauthorised_and_is_never_shown(played: play.PlayedCodec, client: XapiClient) -> None:
    wrong = replace(played.codec, password="gjettet")
    with pytest.raises(Unauthorised) as caught:
        client.dial(wrong, "oslo@nhn.example", "1")
    assert "gjettet" not in repr(wrong) + str(caught.value)


def test_too_many_sessions_is_rate_limited(played: play.PlayedCodec, client: XapiClient) -> None:
    played.paths["/xmlapi/session/begin"] = play.answering(b"Too many sessions", 503)
    with pytest.raises(RateLimited):
        client.calls(played.codec)


@pytest.mark.parametrize("fate", [play.silent, play.hanging_up, play.cut, play.no_http, play.answering(b"", 500)])
def test_an_answer_lost_after_the_dial_was_sent_is_ambiguous(
    played: play.PlayedCodec, client: XapiClient, fate: play.Behaviour
) -> None:
    played.paths["/putxml"] = fate
    with pytest.raises(Ambiguous):
        client.dial(played.codec, "oslo@nhn.example", "1")
    assert played.sessions == set()


@pytest.mark.parametrize("garbage", [b"<html>", b"", b"<Other/>", b'<Command><DialResult status="OK"/></Command>'])
def test_a_dial_answered_by_garbage_may_have_been_done(
    played: play.PlayedCodec, client: XapiClient, garbage: bytes
) -> None:
    played.paths["/putxml"] = play.answering(garbage)
    with pytest.raises(Ambiguous):
        client.dial(played.codec, "oslo@nhn.example", "1")


@pytest.mark.parametrize("fate", [play.silent, play.hanging_up])
def test_a_codec_lost_before_the_dial_was_sent_is_unreachable(
    played: play.PlayedCodec, client: XapiClient, fate: play.Behaviour
) -> None:
    played.paths["/xmlapi/session/begin"] = fate
    with pytest.raises(Unreachable):
        client.dial(played.codec, "oslo@nhn.example", "1")
    assert "/putxml" not in [path for path, _ in played.asked]


@pytest.mark.parametrize(
    "url",
    ["http://127.202.0.1:9", "ftp://127.202.0.1", "not an address", "http://[::", "https://127.202.0.1:9", ""],
)
def test_a_codec_that_isn_t_there_is_unreachable(client: XapiClient, url: str) -> None:
    with pytest.raises(Unreachable):
        client.calls(Codec(url, "studio", "x"))


@pytest.mark.parametrize("garbage", NOT_READABLE.values(), ids=NOT_READABLE)
def test_an_unreadable_answer_is_a_bad_answer(played: play.PlayedCodec, client: XapiClient, garbage: bytes) -> None:
    played.paths["/getxml"] = play.answering(garbage)
    with pytest.raises(BadAnswer):
        client.calls(played.codec)
    assert played.sessions == set()


def test_an_answer_without_a_session_cookie_is_a_bad_answer(played: play.PlayedCodec, client: XapiClient) -> None:
    played.paths["/xmlapi/session/begin"] = play.answering(b"<html>Login</html>")
    with pytest.raises(BadAnswer):
        client.calls(played.codec)


def test_a_huge_answer_is_dropped_early(played: play.PlayedCodec, client: XapiClient) -> None:
    played.paths["/getxml"] = play.endless
    started = time.monotonic()
    with pytest.raises(BadAnswer):
        client.calls(played.codec)
    assert time.monotonic() - started < 1
    assert played.sessions == set()


def test_a_dripping_codec_is_left_at_the_deadline(played: play.PlayedCodec, client: XapiClient) -> None:
    played.paths["/getxml"] = play.dripping
    started = time.monotonic()
    with pytest.raises(Unreachable):
        client.calls(played.codec, deadline=1.0)
    assert time.monotonic() - started < 1.3
    assert played.sessions == set()


def test_a_dripping_session_end_neither_hides_the_answer_nor_outlasts_the_deadline(
    played: play.PlayedCodec, client: XapiClient
) -> None:
    played.paths["/xmlapi/session/end"] = play.dripping
    started = time.monotonic()
    assert client.dial(played.codec, "oslo@nhn.example", "1", deadline=1.0) == "3"
    assert time.monotonic() - started < 1.3


def test_a_failing_session_end_doesn_t_mask_the_real_error(played: play.PlayedCodec, client: XapiClient) -> None:
    played.paths["/putxml"] = play.answering(REFUSED.format("LocalBusy", "").encode())
    played.paths["/xmlapi/session/end"] = play.answering(b"", 500)
    with pytest.raises(Busy):
        client.dial(played.codec, "oslo@nhn.example", "1")


def test_disconnect_ends_the_call(played: play.PlayedCodec, client: XapiClient) -> None:
    played.paths["/putxml"] = play.answering(play.DISCONNECTED)
    client.disconnect(played.codec, "3")
    assert b'<Call><Disconnect command="True"><CallId>3</CallId></Disconnect></Call>' in played.asked[1][1]


def test_disconnecting_a_call_that_isn_t_there_is_a_success(played: play.PlayedCodec, client: XapiClient) -> None:
    refused = (
        b'<Command><DisconnectResult status="Error"><Reason>Ingen slik samtale</Reason></DisconnectResult></Command>'
    )
    played.paths["/putxml"] = play.answering(refused)
    client.disconnect(played.codec, "4")
    with pytest.raises(Rejected):
        client.disconnect(played.codec, "3")
    assert played.sessions == set()


def test_two_codecs_on_one_address_keep_their_sessions_apart(client: XapiClient) -> None:
    with play.playing() as one, play.playing() as other, ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(client.calls, played.codec) for played in [one, other] * 8]
        assert all(len(answer.result()) == 1 for answer in answers)
        assert one.begun == other.begun == 8
        assert one.sessions == other.sessions == set()


def test_threads_keep_their_own_deadlines(client: XapiClient) -> None:
    with play.playing() as slow, play.playing() as quick:
        slow.paths["/getxml"] = play.dripping
        waiting = threading.Thread(target=pytest.raises, args=(Unreachable, client.calls, slow.codec))
        waiting.start()
        assert len(client.calls(quick.codec, deadline=1.0)) == 1
        slow.released.set()
        waiting.join(3)
        assert not waiting.is_alive()


def test_https_is_spoken_and_its_certificate_checked(tmp_path: Path) -> None:
    with play.playing(_server_context(tmp_path)) as played:
        trusting = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        with XapiClient(verify=trusting) as client:
            assert client.dial(played.codec, "oslo@nhn.example", "1") == "3"
        with XapiClient(verify=False) as client:
            assert len(client.calls(played.codec)) == 1
        with XapiClient() as client, pytest.raises(Unreachable, match="certificate"):
            client.calls(played.codec)


def _server_context(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "codec")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(play.HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
