"""Every endpoint answers as the document says, those that are added later too."""

import pytest

from api.document import operations
from app import create_app
from models import Role, db
from tests import factories
from tests.api.conformance import departures
from tests.api.samples import add_samples
from tests.api.stock import stocked
from tests.conftest import settings_for

EXAMPLES = 6  # for each operation and each kind of request


@pytest.fixture
def dialect() -> str:
    return "sqlite"  # what PostgreSQL alone refuses is in tests/api/test_requests.py


@pytest.fixture
def make_app(database_url):
    """An application whose limit of wrong tokens is not reached."""
    made = []

    def make(add=lambda app: None):
        app = create_app(settings_for(database_url, sign_in_failures_by_address=1_000_000))
        app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
        add(app)
        context = app.app_context()
        context.push()
        made.append(context)
        return app

    yield make
    for context in made:
        db.session.remove()
        db.engine.dispose()
        context.pop()


def test_what_is_answered_is_what_the_document_says(make_app):
    app = make_app()
    shown, known = stocked()
    sent, found, reached = departures(app, shown, EXAMPLES, known=known)
    assert sent > 100
    assert not found, "\n\n".join(found[:10])
    # schemathesis leaves out the address that it has the document from.
    assert {rule.endpoint for rule, _declared in operations(app)} - reached == {"api.openapi"}


def test_an_address_with_one_of_everything_is_answered_as_the_document_says(make_app):
    app = make_app(add_samples)
    shown = factories.token(factories.account(role=Role.ADMINISTRATOR))
    sent, found, _reached = departures(app, shown, EXAMPLES, without=["/api/v1/samples/fault"])
    assert sent > 100
    assert not found, "\n\n".join(found[:10])


def test_a_departure_is_found(make_app):
    app = make_app(add_samples)
    shown = factories.token(factories.account(role=Role.ADMINISTRATOR))
    found = departures(app, shown, 1).departures
    assert any(one.startswith("not_a_server_error") and "/fault" in one for one in found)
