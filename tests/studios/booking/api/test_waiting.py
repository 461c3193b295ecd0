"""Programs wait for time to come free, and answer what is offered."""

import pytest

from models import Conference, Role, WaitingRequest, db
from studios.booking.waiting.serving import offer_what_came_free
from tests import factories
from tests.studios.booking.api.asking import TABLE, at, booked
from tests.studios.booking.api.conftest import program
from tests.studios.booking.pages import counted_queries


def asked(send, *parties, **changes):
    """Tomorrow from nine to ten, as a request that waits."""
    wait = {
        "title": "Lung meeting", "purpose": "clinical", "parties": list(parties or TABLE), "duration_minutes": 60,
        "earliest": at(9), "latest": at(10),
    }  # fmt: skip
    return send("POST", "/waiting-requests", json={**wait, **changes})


@pytest.fixture
def taken(nlsh):
    """The reference of what has BOD-1 tomorrow at nine."""
    return booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"})["reference"]


@pytest.fixture
def offered(unn, nlsh, taken):
    """The address of a request to which the time is offered."""
    number = asked(unn).json["id"]
    nlsh("DELETE", f"/conferences/{taken}")
    assert offer_what_came_free() == 1
    return f"/waiting-requests/{number}"


def count(model):
    db.session.rollback()
    return db.session.scalar(db.select(db.func.count()).select_from(model))


def test_a_request_waits_and_is_told_as_it_was_asked(unn, taken):
    pool = {"any_of": {"site": "UNN Tromsø", "capacity": 4}}
    answer = asked(unn, {"studio": "BOD-1"}, pool, {"guest": "+4777000000"}, preferred=at(9))
    assert answer.status_code == 201, answer.json
    told = answer.json
    assert answer.headers["Location"] == f"/api/v1/waiting-requests/{told['id']}"
    assert (told["state"], told["offer"], told["conference"], told["organisation"]) == ("waiting", None, None, "UNN")
    assert (told["earliest"], told["latest"], told["duration_minutes"]) == (at(9), at(10), 60)
    studio, any_of, guest = told["parties"]
    assert (studio["studio"], guest["guest"]) == ("BOD-1", "+4777000000")
    assert (any_of["any_of"]["site"], any_of["any_of"]["capacity"]) == ("UNN Tromsø", 4)
    assert unn("GET", f"/waiting-requests/{told['id']}").json == told


def test_what_came_free_is_offered_and_accepted(unn, offered):
    offer = unn("GET", offered).json["offer"]
    assert (offer["start"], offer["end"], offer["studios"]) == (at(9), at(10), ["TRO-1", "BOD-1"])
    assert offer["expires_at"] < at(9)
    answer = unn("POST", f"{offered}/accept")
    assert answer.status_code == 201, answer.json
    assert (answer.json["start"], answer.json["studios"]) == (at(9), ["TRO-1", "BOD-1"])
    told = unn("GET", offered).json
    assert (told["state"], told["offer"], told["conference"]) == ("accepted", None, answer.json["reference"])
    assert unn("POST", f"{offered}/accept").status_code == 409


