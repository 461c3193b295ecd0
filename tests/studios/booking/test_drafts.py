"""The buttons of the booking page: each draws it anew with everything as typed, and none books."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import Conference, db
from tests import factories
from tests.studios.booking.pages import Network, chosen_clock, chosen_in, instant, text_of, tomorrow, typed, value_of


def named(code: str) -> str:
    """The party that is this studio, as the buttons have it."""
    return json.dumps({"studio": code})


def offered(answer: TestResponse) -> list[str]:
    """What the search offers to add."""
    return [
        unescape(value) for value in re.findall(r'class="hit" type="submit" name="add" value="([^"]*)"', answer.text)
    ]


@pytest.fixture
def dialect() -> str:
    """What the page makes of what is typed does not hang on the database; what it reads and stores is tried on both
    elsewhere."""
    return "sqlite"


def press(client: FlaskClient, *codes: str, source: str = "", **changes: object) -> TestResponse:
    """Send the form to where every button but the last one sends it; with `source` as htmx does."""
    headers = {"HX-Request": "true", "HX-Source": source} if source else {}
    return client.post("/book/draft", data=typed(*codes, **changes), headers=headers)


@pytest.fixture(autouse=True)
def nothing_is_booked(network: Network) -> object:
    yield
    db.session.rollback()
    assert db.session.scalars(db.select(Conference).where(Conference.title == "Lung meeting")).all() == []


def test_without_a_script_the_whole_page_comes_back_and_for_htmx_its_living_part(coordinator: FlaskClient) -> None:
    whole, part = press(coordinator), press(coordinator, source="input#title")
    assert whole.text.startswith("<!doctype html>")
    assert part.text.strip().startswith('<div id="booking">')
    for answer in (whole, part):
        assert answer.status_code == 200
        assert value_of(answer, "title") == "Lung meeting"
        assert chosen_in(answer) == ["TRO-1", "BOD-1"]


def test_the_first_button_of_the_form_and_so_the_one_for_enter_does_not_book(coordinator: FlaskClient) -> None:
    page = coordinator.get("/book").text
    form = page[page.index('<form class="book"') :]
    first_button = form[form.index("<button") : form.index(">", form.index("<button"))]
    assert 'name="update"' in first_button
    assert "formaction" not in first_button
    assert 'action="/book/draft"' in form[: form.index(">")]


def test_a_search_lists_whole_places_and_studios_that_are_not_chosen_yet(coordinator: FlaskClient) -> None:
    answer = press(coordinator, "TRO-1", find="tromsø", source="input#find")
    assert offered(answer) == ['{"any_of": {"site": "UNN Tromsø"}}', named("TRO-2")]
    assert "2 found." in text_of(answer)
    assert value_of(answer, "find") == "tromsø"


def test_typing_alone_never_adds_a_studio_but_enter_adds_the_only_hit(coordinator: FlaskClient) -> None:
    assert chosen_in(press(coordinator, "TRO-1", find="TRO-2", source="input#find")) == ["TRO-1"]
    assert chosen_in(press(coordinator, "TRO-1", find="TRO-2", source="input#title")) == ["TRO-1"]
    for entered in (
        press(coordinator, "TRO-1", find="TRO-2", search="1", source="button#search"),
        press(coordinator, "TRO-1", find="TRO-2", update="1"),  # Enter without a script
    ):
        assert chosen_in(entered) == ["TRO-1", "TRO-2"]
        assert value_of(entered, "find") == ""
    assert chosen_in(press(coordinator, "TRO-1", find="bodø", search="1")) == ["TRO-1"]


@pytest.mark.parametrize("text", ["nowhere at all", "\x00", "x" * 10_000, "%", "'; --"])
def test_a_search_that_finds_nothing_says_so(coordinator: FlaskClient, text: str) -> None:
    answer = press(coordinator, find=text, search="1")
    assert answer.status_code == 200
    assert "Nothing fits." in text_of(answer)


def test_a_search_for_what_is_chosen_says_so(coordinator: FlaskClient) -> None:
    assert "What fits is chosen already." in text_of(press(coordinator, "TRO-1", "TRO-2", find="studio tro"))


def test_studios_are_added_removed_and_put_first(coordinator: FlaskClient) -> None:
    assert chosen_in(press(coordinator, add=named("BOD-2"))) == ["TRO-1", "BOD-1", "BOD-2"]
    assert chosen_in(press(coordinator, add=named("BOD-1"))) == ["TRO-1", "BOD-1"]
    assert chosen_in(press(coordinator, remove=named("TRO-1"))) == ["BOD-1"]
    assert chosen_in(press(coordinator, first=named("BOD-1"))) == ["BOD-1", "TRO-1"]


def test_a_studio_that_does_not_exist_is_shown_so_that_it_can_be_removed(coordinator: FlaskClient) -> None:
    answer = press(coordinator, "TRO-1", add=named("NOWHERE-7"))
    assert chosen_in(answer) == ["TRO-1", "NOWHERE-7"]
    assert "No such studio" in text_of(answer)


def test_no_more_than_fifty_studios_can_be_added(coordinator: FlaskClient) -> None:
    codes = [f"S-{number}" for number in range(50)]
    answer = press(coordinator, *codes, add=named("TRO-1"))
    assert chosen_in(answer) == codes
    assert "Choose at most 50 studios." in text_of(answer)


def test_the_first_studio_that_can_be_steered_hosts(coordinator: FlaskClient, network: Network) -> None:
    factories.studio(network.tromso_1.site, code="TRO-9", name="No codec")
    said = text_of(press(coordinator, "TRO-9", "BOD-1"))
    assert re.search(r"NLSH Bodø, Studio 1 BOD-1 Hosts the call", said)
    assert said.count("Hosts the call") == 1


def test_a_quick_duration_takes_the_place_of_a_typed_end(coordinator: FlaskClient) -> None:
    answer = press(coordinator, minutes="90", end="09:30")
    assert (value_of(answer, "duration"), value_of(answer, "end")) == ("90", "")


def test_a_duration_that_was_just_changed_takes_the_place_of_a_typed_end(coordinator: FlaskClient) -> None:
    by_duration = press(coordinator, duration="45", end="11:00", source="input#duration")
    assert (value_of(by_duration, "duration"), value_of(by_duration, "end")) == ("45", "")
    by_end = press(coordinator, duration="45", end="11:00", source="input#end")
    assert (value_of(by_end, "duration"), value_of(by_end, "end")) == ("120", "11:00")
    assert "09:00–11:00" in text_of(by_end)


def test_the_days_turn(coordinator: FlaskClient) -> None:
    day = tomorrow()
    assert value_of(press(coordinator, day="1"), "date") == f"{day + timedelta(days=1):%d.%m.%Y}"
    assert value_of(press(coordinator, day="-1"), "date") == f"{day - timedelta(days=1):%d.%m.%Y}"


def test_the_meeting_moves_by_five_minutes_and_keeps_its_length(coordinator: FlaskClient) -> None:
    later = press(coordinator, shift="5")
    assert (value_of(later, "start"), value_of(later, "duration")) == ("09:05", "60")
    earlier = press(coordinator, shift="-5", end="10:30")
    assert (value_of(earlier, "start"), value_of(earlier, "end")) == ("08:55", "10:25")


def test_the_meeting_moves_to_where_everyone_is_free(coordinator: FlaskClient, network: Network) -> None:
    nine = instant(tomorrow(), 9)
    factories.conference(network.bodo_1, start=nine, title="Theirs")
    page = press(coordinator)
    assert "This time is not free for all" in text_of(page)
    assert "move the meeting to 08:00" in page.text
    assert "move the meeting to 10:00" in page.text
    moved = press(coordinator, move=(nine + timedelta(hours=1)).isoformat())
    assert value_of(moved, "start") == "10:00"
    assert "2 studios are free" in text_of(moved)


def test_a_move_into_the_hour_that_comes_twice_remembers_which(coordinator: FlaskClient) -> None:
    second = press(coordinator, move="2027-10-31T01:30:00+00:00")
    assert value_of(second, "start") == "02:30"
    assert "comes twice" not in text_of(second)
    assert chosen_clock(second) == "winter"
    later = press(coordinator, date="31.10.2027", start="02:55", start_clock="summer", shift="5")
    assert value_of(later, "start") == "02:00"
    assert chosen_clock(later) == "winter"


@pytest.mark.parametrize(
    "pressed",
    [
        {"move": "never"},
        {"move": "2027-01-01T10:00"},
        {"move": "0001-01-01T00:00:00+00:00"},
        {"shift": "\x00"},
        {"minutes": "-1"},
        {"day": "soon"},
        {"first": "NOWHERE"},
        {"remove": "\x00"},
        {"add": "\x00"},
        {"version": "x" * 5000},
        {"shift": "5", "start": "rubbish"},
        {"day": "1", "date": "31.12.2099"},
    ],
)
def test_a_garbled_button_does_no_harm(coordinator: FlaskClient, pressed: dict[str, str]) -> None:
    assert press(coordinator, **pressed).status_code == 200


def test_the_address_of_drafts_leads_to_a_new_booking(coordinator: FlaskClient) -> None:
    assert coordinator.get("/book/draft").location == "/book"
