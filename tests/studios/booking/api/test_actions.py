"""Taken back, copied, extended, given back, answered and told, by programs."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Conference, ConferenceState, db
from tests import factories
from tests.studios.booking.api.asking import at, booked
from tests.studios.booking.api.conftest import program


def run(reference):
    """As the scheduler would have it once the calls are up."""
    db.session.rollback()
    row = db.session.get_one(Conference, Conference.id_of(reference))
    for state in (ConferenceState.STARTING, ConferenceState.RUNNING):
        row.state = state
        db.session.commit()


@pytest.fixture
def asked(unn, network):
    """A conference that waits for NLSH's word on BOD-1, which needs approval."""
    network.bodo_1.needs_approval = True
    db.session.commit()
    return booked(unn)


def test_a_cancellation_is_taken_back_while_the_studios_are_free(unn, nlsh):
    told = booked(unn)
    address = f"/conferences/{told['reference']}"
    assert unn("POST", f"{address}/restore").status_code == 409
    unn("DELETE", address)
    back = unn("POST", f"{address}/restore")
    assert (back.status_code, back.json["state"], back.json["studios"]) == (200, "planned", told["studios"])
    unn("DELETE", address)
    other = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"})
    refused = unn("POST", f"{address}/restore")
    assert (refused.status_code, refused.json["conflicts"][0]["reference"]) == (409, other["reference"])
    assert refused.json["alternatives"]


def test_a_copy_is_the_same_for_another_time(unn):
    told = booked(unn, movable=True)
    copied = unn("POST", f"/conferences/{told['reference']}/copy", json={"start": at(12)})
    assert copied.status_code == 201
    assert copied.headers["Location"].endswith(copied.json["reference"])
    changing = ("reference", "start", "end", "version")
    assert {name: value for name, value in copied.json.items() if name not in changing} == {
        name: value for name, value in told.items() if name not in changing
    }
    assert (copied.json["start"], copied.json["end"]) == (at(12), at(13))
    refused = unn("POST", f"/conferences/{told['reference']}/copy", json={"start": at(12)})
    assert refused.status_code == 409
    assert refused.json["alternatives"]


def test_a_running_conference_lasts_longer_unless_somebody_is_in_the_way(unn, nlsh):
    told = booked(unn)
    address = f"/conferences/{told['reference']}/extend"
    assert unn("POST", address, json={"minutes": 15}).status_code == 409
    other = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, start=at(11), end=at(12))
    run(told["reference"])
    assert unn("POST", address, json={"minutes": 60}).json["end"] == at(11)
    refused = unn("POST", address, json={"minutes": 5})
    assert refused.status_code == 409
    assert [(each["reference"], each["parties"]) for each in refused.json["conflicts"]] == [(other["reference"], [2])]
    assert refused.json["alternatives"] == []
    assert nlsh("POST", address, json={"minutes": 5}).status_code == 403
    assert unn("DELETE", f"/conferences/{told['reference']}").status_code == 200


def test_a_studio_is_given_back_while_the_others_go_on(unn, nlsh):
    told = booked(unn, {"studio": "TRO-1"}, {"studio": "TRO-2"}, {"studio": "BOD-1"})
    address = f"/conferences/{told['reference']}/parties"
    assert unn("POST", f"{address}/2/release").status_code == 409
    run(told["reference"])
    assert nlsh("POST", f"{address}/2/release").status_code == 403
    assert nlsh("POST", f"{address}/3/release").json["parties"][2]["released"] is True
    assert unn("POST", f"{address}/2/release").json["parties"][1]["released"] is True
    assert unn("POST", f"{address}/1/release").status_code == 409
    for number in (0, 4):
        assert unn("POST", f"{address}/{number}/release").status_code == 404


def test_the_invited_say_yes(unn, nlsh, asked):
    assert (asked["parties"][1]["answer"], asked["parties"][1]["pending"]) == ("waiting", True)
    address = f"/conferences/{asked['reference']}/parties/2/accept"
    assert unn("POST", address).status_code == 403
    party = nlsh("POST", address).json["parties"][1]
    assert (party["answer"], party["pending"]) == ("accepted", False)


def test_the_invited_say_no_with_a_reason(unn, nlsh, asked):
    address = f"/conferences/{asked['reference']}/parties/2/decline"
    assert unn("POST", address, json={"reason": "No"}).status_code == 403
    bad = nlsh("POST", address, json={"reason": "Pasient 01020300082"})
    assert (bad.status_code, bad.json["problems"][0]["field"]) == (422, "reason")
    party = nlsh("POST", address, json={"reason": "The room is painted"}).json["parties"][1]
    assert (party["answer"], party["reason"], party["released"]) == ("declined", "The room is painted", True)


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_the_word_of_the_invited_is_for_the_version_that_they_saw(unn, nlsh, asked, answer):
    address = f"/conferences/{asked['reference']}"
    seen = {"If-Match": nlsh("GET", address).headers["ETag"]}
    body = {"json": {"reason": "The room is painted"}} if answer == "decline" else {}
    moved = unn("PATCH", address, json={"start": at(15)})
    late = nlsh("POST", f"{address}/parties/2/{answer}", headers=seen, **body)
    assert (late.status_code, late.json["changed"]) == (409, True)
    assert nlsh("GET", address).json["parties"][1]["answer"] == "waiting"
    seen = {"If-Match": moved.headers["ETag"]}
    assert nlsh("POST", f"{address}/parties/2/{answer}", headers=seen, **body).status_code == 200


def test_what_happened_is_told_in_plain_words_and_people_only_to_those_around_the_table(app, unn, nlsh, network):
    told = booked(unn)
    address = f"/conferences/{told['reference']}"
    unn("PATCH", address, json={"start": at(12)})
    lines = nlsh("GET", f"{address}/events").json["events"]
    assert [line["what"] for line in lines] == ["Changed", "Booked"]
    assert "Kari Koordinator" in lines[0]["more"]
    stranger = program(app, factories.account(organisation=factories.organisation()))
    seen = stranger("GET", f"{address}/events").json["events"]
    assert [line["what"] for line in seen] == ["Changed", "Booked"]
    assert "Kari" not in str(seen)
    assert "Lung" not in str(seen)


def test_every_action_is_done_once_with_its_key(unn):
    told = booked(unn)
    run(told["reference"])
    key = {"Idempotency-Key": "longer"}
    address = f"/conferences/{told['reference']}/extend"
    answers = [unn("POST", address, json={"minutes": 30}, headers=key) for _ in range(2)]
    assert answers[0].json == answers[1].json
    end = datetime.fromisoformat(at(10)) + timedelta(minutes=30)
    assert datetime.fromisoformat(answers[1].json["end"]).astimezone(UTC) == end
