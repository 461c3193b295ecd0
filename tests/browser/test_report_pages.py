"""The report in a real browser: reachable by keyboard, narrow without sideways scroll, and open to everybody."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect

from accounts.people import add_account
from models import Outcome, Role, write
from tests import factories
from tests.browser.web import Web
from tests.reports import made_up

pytestmark = pytest.mark.browser

PASSWORD = "a password for tests"
EMAIL = "manager@example.org"
FRIDAY = date(2026, 11, 20)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PAGES = [
    "/reports/",
    f"/reports/{FRIDAY}",
    f"/reports/{FRIDAY}/studios?period=week",
    f"/reports/{FRIDAY}/organisations",
    "/reports/2026-03-01",
]


@pytest.fixture
def dialect() -> str:
    """The pages were tried on both databases; here one will do."""
    return "sqlite"


@pytest.fixture
def web(app: Flask) -> Iterator[Web]:
    write(lambda: add_account(EMAIL, "Manager", PASSWORD, [(Role.MANAGER, None)]))
    _a_fortnight()
    web = Web(app)
    yield web
    web.stop()


def _a_fortnight() -> None:
    north = factories.studio(factories.site(health_region="Nord"), name="Universitetssykehuset Nord-Norge, Studio 12")
    west = factories.studio(factories.site(health_region="Vest"), name="Haukeland, Studio 1")
    for back in range(14):
        day = FRIDAY - timedelta(days=back)
        made_up.report(day)
        made_up.hour(datetime(day.year, day.month, day.day, 8, tzinfo=UTC), day, 3 + back)
        made_up.conference(north, west, day=day)
        made_up.conference(west, day=day, outcome=Outcome.FAILED, cause="unreachable")
        made_up.studio_day(north, day, booked=1, held=1, booked_seconds=36_000, used_seconds=30_000)
        made_up.studio_day(west, day, booked_seconds=7200, healthy_seconds=0, unknown_seconds=86_400)


def sign_in(page: Page, web: Web) -> None:
    page.goto(f"{web.address}/sign-in")
    page.locator("input[type=email]").fill(EMAIL)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(lambda address: "sign-in" not in address)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_reports_are_accessible_and_never_wider_than_the_screen(web, browser, scheme):
    page = browser.new_context(locale="en-GB", color_scheme=scheme).new_page()
    sign_in(page, web)
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for address in PAGES:
            page.goto(web.address + address)
            beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert beyond <= 0, f"{address} at {width}"
            violations = Axe().run(page, options=RULES).response["violations"]
            assert not [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations], address
    page.context.close()


def test_a_manager_goes_from_the_newest_week_to_a_region_and_a_studio_by_links(web, page):
    sign_in(page, web)
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Reports").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage: week 47 of 2026")
    page.get_by_role("navigation", name="Health region").get_by_role("link", name="Nord").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage: week 47 of 2026, Nord")
    page.get_by_role("link", name="Greatest deviation").press("Enter")
    expect(page.get_by_role("columnheader", name="Deviation")).to_be_visible()
    page.get_by_role("link", name="Universitetssykehuset Nord-Norge, Studio 12").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Studio 12")


def test_the_numbers_of_the_chart_open_by_keyboard(web, page):
    sign_in(page, web)
    page.goto(f"{web.address}/reports/{FRIDAY}?period=week")
    page.get_by_text("The numbers").press("Enter")
    expect(page.locator("#trend table")).to_be_visible()
    expect(page.locator("#trend table tbody tr").last).to_contain_text("10")


def test_what_is_printed_is_the_report_alone(web, page):
    sign_in(page, web)
    page.goto(f"{web.address}/reports/{FRIDAY}?period=week")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for hidden in (".top", ".foot", ".filters", ".title .ds-button"):
        expect(page.locator(hidden).first).to_be_hidden()
