"""No page asks the database more than twelve times, however much it shows; every page that can be opened is opened."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from flask import Flask

from models import Purpose, Role, write
from studios.booking.series.previews import SeriesRequest
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.saving import book_series
from studios.booking.wishes import Booking, StudioWish
from tests import factories
from tests.studios.booking.pages import MOST_QUERIES, Network, SignIn, counted_queries, instant, tomorrow

# What is downloaded, asked for by programs, or shown to nobody in particular.
NO_PAGES = ("static", "healthz", "readyz", "feeds.feed")


@pytest.fixture
def dialect() -> str:
    """The queries are the same on both."""
    return "sqlite"


@pytest.fixture
def values(app: Flask) -> dict[str, str]:
    """What stands in the addresses: a meeting of a series, under way in a moment, its studio, its site."""
    network = Network()
    start = instant(tomorrow(), 9)
    wishes = (StudioWish(network.tromso_1.id), StudioWish(network.bodo_1.id))
    asked = Booking("Lung meeting", Purpose.CLINICAL, network.unn.id, start, start + timedelta(hours=1), wishes)
    request = SeriesRequest(asked, Recurrence("FREQ=DAILY;COUNT=9", tomorrow(), time(9), 60, "Europe/Oslo"))
    reference = write(lambda: book_series(request, network.coordinator).conferences[0].reference)
    for number in range(40):
        site = factories.site(network.unn)
        factories.conference(factories.studio(site), network.bodo_2, start=start + number * timedelta(hours=2))
    return {
        "reference": reference,
        "code": "TRO-1",
        "number": str(network.tromso_1.site_id),
        "position": "1",
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def test_no_page_takes_more_than_twelve_queries(app: Flask, client_for: SignIn, values: dict[str, str]) -> None:
    client = client_for(factories.account(role=Role.ADMINISTRATOR))
    opened, greedy = 0, {}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in NO_PAGES or rule.rule.startswith("/api/"):
            continue
        address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], "none"), rule.rule)
        with counted_queries() as queries:
            status = client.get(address).status_code
        assert status < 500, address
        opened += status == 200
        if len(queries) > MOST_QUERIES:
            greedy[address] = len(queries)
    assert opened > 30
    assert not greedy
