"""The calendars of studios, sites and organisations, a site's next days, the list to print."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from tests import factories
from tests.studios.booking.conftest import *  # noqa: F403
from tests.studios.booking.pages import MOST_QUERIES, Network, counted_queries, instant, text_of, tomorrow


@pytest.fixture
def booked(network: Network) -> str:
    """At nine tomorrow, by UNN with NLSH; and one of UNN alone."""
    made = factories.conference(network.tromso_1, network.bodo_1, start=instant(tomorrow(), 9), title="Lung meeting")
    factories.conference(network.tromso_2, start=instant(tomorrow(), 13), title="Ours alone")
    return made.reference


def addresses(network: Network) -> list[str]:
    site = network.tromso_1.site
    day = tomorrow().isoformat()
    return [
        f"/calendar/{where}?day={day}&view={view}"
        for where in ("studio/TRO-1", f"site/{site.id}", f"organisation/{network.unn.id}")
        for view in ("day", "week")
    ]


def test_titles_are_for_those_around_the_table(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network, booked: str
) -> None:
    address = f"/calendar/site/{network.tromso_1.site_id}?day={tomorrow().isoformat()}"
    ours, theirs = coordinator.get(address), neighbour.get(address)
    assert "Lung meeting 09:00–10:00" in text_of(ours)
    assert "Ours alone" in text_of(ours)
    assert "Lung meeting 09:00–10:00" in text_of(theirs)
    assert "Ours alone" not in theirs.text


def test_each_calendar_shows_day_and_week_in_few_queries(
    coordinator: FlaskClient, network: Network, booked: str
) -> None:
    for address in addresses(network):
        with counted_queries() as queries:
            answer = coordinator.get(address)
        assert answer.status_code == 200, address
        assert len(queries) <= MOST_QUERIES, address
        if "week" not in address or "studio" in address:
            assert f"/conferences/{booked}" in answer.text, address


def test_a_week_of_many_studios_counts_what_each_has(coordinator: FlaskClient, network: Network, booked: str) -> None:
    address = f"/calendar/site/{network.tromso_1.site_id}?day={tomorrow().isoformat()}&view=week"
    assert "UNN Tromsø, Studio 1" in text_of(coordinator.get(address))
    assert text_of(coordinator.get(address)).count("1 1 h") == 2


def test_what_is_closed_or_may_not_be_booked_is_shown(coordinator: FlaskClient, network: Network) -> None:
    network.tromso_1.bookable_hours = {"mon": ["08:00-15:30"]}
    factories.db.session.commit()
    page = coordinator.get(f"/calendar/studio/TRO-1?day={tomorrow().isoformat()}")
    assert "Out of use, or not to be booked" in text_of(page)


@pytest.mark.parametrize("rest", ["?day=rubbish", "?page=99", "?hours=early", "?hours=late", "?view=month"])
def test_what_makes_no_sense_in_the_address_is_passed_over(coordinator: FlaskClient, rest: str) -> None:
    assert coordinator.get(f"/calendar/studio/TRO-1{rest}").status_code == 200


def test_what_is_not_there_is_said(coordinator: FlaskClient) -> None:
    for address in ("/calendar/studio/NONE", "/calendar/site/999", "/calendar/organisation/999", "/sites/999/today"):
        assert coordinator.get(address).status_code == 404, address


def test_a_calendar_is_found_by_name(coordinator: FlaskClient, network: Network) -> None:
    found = coordinator.get("/calendar/?q=bodo").text
    assert f'href="/calendar/site/{network.bodo_1.site_id}"' in found
    assert 'href="/calendar/studio/BOD-1"' in found
    assert coordinator.get("/calendar/").location == f"/calendar/organisation/{network.unn.id}"


def test_a_site_sees_today_and_the_next_five_days(neighbour: FlaskClient, network: Network, booked: str) -> None:
    factories.conference(network.bodo_2, start=instant(tomorrow() + timedelta(days=8), 9), title="Too far")
    said = text_of(neighbour.get(f"/sites/{network.bodo_1.site_id}/today"))
    assert "09:00–10:00 NLSH Bodø, Studio 1 Lung meeting UNN" in said
    assert "Too far" not in said
    assert "Ours alone" not in said


def test_the_list_to_print_has_all_that_is_needed_to_call_by_hand(coordinator: FlaskClient, network: Network) -> None:
    soon = datetime.now(UTC) + timedelta(hours=2)
    factories.conference(network.tromso_1, network.bodo_1, start=soon, title="Lung meeting")
    factories.conference(network.tromso_2, start=soon + timedelta(hours=25), title="Later")
    said = text_of(coordinator.get("/next-24-hours?region=Nord"))
    for needed in ("Lung meeting", "sip:tro-1@", "sip:bod-1@", "77 11 22 33", "75 44 55 66"):
        assert needed in said
    assert "Later" not in said
