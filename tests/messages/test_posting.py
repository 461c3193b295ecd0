"""What is posted to programs, at a real HTTP server on the other end."""

import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import sqlalchemy as sa

from messages.outbox import queue
from messages.posting import post_due
from models import Message, database_now, db, write
from tests import factories

SECRET = "felles hemmelighet"
BODY = '{"event": "incident.opened", "studio": "TROMSØ-1"}'
pytestmark = pytest.mark.usefixtures("app")


class Receiver:
    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[bytes, str, str]] = []
        self.url = ""


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((body, self.headers["Studionett-Signature"], self.headers["Studionett-Message"]))
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.202.9.1", 0), Handler)
    receiver.url = f"http://127.202.9.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()


def ask_to_post(url: str) -> Message:
    credential_id = factories.credential("webhook", secret=SECRET).id
    write(lambda: queue(key="incident/1", recipient=url, subject="opened", body=BODY, signed_with_id=credential_id))
    return stored()


def stored() -> Message:
    db.session.rollback()
    return db.session.scalars(sa.select(Message)).one()


def make_due() -> None:
    write(lambda: db.session.execute(sa.update(Message).values(due_at=database_now())))


def test_it_is_posted_once_and_its_receiver_can_prove_whose_it_is() -> None:
    with receiving() as receiver:
        ask_to_post(receiver.url)
        assert (post_due(), post_due()) == (1, 0)
    [(body, signature, key)] = receiver.got
    assert (body.decode(), key) == (BODY, "incident/1")
    told = dict(part.split("=") for part in signature.split(","))
    signed = told["t"].encode() + b"." + body
    assert told["v1"] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(time.time() - int(told["t"])) < 60
    assert stored().sent_at is not None


def test_what_is_not_taken_is_posted_again_later_with_the_same_name() -> None:
    with receiving() as receiver:
        receiver.status = 503
        ask_to_post(receiver.url)
        assert (post_due(), post_due()) == (0, 0)
        waiting = stored()
        assert waiting.due_at is not None
        assert waiting.due_at > database_now()
        assert waiting.last_error == "The receiver answered HTTP 503."
        receiver.status = 204
        make_due()
        assert post_due() == 1
    assert [key for _, _, key in receiver.got] == ["incident/1"] * 2


def test_a_receiver_that_is_gone_for_good_is_left_alone() -> None:
    with receiving() as receiver:
        receiver.status = 410
        ask_to_post(receiver.url)
        post_due()
    assert stored().given_up_at is not None


@pytest.mark.parametrize("url", ["http://127.202.9.2:9/hook", "http://127.202.9.2:notaport/", "nonsense"])
def test_a_receiver_that_cannot_be_reached_holds_up_nothing(url: str) -> None:
    ask_to_post(url)
    began = time.monotonic()
    assert post_due() == 0
    assert time.monotonic() - began < 5
    assert stored().last_error


def test_mails_are_not_posted() -> None:
    write(lambda: queue(key="a", recipient="kari@example.org", subject="s", body="b", expires_after=timedelta(days=1)))
    assert post_due() == 0
    assert stored().attempts == 0
