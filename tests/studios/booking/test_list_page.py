"""The list of conferences."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from models import ConferenceState, Role, db
from studios.booking.queries import PAGE
from tests import factories
from tests.studios.booking.pages import (
    MOST_QUERIES,
    Network,
    SignIn,
    counted_queries,
    in_english,
    instant,
    text_of,
    tomorrow,
)


def test_the_list_begins_today_and_shows_ours_first(coordinator: FlaskClient, network: Network) -> None:
    start = instant(tomorrow(), 9)
    factories.conference(network.tromso_1, network.bodo_1, start=start, title="Ours tomorrow")
    factories.conference(network.bodo_2, network.tromso_2, start=start, title="Theirs with us")
    alone = factories.conference(
        network.bodo_1, network.bodo_2, start=start + timedelta(hours=2), title="Theirs alone"
    ).reference
    factories.conference(network.tromso_1, network.tromso_2, start=start - timedelta(days=3), title="Ours, long past")
    ours = text_of(coordinator.get("/conferences/"))
    assert "Ours tomorrow" in ours
    assert "Theirs with us" in ours
    assert alone not in ours
    assert "long past" not in ours
    everybodys = text_of(coordinator.get("/conferences/?whose=all"))
    assert alone in everybodys
    assert "Theirs alone" not in everybodys
    assert "NLSH" in everybodys


def test_people_without_an_organisation_see_all_and_have_no_filter(network: Network, client_for: SignIn) -> None:
    factories.conference(network.bodo_1, network.bodo_2, start=instant(tomorrow(), 9))
    for role in (Role.TECHNICIAN, Role.MANAGER, Role.ADMINISTRATOR):
        page = in_english(client_for(factories.account(role=role))).get("/conferences/")
        assert "NLSH Bodø, Studio 1; NLSH Bodø, Studio 2" in text_of(page)
        assert "whose=mine" not in page.text


def test_a_long_table_of_studios_is_counted(coordinator: FlaskClient, network: Network) -> None:
    four = (network.tromso_1, network.tromso_2, network.bodo_1, network.bodo_2)
    factories.conference(*four, start=instant(tomorrow(), 9), state=ConferenceState.CANCELLED)
    said = text_of(coordinator.get("/conferences/"))
    assert "UNN Tromsø, Studio 1; UNN Tromsø, Studio 2 and 2 more" in said
    assert "Cancelled" in said


def test_only_studios_that_are_still_reserved_are_listed(coordinator: FlaskClient, network: Network) -> None:
    conference = factories.conference(network.tromso_1, network.bodo_1, start=instant(tomorrow(), 9))
    released = conference.parties[1].reservation
    assert released is not None
    released.released_at = instant(tomorrow(), 8)
    db.session.commit()
    for page in ("/conferences/", f"/conferences/{conference.reference}/cancel"):
        said = text_of(coordinator.get(page))
        assert "UNN Tromsø, Studio 1" in said
        assert "NLSH Bodø, Studio 1" not in said
    assert "While they are free it can be planned again." in said


def test_another_day_can_be_typed(coordinator: FlaskClient, network: Network) -> None:
    factories.conference(network.tromso_1, network.bodo_1, start=instant(tomorrow(), 9), title="Lung meeting")
    day = tomorrow() + timedelta(days=1)
    assert "Lung meeting" in coordinator.get(f"/conferences/?from={tomorrow():%d.%m.%Y}").text
    assert "Lung meeting" not in coordinator.get(f"/conferences/?from={day.isoformat()}").text


@pytest.mark.parametrize("typed", ["yesterday", "31.02.2027", "0001-01-01", "9999-12-31", "\x00", "9" * 5000])
def test_what_is_no_date_is_said_and_the_list_begins_today(coordinator: FlaskClient, typed: str) -> None:
    answer = coordinator.get("/conferences/", query_string={"from": typed})
    assert answer.status_code == 422
    assert "is no date." in text_of(answer)


@pytest.mark.parametrize("page", ["0", "-3", "9" * 30, "many", "\x00"])
def test_a_garbled_page_number_does_no_harm(coordinator: FlaskClient, page: str) -> None:
    assert coordinator.get("/conferences/", query_string={"page": page}).status_code == 200


def test_a_reference_leads_to_its_conference(coordinator: FlaskClient, network: Network) -> None:
    conference = factories.conference(network.bodo_1, network.bodo_2)
    for typed in (conference.reference, conference.reference.lower(), f" {conference.reference[2:]} "):
        answer = coordinator.get("/conferences/", query_string={"reference": typed})
        assert (answer.status_code, answer.location) == (302, f"/conferences/{conference.reference}")


@pytest.mark.parametrize("typed", ["K-99999", "nowhere", "\x00", "x" * 5000])
def test_a_search_that_finds_nothing_says_what_to_do(coordinator: FlaskClient, typed: str) -> None:
    answer = coordinator.get("/conferences/", query_string={"q": typed})
    assert answer.status_code == 200
    assert "Nothing fits. Try fewer words" in text_of(answer)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("lunge", ["Lungemøte"]),
        ("lungemote", ["Lungemøte"]),
        ("tromso", ["Lungemøte", "Nyrer"]),
        ("tromsø nyrer", ["Nyrer"]),
        ("BOD-1", ["Lungemøte"]),
        ("unn", ["Lungemøte", "Nyrer"]),
        ("kari", ["Lungemøte"]),
        ("nils", []),
    ],
)
def test_every_word_is_looked_for_in_titles_places_and_names(
    coordinator: FlaskClient, network: Network, words: str, found: list[str]
) -> None:
    nine = instant(tomorrow(), 9)
    factories.conference(
        network.tromso_1, network.bodo_1, start=nine, title="Lungemøte", organiser_id=network.coordinator.id
    )
    factories.conference(network.tromso_2, start=nine, title="Nyrer")
    said = text_of(coordinator.get("/conferences/", query_string={"q": words, "whose": "all"}))
    assert [title for title in ("Lungemøte", "Nyrer") if title in said] == found


def test_a_title_that_is_not_for_ones_eyes_is_not_found(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network
) -> None:
    factories.conference(network.tromso_1, network.tromso_2, start=instant(tomorrow(), 9), title="Lungemøte")
    for client, is_found in ((coordinator, True), (neighbour, False)):
        said = text_of(client.get("/conferences/", query_string={"q": "lunge", "whose": "all"}))
        assert ("1 conference fits" in said) == is_found
    found = neighbour.get("/conferences/", query_string={"q": "TRO-1", "whose": "all"})
    assert "1 conference fits" in text_of(found)
    assert "Lunge" not in found.text


def test_mine_are_those_that_i_organise_or_booked(coordinator: FlaskClient, network: Network) -> None:
    nine = instant(tomorrow(), 9)
    factories.conference(network.tromso_1, start=nine, title="By me", organiser_id=network.coordinator.id)
    factories.conference(network.tromso_2, start=nine, title="By another")
    said = text_of(coordinator.get("/conferences/", query_string={"whose": "me"}))
    assert ("By me" in said, "By another" in said) == (True, False)


def test_an_empty_list_says_what_to_do(coordinator: FlaskClient, network: Network, client_for: SignIn) -> None:
    page = coordinator.get("/conferences/")
    assert "Your organisation has no conferences from this day on." in text_of(page)
    assert 'href="/book"' in page.text
    technician = in_english(client_for(factories.account(role=Role.TECHNICIAN))).get("/conferences/")
    assert "There are no conferences from this day on." in text_of(technician)
    assert 'href="/book"' not in technician.text


def test_a_long_list_has_pages_and_each_takes_at_most_twelve_queries(
    coordinator: FlaskClient, network: Network
) -> None:
    start = instant(tomorrow(), 9)
    for number in range(PAGE + 3):
        factories.conference(network.tromso_1, network.bodo_1, start=start + number * timedelta(hours=2))
    db.session.expire_all()
    with counted_queries() as queries:
        first = coordinator.get("/conferences/")
    assert len(queries) <= MOST_QUERIES, "\n".join(queries)
    assert first.text.count('<th scope="row"') == PAGE
    assert "Page 1 of 2" in text_of(first)
    second = coordinator.get("/conferences/?page=2")
    assert second.text.count('<th scope="row"') == 3
