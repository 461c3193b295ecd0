"""Asking for a mail."""

from threading import Thread

import pytest

from messages.outbox import queue
from models import Message, db, write


def ask(**changes):
    queue(**{"key": "report-2026-11-21", "recipient": "eva@example.org", "subject": "A", "body": "B", **changes})


def rows():
    db.session.expire_all()
    return db.session.scalars(db.select(Message).order_by(Message.id)).all()


def test_a_message_is_due_when_its_change_is_committed(app):
    write(ask)
    [message] = rows()
    assert (message.recipient, message.attempts, message.sent_at) == ("eva@example.org", 0, None)
    assert message.due_at == message.created_at


def test_a_second_with_the_same_key_changes_nothing_and_harms_nothing(app):
    def work():
        ask()
        ask(recipient="other@example.org", body="C")
        ask(key="another")

    write(work)
    write(lambda: ask(body="D"))
    assert [(message.key, message.body) for message in rows()] == [("report-2026-11-21", "B"), ("another", "B")]


def test_it_is_rolled_back_with_its_caller(app):
    def work():
        ask()
        raise LookupError

    with pytest.raises(LookupError):
        write(work)
    assert not rows()


def test_askers_side_by_side_queue_it_once_and_lose_no_other_work(app):
    def work(number):
        with app.app_context():
            write(lambda: (ask(key="shared"), ask(key=f"own-{number}")))

    threads = [Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(message.key for message in rows()) == sorted(["shared", *(f"own-{number}" for number in range(8))])


@pytest.mark.parametrize(
    "recipient",
    ["", "eva", "eva@", "a b@example.org", "eva@example.org\nBcc: all@example.org", "Eva <eva@example.org>", "x" * 300],
)
def test_an_address_that_is_none_is_given_up_without_stopping_the_change(app, recipient):
    write(lambda: ask(recipient=recipient))
    [message] = rows()
    assert message.due_at is None
    assert message.given_up_at
    assert "address" in message.last_error


def test_odd_text_is_kept_in_a_form_that_databases_and_headers_take(app):
    write(lambda: ask(subject="Hei\r\nBcc: x@y.z\u2028\x00 på" + "å" * 300, body="a\0b\ud800"))
    [message] = rows()
    assert message.subject.startswith("Hei Bcc: x@y.z på")
    assert len(message.subject) == 200
    assert message.body == "ab?"
