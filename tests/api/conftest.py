from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from models import Role, db
from tests import factories
from tests.api.samples import add_samples
from tests.conftest import Browser, settings_for

Send = Callable[..., TestResponse]


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    """The application with samples of addresses for programs."""
    app = create_app(settings_for(database_url))
    app.test_client_class = Browser
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
    add_samples(app)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def send(app: Flask) -> Send:
    """Send a request as a coordinator's program that may do everything, in English."""
    shown = factories.token(factories.account(role=Role.COORDINATOR))

    def send(method: str, address: str, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        sent = {"Accept-Language": "en", **shown, **(headers or {})}
        return app.test_client().open(f"/api/v1{address}", method=method, headers=sent, **more)

    return send
