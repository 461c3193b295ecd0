"""The page of a request: pools, guests, suggestions, the wish that is kept, the week, series."""

import json
import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import Conference, db
from tests import factories
from tests.studios.booking.pages import (
    MOST_QUERIES,
    Network,
    asked_for,
    counted_queries,
    instant,
    text_of,
    tomorrow,
    typed,
    value_of,
)
from tests.studios.booking.test_drafts import named, offered

BODO = json.dumps({"any_of": {"site": "NLSH Bodø"}}, ensure_ascii=False)
TROMSO = json.dumps({"any_of": {"site": "UNN Tromsø"}}, ensure_ascii=False)


@pytest.fixture
def dialect() -> str:
    """What the pages make of it; what is read and stored below them is tried on both databases elsewhere."""
    return "sqlite"


def draft(client: FlaskClient, *parties: str, **changes: Any) -> TestResponse:
    form = typed(studio=[], party=list(parties or (named("TRO-1"), BODO)), **changes)
    return client.post("/book/draft", data=form)


def booked() -> list[Conference]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Conference).order_by(Conference.starts_at)))


def suggested(answer: TestResponse) -> list[str]:
    """The values of the suggestions, best first."""
    return [unescape(each) for each in re.findall(r'id="take-\d+" name="take" value="([^"]*)"', answer.text)]


def at_nine(hours: float = 0) -> Any:
    return instant(tomorrow(), 9) + timedelta(hours=hours)


def test_a_pool_shows_how_many_are_free_and_which_it_gives(coordinator: FlaskClient, network: Network) -> None:
    factories.conference(network.bodo_1, start=at_nine())
    answer = draft(coordinator)
    assert asked_for(answer)["seat"] == ["TRO-1", "BOD-2"]
    assert "1 free 09:00–10:00" in text_of(answer)
    assert "2 free 10:00–11:00" in text_of(answer)


@pytest.mark.parametrize("seen", ["BOD-1", "BOD-2"])
def test_what_was_seen_of_a_pool_is_what_is_booked(coordinator: FlaskClient, seen: str) -> None:
    form = typed(studio=[], party=[named("TRO-1"), BODO], seat=["TRO-1", seen])
    assert coordinator.post("/book", data=form).status_code == 303
    assert [party.reservation.studio.code for party in booked()[0].parties if party.reservation] == ["TRO-1", seen]


def test_another_of_the_pool_is_booked_where_the_one_that_was_seen_is_gone(
    coordinator: FlaskClient, network: Network
) -> None:
    factories.conference(network.bodo_1, start=at_nine(), title="Faster")
    form = typed(studio=[], party=[named("TRO-1"), BODO], seat=["TRO-1", "BOD-1"])
    assert coordinator.post("/book", data=form).status_code == 303
    [ours] = [each for each in booked() if each.title == "Lung meeting"]
    assert [party.reservation.studio.code for party in ours.parties if party.reservation] == ["TRO-1", "BOD-2"]


@pytest.mark.parametrize("forged", ["TRO-2", "NOWHERE", ""])
def test_a_seat_that_is_none_of_the_pool_is_not_taken(coordinator: FlaskClient, forged: str) -> None:
    form = typed(studio=[], party=[named("TRO-1"), BODO], seat=["TRO-1", forged])
    assert coordinator.post("/book", data=form).status_code == 303
    party = booked()[0].parties[1]
    assert party.reservation is not None
    assert party.reservation.studio.code.startswith("BOD")


def test_two_parties_of_one_pool_get_two_studios_and_three_are_told_that_there_are_too_few(
    coordinator: FlaskClient,
) -> None:
    assert sorted(asked_for(draft(coordinator, BODO, BODO))["seat"]) == ["BOD-1", "BOD-2"]
    refused = text_of(draft(coordinator, BODO, BODO, BODO))
    assert "Parties 1, 2, 3 have only 2 studios between them." in refused


