"""The status page of 900 studios: what it takes, what open pages take, and how soon a fault is seen in a browser."""

import argparse
import asyncio
import gzip
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from statistics import median, quantiles
from typing import Any, cast

import httpx
import sqlalchemy as sa
from flask import Flask, current_app
from flask_migrate import upgrade
from playwright.sync_api import Page, sync_playwright

from app import create_app
from bench.program import KEY, demonstration
from bench.serving import cookie as signed_in
from bench.serving import served
from bench.table import Figure, show
from bench.watched import LARGEST_SITE, Studios, code_of, fleet, monitor, write_inventory
from config import Settings
from models import EndpointStatus, Health, Role, database_now, db, write
from simulation.studio import Fault
from tests import factories
from tests.browser.conftest import CHROMIUM, CHROMIUM_FLAGS

STUDIOS = 900
SCREENS, EVERY = 500, 2.0  # open pages, and how often each asks, in seconds
CONNECTIONS = 8
EMPTY = "/healthz"
PATIENCE = 120.0
# Tells in the page's own clock when a tile became another one.
WATCH = """code => {
  window.became = window.became || {};
  const tile = document.querySelector(`a.tile[href$="/${code}"]`);
  const list = document.querySelector('.wall');
  const seen = () => [...document.querySelector(`a.tile[href$="/${code}"]`).classList].find(c => c.startsWith('is-'));
  const before = seen();
  delete window.became[code];
  new MutationObserver((_, observer) => {
    if (seen() !== before) { window.became[code] = Date.now() / 1000; observer.disconnect(); }
  }).observe(list, {subtree: true, childList: true, attributes: true, attributeFilter: ['class']});
}"""


@dataclass(frozen=True)
class Load:
    """What came of asking one address again and again."""

    per_second: float
    p95: float
    empty: float  # the share that was answered with nothing


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench dashboard", description=__doc__)
    parser.add_argument("--times", type=int, default=30, help="how often the whole page is asked for")
    parser.add_argument("--seconds", type=float, default=15, help="of asking what changed, as fast as it goes")
    parser.add_argument("--faults", type=int, default=20, help="seen in a browser, with traps and without")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = [*_served_figures(folder, options), *_seen_figures(Path(folder), options.faults)]
    show(figures)


def _served_figures(folder: str, options: argparse.Namespace) -> Iterator[Figure]:
    url = demonstration(folder)
    with context(url):
        cookie = _technician()
        _keep_fresh()
    with served(url) as address, _client(address, cookie) as client:
        yield from _whole_page(client, options.times)
        bare = asyncio.run(_load(address, cookie, EMPTY, options.seconds / 3))
        asked = asyncio.run(_load(address, cookie, _with_nothing_new(client), options.seconds))
    yield Figure(f"{EMPTY}: answers a second, {CONNECTIONS} connections", bare.per_second, "/s")
    yield Figure(f"{EMPTY}: 95 of 100 within", bare.p95 * 1000, "ms")
    ratio = asked.per_second / bare.per_second
    yield Figure("what changed, with nothing new: answers a second", asked.per_second, "/s", ratio, EMPTY)
    yield Figure(f"{SCREENS} open pages ask", SCREENS / EVERY, "/s")
    yield Figure("what changed: 95 of 100 within", asked.p95 * 1000, "ms", asked.p95 / bare.p95, EMPTY)
    yield Figure("what changed: answered with nothing", asked.empty * 100, "%")


def _whole_page(client: httpx.Client, times: int) -> Iterator[Figure]:
    taken, bare = list[float](), list[float]()
    for _ in range(times + 2):
        for address, kept in (("/status", taken), (EMPTY, bare)):
            began = time.perf_counter()
            answer = client.get(address, headers={"Accept-Encoding": "identity"})
            kept.append(time.perf_counter() - began)
            if answer.status_code != 200:
                sys.exit(f"bench dashboard: {address} answers {answer.status_code}")
            if address == "/status":
                page = answer.text
    tiles = page.count('<a id="t')
    yield Figure("tiles", tiles, "")
    yield Figure("the whole page", median(taken[2:]) * 1000, "ms", median(taken[2:]) / median(bare[2:]), EMPTY)
    yield Figure("the whole page, compressed", len(gzip.compress(page.encode())) / 1000, "kB")


def _with_nothing_new(client: httpx.Client) -> str:
    """What an open page asks once it knows all: it was opened right after all studios had been polled."""
    answer = client.get("/status")
    give_up = time.monotonic() + PATIENCE
    while answer.status_code == 200:
        query = answer.text.partition('hx-get="/status/changes?')[2].partition('"')[0]
        address = f"/status/changes?{unescape(query)}"
        if time.monotonic() > give_up:
            sys.exit("bench dashboard: there is always something new.")
        time.sleep(EVERY)
        answer = client.get(address, headers={"HX-Request": "true"})
    return address


