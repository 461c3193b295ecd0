"""The screen on the wall: let in by a token of its own, which reads and can be revoked."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from accounts.rules import Scope
from accounts.tokens import create_token, revoke
from models import Account, ApiToken, Health, Role, db, write
from tests import factories
from tests.monitoring.open_page import turn, watched
from tests.studios.booking.pages import in_english, text_of


@pytest.fixture
def person(app: Flask) -> Account:
    return factories.account(role=Role.TECHNICIAN)


@pytest.fixture
def screen(app: Flask) -> FlaskClient:
    """A browser that nobody signed in with."""
    return in_english(app.test_client())


def a_token(person: Account, *scopes: Scope) -> tuple[int, str]:
    def work() -> tuple[int, str]:
        owner = db.session.get_one(Account, person.id)
        token, secret = create_token(owner, "The wall", scopes or [Scope.READ], timedelta(days=300))
        return token.id, secret

    return write(work)


def changes_address(text: str) -> str:
    return text.partition('id="live" data-live hx-get="')[2].partition('"')[0].replace("&amp;", "&")


def test_a_screen_without_a_token_sees_nothing_and_is_asked_for_one(screen):
    studio = watched(name="Studio 12")
    answer = screen.get("/wallboard")
    assert "Token of this screen" in text_of(answer)
    assert f"t{studio.id}" not in answer.text
    assert screen.get("/wallboard/changes").headers["HX-Refresh"] == "true"
    assert screen.get("/wallboard/heartbeat").status_code == 204


def test_a_token_lets_it_in_and_the_page_lives(screen, person):
    studio = watched(name="Studio 12")
    _key, secret = a_token(person)
    let_in = screen.post("/wallboard", data={"token": f" {secret} "})
    assert let_in.status_code == 303
    cookie = let_in.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/wallboard" in cookie
    page = screen.get("/wallboard")
    assert f'id="t{studio.id}"' in page.text
    assert "Main menu" not in page.text
    address = changes_address(page.text)
    assert address.startswith("/wallboard/changes?")
    assert screen.get(address).status_code == 204
    turn(studio, health=Health.DOWN, cause="no-answer")
    assert "is-down" in screen.get(address).text


def test_all_that_the_page_asks_for_by_itself_is_let_in_by_the_token(screen, person):
    """Else the first question to another address would lead the screen away to the sign-in page."""
    watched()
    screen.post("/wallboard", data={"token": a_token(person)[1]})
    for text in (screen.get("/wallboard").text, screen.get("/wallboard/heartbeat").text):
        asked = re.findall(r'hx-get="([^"]+)"', text)
        assert asked
        for address in asked:
            answer = screen.get(address.replace("&amp;", "&"), headers={"HX-Request": "true"})
            assert (address, answer.status_code in (200, 204)) == (address, True)
            assert "HX-Refresh" not in answer.headers


def test_its_filters_stay_on_the_wall(screen, person):
    watched(factories.site(health_region="Nord"), name="Northern")
    western = watched(factories.site(health_region="Vest"), name="Western")
    screen.post("/wallboard", data={"token": a_token(person)[1]})
    picks = re.findall(r'class="pick" href="([^"]+)"', screen.get("/wallboard").text)
    assert picks
    assert all(address.startswith("/wallboard?") for address in picks)
    narrowed = screen.get("/wallboard?region=Nord").text
    assert f'id="t{western.id}"' not in narrowed
    assert "region=Nord" in changes_address(narrowed)


def test_the_token_opens_nothing_else(screen, person):
    screen.post("/wallboard", data={"token": a_token(person)[1]})
    assert screen.get("/status").status_code == 302
    assert screen.get("/api/v1/status").status_code == 401


def test_what_is_shown_on_the_wall_cannot_be_pressed(screen, person):
    studio = watched(health=Health.DOWN)
    from tests.monitoring.open_page import conference

    conference(studio, watched(), minutes=10)
    screen.post("/wallboard", data={"token": a_token(person)[1]})
    assert "Take it" not in text_of(screen.get("/wallboard"))


def test_a_revoked_token_sees_nothing_any_more(screen, person):
    key, secret = a_token(person)
    screen.post("/wallboard", data={"token": secret})
    address = changes_address(screen.get("/wallboard").text)
    write(lambda: revoke(db.session.get_one(ApiToken, key)))
    assert screen.get(address).headers["HX-Refresh"] == "true"
    assert "Token of this screen" in text_of(screen.get("/wallboard"))


@pytest.mark.parametrize("scopes", [(Scope.OPERATE,), (Scope.READ, Scope.BOOK)])
def test_a_token_that_may_do_more_is_not_taken(screen, person, scopes):
    answer = screen.post("/wallboard", data={"token": a_token(person, *scopes)[1]})
    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers or "wallboard" not in answer.headers["Set-Cookie"]


def test_guessing_is_refused_and_then_stopped(screen):
    answers = [screen.post("/wallboard", data={"token": f"sn_{number}"}).status_code for number in range(120)]
    assert answers[0] == 401
    assert answers[-1] == 429


def test_who_is_signed_in_sees_it_without_a_token(client_for, person):
    assert "At risk in the next hour" in text_of(in_english(client_for(person)).get("/wallboard"))