def test_a_pool_whose_studios_are_all_taken_names_who_has_them(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network
) -> None:
    factories.conference(network.bodo_1, network.bodo_2, start=at_nine(), title="A secret matter")
    answer = draft(coordinator)
    said = text_of(answer)
    assert "None of the 2 studios that would do is free: NLSH Bodø" in said
    assert "NLSH Bodø, Studio 1 is busy 09:00–10:00" in said
    assert "secret" not in answer.text
    assert "Take 08:00–09:00 instead" in said


def test_seats_and_equipment_narrow_a_pool(coordinator: FlaskClient, network: Network) -> None:
    network.bodo_2.capacity, network.bodo_2.equipment = 20, ["stethoscope"]
    db.session.commit()
    for adjusted in ({"seats-1": "15"}, {"seats-1": "", "with-1": "stethoscope"}):
        assert asked_for(draft(coordinator, **adjusted))["seat"] == ["TRO-1", "BOD-2"]
    assert "No studio fits" in text_of(draft(coordinator, **{"seats-1": "21"}))


def test_a_guest_is_invited_by_address(coordinator: FlaskClient) -> None:
    found = draft(coordinator, named("TRO-1"), find="sip:anna@example.org")
    assert offered(found) == ['{"guest": "sip:anna@example.org"}']
    form = typed(studio=[], party=[named("TRO-1"), *offered(found)])
    assert coordinator.post("/book", data=form).status_code == 303
    assert booked()[0].parties[1].guest_address == "sip:anna@example.org"


@pytest.mark.parametrize("words", ["tromso", "UNN", "unn tromsoe"])
def test_a_place_is_found_before_its_studios_whatever_the_spelling(coordinator: FlaskClient, words: str) -> None:
    assert offered(draft(coordinator, named("BOD-1"), find=words))[0] == TROMSO


def test_whom_one_met_lately_is_offered_first(coordinator: FlaskClient) -> None:
    coordinator.post("/book", data=typed(studio=[], party=[named("TRO-1"), BODO]))
    page = coordinator.get("/book").text
    quick = page[page.index('aria-label="Asked for lately"') :]
    assert unescape(re.findall(r'name="add" value="([^"]*)"', quick)[0]) == named("TRO-1")
    assert offered(draft(coordinator, named("TRO-2"), find="bodø"))[0] == BODO


def test_as_long_as_no_time_was_chosen_the_first_that_suits_all_is(coordinator: FlaskClient, network: Network) -> None:
    page = coordinator.get("/book")
    assert value_of(page, "wished") == "any"
    fields = {name: value_of(page, name) for name in ("date", "start", "shown", "wished")}
    free = draft(coordinator, named("TRO-1"), named("BOD-1"), **fields)
    first = suggested(free)[0].partition("/")[0]
    day = typed()["date"]
    factories.conference(network.bodo_1, start=booked_at(free), end=booked_at(free) + timedelta(minutes=90))
    moved = draft(coordinator, named("TRO-1"), named("BOD-1"), **fields)
    assert suggested(moved)[0].partition("/")[0] > first
    assert value_of(moved, "wished") == "any"
    chosen = draft(coordinator, named("TRO-1"), named("BOD-1"), **{**fields, "date": day, "start": "09:10"})
    assert (value_of(chosen, "wished"), value_of(chosen, "start")) == ("", "09:10")


def booked_at(answer: TestResponse) -> Any:
    return datetime.fromisoformat(suggested(answer)[0].partition("/")[0])


def test_a_wish_is_kept_while_the_meeting_is_moved_about(coordinator: FlaskClient, network: Network) -> None:
    factories.conference(network.bodo_1, network.bodo_2, start=at_nine())
    first = draft(coordinator)
    [best, *_others] = before = suggested(first)
    moved = draft(coordinator, take=best)
    assert value_of(moved, "start") == "08:00"
    wished = value_of(moved, "wished")
    assert wished is not None
    assert "Wished" in text_of(moved)
    again = draft(coordinator, start="08:00", wished=wished, shown=f"{typed()['date']} 08:00", shift="5")
    assert (value_of(again, "start"), value_of(again, "wished")) == ("08:05", wished)
    assert set(suggested(again)) == set(before)
    retyped = draft(coordinator, start="11:00", wished=wished, shown=f"{typed()['date']} 08:00")
    assert value_of(retyped, "wished") == ""