async def _load(address: str, cookie: str, path: str, seconds: float) -> Load:
    """Bare sockets that stay open: a client library would take more of the processor than the server."""
    host, port = address.removeprefix("http://").split(":")
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: studionett={cookie}\r\nHX-Request: true\r\n\r\n"
    ).encode()
    took: list[float] = []
    nothing = 0
    until = time.perf_counter() + seconds

    async def ask_again_and_again() -> None:
        nonlocal nothing
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if length:
                await reader.readexactly(length)
            if b"\r\nconnection: close" in head:  # waitress does so after an answer without content
                writer.close()
                reader, writer = await asyncio.open_connection(host, int(port))
            took.append(time.perf_counter() - began)
            nothing += head.startswith(b"http/1.1 204")
            if head.split()[1] not in (b"200", b"204"):
                sys.exit(f"bench dashboard: {path} answers {head.split()[1].decode()}")
        writer.close()

    await asyncio.gather(*(ask_again_and_again() for _ in range(CONNECTIONS)))
    return Load(len(took) / seconds, quantiles(took, n=20)[-1], nothing / len(took))


def _seen_figures(folder: Path, faults: int) -> Iterator[Figure]:
    """From a fault at a studio to its tile in an open page: the monitor, the database, the server and the browser."""
    url = f"sqlite:///{folder}/watched.db"
    with context(url), fleet(STUDIOS) as studios:
        upgrade()
        write(lambda: write_inventory(STUDIOS))
        cookie = _technician()  # before the monitor writes
        with monitor(url, folder / "monitor.log"), served(url) as address, open_page(address, cookie) as page:
            _await(all_well, "not all are found well")
            page.wait_for_function("document.querySelectorAll('.region .tile.is-idle').length === 900", timeout=60_000)
            chance = random.Random(1)
            codes = [code_of(number) for number in chance.sample(range(LARGEST_SITE, STUDIOS), faults)]
            for traps in (False, True):
                took = [_seen(page, studios, code, traps) for code in codes]
                what = f"from a fault to the tile in a browser, {'with' if traps else 'without'} a trap"
                yield Figure(f"{what}, half of {len(took)}", median(took), "s")
                yield Figure(f"{what}, the longest", max(took), "s")


def _seen(page: Page, studios: Studios, code: str, traps: bool) -> float:
    page.evaluate(WATCH, code)
    began = time.time()
    if traps:
        studios.suffer(code, Fault.DEAD)
    else:
        studios.cut(code, True)
    page.wait_for_function("code => window.became[code]", arg=code, timeout=60_000)
    took = float(page.evaluate("code => window.became[code]", code)) - began
    if traps:
        studios.suffer(code, Fault.CLEAR)
    else:
        studios.cut(code, False)
    page.wait_for_selector(f'a.tile.is-idle[href$="/{code}"]', timeout=60_000)
    return took


@contextmanager
def open_page(address: str, cookie: str = "", path: str = "/status") -> Iterator[Page]:
    """A page in a real browser, that of whoever the cookie belongs to or of a stranger."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)  # to look into the page
        if cookie:
            context.add_cookies([{"name": "studionett", "value": cookie, "url": address}])
        page = context.new_page()
        page.goto(f"{address}{path}")
        yield page
        browser.close()


def all_well() -> bool:
    """Whether the monitor has found all of them well."""
    query = sa.select(sa.func.count()).where(EndpointStatus.health == Health.OK)
    found = db.session.scalar(query)
    db.session.rollback()
    return found == STUDIOS


@contextmanager
def context(url: str) -> Iterator[Any]:
    """The application on this database, with its context open."""
    app = create_app(Settings(database_url=url, secret_key=KEY))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def _technician() -> str:
    """The cookie of one who has signed in."""
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    return signed_in(app, factories.account("screen@example.org", role=Role.TECHNICIAN).id)


def _keep_fresh() -> None:
    """Nobody polls here; what was polled long ago would count as unknown."""
    later = database_now() + timedelta(hours=1)
    write(lambda: db.session.execute(sa.update(EndpointStatus).values(last_poll_at=later)))


def _client(address: str, cookie: str) -> httpx.Client:
    return httpx.Client(base_url=address, cookies={"studionett": cookie}, trust_env=False, timeout=60)


def _await(condition: Any, failure: str) -> None:
    ends_at = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > ends_at:
            sys.exit(f"bench dashboard: {failure}.")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
