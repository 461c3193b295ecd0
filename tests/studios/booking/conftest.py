import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.studios.booking.pages import Network, SignIn, in_english


@pytest.fixture
def network(app: Flask) -> Network:
    return Network()


@pytest.fixture
def coordinator(network: Network, client_for: SignIn) -> FlaskClient:
    """The browser of a coordinator at UNN."""
    return in_english(client_for(network.coordinator))


@pytest.fixture
def neighbour(network: Network, client_for: SignIn) -> FlaskClient:
    """The browser of a coordinator at NLSH."""
    return in_english(client_for(network.neighbour))