def test_a_meeting_is_lengthened_and_shortened_by_five_minutes(coordinator: FlaskClient) -> None:
    assert value_of(draft(coordinator, lengthen="5"), "duration") == "65"
    assert value_of(draft(coordinator, lengthen="-5"), "duration") == "55"
    assert value_of(draft(coordinator, lengthen="-5", duration="5"), "duration") == "5"


def test_an_opened_pool_shows_its_studios_and_one_is_picked(coordinator: FlaskClient) -> None:
    opened = draft(coordinator, open=BODO)
    assert "Choose this one : NLSH Bodø, Studio" in text_of(opened)
    assert value_of(opened, "opened") == BODO
    assert value_of(draft(coordinator, open=BODO, opened=BODO), "opened") is None
    picked = draft(coordinator, opened=BODO, pick=json.dumps({"party": BODO, "studio": "BOD-2"}))
    assert asked_for(picked)["party"] == [named("TRO-1"), named("BOD-2")]


@pytest.mark.parametrize("garbled", ["", "x", "[]", '{"party": 1}', '{"party": "x", "studio": {}}'])
def test_a_garbled_pick_or_party_does_no_harm(coordinator: FlaskClient, garbled: str) -> None:
    for form in ({"pick": garbled}, {"add": garbled}, {"open": garbled}, {"take": garbled}):
        assert draft(coordinator, **form).status_code == 200
    assert asked_for(draft(coordinator, named("TRO-1"), garbled))["party"] == [named("TRO-1")]


def test_the_week_shows_when_all_are_free_each_day(coordinator: FlaskClient, network: Network) -> None:
    day = tomorrow() + timedelta(days=7 + (7 - tomorrow().weekday()) % 7)  # a Monday
    factories.conference(network.bodo_1, network.bodo_2, start=instant(day, 7), end=instant(day, 17))
    page = draft(coordinator, show="week", date=f"{day:%d.%m.%Y}")
    said = text_of(page)
    assert f"Week {day.isocalendar().week}" in said
    assert said.count("Never free for all") == 1
    assert value_of(page, "view") == "week"


def test_the_page_with_pools_and_clashes_takes_at_most_twelve_queries(
    coordinator: FlaskClient, network: Network
) -> None:
    factories.conference(network.bodo_1, network.bodo_2, start=at_nine())
    with counted_queries() as queries:
        draft(coordinator, named("TRO-1"), named("TRO-2"), BODO, opened=BODO)
    assert len(queries) <= MOST_QUERIES, "\n".join(queries)


def test_booking_says_before_who_is_asked_and_who_gets_mail(coordinator: FlaskClient, network: Network) -> None:
    network.bodo_1.needs_approval = True
    db.session.commit()
    said = text_of(draft(coordinator, named("TRO-1"), named("BOD-1")))
    assert "Yours, taken at once You" in said
    assert "Held, and its owner is asked for approval The coordinators of NLSH" in said


def test_a_change_says_before_what_it_moves(coordinator: FlaskClient) -> None:
    coordinator.post("/book", data=typed())
    address = f"/conferences/{booked()[0].reference}/change/draft"
    said = text_of(coordinator.post(address, data=typed("TRO-1", "BOD-2", start="11:00", version="1")))
    assert "09:00–10:00 to" in said
    assert "NLSH Bodø, Studio 1 comes free." in said
    assert "NLSH Bodø, Studio 2 is taken." in said


