"""What the tests of the booking pages share: a network of studios, browsers, and a count of queries."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import Account, Studio, db
from tests import factories

OSLO = ZoneInfo("Europe/Oslo")
SignIn = Callable[[Account], FlaskClient]


class Network:
    """Two trusts with two studios each, and a coordinator at each of them."""

    def __init__(self) -> None:
        self.unn = factories.organisation("UNN")
        self.nlsh = factories.organisation("NLSH")
        tromso = factories.site(self.unn, name="UNN Tromsø", contact_phone="77 11 22 33")
        bodo = factories.site(
            self.nlsh, name="NLSH Bodø", town="Bodø", municipality="Bodø", contact_phone="75 44 55 66"
        )
        self.tromso_1, self.tromso_2 = (_studio(tromso, "TRO", number) for number in (1, 2))
        self.bodo_1, self.bodo_2 = (_studio(bodo, "BOD", number) for number in (1, 2))
        self.coordinator = factories.account(organisation=self.unn, name="Kari Koordinator")
        self.neighbour = factories.account(organisation=self.nlsh, name="Nils Nabo")


def _studio(site: Any, code: str, number: int) -> Studio:
    row = factories.studio(site, code=f"{code}-{number}", name=f"{site.name}, Studio {number}")
    factories.endpoint(row, f"127.60.0.{row.id}")
    return row


def in_english(client: FlaskClient) -> FlaskClient:
    client.set_cookie("language", "en")
    return client


def tomorrow() -> date:
    return (datetime.now(OSLO) + timedelta(days=1)).date()


def last_sunday_of_october() -> date:
    """The next night in which the clocks are set back."""
    day = tomorrow()
    while not (day.month == 10 and day.weekday() == 6 and day.day > 24):
        day += timedelta(days=1)
    return day


def instant(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=OSLO).astimezone(UTC)


def typed(*codes: str, **changes: Any) -> dict[str, Any]:
    """A request as the form sends it: tomorrow at nine, for an hour."""
    values: dict[str, Any] = {
        "title": "Lung meeting",
        "purpose": "clinical",
        "date": f"{tomorrow():%d.%m.%Y}",
        "start": "09:00",
        "duration": "60",
        "end": "",
        "find": "",
        "studio": list(codes or ("TRO-1", "BOD-1")),
    }
    return {**values, **changes}


def text_of(answer: TestResponse) -> str:
    """What the page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def value_of(answer: TestResponse, name: str) -> str | None:
    """What stands in a field of the page."""
    for tag in re.findall(r"<input [^>]*>", answer.text):
        if f'name="{name}"' in tag:
            found = re.search(r'value="([^"]*)"', tag)
            return unescape(found[1]) if found else ""
    return None


def chosen_clock(answer: TestResponse) -> str | None:
    """Which of two readings of the start is ticked."""
    ticked = [tag for tag in re.findall(r"<input [^>]*start_clock[^>]*>", answer.text) if " checked" in tag]
    return re.findall(r'value="(\w+)"', ticked[0])[0] if ticked else None


def chosen_in(answer: TestResponse) -> list[str]:
    """The codes of the studios that are asked for by name; other parties as their JSON."""
    values = [unescape(value) for value in re.findall(r'name="party" value="([^"]*)"', answer.text)]
    return [json.loads(value).get("studio", value) for value in values]


def asked_for(answer: TestResponse) -> dict[str, list[str]]:
    """The parties of the page and the studios that it showed for them, as the form sends them."""
    return {
        name: [unescape(value) for value in re.findall(rf'name="{name}" value="([^"]*)"', answer.text)]
        for name in ("party", "seat")
    }


# Twelve of a page's own, and its frame's two: is a process silent, is this a demonstration.
MOST_QUERIES = 12 + 2


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The reads and writes that are sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(db.engine, "before_cursor_execute", note)
