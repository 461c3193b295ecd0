"""The open booking page: what its script adds to the answers that tests/studios/booking tries."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

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
DRAFTS = "**/book/draft*"
OSLO = ZoneInfo("Europe/Oslo")


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
    """The codes of the studios that are asked for by name; other parties as their JSON."""
    values = page.locator("input[name=party]").evaluate_all("all => all.map(one => one.value)")
    return [json.loads(value).get("studio", value) for value in values]


def add(page: Page, words: str, name: str) -> None:
    """Look for these words and take what is called so."""
    page.locator("#find").press_sequentially(words)
    page.locator("#hits button", has_text=name).first.click()
    expect(page.locator(".party__name", has_text=name.removeprefix("Any studio at "))).to_be_visible()


def monday() -> datetime:
    """Ten o'clock of a Monday ahead, when everybody is free."""
    day = datetime.now(OSLO) + timedelta(days=7)
    return (day - timedelta(days=day.weekday())).replace(hour=10, minute=0, second=0, microsecond=0)


def slowly(route: Route) -> None:
    time.sleep(0.3)
    route.continue_()


def test_three_parties_are_booked_by_mouse_in_six_actions(web: Web, page: Page) -> None:
    """Title, three parties, and Book: the first time that suits all is chosen already."""
    open_page(page, web, "/book")
    page.get_by_label("Title").fill("Lung meeting")
    add(page, "tromsø", "Any studio at UNN Tromsø")
    add(page, "bod", "UNN Bodø, Studio 1")
    add(page, "bod", "UNN Bodø, Studio 2")
    expect(page.locator("#act-heading + .act__lines")).to_contain_text("3 studios are free")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page).to_have_url(re.compile(r"/conferences/K-\d+$"))
    expect(page.locator("#undo")).to_contain_text("Until then you can undo.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".badge--large")).to_have_text("Cancelled")
    expect(page.locator("#messages")).to_contain_text("Undone. Nobody was written to.")


def test_three_parties_are_booked_by_keyboard_alone(web: Web, page: Page) -> None:
    open_page(page, web, "/book")
    keys = page.keyboard
    page.get_by_label("Title").focus()
    keys.type("Lung meeting")
    keys.press("Tab")
    keys.press("Tab")
    keys.type("tromsø")
    expect(page.locator("#hits button")).to_have_count(3)  # the whole site first, then its studios
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator("#find")).to_be_focused()
    for code in ("BOD-1", "TRO-1"):
        keys.type(code)
        keys.press("Enter")
        expect(page.locator("#find")).to_have_value("")
    expect(page.locator("input[name=party]")).to_have_count(3)
    assert chosen(page) == ["TRO-2", "BOD-1", "TRO-1"]
    expect(page.locator("#find")).to_be_focused()
    page.locator("#date").focus()
    keys.press("Control+A")
    keys.type(f"{monday():%d.%m.%Y}")
    keys.press("Tab")
    keys.press("Control+A")
    keys.type("1415")
    keys.press("Enter")  # in a field: the page follows, and nothing is booked
    expect(page.locator(".act__time")).to_have_text("14:15–15:15")
    expect(page.locator("#start")).to_be_focused()
    page.locator("#opening-1").focus()
    keys.press("ArrowRight")
    expect(page.locator(".act__time")).to_have_text("14:20–15:20")
    keys.press("Shift+ArrowRight")
    expect(page.locator(".act__time")).to_have_text("14:20–15:25")
    expect(page.locator("#told")).to_contain_text("14:20–15:25.")
    expect(page.locator("#opening-1")).to_be_focused()
    page.get_by_role("button", name="Book", exact=True).focus()
    keys.press("Enter")
    expect(page).to_have_url(re.compile(r"/conferences/K-\d+$"))


