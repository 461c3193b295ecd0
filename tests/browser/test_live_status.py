"""An open status page: what its script does, beside the answers that tests/monitoring tries."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from accounts.people import add_account
from models import EndpointStatus, Health, Role, Studio, database_now, db, write
from tests import factories
from tests.browser.web import Web

pytestmark = pytest.mark.browser

PASSWORD = "a password for tests"
EMAIL = "technician@example.org"


@pytest.fixture
def dialect() -> str:
    """The answers were tried on both databases; here one will do."""
    return "sqlite"


@pytest.fixture
def web(app: Flask) -> Iterator[Web]:
    write(lambda: add_account(EMAIL, "Technician", PASSWORD, [(Role.TECHNICIAN, None)]))
    web = Web(app)
    yield web
    web.stop()


@pytest.fixture
def studio(app: Flask) -> Studio:
    studio = factories.studio(factories.site(name="UNN Tromsø"), name="Studio 12")
    factories.endpoint(studio)
    turn(Health.OK)
    return studio


def turn(health: Health) -> None:
    now = database_now()
    values = {"health": health, "since": now, "changed_at": now, "last_poll_at": now + timedelta(minutes=1)}
    db.session.execute(sa.update(EndpointStatus).values(values))
    db.session.commit()


def open_status(page: Page, web: Web, path: str = "/status") -> None:
    page.goto(f"{web.address}/sign-in")
    page.locator("input[type=email]").fill(EMAIL)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.goto(web.address + path)


def tile(page: Page, studio: Studio, state: str) -> None:
    expect(page.locator(f"#t{studio.id}")).to_have_class(f"tile is-{state}", timeout=6000)


def test_a_tile_changes_under_the_focus_without_losing_it_and_is_told_once(web, studio, page):
    open_status(page, web)
    tile(page, studio, "idle")
    page.locator(f"#t{studio.id}").focus()
    turn(Health.DOWN)
    tile(page, studio, "down")
    expect(page.locator(f"#t{studio.id}")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="UNN Tromsø, Studio 12: down.")).to_have_count(1)
    expect(page.locator("#shown")).to_have_text("1 of 1")


def test_a_focused_tile_that_the_filter_takes_away_leaves_the_focus_on_the_wall(web, studio, page):
    turn(Health.DOWN)
    open_status(page, web, "/status?only=faults")
    page.locator(f"#t{studio.id}").focus()
    turn(Health.OK)
    expect(page.locator(f"#t{studio.id}")).to_be_hidden(timeout=6000)
    expect(page.get_by_role("heading", name=re.compile(r"^Studios \d"))).to_be_focused()
    expect(page.get_by_text("No studio is in such a state now.")).to_be_visible()


def test_a_paused_page_stands_still_and_catches_up(web, studio, page):
    open_status(page, web)
    tile(page, studio, "idle")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused; the page stands still.")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    turn(Health.DOWN)
    page.wait_for_timeout(2500)
    assert asked == []
    tile(page, studio, "idle")
    page.get_by_role("button", name="Pause").click()
    tile(page, studio, "down")


def test_without_script_the_page_is_whole_and_can_be_reloaded(web, studio, browser: Browser):
    with browser.new_context(locale="en-GB", java_script_enabled=False) as context:
        page = context.new_page()
        open_status(page, web)
        tile(page, studio, "idle")
        turn(Health.DOWN)
        page.get_by_role("link", name="Reload the page").click()
        tile(page, studio, "down")
        expect(page.get_by_role("button", name="Pause")).to_be_hidden()


def test_a_page_whose_server_is_gone_says_so(web, studio, browser: Browser):
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        open_status(page, web)
        tile(page, studio, "idle")
        gone = page.get_by_role("alert").filter(has_text="The server does not answer.")
        expect(gone).to_have_count(0)
        page.route("**/status/**", lambda route: route.abort())
        expect(gone).to_be_visible(timeout=6000)
        page.unroute("**/status/**")
        expect(gone).to_have_count(0, timeout=6000)


def test_the_names_of_tiles_are_there_for_the_pointer(web, studio, page):
    open_status(page, web)
    page.locator(f"#t{studio.id}").hover()
    expect(page.get_by_title("UNN Tromsø, Studio 12: idle")).to_be_visible()
