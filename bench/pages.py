"""What the pages take with 900 studios and a year of bookings: time, compressed size, queries; against /healthz."""

import argparse
import gzip
import json
import logging
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import sqlalchemy as sa
import structlog
import waitress
from flask import Flask

from app import create_app
from bench.program import KEY
from bench.serving import cookie
from bench.table import Figure, show
from bench.year import filled
from config import Settings
from models import Account, Organisation, Role, Site, Studio, db
from tests import factories

NOTHING = "/healthz"
PAGES = (
    "/sign-in",
    "/book",
    "/conferences/",
    "/conferences/?q=lunge&whose=all",
    "/studios/",
    "/calendar/studio/UNN-TROMSO-01?view=week",
    "/next-24-hours?region=Nord",
    "/status",
    "/status/heartbeat",
    "/operation/processes",
    "/reports/",
    "/readyz",
)
MANY = 50  # studios of the day's timeline


@dataclass(frozen=True)
class Asked:
    """A request under its name."""

    name: str
    ask: Callable[[httpx.Client], httpx.Response]


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench pages", description=__doc__)
    parser.add_argument("--times", type=int, default=30, help="How often each page is asked for.")
    parser.add_argument("--database", help="A filled one; otherwise a year is made, which takes a minute.")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        if options.database:
            show(_measured(options.database, options.times))
        else:
            with filled(folder, "sqlite") as url:
                show(_measured(url, options.times))


def _measured(url: str, times: int) -> list[Figure]:
    app = create_app(Settings(database_url=url, secret_key=KEY))
    app.config["WTF_CSRF_ENABLED"] = False  # forms are sent without having been shown
    with app.app_context():
        signed_in = cookie(app, administrator().id)
        many = _many_studios()
        return _measure(app, signed_in, times, many)


def administrator() -> Account:
    found = db.session.scalar(db.select(Account).filter_by(email="administrator@demo.example"))
    return found or factories.account(role=Role.ADMINISTRATOR)


def _many_studios() -> str:
    """The calendar of the organisation with so many studios or more, on its next working day."""
    number = sa.func.count(Studio.id)
    query = sa.select(Organisation.id).join(Site, Site.organisation_id == Organisation.id)
    key = db.session.scalar(
        query.join(Studio, Studio.site_id == Site.id).group_by(Organisation.id).having(number >= MANY).order_by(number)
    )
    day = datetime.now(UTC).date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return f"/calendar/organisation/{key}?day={day.isoformat()}"


def _measure(app: Flask, signed_in: str, times: int, many: str) -> list[Figure]:
    """Over real HTTP on loopback, so that /healthz shows what the server and the wire alone take."""
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    address = f"http://127.0.0.1:{server.effective_port}"
    with httpx.Client(
        base_url=address, cookies={"studionett": signed_in}, trust_env=False, timeout=60, follow_redirects=True
    ) as client:
        bare = _median(client, Asked(NOTHING, lambda client: client.get(NOTHING)), times)
        figures = [Figure(f"{NOTHING}: time", bare * 1000, "ms")]
        for asked in _all(many):
            figures += _figures(client, asked, times, bare)
    return figures


def _all(many: str) -> Iterator[Asked]:
    for page in PAGES:
        yield Asked(page, lambda client, page=page: client.get(page))  # type: ignore[misc]
    yield Asked(f"the day of {MANY} studios or more", lambda client: client.get(many))
    form = _request()
    yield Asked("the request of three parties", lambda client: _draft(client, form, update="1"))
    yield Asked("a change of its time", lambda client: _draft(client, form, shift="5"))
    yield Asked("a change of its length", lambda client: _draft(client, form, minutes="90"))
    another = json.dumps({"any_of": {"town": "Bodø"}})
    yield Asked("a party added", lambda client: _draft(client, form, add=another))
    yield Asked("a search for a party", lambda client: _draft(client, form, find="bodø"))
    yield Asked("its week", lambda client: _draft(client, form, show="week"))
    weekly = {**form, "repeat": "weekly", "times": "26"}
    yield Asked("as a series of 26", lambda client: _draft(client, weekly, update="1"))


def _request() -> dict[str, Any]:
    """A form with a named studio and two pools, at ten tomorrow."""
    pools = [{"any_of": {"site": "UNN Tromsø"}}, {"any_of": {"town": "Hammerfest"}}]
    parties = [{"studio": "UNN-NARVIK-01"}, *pools]
    day = datetime.now(UTC).date() + timedelta(days=1)
    return {
        "title": "Bench",
        "purpose": "clinical",
        "party": [json.dumps(party) for party in parties],
        "date": f"{day:%d.%m.%Y}",
        "start": "10:00",
        "duration": "60",
    }


def _draft(client: httpx.Client, form: dict[str, Any], **pressed: str) -> httpx.Response:
    return client.post("/book/draft", data={**form, **pressed}, headers={"HX-Request": "true"})


def _figures(client: httpx.Client, asked: Asked, times: int, bare: float) -> list[Figure]:
    with _queries() as sent:
        answer = asked.ask(client)
    if answer.status_code != 200:
        sys.exit(f"bench pages: {asked.name} answers {answer.status_code}")
    taken = _median(client, asked, times)
    return [
        Figure(f"{asked.name}: time", taken * 1000, "ms", taken / bare, NOTHING),
        Figure(f"{asked.name}: compressed", len(gzip.compress(answer.content)) / 1000, "kB"),
        Figure(f"{asked.name}: queries", len(sent), ""),
    ]


@contextmanager
def _queries() -> Iterator[list[str]]:
    """What is sent to the database meanwhile, by the server's threads too."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(db.engine, "before_cursor_execute", note)


def _median(client: httpx.Client, asked: Asked, times: int) -> float:
    """Seconds."""
    taken = []
    for _ in range(times + 2):
        began = time.perf_counter()
        asked.ask(client)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[2:])  # the first compile templates


if __name__ == "__main__":
    main()