def test_the_meeting_is_dragged_and_stretched_in_steps_of_five_minutes(web: Web, page: Page) -> None:
    open_page(page, web, f"/book?studio=TRO-1&studio=BOD-1&title=Lung&date={monday():%Y-%m-%d}&start=10:00")
    step = page.locator(".lane--all .track").bounding_box()["width"] / 120  # type: ignore[index]

    def drag(handle: str, steps: float) -> None:
        box = page.locator(handle).bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 + steps * step, box["y"] + 40, steps=4)
        page.mouse.up()

    drag("#slot .slot__flag", 6)
    expect(page.locator(".act__time")).to_have_text("10:30–11:30")
    drag("#slot [data-drag=end]", 3)
    expect(page.locator(".act__time")).to_have_text("10:30–11:45")
    drag("#slot [data-drag=start]", -2)
    expect(page.locator(".act__time")).to_have_text("10:20–11:45")
    assert page.locator("#duration").input_value() == "85"
    page.mouse.move(*(page.locator("#slot .slot__flag").bounding_box()[side] + 5 for side in ("x", "y")))  # type: ignore[index]
    page.mouse.down()
    page.mouse.move(0, 300, steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator("#slot .slot__flag")).to_have_text("10:20–11:45")


def test_who_loses_a_race_between_two_open_pages_is_told_and_finds_another_time(web: Web, browser: Browser) -> None:
    page = browser.new_context(locale="en-GB").new_page()  # its console tells of the refusal, as it should
    address = f"/book?studio=TRO-1&studio=BOD-1&title=Lung&date={monday():%Y-%m-%d}&start=10:00"
    open_page(page, web, address)
    other = page.context.new_page()
    other.goto(web.address + address)
    other.get_by_label("Title").fill("Faster")
    other.get_by_role("button", name="Book", exact=True).click()
    expect(other).to_have_url(re.compile(r"/conferences/K-\d+$"))
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.locator("#problems")).to_contain_text("The time is taken in at least one studio.")
    expect(page.locator("#hindrance-1")).to_contain_text("is busy 10:00–11:00")
    expect(page.get_by_label("Title")).to_have_value("Lung")
    page.locator("#way-out").click()
    expect(page.locator(".act__time")).not_to_have_text("10:00–11:00")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page).to_have_url(re.compile(r"/conferences/K-\d+$"))
    page.context.close()


def test_a_series_is_previewed_settled_and_booked_in_norwegian(web: Web, browser: Browser) -> None:
    taken = monday() + timedelta(days=7)
    studio = db.session.scalars(db.select(Studio).filter_by(code="BOD-1")).one()
    factories.conference(studio, start=taken.astimezone(UTC), title="Theirs")
    db.session.rollback()
    context = browser.new_context(locale="nb-NO", timezone_id="Europe/Oslo", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{web.address}/sign-in")
    page.get_by_label("E-post").fill(EMAIL)
    page.get_by_label("Passord").fill(PASSWORD)
    page.get_by_role("button", name="Logg inn").click()
    start = f"{web.address}/book?studio=TRO-1&studio=BOD-1&title=Lunge&date={monday():%Y-%m-%d}&start=10:00"
    page.goto(start)
    page.locator("#more summary").click()
    page.get_by_label("Gjentas").select_option("weekly")
    page.get_by_label("Antall ganger").fill("3")
    page.get_by_label("Antall ganger").press("Tab")
    expect(page.locator("#repeats")).to_contain_text("1 lar seg ikke reservere")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#settle").click()
    expect(page.locator("#repeats")).to_contain_text("3 kan reserveres")
    page.get_by_role("button", name="Reserver serien").click()
    expect(page.locator("#messages")).to_contain_text("3 konferanser er reservert")
    context.close()


def test_nothing_that_is_typed_while_answers_are_slow_is_lost(web: Web, page: Page) -> None:
    open_page(page, web, "/book")
    page.locator("#find").press_sequentially("bodø")
    expect(page.locator("#hits button")).to_have_count(3)
    page.locator("#more summary").click()
    page.route(DRAFTS, slowly)
    page.locator("#hits button").nth(1).click()
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
        page.locator("#hits button", has_text="Any studio at UNN Tromsø").click()
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
