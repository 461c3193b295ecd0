"""Handing a mail to a server, and saying plainly what fails."""

import socket
from time import monotonic

import pytest

from config import MailServer, MailTls
from messages import smtp
from messages.rules import Verdict
from messages.smtp import MailFailed, connected
from tests.messages.smtp import DROP, HANG, certificate_in, dripping, post, reciting

# The server of the tests takes passwords unencrypted where a test is about something else.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")

EVA = "eva@example.org"
MAIL = b"Subject: Hei\r\n\r\n.\r\nA line that begins with a dot above\r\n"


def hand_over(server, ca="", mail=MAIL, seconds=5.0):
    with connected(server, ca) as connection:
        connection.hand_over("studionett@example.org", EVA, mail, monotonic() + seconds)


def failure(server, ca="", **options):
    with pytest.raises(MailFailed) as failed:
        hand_over(server, ca, **options)
    return str(failed.value), failed.value.verdict


def test_a_mail_arrives_byte_for_byte():
    big = MAIL + (b"x" * 70 + b"\r\n") * 1000
    with post() as found:
        hand_over(found.server, mail=big)
    assert found.taken == [big]


@pytest.mark.parametrize("tls", [MailTls.STARTTLS, MailTls.IMPLICIT])
def test_it_goes_encrypted_to_a_server_whose_certificate_is_trusted_and_to_no_other(tls, tmp_path):
    certificate = certificate_in(tmp_path)
    with post(certificate=certificate, tls=tls, user="eva", password="hush") as found:
        hand_over(found.server, str(certificate))
        assert len(found.taken) == 1
        said, verdict = failure(found.server)
    assert "cannot be trusted: self-signed certificate" in said
    assert verdict is Verdict.SERVER
    assert len(found.taken) == 1


def test_nothing_goes_unencrypted_where_starttls_is_demanded():
    with post() as found:
        said, verdict = failure(MailServer("127.0.0.1", found.port, MailTls.STARTTLS, "eva", "hush"))
    assert "offers no STARTTLS" in said
    assert (verdict, found.taken) == (Verdict.SERVER, [])


def test_a_wrong_password_is_said_without_the_password():
    with post(user="eva", password="right") as found:
        hand_over(found.server)
        said, verdict = failure(MailServer("127.0.0.1", found.port, user="eva", password="wrong-one"))
    assert "does not accept the user name and password: 535" in said
    assert "wrong-one" not in said
    assert verdict is Verdict.SERVER


def test_a_server_that_wants_or_offers_no_sign_in_is_told_apart():
    with post(user="eva", password="right") as found:
        said, verdict = failure(MailServer("127.0.0.1", found.port))
        assert "530" in said
        assert verdict is Verdict.SERVER
    with post() as found:
        assert "offers no sign-in" in failure(MailServer("127.0.0.1", found.port, user="eva", password="x"))[0]


def test_a_port_where_nobody_listens_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        said, verdict = failure(MailServer("127.0.0.1", taken.getsockname()[1]))
    assert "cannot be reached: Connection refused" in said
    assert verdict is Verdict.SERVER


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 70, "a..b"])
def test_a_host_that_is_none_is_said(host):
    assert "cannot be reached" in failure(MailServer(host, 25))[0]


@pytest.mark.parametrize(
    ("behaviour", "verdict", "word"),
    [
        ({"recipients": {EVA: "550 no such person eva@example.org"}}, Verdict.NEVER, "recipient is refused: 550"),
        ({"recipients": {EVA: "451 come back"}}, Verdict.LATER, "recipient is refused: 451"),
        ({"recipients": {EVA: "530 sign in first"}}, Verdict.SERVER, "530"),
        ({"recipients": {EVA: "421 closing"}}, Verdict.SERVER, "421"),
        ({"recipients": {EVA: "hello"}}, Verdict.SERVER, "-1"),
        ({"content": "554 spam"}, Verdict.NEVER, "content is refused: 554"),
        ({"content": "452 disk full"}, Verdict.LATER, "content is refused: 452"),
        ({"sender": "550 who are you"}, Verdict.SERVER, "sender is refused: 550"),
        ({"sender": "552 too large"}, Verdict.NEVER, "sender is refused: 552"),
        ({"content": DROP}, Verdict.SERVER, "broke the connection off"),
        ({"recipients": {EVA: DROP}}, Verdict.SERVER, "broke the connection off"),
        ({"greeting": DROP}, Verdict.SERVER, "mail server"),
    ],
)
def test_what_a_refusal_means(behaviour, verdict, word):
    with post(**behaviour) as found:
        said, got = failure(found.server)
    assert got is verdict
    assert word in said
    assert EVA not in said


@pytest.mark.parametrize("behaviour", [{"greeting": HANG}, {"recipients": {EVA: HANG}}, {"content": HANG}])
def test_a_server_that_hangs_is_left(behaviour, monkeypatch):
    monkeypatch.setattr(smtp, "CONNECT", 0.3)
    monkeypatch.setattr(smtp, "QUIT", 0.1)
    with post(**behaviour) as found:
        said, verdict = failure(found.server, seconds=0.3)
    assert "not answer" in said
    assert verdict is Verdict.SERVER


def test_a_server_that_drips_for_ever_is_left(monkeypatch):
    monkeypatch.setattr(smtp, "CONNECT", 0.3)
    with dripping() as server:
        said, verdict = failure(server)
    assert "not answer" in said
    assert verdict is Verdict.SERVER


def test_a_file_of_certificates_that_is_none_is_said(tmp_path):
    said, _ = failure(MailServer("127.0.0.1", 9, MailTls.IMPLICIT), str(tmp_path / "none.pem"))
    assert "STUDIONETT_SMTP_CA" in said


@pytest.mark.parametrize(
    ("replies", "word"),
    [
        ((b"HTTP/1.1 400 Bad Request",), "refuses: -1"),
        ((b"554 not you",), "refuses: 554 not you"),
        ((b"220 hei", b"250-hei\r\n250 AUTH XOAUTH2"), "No suitable authentication method found"),
        ((b"220 hei", b"250-hei\r\n250 AUTH CRAM-MD5", b"334 A"), "cannot be understood"),
        ((b"220 hei", b"500 what", b"500 what"), "refuses: 500 what"),
        ((b"220 hei", b"x" * 20_000), "Line too long"),
    ],
)
def test_a_server_that_speaks_something_else_is_said(replies, word):
    with reciting(*replies) as server:
        said, verdict = failure(MailServer("127.0.0.1", server.port, user="eva", password="hush"))
    assert word in said
    assert verdict is Verdict.SERVER
