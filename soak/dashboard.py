"""Keeps a wallboard open in a real browser for an hour of faults: memory, and no tile lost or stuck."""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
from flask_migrate import upgrade
from playwright.sync_api import CDPSession, Page

from accounts.rules import Scope
from accounts.tokens import create_token
from bench.dashboard import all_well, context, open_page
from bench.serving import client, served
from bench.table import Figure, show
from bench.watched import LARGEST, LARGEST_SITE, Studios, code_of, fleet, monitor, write_inventory
from models import Account, Role, db, write
from simulation.studio import Fault
from tests import factories

STUDIOS = 900
# What the page shows of a studio whose state the API tells; it tells calls and bookings beside an OK.
TONES = {
    "ok": {"idle", "call", "soon"},
    "degraded": {"degraded"},
    "down": {"down"},
    "unreachable": {"cut"},
    "maintenance": {"maint"},
    "unknown": {"unknown"},
}
TILES = """() => Object.fromEntries([...document.querySelectorAll('.region .tile')].map(tile => [
  tile.getAttribute('href').split('/').pop(),
  [...tile.classList].find(name => name.startsWith('is-')).slice(3)]))"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/soak dashboard", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder, url = Path(name), f"sqlite:///{name}/soak.db"
        with context(url), fleet(STUDIOS) as studios:
            upgrade()
            write(lambda: write_inventory(STUDIOS))
            secret = _token()
            with (
                monitor(url, folder / "monitor.log"),
                served(url) as address,
                open_page(address, path="/wallboard") as page,
                client(address, secret) as api,
            ):
                # Nobody is signed in for an hour without a sign of life; a screen on the wall has a token.
                page.locator("#token").fill(secret)
                page.locator("main button[type=submit]").click()
                show(list(_trial(page, studios, api, options)))


def _trial(page: Page, studios: Studios, api: httpx.Client, options: argparse.Namespace) -> Iterator[Figure]:
    chance = random.Random(options.seed)
    _await(all_well, "not all are found well")
    page.wait_for_function("document.querySelectorAll('.region .tile.is-idle').length === 900", timeout=60_000)
    browser = page.context.new_cdp_session(page)
    focused = code_of(LARGEST_SITE + 40)
    page.locator(f'a.tile[href$="/{focused}"]').focus()
    page.evaluate("window.scrollTo(0, 900)")
    scrolled = page.evaluate("window.scrollY")
    memory, faults, wrong, lost_focus = [_heap(browser)], 0, 0, 0
    until = time.monotonic() + options.minutes * 60
    while time.monotonic() < until:
        ill = [code_of(number) for number in chance.sample(range(LARGEST_SITE, STUDIOS), chance.randint(5, 40))]
        ill = [code for code in ill if code != focused]
        silent = {code for code in ill if chance.random() < 0.5}  # without a trap
        for code in ill:
            if code in silent:
                studios.cut(code, True)
            else:
                studios.suffer(code, Fault.DEAD)
        site = chance.random() < 0.2
        if site:
            studios.cut_site(LARGEST, True)
        time.sleep(chance.uniform(20, 45))
        for code in ill:
            if code in silent:
                studios.cut(code, False)
            else:
                studios.suffer(code, Fault.CLEAR)
        if site:
            studios.cut_site(LARGEST, False)
        _await(all_well, "not all are found well again")
        time.sleep(6)
        faults += len(ill) + site
        wrong += len(_differing(page, api))
        lost_focus += page.evaluate("document.activeElement.getAttribute('href')?.split('/').pop()") != focused
        memory.append(_heap(browser))
        print(f"{faults} faults, {wrong} tiles wrong, {memory[-1]:.1f} MB", flush=True)
    yield Figure("faults", faults, "")
    yield Figure("tiles that differ from what the API tells, looked at after each batch", wrong, "tiles")
    yield Figure("times that the focus was lost", lost_focus, "")
    yield Figure("moved by itself", page.evaluate("window.scrollY") - scrolled, "px")
    half = len(memory) // 2
    first, second = min(memory[1 : half + 1] or memory), min(memory[half:])
    yield Figure("memory of the page, at least, in the first half", first, "MB")
    yield Figure("in the second half", second, "MB", second / first, "the first half")


def _differing(page: Page, api: httpx.Client) -> list[str]:
    told = {one["code"]: one["state"] for one in api.get("/api/v1/status").raise_for_status().json()["studios"]}
    shown = page.evaluate(TILES)
    return [code for code in told.keys() | shown.keys() if shown.get(code) not in TONES.get(told.get(code, ""), set())]


def _heap(browser: CDPSession) -> float:
    """Megabytes that scripts and the document hold, once what nobody needs is thrown away."""
    browser.send("HeapProfiler.collectGarbage")
    browser.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in browser.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"]) / 1e6


def _token() -> str:
    key = factories.account("screen@example.org", role=Role.TECHNICIAN).id

    def make() -> str:
        person = db.session.get_one(Account, key)
        return create_token(person, "soak", [Scope.READ], timedelta(days=1))[1]

    return write(make)


def _await(condition: Callable[[], bool], failure: str) -> None:
    ends_at = time.monotonic() + 120
    while not condition():
        if time.monotonic() > ends_at:
            sys.exit(f"soak dashboard: {failure}.")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
