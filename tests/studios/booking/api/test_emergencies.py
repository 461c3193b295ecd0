"""A program of who holds the emergency right takes the time of movable conferences."""

import pytest

from models import Role
from tests import factories
from tests.studios.booking.api.asking import at, booked, wish
from tests.studios.booking.api.conftest import program


@pytest.fixture
def acute(app, network):
    """The program of a doctor at UNN, who holds nothing but the right."""
    return program(app, factories.account("doctor@example.org", Role.EMERGENCY, network.unn))


def emergency(*parties, **changes):
    return wish(*parties, **{"title": "Stroke", "reason": "Needs the specialist now", **changes})


def test_what_is_in_the_way_gives_way_and_is_told_with_what_it_is_offered(acute, nlsh):
    theirs = booked(nlsh, {"studio": "BOD-1"}, {"studio": "TRO-2"}, title="Secret", movable=True)["reference"]
    answer = acute("POST", "/conferences/emergency", json=emergency())
    assert answer.status_code == 201, answer.json
    told = answer.json
    assert (told["conference"]["studios"], told["conference"]["start"]) == (["TRO-1", "BOD-1"], at(9))
    assert answer.headers["Location"] == f"/api/v1/conferences/{told['conference']['reference']}"
    (displaced,) = told["displaced"]
    assert (displaced["reference"], displaced["offer"]["start"]) == (theirs, at(9))
    assert displaced["offer"]["studios"] == ["BOD-2", "TRO-2"]
    assert "Secret" not in answer.text
    assert nlsh("GET", f"/conferences/{theirs}").json["state"] == "cancelled"


def test_without_anything_in_the_way_it_is_simply_booked_and_once(acute):
    key = {"Idempotency-Key": "one"}
    first, again = (
        acute("POST", "/conferences/emergency", json=emergency(), headers=key) for _ in range(2)
    )  # fmt: skip
    assert (first.status_code, first.json["displaced"], again.json) == (201, [], first.json)


def test_what_is_not_movable_stands_in_the_way(acute, nlsh):
    fixed = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, title="Secret")["reference"]
    answer = acute("POST", "/conferences/emergency", json=emergency())
    assert answer.status_code == 409
    assert [(each["reference"], each["parties"]) for each in answer.json["conflicts"]] == [(fixed, [2])]
    assert answer.json["alternatives"]
    assert "Secret" not in answer.text


def test_it_must_be_clinical_have_a_reason_and_be_of_an_own_organisation(acute):
    assert acute("POST", "/conferences/emergency", json=emergency(purpose="education")).status_code == 409
    assert acute("POST", "/conferences/emergency", json=wish()).status_code == 422
    refused = acute("POST", "/conferences/emergency", json=emergency(reason=" "))
    assert (refused.status_code, refused.json["problems"][0]["field"]) == (422, "reason")
    assert acute("POST", "/conferences/emergency", json=emergency(organisation="NLSH")).status_code == 403


def test_without_the_right_it_is_refused(unn):
    assert unn("POST", "/conferences/emergency", json=emergency()).status_code == 403


def test_its_address_takes_no_other_method(unn):
    answer = unn("GET", "/conferences/emergency")
    assert (answer.status_code, answer.headers["Allow"].replace(" ", "").split(",")) == (405, ["POST"])
