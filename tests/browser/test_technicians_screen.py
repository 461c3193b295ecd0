"""The technician's screen as people have it: the question it answers, by keyboard, narrow, on the wall, in the dark."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from accounts.people import add_account
from accounts.rules import Scope
from accounts.tokens import create_token, revoke
from models import (
    Account,
    ApiToken,
    Closure,
    Conference,
    Health,
    Incident,
    Role,
    Severity,
    database_now,
    db,
    write,
)
from tests import factories
from tests.browser.test_accessibility import RULES
from tests.browser.web import Web
from tests.monitoring.open_page import conference, keep, turn, watched

pytestmark = pytest.mark.browser

PASSWORD, EMAIL = "a password for tests", "administrator@example.org"


@pytest.fixture
def dialect() -> str:
    """The answers were tried on both databases; here one will do."""
    return "sqlite"


@pytest.fixture
def web(app: Flask) -> Iterator[Web]:
    write(lambda: add_account(EMAIL, "Anne Administrator", PASSWORD, [(Role.ADMINISTRATOR, None)]))
    web = Web(app)
    yield web
    web.stop()


class Night:
    """A studio that fails 20 minutes before its conference, a spare one beside it, and others that are well."""

    def __init__(self) -> None:
        site = factories.site(name="UNN Tromsø", contact_phone="77 11 22 33")
        self.ill = watched(site, name="Studio 12", health=Health.DOWN, cause="no-answer")
        self.spare = watched(site, name="Studio 13")
        self.partner = watched(factories.site(name="Klinikk Hammerfest"), name="Studio 1")
        self.meeting: Conference = conference(self.ill, self.partner, minutes=20)
        opened = database_now() - timedelta(minutes=2)
        self.incident: Incident = keep(
            Incident(studio_id=self.ill.id, cause="no-answer", severity=Severity.CRITICAL, opened_at=opened)
        )
        self.reference, self.code, self.number = self.meeting.reference, self.ill.code, self.incident.id
        db.session.rollback()


@pytest.fixture
def night(app: Flask) -> Night:
    return Night()


def sign_in(page: Page, web: Web, path: str) -> None:
    page.goto(f"{web.address}/sign-in")
    page.locator("input[type=email]").fill(EMAIL)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.goto(web.address + path)


def axe(page: Page) -> list[str]:
    return [each["id"] for each in Axe().run(page, options=RULES).response["violations"]]


def anew(table: type, key: int):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(table, key)


def test_the_five_second_question(web, night, page):
    """Which studio threatens which conference, and what to do: all in the first row, without scrolling."""
    sign_in(page, web, "/status")
    row = page.locator("#risks tbody tr").first
    expect(row).to_contain_text("UNN Tromsø, Studio 12")
    expect(row).to_contain_text("Does not answer")
    expect(row).to_contain_text(night.reference)
    expect(row).to_contain_text(re.compile(r"(19|20) min"))
    expect(row).to_contain_text("Nobody")
    box = row.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900
    row.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("You have this incident now.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/status$"))
    expect(row).to_contain_text("Anne Administrator")
    row.get_by_role("link", name="Move").click()
    page.get_by_role("button", name=re.compile("Studio 13")).click()
    expect(page.get_by_text("The studio is replaced.")).to_be_visible()
    page.goto(f"{web.address}/status")
    expect(page.get_by_text("No conference of the next hour is in a studio with a fault.")).to_be_visible()


def test_an_incident_is_worked_on_to_its_end(web, night, page):
    sign_in(page, web, "/status")
    page.get_by_role("link", name="Incidents").click()
    page.get_by_role("link", name="Studio 12").click()
    page.get_by_role("button", name="Take it").click()
    page.get_by_label("Note").fill("The socket was loose")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("The socket was loose")).to_be_visible()
    turn(night.ill, health=Health.OK, cause="")
    incident = anew(Incident, night.number)
    incident.quiet_since = database_now()
    db.session.commit()
    expect(page.get_by_text("Gone, waiting whether it stays so")).to_be_visible(timeout=8000)
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("The incident is resolved.")).to_be_visible()
    assert anew(Incident, night.number).resolved_at is not None


def test_a_studio_is_taken_out_of_use_and_its_conference_moved_from_its_page(web, night, page):
    sign_in(page, web, f"/status/studios/{night.code}")
    page.get_by_role("link", name="Take out of use").click()
    tomorrow = (database_now() + timedelta(days=1)).date().isoformat()
    page.get_by_label("Until, day").fill(tomorrow)  # whatever the time of day is now
    page.get_by_label("Reason").fill("A dead codec")
    page.get_by_role("button", name="Take out of use").click()
    expect(page.get_by_label(f"Move {night.reference}")).to_be_checked()
    page.get_by_role("button", name="Move those that are ticked").click()
    expect(page.get_by_text("1 conference has another studio now.")).to_be_visible()
    parties = anew(Conference, night.meeting.id).parties
    seated = {party.reservation.studio_id for party in parties if not party.reservation.released_at}
    assert seated == {night.spare.id, night.partner.id}
    page.get_by_role("button", name="Put back into use now").click()
    expect(page.get_by_text("It is back in use.")).to_be_visible()
    assert anew(Closure, db.session.scalar(db.select(Closure.id))).ends_at <= database_now()


def test_all_of_it_by_keyboard(web, night, page):
    sign_in(page, web, "/status")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText.startsWith('Take it')"):
            break
    focused = page.locator(":focus")
    expect(focused).to_have_text(re.compile("Take it"))
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    expect(page.get_by_text("You have this incident now.")).to_be_visible()
    assert anew(Incident, night.number).acknowledged_at is not None


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_what_is_at_risk_comes_before_the_wall_and_can_be_taken(web, night, browser: Browser, width):
    with browser.new_context(locale="en-GB", viewport={"width": width, "height": 800}, has_touch=True) as context:
        page = context.new_page()
        sign_in(page, web, "/status")
        risk, wall = page.locator("#risks").bounding_box(), page.locator(".panel--wall").bounding_box()
        assert risk is not None
        assert wall is not None
        assert risk["y"] < wall["y"]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.locator("#risks").get_by_role("button", name="Take it").tap()
        expect(page.get_by_text("You have this incident now.")).to_be_visible()
        for path in (
            f"/status/incidents/{night.number}",
            f"/status/studios/{night.code}",
            "/status/places",
            "/wallboard",
        ):
            page.goto(web.address + path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_wallboard_lives_by_a_token_until_it_is_revoked(web, night, browser: Browser):
    owner = db.session.scalar(db.select(Account.id))
    db.session.rollback()

    def make() -> tuple[int, str]:
        made, secret = create_token(db.session.get_one(Account, owner), "The wall", [Scope.READ], timedelta(days=30))
        return made.id, secret

    key, secret = write(make)
    with browser.new_context(locale="en-GB", viewport={"width": 1920, "height": 1080}) as context:
        page = context.new_page()
        page.goto(f"{web.address}/wallboard")
        page.get_by_label("Token of this screen").fill(secret)
        page.get_by_role("button", name="Show the wallboard").click()
        expect(page.locator(f"#t{night.ill.id}")).to_have_class(re.compile("is-down"))
        expect(page.get_by_role("navigation", name="Main menu")).to_have_count(0)
        page.wait_for_timeout(6000)  # by now it has asked everything that it asks by itself
        turn(night.partner, health=Health.DEGRADED, cause="camera", since=database_now())
        expect(page.locator(f"#t{night.partner.id}")).to_have_class(re.compile("is-degraded"), timeout=8000)
        write(lambda: revoke(db.session.get_one(ApiToken, key)))
        expect(page.get_by_label("Token of this screen")).to_be_visible(timeout=10_000)


@pytest.mark.parametrize("path", ["/status", "/status/incidents", "/status/places", "/wallboard"])
def test_in_the_dark_and_with_colours_of_the_system_it_can_be_read(web, night, browser: Browser, path):
    for settings in ({"color_scheme": "dark"}, {"forced_colors": "active"}):
        with browser.new_context(locale="en-GB", bypass_csp=True, **settings) as context:
            page = context.new_page()
            sign_in(page, web, path)
            assert axe(page) == []
            if path == "/status":
                shape = "getComputedStyle(document.querySelector('.region .tile.is-down'), '::before').maskImage"
                assert "svg" in page.evaluate(shape)  # told by its shape, whatever the colours


def test_who_wants_no_motion_gets_none(web, night, browser: Browser):
    with browser.new_context(locale="en-GB", reduced_motion="reduce") as context:
        page = context.new_page()
        sign_in(page, web, "/status")
        moving = """[...document.querySelectorAll('*')].filter(e => {
          const s = getComputedStyle(e);
          return s.animationName !== 'none' || s.transitionDuration.split(',').some(d => parseFloat(d) > 0);
        }).length"""
        assert page.evaluate(moving) == 0


@pytest.mark.parametrize("path", ["/status/incidents/{number}", "/status/studios/{code}"])
def test_a_page_that_is_paused_asks_no_more(web, night, page, path):
    sign_in(page, web, path.format(number=night.number, code=night.code))
    with page.expect_request("**/live?**", timeout=8000):
        pass  # it asks every three seconds
    page.get_by_role("button", name="Pause").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3500)
    assert asked == []


def test_without_script_the_pages_are_whole_and_can_be_reloaded(web, night, browser: Browser):
    paths = (
        "/status/incidents",
        f"/status/incidents/{night.number}",
        f"/status/studios/{night.code}",
        "/status/places",
    )
    with browser.new_context(locale="en-GB", java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, web, "/status")
        for path in paths:
            page.goto(web.address + path)
            expect(page.get_by_role("link", name="Reload the page")).to_be_visible()
            expect(page.locator("h1")).to_be_visible()
        page.goto(f"{web.address}/status?only=faults")
        expect(page.locator("meta[http-equiv]")).to_have_count(0)
        page.get_by_role("link", name="Reload it every minute").click()
        expect(page).to_have_url(f"{web.address}/status?only=faults&reload=minute")
        expect(page.locator("meta[http-equiv=refresh]")).to_have_attribute("content", "60")
        page.get_by_role("link", name="No longer").click()
        expect(page).to_have_url(f"{web.address}/status?only=faults")


def test_the_maps_table_says_what_the_map_says_while_it_changes(web, night, page):
    sign_in(page, web, "/status/places")
    states = """() => {
      const marks = [...document.querySelectorAll('.map__mark')], rows = [...document.querySelectorAll('tbody tr')];
      return [
        Object.fromEntries(marks.map(mark => [mark.dataset.site, mark.classList[1]])),
        Object.fromEntries(rows.map(row => [row.id.slice(1), row.querySelector('.badge').classList[1]])),
      ];
    }"""
    on_map, in_table = page.evaluate(states)
    assert on_map == in_table
    assert sorted(on_map.values()) == ["is-down", "is-ok"]
    turn(night.partner, health=Health.DEGRADED, cause="camera")
    expect(page.locator(".map__mark.is-degraded")).to_have_count(1, timeout=15_000)
    on_map, in_table = page.evaluate(states)
    assert on_map == in_table


def test_a_studio_that_changes_leaves_focus_and_scroll_where_they_are(web, night, page):
    sign_in(page, web, f"/status/studios/{night.code}")
    button = page.get_by_role("link", name="Test call")
    button.focus()
    page.evaluate("window.scrollTo(0, 120)")
    before = page.evaluate("window.scrollY")
    turn(night.ill, health=Health.DEGRADED, cause="camera", since=database_now())
    expect(page.get_by_text("Camera unplugged").first).to_be_visible(timeout=8000)
    expect(page.get_by_role("link", name="Test call")).to_be_focused()
    assert page.evaluate("window.scrollY") == before
