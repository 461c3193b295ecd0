"""The pages behind a web server that speaks TLS: whose word is taken for who asks."""

import threading
from collections.abc import Iterator

import httpx
import pytest
from flask import jsonify, request

from accounts.permissions import public
from app import create_app, serving
from tests.conftest import settings_for

FROM_AFAR = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


@pytest.fixture
def who_asks(proxy: str, tmp_path) -> Iterator[httpx.Client]:
    app = create_app(settings_for(f"sqlite:///{tmp_path}/unused.db", trusted_proxy=proxy))
    app.add_url_rule("/who", view_func=public(lambda: jsonify(address=request.remote_addr, secure=request.is_secure)))
    server = serving(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.effective_port}", trust_env=False) as client:
        yield client
    server.close()


@pytest.mark.parametrize("proxy", ["127.0.0.1"])
def test_the_web_server_in_front_says_who_asks_and_how(who_asks):
    answer = who_asks.get("/who", headers=FROM_AFAR)
    assert answer.json() == {"address": "203.0.113.7", "secure": True}
    assert "max-age" in answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("proxy", ["", "127.9.9.9"])
def test_nobody_else_can_say_that_it_is_somebody_else_who_asks(who_asks):
    answer = who_asks.get("/who", headers=FROM_AFAR)
    assert answer.json() == {"address": "127.0.0.1", "secure": False}
