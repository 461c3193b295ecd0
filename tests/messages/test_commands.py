"""`studionett mail ...`."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from config import MailServer
from messages.outbox import queue
from messages.sending import send_due
from models import Message, database_now, db, write
from tests.messages.smtp import post

EVA, OLA = "eva@example.org", "ola@example.org"


@pytest.fixture
def mail(app):
    with post() as found:
        app.config["STUDIONETT"] = replace(app.config["STUDIONETT"], **found.settings)
        yield found


def run(app, *arguments):
    result = app.test_cli_runner().invoke(args=["mail", *arguments])
    return result.exit_code, result.output


def ask(key, recipient=EVA):
    write(lambda: queue(key=key, recipient=recipient, subject=key, body="Hei"))


def test_the_status_says_what_waits_and_why(app, mail):
    mail.recipients = {EVA: "451 come back", OLA: "550 gone"}
    ask("a")
    ask("b", OLA)
    ask("c", "kari@example.org")
    send_due()
    write(lambda: db.session.execute(sa.update(Message).values(created_at=database_now() - timedelta(days=1))))
    code, said = run(app, "status")
    lines = said.splitlines()
    assert code == 0
    assert lines[0].startswith("Waiting: 1, the oldest since 20")
    assert lines[1] == "Last error: The recipient is refused: 451 come back."
    assert lines[2].startswith("Sent today: 1")
    assert lines[3] == "Given up in the last 7 days: 1. The last: The recipient is refused: 550 gone."


def test_the_status_says_that_there_is_no_server(app):
    ask("a")
    code, said = run(app, "status")
    assert code == 0
    assert said.startswith("No mail server is set (STUDIONETT_SMTP_URL): nothing is sent.\nWaiting: 1, ")


def test_a_test_is_sent_now_and_leaves_what_waits_alone(app, mail):
    ask("a")
    code, said = run(app, "test", EVA)
    assert (code, said) == (0, f"Sent a test to {EVA}: 127.0.0.1:{mail.port} (no encryption) took it.\n")
    assert mail.subjects == ["A test from Studionett"]
    assert mail.mails[0]["To"] == EVA


@pytest.mark.parametrize(
    ("address", "word"), [("nobody", "is not an address"), (OLA, "The recipient is refused: 550 gone")]
)
def test_a_test_that_fails_says_why_and_exits_with_an_error(app, mail, address, word):
    mail.recipients = {OLA: "550 gone"}
    code, said = run(app, "test", address)
    assert code == 1
    assert word in said
    assert not mail.taken


def test_a_test_without_a_server_or_with_a_dead_one_says_so(app, mail):
    app.config["STUDIONETT"] = replace(app.config["STUDIONETT"], smtp_url=MailServer("127.0.0.1", 1))
    assert run(app, "test", EVA) == (
        1,
        "Error: The mail server 127.0.0.1:1 cannot be reached: Connection refused.\n",
    )
    app.config["STUDIONETT"] = replace(app.config["STUDIONETT"], smtp_url=None)
    assert run(app, "test", EVA) == (1, "Error: No mail server is set (STUDIONETT_SMTP_URL): nothing is sent.\n")


def test_the_clock_is_given_the_sweep_and_the_retention(app, mail):
    ask("a")
    for _seconds, work in app.extensions["repeated"][:2]:
        work()
    assert mail.subjects == ["a"]
