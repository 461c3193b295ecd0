"""A newcomer books three parties in a real browser, by mouse and by keyboard alone: how many actions, how many seconds.

An action is what a person does: fill in a field, look for a party and take it, press a button. The seconds are those
of a program, which types as fast as the page answers.
"""

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable

import waitress
from playwright.sync_api import Browser, Page, sync_playwright

from accounts.people import add_account
from app import create_app
from bench.program import KEY, demonstration
from bench.table import Figure, show
from config import Settings
from models import Organisation, Role, db, write

EMAIL, PASSWORD = "newcomer@example.org", "a password for measurements"
PARTIES = (
    ("unn trom", "Any studio at UNN Tromsø"),
    ("bod", "Any studio in Bodø"),
    ("hammerf", "Klinikk Hammerfest, Studio 1"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench newcomer", description=__doc__)
    parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(database_url=demonstration(folder), secret_key=KEY))
        with app.app_context():
            _add_newcomer()
        server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
        threading.Thread(target=server.run, daemon=True).start()
        address = f"http://127.0.0.1:{server.effective_port}"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or "/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
            )
            show([*_way(browser, address, "by mouse", _by_mouse), *_way(browser, address, "by keyboard", _by_keyboard)])
            browser.close()


def _add_newcomer() -> None:
    trust = db.session.scalars(db.select(Organisation).filter_by(name="Universitetssykehuset Nord-Norge HF")).one()
    write(lambda: add_account(EMAIL, "Newcomer", PASSWORD, [(Role.COORDINATOR, trust)]))


def _way(browser: Browser, address: str, name: str, book: Callable[[Page], int]) -> list[Figure]:
    page = browser.new_context(locale="en-GB", timezone_id="Europe/Oslo").new_page()
    began = time.perf_counter()
    page.goto(f"{address}/sign-in")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/book")
    opened = time.perf_counter()
    actions = book(page)
    page.wait_for_url("**/conferences/K-*")
    done = time.perf_counter()
    page.context.close()
    return [
        Figure(f"three parties {name}: actions after the page is open", actions, ""),
        Figure(f"three parties {name}: seconds after the page is open", done - opened, "s"),
        Figure(f"three parties {name}: seconds from sign-in", done - began, "s"),
    ]


def _by_mouse(page: Page) -> int:
    page.get_by_label("Title").fill("Lung meeting")
    for place, (words, name) in enumerate(PARTIES, start=1):
        page.locator("#find").press_sequentially(words)
        page.locator("#hits button", has_text=name).first.click()
        _await_parties(page, place)
    page.get_by_role("button", name="Book", exact=True).click()
    return 1 + len(PARTIES) + 1


def _by_keyboard(page: Page) -> int:
    keys = page.keyboard
    page.locator("#title").focus()
    keys.type("Lung meeting")
    keys.press("Tab")
    keys.press("Tab")
    for place, (words, name) in enumerate(PARTIES, start=1):
        keys.type(words)
        hit = page.locator("#hits button", has_text=name).first
        hit.wait_for()
        steps = page.locator("#hits button").all_text_contents()
        for _ in range(next(number for number, text in enumerate(steps, start=1) if name in text)):
            keys.press("ArrowDown")
        keys.press("Enter")
        _await_parties(page, place)
    page.locator(".act__lines .is-ok").wait_for()
    page.locator("#book").focus()
    keys.press("Enter")
    return 1 + len(PARTIES) + 1


def _await_parties(page: Page, number: int) -> None:
    page.locator("input[name=party]").nth(number - 1).wait_for(state="attached")


if __name__ == "__main__":
    main()
