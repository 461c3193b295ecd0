"""A series in the browser: what an edit would do is shown before it is done, for this meeting, the following or all."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from models import Conference, ConferenceState, db
from tests import factories
from tests.studios.booking.pages import Network, instant, text_of, tomorrow, typed


@pytest.fixture
def dialect() -> str:
    """What the pages make of it; what is read and stored below them is tried on both databases elsewhere."""
    return "sqlite"


@pytest.fixture
def meetings(coordinator: FlaskClient) -> list[Conference]:
    """Four days in a row at nine."""
    assert coordinator.post("/book", data=typed(repeat="daily", times="4")).status_code == 303
    return stored()


def stored() -> list[Conference]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Conference).order_by(Conference.id)))


def at(conference: Conference, rest: str = "") -> str:
    return f"/conferences/{conference.reference}/series{rest}"


def test_an_edit_is_shown_before_and_nothing_is_changed_by_looking(
    coordinator: FlaskClient, meetings: list[Conference]
) -> None:
    before = [each.starts_at for each in meetings]
    page = coordinator.post(at(meetings[1]), data={"scope": "following", "start": "11:00"})
    assert text_of(page).count("Changes") == 3
    assert 'id="save"' in page.text
    assert [each.starts_at for each in stored()] == before


@pytest.mark.parametrize(("scope", "moved"), [("this", [1]), ("following", [1, 2, 3]), ("all", [0, 1, 2, 3])])
def test_this_the_following_or_all_are_moved(
    coordinator: FlaskClient, meetings: list[Conference], scope: str, moved: list[int]
) -> None:
    form = {"scope": scope, "start": "11:00", "minutes": "30", "version": "1", "save": "1"}
    answer = coordinator.post(at(meetings[1]), data=form)
    assert answer.status_code == 303
    number = len(moved)
    assert f"{number} meeting" in text_of(coordinator.get(answer.location))
    for place, each in enumerate(stored()):
        hour = 11 if place in moved else 9
        assert each.starts_at == instant(tomorrow() + timedelta(days=place), hour)


def test_what_is_in_the_way_of_one_stops_the_edit_and_is_named(
    coordinator: FlaskClient, network: Network, meetings: list[Conference]
) -> None:
    factories.conference(network.bodo_1, network.bodo_2, start=instant(tomorrow() + timedelta(days=2), 11))
    db.session.rollback()
    for save in ({}, {"save": "1", "version": "1"}):
        page = coordinator.post(at(stored()[0]), data={"scope": "all", "start": "11:00", **save})
        assert "BOD-1 is taken 11:00–12:00" in text_of(page)
        assert 'id="save"' not in page.text
    assert {each.starts_at.hour for each in stored()[:4]} == {instant(tomorrow(), 9).hour}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Type what shall be different"),
        ({"start": "soon"}, "Type a start such as 09:30."),
        ({"minutes": "-1"}, "Type how many minutes it lasts"),
        ({"title": "x" * 200}, "The title has"),
    ],
)
def test_what_makes_no_sense_is_said(
    coordinator: FlaskClient, meetings: list[Conference], form: dict[str, str], sentence: str
) -> None:
    answer = coordinator.post(at(meetings[0]), data={"scope": "all", **form})
    assert answer.status_code == 422
    assert sentence in text_of(answer)


def test_cancelling_asks_first_and_says_how_many(coordinator: FlaskClient, meetings: list[Conference]) -> None:
    asked = coordinator.post(at(meetings[2], "/cancel"), data={"scope": "following"})
    assert "Cancel 2 meetings?" in text_of(asked)
    assert {each.state for each in stored()} == {ConferenceState.PLANNED}
    coordinator.post(at(meetings[2], "/cancel"), data={"scope": "following", "version": "1", "sure": "1"})
    states = [each.state for each in stored()]
    assert states == [ConferenceState.PLANNED] * 2 + [ConferenceState.CANCELLED] * 2


def test_an_older_version_and_a_stranger_are_refused(
    coordinator: FlaskClient, neighbour: FlaskClient, meetings: list[Conference]
) -> None:
    form = {"scope": "all", "title": "Kidneys", "save": "1", "version": "7"}
    assert coordinator.post(at(meetings[0]), data=form).status_code == 409
    assert neighbour.get(at(meetings[0])).status_code == 403
    assert coordinator.get("/conferences/K-1/series").status_code == 404
