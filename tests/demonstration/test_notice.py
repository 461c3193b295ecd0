"""The sign-in page of a demonstration, and of an installation that is none."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from accounts.people import add_account
from demonstration.people import ACCOUNTS, PASSWORD
from models import Account, Role, db, write
from tests import factories

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def installed(app):
    for account in ACCOUNTS:
        write(lambda account=account: add_account(account.email, account.name, PASSWORD, [(account.role, None)]))


def sign_in_page(app, **settings):
    app.config["STUDIONETT"] = replace(app.config["STUDIONETT"], **settings)
    return app.test_client().get("/sign-in", headers=ENGLISH).text


def test_an_installation_without_the_demonstrations_accounts_says_nothing_of_it(app, client_for):
    person = client_for(factories.account(role=Role.ADMINISTRATOR))
    for page in (sign_in_page(app, demonstration_sign_in=True), person.get("/help", headers=ENGLISH).text):
        assert "emonstration" not in page
        assert PASSWORD not in page


def test_a_demonstration_says_so_and_each_account_has_a_form_of_its_own_that_signs_in(app, installed):
    app.config["WTF_CSRF_ENABLED"] = True
    for account in ACCOUNTS:
        client = app.test_client()
        page = client.get("/sign-in?next=/help", headers=ENGLISH).text
        assert "This is a demonstration" in page
        [form] = [form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'"{account.email}"' in form]
        assert 'method="post" action="/sign-in"' in form
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        answer = client.post("/sign-in", data=fields)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/help")
        assert "Demonstration" in client.get("/help", headers=ENGLISH).text


def test_no_address_holds_the_password(app, installed):
    page = sign_in_page(app)
    assert PASSWORD in page
    assert not [address for address in re.findall(r'(?:href|action|src)="([^"]*)"', page) if PASSWORD in address]


@pytest.mark.parametrize(
    ("settings", "offered"),
    [
        ({"host": "127.0.0.1"}, True),
        ({"host": "::1"}, True),
        ({"host": "localhost"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "studionett.example"}, False),
        ({"host": "127.0.0.1", "trusted_proxy": "127.0.0.1"}, False),
        ({"host": "127.0.0.1", "secure_cookies": True}, False),
        ({"host": "127.0.0.1", "public_url": "https://studionett.example.org"}, False),
        ({"host": "0.0.0.0", "demonstration_sign_in": True}, True),
    ],
)
def test_the_accounts_are_offered_on_the_machine_itself_or_where_a_setting_says_so(app, installed, settings, offered):
    page = sign_in_page(app, **settings)
    assert "This is a demonstration" in page
    assert (PASSWORD in page, "Sign in as" in page) == (offered, offered)


@pytest.mark.parametrize(
    ("asked_for", "offered"),
    [
        ("localhost:8000", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("studionett.example.org", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("[::1", False),
    ],
)
def test_who_came_by_another_name_came_through_a_web_server_in_front_and_is_offered_nothing(
    app, installed, asked_for, offered
):
    page = app.test_client().get("/sign-in", headers={**ENGLISH, "Host": asked_for}).text
    assert (PASSWORD in page) == offered


def test_an_account_that_is_gone_or_disabled_is_not_offered(app, installed):
    leader = sa.update(Account).where(Account.email == "leder@demo.example")
    write(lambda: db.session.execute(leader.values(disabled_at=datetime.now(UTC))))
    page = sign_in_page(app)
    assert "leder@demo.example" not in page
    assert "tekniker@demo.example" in page


def test_disabling_all_of_them_ends_the_demonstration(app, installed):
    write(lambda: db.session.execute(sa.update(Account).values(disabled_at=datetime.now(UTC))))
    assert "emonstration" not in sign_in_page(app)