def test_a_series_is_previewed_and_booked_with_what_was_chosen(coordinator: FlaskClient, network: Network) -> None:
    days = [tomorrow() + timedelta(days=number) for number in range(4)]
    factories.conference(network.bodo_1, start=instant(days[1], 9))
    factories.conference(network.bodo_2, network.bodo_1, start=instant(days[2], 9))
    wishes = [named("TRO-1"), named("BOD-1")]
    page = draft(coordinator, *wishes, repeat="daily", times="4")
    said = text_of(page)
    assert "2 cannot be had" in said
    assert said.count("Not free") == 1
    assert said.count("Another studio is free") == 1
    refused = coordinator.post("/book", data=typed(studio=[], party=wishes, repeat="daily", times="4"))
    assert refused.status_code == 409
    assert len(booked()) == 2
    chosen = {f"line-{days[1].isoformat()}": "skip", f"at-{days[2].isoformat()}": "11:00"}
    answer = coordinator.post("/book", data=typed(studio=[], party=wishes, repeat="daily", times="4", **chosen))
    assert answer.status_code == 303
    assert "3 conferences are booked, 1 is skipped." in text_of(coordinator.get(answer.location))
    ours = [each.starts_at for each in booked() if each.series_id]
    assert ours == [instant(days[0], 9), instant(days[2], 11), instant(days[3], 9)]


def test_what_is_in_the_way_of_a_series_is_settled_at_once(coordinator: FlaskClient, network: Network) -> None:
    day = tomorrow() + timedelta(days=1)
    factories.conference(network.bodo_1, network.bodo_2, start=instant(day, 9))
    page = draft(coordinator, named("TRO-1"), named("BOD-1"), repeat="daily", times="3", settle="1")
    assert "2 can be booked, 1 skipped" in text_of(page)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"times": "many"}, "Type how many times, from 1 to 200."),
        ({"times": "0"}, "Type how many times, from 1 to 200."),
        ({"until": "soon"}, "Type a date, or leave it empty"),
        ({"until": "01.01.2020"}, "No day meets this rule."),
    ],
)
def test_a_rule_that_makes_no_sense_is_said_so(
    coordinator: FlaskClient, changes: dict[str, str], sentence: str
) -> None:
    page = draft(coordinator, repeat="weekly", **changes)
    assert sentence in text_of(page)
    refused = coordinator.post("/book", data=typed(repeat="weekly", **changes))
    assert refused.status_code == 422
    assert booked() == []


def test_parties_are_kept_as_a_group_found_by_its_name_first_and_added_together(
    coordinator: FlaskClient, neighbour: FlaskClient
) -> None:
    form = typed(studio=[], party=[named("TRO-1"), BODO], group="Lung  board")
    assert "The group Lung board is saved." in text_of(coordinator.post("/book/group", data=form))
    [group] = [hit for hit in offered(draft(coordinator, named("TRO-2"), find="lung")) if hit.startswith("[")]
    added = asked_for(draft(coordinator, named("TRO-2"), add=group))["party"]
    assert added == [named("TRO-2"), named("TRO-1"), BODO]
    assert offered(draft(neighbour, named("TRO-2"), find="lung")) == []
    assert "Lung board" in text_of(coordinator.get("/drafts/"))
    assert neighbour.post("/groups/1/delete").status_code == 404
    coordinator.post("/groups/1/delete")
    assert "Lung board" not in text_of(coordinator.get("/drafts/"))


@pytest.mark.parametrize("name", ["", "x" * 81, "\x00", "Ola 01019012480"])
def test_a_group_needs_a_name_that_can_be_shown(coordinator: FlaskClient, name: str) -> None:
    answer = coordinator.post("/book/group", data=typed(studio=[], party=[named("TRO-1"), BODO], group=name))
    assert 'id="find-error"' in answer.text
    assert asked_for(answer)["party"] == [named("TRO-1"), BODO]
    assert "Your groups" not in text_of(coordinator.get("/drafts/"))
