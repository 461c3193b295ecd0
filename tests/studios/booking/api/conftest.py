from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from models import Account
from tests import factories
from tests.studios.booking.pages import Network

Send = Callable[..., TestResponse]


def program(app: Flask, account: Account) -> Send:
    """A program of the account: sends a request, in English unless it says otherwise."""
    shown = factories.token(account)

    def send(method: str, address: str, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        sent = {"Accept-Language": "en", **shown, **(headers or {})}
        return app.test_client().open(f"/api/v1{address}", method=method, headers=sent, **more)

    return send


@pytest.fixture
def network(app: Flask) -> Network:
    return Network()


@pytest.fixture
def unn(app: Flask, network: Network) -> Send:
    """The program of a coordinator at UNN."""
    return program(app, network.coordinator)


@pytest.fixture
def nlsh(app: Flask, network: Network) -> Send:
    """The program of a coordinator at NLSH."""
    return program(app, network.neighbour)
