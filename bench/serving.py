"""The pages in a process of their own, as in production, and a client with a token. No member."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import httpx
from flask import Flask

from accounts.people import begin_session
from accounts.rules import Scope
from accounts.tokens import create_token
from app import create_app
from bench.program import KEY, STUDIONETT
from config import Settings
from models import Account, Role, db, write
from tests import factories

PATIENCE = 60  # seconds until a server must answer


@contextmanager
def served(url: str) -> Iterator[str]:
    """Our web process on this database; the address it answers at."""
    port = _free_port()
    environment = {**os.environ, "STUDIONETT_DATABASE_URL": url, "STUDIONETT_SECRET_KEY": KEY}
    environment |= {"STUDIONETT_PORT": str(port), "STUDIONETT_LOG_LEVEL": "error"}
    with _running([str(STUDIONETT), "web"], environment, port) as address:
        yield address


@contextmanager
def minimal(url: str) -> Iterator[str]:
    """bench/minimal.py on this database."""
    port = _free_port()
    with _running([sys.executable, "-m", "bench.minimal", url, str(port)], dict(os.environ), port) as address:
        yield address


def token(url: str) -> str:
    """Of a coordinator for all organisations, who is made if there is none."""
    with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
        person = db.session.scalar(db.select(Account).filter_by(email="bench@example.org"))
        person = person or factories.account("bench@example.org", role=Role.COORDINATOR)
        key = person.id
        scopes = [Scope.READ, Scope.BOOK]
        secret = write(lambda: create_token(db.session.get_one(Account, key), "bench", scopes, timedelta(days=1))[1])
        db.session.remove()
        db.engine.dispose()
    return secret


def cookie(app: Flask, account_id: int) -> str:
    """That of a browser in which this person has signed in."""
    token = write(lambda: begin_session(db.session.get_one(Account, account_id)))
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"], session["_fresh"] = token, True
    found = browser.get_cookie("studionett")
    assert found is not None
    return str(found.value)


def client(address: str, secret: str = "") -> httpx.Client:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=120)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: Sequence[str], environment: dict[str, str], port: int) -> Iterator[str]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"bench: a server did not answer on port {port}")
