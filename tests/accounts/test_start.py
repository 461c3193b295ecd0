"""Where people land."""

import pytest

from accounts.people import add_account
from models import Role, write
from tests import factories

PASSWORD = "correct horse battery"


@pytest.fixture
def dialect() -> str:
    return "sqlite"  # where people land does not hang on the database


@pytest.mark.parametrize(
    ("roles", "address"),
    [
        ([Role.COORDINATOR], "/book"),
        ([Role.TECHNICIAN], "/status"),
        ([Role.MANAGER], "/reports/"),
        ([Role.ADMINISTRATOR], "/studios/"),
        ([Role.ADMINISTRATOR, Role.COORDINATOR], "/book"),
        ([Role.MANAGER, Role.TECHNICIAN], "/status"),
        ([Role.ADMINISTRATOR, Role.MANAGER], "/reports/"),
    ],
)
def test_each_role_starts_where_its_work_begins(app, roles, address):
    write(lambda: add_account("ada@example.org", "Ada", PASSWORD, [(role, None) for role in roles]))
    client = app.test_client()
    signed_in = client.post("/sign-in", data={"email": "ada@example.org", "password": PASSWORD}, follow_redirects=True)
    assert (signed_in.request.path, signed_in.status_code) == (address, 200)


def test_the_statements_are_open_to_all_and_the_guide_to_those_who_are_signed_in(app, client_for):
    stranger, english = app.test_client(), {"Accept-Language": "en"}
    for address, heading in (("/privacy", "Privacy"), ("/accessibility", "Accessibility statement")):
        assert f"<h1>{heading}</h1>" in stranger.get(address, headers=english).text
    assert 'href="/help"' not in stranger.get("/privacy").text
    guide = client_for(factories.account(role=Role.MANAGER)).get("/help", headers=english).text
    assert "<h1>Help</h1>" in guide
    assert 'href="/help"' in guide
    assert all(f">{role}: " in guide for role in ("Coordinator", "Technician", "Manager", "Administrator"))


def test_who_is_behind_the_pages_stands_at_their_foot(app):
    assert "health network" in app.test_client().get("/sign-in", headers={"Accept-Language": "en"}).text
    object.__setattr__(app.config["STUDIONETT"], "publisher", "Norsk <Helsenett>, tlf. 73 00 00 00.")
    assert "Norsk &lt;Helsenett&gt;, tlf. 73 00 00 00." in app.test_client().get("/sign-in").text