def test_the_same_key_accepts_once(unn, offered):
    key = {"Idempotency-Key": "one"}
    first, again = (unn("POST", f"{offered}/accept", headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)


def test_an_own_conference_gets_the_time(unn, nlsh, taken):
    own = booked(unn, start=at(14), end=at(15))["reference"]
    number = asked(unn, conference=own).json["id"]
    assert asked(nlsh, conference=own).status_code == 403
    nlsh("DELETE", f"/conferences/{taken}")
    offer_what_came_free()
    answer = unn("POST", f"/waiting-requests/{number}/accept")
    assert (answer.json["reference"], answer.json["start"], answer.json["version"]) == (own, at(9), 2)


@pytest.mark.parametrize(("wait_on", "state"), [(False, "declined"), (True, "waiting")])
def test_an_offer_is_declined_for_good_or_waited_on(unn, offered, wait_on, state):
    answer = unn("POST", f"{offered}/decline", json={"wait_on": wait_on})
    assert (answer.status_code, answer.json["state"], answer.json["offer"]) == (200, state, None)
    assert offer_what_came_free() == 0
    assert unn("POST", f"{offered}/decline", json={}).status_code == 409


def test_a_request_is_withdrawn_and_what_was_held_comes_free(unn, nlsh, offered):
    assert (unn("DELETE", offered).status_code, unn("GET", offered).json["state"]) == (200, "withdrawn")
    assert unn("DELETE", offered).status_code == 409
    booked(nlsh, {"studio": "BOD-1"}, {"studio": "TRO-1"})


def test_the_same_key_asks_once(unn, taken):
    key = {"Idempotency-Key": "one"}
    first, again = (asked(lambda *of, **more: unn(*of, headers=key, **more)) for _ in range(2))
    assert (first.status_code, again.json) == (201, first.json)
    assert count(WaitingRequest) == 1


def test_those_of_ones_own_organisations_are_listed_in_parts(app, unn, nlsh, taken):
    numbers = [asked(unn).json["id"] for _ in range(3)]
    theirs = asked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}).json["id"]
    first = unn("GET", "/waiting-requests?limit=2").json
    assert [each["id"] for each in first["requests"]] == numbers[:2]
    rest = unn("GET", f"/waiting-requests?limit=2&cursor={first['next']}").json
    assert ([each["id"] for each in rest["requests"]], rest["next"]) == (numbers[2:], None)
    assert unn("GET", "/waiting-requests?state=offered&state=declined").json["requests"] == []
    everything = program(app, factories.account(role=Role.ADMINISTRATOR))("GET", "/waiting-requests").json
    assert [each["id"] for each in everything["requests"]] == [*numbers, theirs]


def test_others_neither_read_nor_answer_a_request(nlsh, offered):
    for method, address, more in (
        ("GET", "", {}), ("DELETE", "", {}), ("POST", "/accept", {}), ("POST", "/decline", {"json": {}}),
    ):  # fmt: skip
        answer = nlsh(method, offered + address, **more)
        assert (answer.status_code, "Lung" in answer.text) == (403, False), (method, address)
    assert nlsh("GET", "/waiting-requests").json["requests"] == []


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"latest": at(9)}, 422, "latest"),
        ({"latest": at(10, 800)}, 422, "start"),
        ({"earliest": at(9, -7), "latest": at(10, -7)}, 422, "latest"),
        ({"title": "01020300082"}, 422, "title"),
        ({"duration_minutes": 0}, 422, "duration_minutes"),
        ({"parties": [{"studio": "TRO-1"}, {"studio": "NO-1"}]}, 422, "parties.1.studio"),
        ({"organisation": "NLSH"}, 403, None),
        ({"conference": "K-1"}, 404, None),
    ],
)
def test_what_cannot_be_waited_for_is_refused(unn, changes, status, field):
    answer = asked(unn, **changes)
    assert answer.status_code == status, answer.json
    assert field is None or answer.json["problems"][0]["field"] == field
    assert unn("GET", "/waiting-requests/4711").status_code == 404
    assert (count(WaitingRequest), count(Conference)) == (0, 0)


def test_what_no_studio_will_ever_fit_is_refused_with_the_party(unn):
    answer = asked(unn, {"studio": "TRO-1"}, {"any_of": {"site": "UNN Tromsø", "capacity": 500}})
    assert answer.status_code == 409
    assert [(each["kind"], each["parties"]) for each in answer.json["conflicts"]] == [("none_in_pool", [2])]


def test_a_longer_list_takes_no_more_queries(unn, taken):
    def queries():
        with counted_queries() as sent:
            unn("GET", "/waiting-requests")
        return len(sent)

    asked(unn)
    few = queries()
    for _ in range(3):
        asked(unn)
    assert queries() == few
