"""Programs ask the owner of a movable conference to move it, and answer when they are asked."""

import pytest

from models import Role, Swap, db
from tests import factories
from tests.studios.booking.api.asking import at, booked, wish
from tests.studios.booking.api.conftest import program
from tests.studios.booking.pages import counted_queries

KEY = {"Idempotency-Key": "one"}


@pytest.fixture
def theirs(nlsh):
    """A movable conference of NLSH, tomorrow at nine."""
    parties = {"studio": "BOD-1"}, {"studio": "BOD-2"}
    return booked(nlsh, *parties, title="Secret of theirs", movable=True)["reference"]


def asks(send, theirs, **changes):
    booking = {} if "own" in changes else {"booking": wish(title="Secret of ours")}
    return send("POST", "/swaps", json={"conference": theirs, "reason": "The surgeon", **booking, **changes})


@pytest.fixture
def swap(unn, theirs):
    """The address of a swap that UNN has asked for."""
    answer = asks(unn, theirs)
    assert answer.status_code == 201, answer.json
    return f"/swaps/{answer.json['id']}"


def test_a_swap_is_asked_for_and_each_side_reads_its_own_title_only(unn, nlsh, theirs):
    answer = asks(unn, theirs)
    told = answer.json
    assert answer.headers["Location"] == f"/api/v1/swaps/{told['id']}"
    assert (told["state"], told["direction"], told["owner"], told["asker"]) == ("waiting", "asked", "NLSH", "UNN")
    assert told["conference"] == {
        "reference": theirs, "start": at(9), "end": at(10), "studios": ["BOD-1", "BOD-2"],
    }  # fmt: skip
    assert told["proposed"]["start"] in (at(8), at(10))
    assert told["proposed"]["studios"] == ["BOD-1", "BOD-2"]
    assert told["wanted"] == {"start": at(9), "end": at(10), "studios": ["TRO-1", "BOD-1"]}
    assert (told["title"], told["reason"]) == ("Secret of ours", "The surgeon")
    assert "Secret of theirs" not in answer.text
    seen = nlsh("GET", f"/swaps/{told['id']}")
    assert seen.json == {**told, "direction": "received", "title": None}
    assert "Secret of ours" not in seen.text


def test_an_accepted_swap_moves_the_one_and_books_the_other(unn, nlsh, theirs, swap):
    answer = nlsh("POST", f"{swap}/accept")
    assert answer.status_code == 200, answer.json
    assert (answer.json["state"], "Secret of ours" in answer.text) == ("accepted", False)
    booked_one = unn("GET", f"/conferences/{answer.json['booked']}").json
    assert (booked_one["title"], booked_one["start"]) == ("Secret of ours", at(9))
    assert nlsh("GET", f"/conferences/{theirs}").json["start"] == answer.json["proposed"]["start"]
    assert nlsh("POST", f"{swap}/accept").status_code == 409


def test_the_same_key_accepts_and_asks_once(unn, nlsh, theirs):
    first, again = (asks(lambda *of, **more: unn(*of, headers=KEY, **more), theirs) for _ in range(2))
    assert (first.status_code, again.json) == (201, first.json)
    accepted = [nlsh("POST", f"/swaps/{first.json['id']}/accept", headers=KEY) for _ in range(2)]
    assert [each.status_code for each in accepted] == [200, 200]


def test_an_own_conference_takes_the_time(unn, nlsh, theirs):
    own = booked(unn, start=at(14), end=at(15))["reference"]
    told = asks(unn, theirs, own=own).json
    assert (told["own"], told["wanted"]["start"], told["wanted"]["end"]) == (own, at(9), at(10))
    assert nlsh("POST", f"/swaps/{told['id']}/accept").json["booked"] == own
    assert unn("GET", f"/conferences/{own}").json["start"] == at(9)


