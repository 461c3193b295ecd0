"""A stored message as the mail that goes out, read again with Python's own parser."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.composing import compose
from messages.rules import file_name, one_line, storable

ASKED_AT = datetime(2026, 11, 21, 3, 0, 7, tzinfo=UTC)
ODD = st.text(max_size=200).map(storable)


def written(**changes):
    values = {
        "key": "k",
        "created_at": ASKED_AT,
        "sender": Address("Studiønett, døgnet rundt", addr_spec="studionett@example.org"),
        "recipient": "eva@example.org",
        "subject": "Bruken i går",
        "body": "Hei",
    }
    return compose(**{**values, **changes}).as_bytes()


def read(content):
    return message_from_bytes(content, policy=SMTP)


def test_the_headers_say_what_it_is():
    mail = read(written())
    assert mail["Date"].datetime == ASKED_AT
    assert mail["From"].addresses[0].addr_spec == "studionett@example.org"
    assert mail["From"].addresses[0].display_name == "Studiønett, døgnet rundt"
    assert mail["To"] == "eva@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == read(written(body="other"))["Message-ID"]


WORDS = [
    "Bruk",
    "lørdag",
    "21.",
    "æøå",
    "—",
    "=?utf-8?q?x?=",
    '"sitat"',
    "<a@b.c>",
    "(kommentar)",
    ";",
    "😀😀",
    "x" * 90,
]


@given(subject=st.one_of(ODD, st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)))
def test_any_subject_arrives_as_one_line_and_adds_no_header(subject):
    content = written(subject=subject)
    mail = read(content)
    assert mail["Subject"] == one_line(subject)
    expected = {"Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version"}
    assert set(mail.keys()) - {"Content-Type", "Content-Transfer-Encoding"} == expected
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998


@given(body=ODD)
def test_any_body_arrives_with_its_lines_ended_alike(body):
    got = read(written(body=body)).get_content().replace("\r\n", "\n")
    alike = body.replace("\r\n", "\n").replace("\r", "\n")
    assert got == alike if alike.endswith("\n") else got == alike + "\n"


@given(content=st.text().map(storable), name=st.text(min_size=1, max_size=80).map(storable))
def test_any_attachment_arrives_to_the_byte(content, name):
    attached = {"name": name, "type": "text/csv", "content": content}
    [part] = read(written(attachments=[attached])).iter_attachments()
    assert part.get_payload(decode=True) == content.encode()
    assert part.get_filename() == file_name(name)
    assert part.get_content_type() == "text/csv"


def test_a_calendar_entry_keeps_its_method():
    attached = {"name": "møte.ics", "type": "text/calendar; method=REQUEST", "content": "BEGIN:VCALENDAR\r\n"}
    [part] = read(written(attachments=[attached])).iter_attachments()
    assert part["Content-Type"].params == {"method": "REQUEST", "charset": "utf-8"}
    assert part.get_filename() == "møte.ics"


@pytest.mark.parametrize("kind", ["", "nonsense", "multipart/mixed", "message/rfc822", "text/csv\r\nBcc: x@y.z"])
def test_an_odd_type_does_not_stop_an_attachment(kind):
    mail = read(written(attachments=[{"name": "a", "type": kind, "content": "æ"}]))
    [part] = mail.iter_attachments()
    assert part.get_payload(decode=True) == "æ".encode()
    assert "Bcc" not in mail
    assert "Bcc" not in part


def test_lines_that_mean_something_to_mail_servers_are_only_text():
    body = ".\nFrom me\n" + "x" * 5000 + "\n"
    assert read(written(body=body)).get_content().replace("\r\n", "\n") == body
