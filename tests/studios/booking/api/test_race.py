"""Two programs want one studio for one hour, at once and over HTTP: one has it, the other is told who."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest
from flask import Flask

from app import serving
from models import Conference, db
from tests import factories
from tests.studios.booking.api.asking import at, wish
from tests.studios.booking.pages import Network

ROUNDS = 5


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application behind its real server."""
    server = serving(app, "127.0.0.1", 0)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{server.effective_port}/api/v1"
    server.close()


@pytest.fixture
def programs(network: Network, address: str) -> Iterator[list[Callable[..., httpx.Response]]]:
    """One of a coordinator of each of the two trusts."""
    clients = [
        httpx.Client(base_url=address, headers=factories.token(account), trust_env=False)
        for account in (network.coordinator, network.neighbour)
    ]
    yield [client.post for client in clients]
    for client in clients:
        client.close()


def _at_once(programs: list[Callable[..., httpx.Response]], bodies: list[dict[str, Any]]) -> list[httpx.Response]:
    barrier = Barrier(len(programs))

    def send(number: int) -> httpx.Response:
        barrier.wait(10)
        return programs[number]("/conferences", json=bodies[number])

    with ThreadPoolExecutor(len(programs)) as threads:
        return list(threads.map(send, range(len(programs))))


def test_one_books_and_the_other_is_told_who_has_it(programs):
    tables = [({"studio": "TRO-1"}, {"studio": "TRO-2"}), ({"studio": "TRO-2"}, {"studio": "TRO-1"})]
    for round_number in range(ROUNDS):
        times = {"start": at(9 + round_number), "end": at(10 + round_number)}
        answers = _at_once(programs, [wish(*table, **times) for table in tables])
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert (won.status_code, lost.status_code) == (201, 409)
        assert {each["reference"] for each in lost.json()["conflicts"]} == {won.json()["reference"]}
        assert {each["owner"] for each in lost.json()["conflicts"]} == {won.json()["organisation"]}
        assert lost.json()["alternatives"]
    db.session.rollback()
    assert db.session.scalar(db.select(db.func.count()).select_from(Conference)) == ROUNDS


def test_two_that_draw_on_one_pool_get_different_studios(programs):
    table = ({"any_of": {"site": "UNN Tromsø"}}, {"guest": "sip:anne@example.org"})
    answers = _at_once(programs, [wish(*table), wish(*table)])
    assert [answer.status_code for answer in answers] == [201, 201]
    assert {answer.json()["studios"][0] for answer in answers} == {"TRO-1", "TRO-2"}
