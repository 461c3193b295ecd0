"""The open booking page: what its script adds to the answers that tests/studios/booking tries."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect

from accounts.people import add_account
from models import Conference, ConferenceState, Event, Role, Studio, db, write
from tests import factories
from tests.browser.conftest import PASSWORD
from tests.browser.web import Web

pytestmark = pytest.mark.browser

EMAIL = "coordinator@example.org"
DRAFTS = "**/book/draft"


@pytest.fixture
def dialect() -> str:
    """The answers were tried on both databases; here one will do."""
    return "sqlite"


@pytest.fixture
def web(app: Flask) -> Iterator[Web]:
    """Four studios: two in Tromsø, two in Bodø."""
    trust = factories.organisation("UNN")
    for town, code in (("Tromsø", "TRO"), ("Bodø", "BOD")):
        site = factories.site(trust, name=f"UNN {town}", town=town, municipality=town)
        for number in (1, 2):
            factories.endpoint(factories.studio(site, code=f"{code}-{number}", name=f"UNN {town}, Studio {number}"))
    write(lambda: add_account(EMAIL, "Coordinator", PASSWORD, [(Role.COORDINATOR, trust)]))
    web = Web(app)
    yield web
    web.stop()


def open_page(page: Page, web: Web, path: str) -> None:
    page.goto(f"{web.address}/sign-in")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(web.address + path)


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.value || ''"))


def chosen(page: Page) -> list[str]:
    return [str(code) for code in page.locator("input[name=studio]").evaluate_all("all => all.map(one => one.value)")]


def slowly(route: Route) -> None:
    time.sleep(0.3)
    route.continue_()


def test_a_conference_is_booked_by_keyboard_alone(web: Web, page: Page) -> None:
    open_page(page, web, "/book")
    keys = page.keyboard
    page.get_by_label("Title").focus()
    keys.type("Lung meeting")
    keys.press("Tab")
    keys.press("Tab")
    keys.type("tromsø")
    expect(page.locator("#hits button")).to_have_count(2)
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    assert focused(page) == "TRO-2"
    keys.press("Enter")
    expect(page.locator("#find")).to_be_focused()
    keys.type("BOD-1")
    keys.press("Enter")
    expect(page.locator("input[name=studio]")).to_have_count(2)
    assert chosen(page) == ["TRO-2", "BOD-1"]
    expect(page.locator("#find")).to_have_value("")
    expect(page.locator("#find")).to_be_focused()
    keys.press("Tab")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    keys.press("Control+A")
    keys.type(f"{tomorrow:%d.%m.%Y}")
    keys.press("Tab")
    keys.press("Control+A")
    keys.type("1415")
    keys.press("Enter")  # in a field: the page follows, and nothing is booked
    expect(page.locator(".act__time")).to_have_text("14:15–15:15")
    expect(page.locator("#start")).to_be_focused()
    page.locator("#opening-1").focus()
    keys.press("ArrowRight")
    expect(page.locator(".act__time")).to_have_text("14:20–15:20")
    expect(page.locator("#opening-1")).to_be_focused()
    page.get_by_role("button", name="Book", exact=True).focus()
    keys.press("Enter")
    expect(page).to_have_url(re.compile(r"/conferences/K-\d+$"))


def test_nothing_that_is_typed_while_answers_are_slow_is_lost(web: Web, page: Page) -> None:
    open_page(page, web, "/book")
    page.locator("#find").press_sequentially("bodø")
    expect(page.locator("#hits button")).to_have_count(2)
    page.route(DRAFTS, slowly)
    page.locator("#hits button").first.click()
    for name, text in (("title", "Lung meeting"), ("start", "10:30"), ("end", "11:45"), ("duration", "35")):
        page.locator(f"#{name}").fill(text)
    page.locator("#date").focus()
    expect(page.locator(".act__time")).to_have_text("10:30–11:05", timeout=5_000)
    assert chosen(page) == ["BOD-1"]
    kept = {name: page.locator(f"#{name}").input_value() for name in ("title", "start", "end", "duration")}
    assert kept == {"title": "Lung meeting", "start": "10:30", "end": "", "duration": "35"}
    assert focused(page) == "date"


def test_book_waits_for_the_studio_that_was_just_added_and_a_second_press_does_nothing(web: Web, page: Page) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    open_page(page, web, f"/book?studio=TRO-1&title=Lung&date={tomorrow:%Y-%m-%d}&start=10:00")
    page.locator("#find").press_sequentially("BOD-2")
    expect(page.locator("#hits button")).to_have_count(1)
    page.route(DRAFTS, slowly)
    page.evaluate("for (const one of ['#hits button', '#book', '#book']) document.querySelector(one).click()")
    expect(page).to_have_url(re.compile(r"/conferences/K-\d+$"))
    db.session.rollback()
    [conference] = db.session.scalars(db.select(Conference)).all()
    seated = [party.reservation.studio.code for party in conference.parties if party.reservation]
    assert seated == ["TRO-1", "BOD-2"]


def test_the_whole_way_works_without_a_script(web: Web, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", java_script_enabled=False)
    page = context.new_page()
    open_page(page, web, "/book")
    page.get_by_label("Title").fill("Lung meeting")
    page.locator("#find").fill("tromsø")
    with page.expect_navigation():
        page.locator("#find").press("Enter")
    with page.expect_navigation():
        page.locator("#hits button").first.click()
    page.locator("#find").fill("BOD-1")
    with page.expect_navigation():
        page.locator("#find").press("Enter")
    with page.expect_navigation():
        page.get_by_role("button", name="Next day").click()
    page.locator("#start").fill("9")
    with page.expect_navigation():
        page.get_by_role("button", name="Update").click()
    expect(page.locator(".act__time")).to_have_text("09:00–10:00")
    with page.expect_navigation():
        page.get_by_role("button", name="Book", exact=True).click()
    expect(page).to_have_url(re.compile(r"/conferences/K-\d+$"))
    with page.expect_navigation():
        page.locator("#cancel").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Cancel the conference").click()
    expect(page.locator(".badge--large")).to_have_text("Cancelled")
    context.close()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_scrolls_sideways(web: Web, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    open_page(page, web, f"/book?studio=TRO-1&studio=BOD-1&title=Lung&date={tomorrow:%Y-%m-%d}&start=10:00")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page).to_have_url(re.compile(r"/conferences/K-\d+$"))
    for address in (page.url, f"{page.url}/change", f"{page.url}/cancel", f"{web.address}/conferences/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_an_open_conference_page_follows_keeps_the_focus_and_stops_asking_at_the_end(web: Web, page: Page) -> None:
    studios = db.session.scalars(db.select(Studio).order_by(Studio.code)).all()
    conference = factories.conference(*studios, start=datetime.now(UTC), state=ConferenceState.STARTING)
    conference_id = conference.id
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live" in request.url else None)
    open_page(page, web, f"/conferences/{conference.reference}")
    page.locator("#change").focus()
    for state, word in ((ConferenceState.RUNNING, "Under way"), (ConferenceState.ENDED, "Ended")):
        write(partial(_enter, conference_id, state))
        expect(page.locator(".badge--large")).to_have_text(word, timeout=5_000)
        if state is ConferenceState.RUNNING:
            assert focused(page) == "change"
    count = len(asked)
    assert count >= 2
    page.wait_for_timeout(2_500)
    assert len(asked) == count


def _enter(conference_id: int, state: ConferenceState) -> None:
    db.session.get_one(Conference, conference_id).state = state
    db.session.add(Event(at=datetime.now(UTC), kind=f"conference.{state}", conference_id=conference_id, details={}))


def test_a_server_that_does_not_answer_takes_nothing_of_what_is_typed(web: Web, browser: Browser) -> None:
    page = browser.new_page()  # its console tells of the failure, as it should
    open_page(page, web, "/book?studio=TRO-1&studio=BOD-1")
    page.route(DRAFTS, lambda route: route.abort())
    page.locator("#title").fill("Lung meeting")
    page.locator("#title").press("Tab")
    expect(page.locator("#unanswered")).to_be_visible()
    page.unroute(DRAFTS)
    page.route(DRAFTS, lambda route: route.fulfill(status=503, content_type="text/html", body="<p>Try again</p>"))
    page.locator("#start").fill("10:30")
    page.locator("#start").press("Tab")
    expect(page.locator("#failure")).to_have_text("Try again")
    page.unroute(DRAFTS)
    page.locator("#duration").fill("45")
    page.locator("#duration").press("Tab")
    expect(page.locator(".act__time")).to_have_text("10:30–11:15")
    expect(page.locator("#unanswered")).to_be_hidden()
    expect(page.locator("#failure")).to_be_empty()
    expect(page.locator("#title")).to_have_value("Lung meeting")
    page.context.close()
