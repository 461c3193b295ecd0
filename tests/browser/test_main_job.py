"""The job the program is for, in a real browser: book two studios, see the call run and end by itself."""

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Running, sign_in

# Together in one process, for the network that they share is slow to start.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("network")]

OSLO = ZoneInfo("Europe/Oslo")
# From the minute ahead to the end of a conference of one minute, and time to be sure.
WHOLE_JOB = 150.0


def until(wanted: Callable[[], bool], seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < give_up, "it took too long"
        time.sleep(0.2)


def add_studio(page: Page, text: str, code: str) -> None:
    page.get_by_label("Add a party").press_sequentially(text)
    page.locator(f"button.hit[value*='{code}']").click()
    expect(page.locator(f"input[name=party][value*='{code}']")).to_be_attached()


def test_a_booked_conference_starts_runs_and_ends_by_itself(running: Running, page: Page):
    sign_in(page, running, "coordinator@example.org")
    expect(page).to_have_title(re.compile("Studionett"))

    page.goto(f"{running.address}/book")
    page.get_by_label("Title").fill("Lung meeting")
    add_studio(page, "tromso", "TROMSO-01")
    add_studio(page, "bodø", "BODO-01")
    # A whole minute ahead at least: a start in the next seconds would be past before the form is sent.
    start = (datetime.now(OSLO) + timedelta(seconds=70)).replace(second=0, microsecond=0)
    page.get_by_label("Date").fill(f"{start:%d.%m.%Y}")
    page.get_by_label("Start", exact=True).fill(f"{start:%H:%M}")
    page.get_by_label("Duration in minutes").fill("1")
    page.get_by_label("Duration in minutes").press("Tab")
    page.get_by_role("button", name="Book", exact=True).click()

    expect(page).to_have_url(re.compile(r"/conferences/K-\d+$"))
    expect(page.get_by_role("heading", name="Lung meeting")).to_be_visible()
    assert running.calls("TROMSO-01") == running.calls("BODO-01") == []

    status = page.context.new_page()
    status.goto(f"{running.address}/status")
    tiles = status.locator("a.tile[href$='TROMSO-01'], a.tile[href$='BODO-01']")
    expect(tiles).to_have_count(2)
    expect(status.locator("a.tile.is-call")).to_have_count(0)

    until(lambda: running.calls("TROMSO-01") == running.calls("BODO-01") == ["Connected"], WHOLE_JOB)
    assert datetime.now(OSLO) >= start
    expect(page.locator("#live")).to_contain_text("All parties are connected", timeout=8_000)
    expect(status.locator("a.tile.is-call")).to_have_count(2, timeout=8_000)

    until(lambda: running.calls("TROMSO-01") == running.calls("BODO-01") == [], WHOLE_JOB)
    assert datetime.now(OSLO) >= start + timedelta(minutes=1)
    expect(page.locator("#live")).to_contain_text("Ended", timeout=8_000)
    expect(status.locator("a.tile.is-call")).to_have_count(0, timeout=25_000)


def test_a_studio_that_dies_is_seen_on_the_open_page_and_seen_to_come_back(running: Running, page: Page):
    sign_in(page, running, "technician@example.org")
    expect(page).to_have_url(re.compile("/status"))
    tile = page.locator("a.tile[href$='ALTA-01']")
    expect(tile).to_have_class(re.compile("is-idle"), timeout=20_000)
    running.studionett("fleet", "fault", "ALTA-01", "dead")
    expect(tile).to_have_class(re.compile("is-down"), timeout=20_000)
    running.studionett("fleet", "fault", "ALTA-01", "clear")
    expect(tile).to_have_class(re.compile("is-idle"), timeout=20_000)