def test_an_own_conference_can_become_another_too(unn, nlsh, theirs):
    own = booked(unn, start=at(14), end=at(15))["reference"]
    told = asks(unn, theirs, own=own, booking=wish({"studio": "TRO-2"}, {"studio": "BOD-2"})).json
    nlsh("POST", f"/swaps/{told['id']}/accept")
    assert unn("GET", f"/conferences/{own}").json["studios"] == ["TRO-2", "BOD-2"]


def test_a_swap_is_declined_with_a_reason(unn, nlsh, theirs, swap):
    assert nlsh("POST", f"{swap}/decline", json={}).status_code == 422
    answer = nlsh("POST", f"{swap}/decline", json={"reason": "We cannot"})
    assert (answer.status_code, answer.json["state"]) == (200, "declined")
    assert unn("GET", swap).json["answer_reason"] == "We cannot"
    assert nlsh("GET", f"/conferences/{theirs}").json["start"] == at(9)


def test_a_swap_is_withdrawn(unn, nlsh, swap):
    assert unn("DELETE", swap).json["state"] == "withdrawn"
    assert (unn("DELETE", swap).status_code, nlsh("POST", f"{swap}/accept").status_code) == (409, 409)


def test_they_are_listed_by_direction_and_state(app, unn, nlsh, swap):
    def listed(send, query):
        return [each["direction"] for each in send("GET", f"/swaps{query}").json["swaps"]]

    assert (listed(unn, ""), listed(unn, "?direction=asked"), listed(unn, "?direction=received")) == (
        ["asked"], ["asked"], [],
    )  # fmt: skip
    assert (listed(nlsh, "?direction=received&state=waiting"), listed(nlsh, "?state=declined")) == (["received"], [])
    assert listed(program(app, factories.account(role=Role.ADMINISTRATOR)), "") == ["asked"]


def test_only_the_two_organisations_see_it_and_each_does_its_own_part(app, unn, nlsh, swap):
    third = program(app, factories.account(organisation=factories.organisation("Third")))
    assert (third("GET", swap).status_code, third("GET", "/swaps").json["swaps"]) == (403, [])
    assert (unn("POST", f"{swap}/accept").status_code, nlsh("DELETE", swap).status_code) == (403, 403)
    assert unn("POST", f"{swap}/decline", json={"reason": "No"}).status_code == 403
    assert (unn("GET", "/swaps/4711").status_code, unn("POST", "/swaps/4711/accept").status_code) == (404, 404)


def test_what_cannot_be_swapped_is_refused(unn, nlsh, theirs):
    fixed = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, start=at(12), end=at(13))["reference"]
    own = booked(unn, start=at(14), end=at(15))["reference"]
    at_noon = wish(start=at(12), end=at(13))
    assert asks(unn, fixed, booking=at_noon).status_code == 409  # not movable
    assert asks(unn, theirs, booking=wish(start=at(7), end=at(8))).status_code == 409  # not in the way
    assert asks(unn, own).status_code == 409  # one's own
    assert asks(unn, theirs, version=7).json["changed"]
    assert asks(unn, "K-1").status_code == 404
    assert asks(unn, theirs, own=fixed).status_code == 403
    assert unn("POST", "/swaps", json={"conference": theirs, "reason": "Why not"}).status_code == 422
    refused = asks(unn, theirs, reason="01020300082")
    assert (refused.status_code, refused.json["problems"][0]["field"]) == (422, "reason")
    assert db.session.scalar(db.select(db.func.count()).select_from(Swap)) == 0


def test_a_longer_list_takes_no_more_queries(unn, nlsh):
    def swap_at(hour):
        span = {"start": at(hour), "end": at(hour + 1)}
        theirs = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, movable=True, **span)["reference"]
        assert asks(unn, theirs, booking=wish(**span)).status_code == 201

    def queries():
        with counted_queries() as sent:
            unn("GET", "/swaps")
        return len(sent)

    swap_at(9)
    few = queries()
    for hour in (11, 13):
        swap_at(hour)
    assert queries() == few
