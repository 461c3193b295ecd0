"""Conferences are listed, looked at, changed and given up by programs, within what their account may."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Conference, EndpointStatus, Health, Role, db
from tests import factories
from tests.studios.booking.api.asking import at, booked, wish
from tests.studios.booking.api.conftest import program


def references(answer):
    assert answer.status_code == 200, answer.json
    return [each["reference"] for each in answer.json["conferences"]]


@pytest.fixture
def stranger(app, network):
    """A program of somebody whose organisation sits at no table."""
    return program(app, factories.account(organisation=factories.organisation()))


def test_titles_guests_and_people_are_for_those_around_the_table(unn, nlsh, stranger):
    parties = ({"studio": "TRO-1"}, {"studio": "BOD-1"}, {"guest": "sip:anne@example.org"})
    told = booked(unn, *parties)
    address = f"/conferences/{told['reference']}"
    assert nlsh("GET", address).json["title"] == "Lung meeting"
    for seen in (stranger("GET", address).json, stranger("GET", f"/conferences?to={at(0, 9)}").json["conferences"][0]):
        assert (seen["reference"], seen["title"], seen["organiser"]) == (told["reference"], None, None)
        assert [each["guest"] for each in seen["parties"]] == [None] * 3
        assert "Lung" not in str(seen)


def test_the_list_is_by_start_and_goes_on_where_it_ended(unn):
    made = [booked(unn, start=at(hour), end=at(hour + 1))["reference"] for hour in (10, 9, 12, 11)]
    expected = [made[1], made[0], made[3], made[2]]
    first = unn("GET", f"/conferences?from={at(8)}&limit=3")
    assert references(first) == expected[:3]
    second = unn("GET", f"/conferences?from={at(8)}&limit=3&cursor={first.json['next']}")
    assert (references(second), second.json["next"]) == (expected[3:], None)
    assert references(unn("GET", f"/conferences?from={at(10)}&to={at(12)}")) == expected[1:3]


def test_the_list_can_be_narrowed(unn, nlsh, stranger):
    ours = booked(unn, {"studio": "TRO-1"}, {"studio": "TRO-2"})["reference"]
    theirs = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"})["reference"]
    both = booked(unn, start=at(12), end=at(13))["reference"]
    unn("DELETE", f"/conferences/{ours}")
    for query, expected in {
        "organisation=NLSH": [theirs, both],
        "studio=TRO-1": [ours, both],
        "state=cancelled": [ours],
        "state=planned&state=running": [theirs, both],
        "mine=true": [ours, both],
    }.items():
        assert references(unn("GET", f"/conferences?{query}")) == expected, query
    assert references(stranger("GET", "/conferences?mine=true")) == []
    for query in ("organisation=Nobody", "studio=NO-1"):
        answer = unn("GET", f"/conferences?{query}")
        assert (answer.status_code, answer.json["problems"][0]["field"]) == (422, query.split("=")[0])


def test_all_that_is_named_changes_and_nothing_else(unn):
    told = booked(unn)
    address = f"/conferences/{told['reference']}"
    changed = unn("PATCH", address, json={"title": "Heart meeting", "purpose": "education", "movable": True}).json
    assert (changed["title"], changed["purpose"], changed["movable"]) == ("Heart meeting", "education", True)
    assert (changed["studios"], changed["start"], changed["version"]) == (told["studios"], told["start"], 2)
    moved = unn("PATCH", address, json={"start": at(12)}).json
    assert (moved["start"], moved["end"], moved["version"]) == (at(12), at(13), 3)
    reseated = unn("PATCH", address, json={"parties": [{"studio": "TRO-2"}, {"any_of": {"town": "Bodø"}}]})
    assert reseated.json["studios"] == ["TRO-2", "BOD-1"]
    assert reseated.headers["ETag"] == '"4"'
    assert unn("PATCH", address, json={"end": at(14), "video": False}).json["end"] == at(14)


@pytest.mark.parametrize("way", ["body", "header"])
def test_an_old_version_is_refused_and_nothing_is_lost(unn, way):
    told = booked(unn)
    address = f"/conferences/{told['reference']}"

    def change(title, version):
        if way == "body":
            return unn("PATCH", address, json={"title": title, "version": version})
        return unn("PATCH", address, json={"title": title}, headers={"If-Match": f'"{version}"'})

    assert change("First", 1).status_code == 200
    late = change("Second", 1)
    assert (late.status_code, late.json["changed"], late.json["alternatives"]) == (409, True, [])
    assert unn("GET", address).json["title"] == "First"
    assert unn("DELETE", address, headers={"If-Match": '"1"'}).json["changed"] is True
    assert unn("DELETE", address, headers={"If-Match": '"x"'}).status_code == 422
    assert unn("DELETE", address, headers={"If-Match": '"2"'}).json["state"] == "cancelled"


def test_a_move_into_taken_time_is_refused_with_what_is_there_and_other_times(unn, nlsh):
    other = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, start=at(12), end=at(13))
    told = booked(unn)
    refused = unn("PATCH", f"/conferences/{told['reference']}", json={"start": at(12)})
    assert refused.status_code == 409
    assert [each["reference"] for each in refused.json["conflicts"]] == [other["reference"]]
    assert refused.json["alternatives"]
    assert unn("GET", f"/conferences/{told['reference']}").json == told


def test_only_its_owner_changes_or_cancels_it(unn, nlsh, stranger):
    address = f"/conferences/{booked(unn)['reference']}"
    for send in (nlsh, stranger):
        assert send("PATCH", address, json={"title": "Ours"}).status_code == 403
        assert send("DELETE", address).status_code == 403
        assert send("POST", f"{address}/copy", json={"start": at(12)}).status_code == 403
    assert unn("DELETE", address).json["state"] == "cancelled"
    again = unn("DELETE", address)
    assert (again.status_code, again.json["conflicts"], again.json["changed"]) == (409, [], False)


def test_what_is_not_there_is_told_as_such(unn):
    for method, more in (("GET", {}), ("PATCH", {"json": {}}), ("DELETE", {})):
        assert unn(method, "/conferences/K-1", **more).status_code == 404


def test_while_it_runs_only_its_title_and_its_end_change(unn):
    told = booked(unn, {"studio": "TRO-1"}, {"any_of": {"town": "Bodø"}})
    address = f"/conferences/{told['reference']}"
    db.session.rollback()
    row = db.session.scalars(db.select(Conference)).one()
    row.state = "starting"
    db.session.commit()
    row.state = "running"
    db.session.commit()
    assert unn("PATCH", address, json={"title": "Still going", "end": at(11)}).json["end"] == at(11)
    refused = unn("PATCH", address, json={"start": at(10)})
    assert (refused.status_code, refused.json["problems"][0]["field"]) == (422, "end")
    assert unn("PATCH", address, json={"parties": [{"studio": "TRO-2"}, {"studio": "BOD-1"}]}).status_code == 422
    assert unn("PATCH", address, json={"movable": True}).json["movable"] is True
    refused = unn("PATCH", address, json={"video": False})
    assert (refused.status_code, refused.json["problems"][0]["field"]) == (422, "video")
    assert unn("PATCH", address, json={"video": True}).status_code == 200


def test_what_is_known_against_a_studio_is_told_where_it_is_booked(unn, network):
    now = datetime.now(UTC)
    network.tromso_1.quality_tested_on, network.tromso_1.quality_test_passed = now.date(), False
    network.bodo_1.quality_tested_on, network.bodo_1.quality_test_passed = now.date() - timedelta(days=200), True
    network.bodo_1.clinical = False
    status = db.session.get_one(EndpointStatus, network.bodo_1.endpoint.id)
    status.health, status.last_poll_at = Health.DOWN, now
    db.session.commit()
    told = booked(unn)
    assert [(each["code"], each["party"], each["studio"]) for each in told["warnings"]] == [
        ("quality_failed", 1, "TRO-1"),
        ("quality_expired", 2, "BOD-1"),
        ("out_of_order", 2, "BOD-1"),
        ("not_clinical", 2, "BOD-1"),
    ]
    assert told["warnings"][0]["message"] == "TRO-1 failed its last quality test."
    assert unn("GET", f"/conferences/{told['reference']}").json["warnings"] == told["warnings"]


def test_what_is_out_of_order_and_begins_soon_is_told_apart(unn, network):
    now = datetime.now(UTC)
    status = db.session.get_one(EndpointStatus, network.bodo_1.endpoint.id)
    status.health, status.last_poll_at = Health.DOWN, now
    db.session.commit()
    soon = now + timedelta(minutes=20)
    answer = unn("POST", "/conferences", json=wish(start=soon.isoformat(), end=(soon + timedelta(hours=1)).isoformat()))
    assert [each["code"] for each in answer.json["warnings"]] == ["out_of_order_and_soon"]


def test_who_only_looks_books_nothing(app, network):
    for role in (Role.MANAGER, Role.TECHNICIAN):
        send = program(app, factories.account(role=role))
        assert send("POST", "/conferences", json=wish()).status_code == 403
        assert send("GET", "/conferences").status_code == 200
