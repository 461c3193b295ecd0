"""Programs find times, and are told what stands in the way."""

from datetime import timedelta

import pytest

from accounts.rules import Scope
from models import Bridge, BridgeDriver, Closure, Role, db
from studios.booking.hours import DAYS
from tests import factories
from tests.studios.booking.api.asking import at, booked
from tests.studios.booking.pages import instant, tomorrow


def asked(*parties, **changes):
    table = list(parties or ({"studio": "TRO-1"}, {"studio": "BOD-1"}))
    return {"duration_minutes": 60, "start": at(8), "end": at(16), "parties": table, **changes}


def find(send, *parties, **changes):
    answer = send("POST", "/find-time", json=asked(*parties, **changes))
    assert answer.status_code == 200, answer.json
    return answer.json


def test_free_times_are_suggested_with_their_studios(unn):
    told = find(unn, {"studio": "TRO-1"}, {"any_of": {"town": "Bodø"}}, {"guest": "+4777000000"})
    assert len(told["suggestions"]) == 5
    first = told["suggestions"][0]
    assert (first["start"], first["end"], first["studios"]) == (at(8), at(9), ["TRO-1", "BOD-1", None])
    assert (first["shifted_minutes"], first["shortened_minutes"]) == (0, 0)
    assert {each["code"] for each in first["reasons"]} == {"untested"}
    assert first["reasons"][0]["message"] == "TRO-1 has passed no quality test in the last six months."
    assert (told["near_miss"], told["binding"]) == (None, [])


def test_what_alone_is_in_the_way_is_named_with_how_far_it_would_have_to_move(unn, nlsh):
    other = booked(
        nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, title="Secret",
        start=(instant(tomorrow(), 10) + timedelta(minutes=45)).isoformat(), end=at(12),
    )  # fmt: skip
    told = find(unn, preferred=at(10))
    assert told["near_miss"] == at(10)
    [binding] = told["binding"]
    assert binding.pop("message") == f"Only BOD-1 blocks 10:00; {other['reference']} would have to move by 15 minutes."
    assert binding == {
        "party": 2, "studio": "BOD-1", "kind": "reserved", "start": other["start"], "end": other["end"],
        "reference": other["reference"], "owner": "NLSH", "move_minutes": 15,
    }  # fmt: skip
    assert told["suggestions"][0]["start"] != at(10)


def test_a_conference_that_is_moved_is_not_in_its_own_way(unn):
    own = booked(unn)
    assert find(unn, preferred=at(9), moving=own["reference"])["suggestions"][0]["start"] == at(9)
    assert find(unn, preferred=at(9))["suggestions"][0]["start"] != at(9)
    answer = unn("POST", "/find-time", json=asked(moving="K-1"))
    assert (answer.status_code, answer.json["problems"][0]["field"]) == (422, "moving")


def test_when_nothing_fits_it_is_shortened_or_said_why(unn, nlsh):
    booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, start=at(8), end=at(9))
    booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, start=at(10), end=at(14))
    shorter = find(unn, start=at(9), end=at(10), duration_minutes=70)["suggestions"]
    assert [(each["start"], each["shortened_minutes"]) for each in shorter] == [(at(9), 10)]
    told = find(unn, start=at(11), end=at(12))
    assert told["suggestions"] == []
    assert [each["studio"] for each in told["binding"]] == ["BOD-1"]


def test_hours_and_days_of_the_wall_clock_count(unn):
    told = find(unn, start=at(0), end=at(0, 14), hours={"from": "13:00", "to": "15:00"}, days=["wed"], limit=20)
    starts = {each["start"][:10] for each in told["suggestions"]}
    assert len(starts) == 2
    assert find(unn, start=at(0), end=at(0, 14), hours={"from": "13:00", "to": "15:00"}, days=[2], limit=20) == told
    assert all(at(13)[11:] <= each["start"][11:] <= at(14)[11:] for each in told["suggestions"])


def test_studios_that_are_none_for_a_party_are_told_with_the_reason(unn, nlsh, network):
    network.bodo_1.shared = False
    db.session.commit()
    told = find(unn, {"studio": "TRO-1", "attendees": 99}, {"studio": "BOD-1"})
    assert told["suggestions"] == []
    found = [(each["party"], each["studio"], each["kind"]) for each in told["binding"]]
    assert found == [(1, "TRO-1", "too_small"), (2, "BOD-1", "private")]
    [none] = find(unn, {"studio": "TRO-1"}, {"any_of": {"capacity": 99}})["binding"]
    assert (none["party"], none["kind"], none["message"]) == (
        2, "none_in_pool", "No studio fits what party 2 asks for.",
    )  # fmt: skip
    assert find(nlsh, {"studio": "TRO-1"}, {"studio": "BOD-1"})["suggestions"]


def test_more_parties_than_a_pool_has_studios_are_told_together(unn):
    pool = {"any_of": {"town": "Bodø"}}
    told = find(unn, pool, pool, pool)
    assert told["suggestions"] == []
    assert {each["message"] for each in told["binding"]} == {"Parties 1, 2, 3 have only 2 studios between them."}


def test_no_time_without_ports_for_all_is_suggested(unn, network):
    db.session.add(Bridge(name="North", driver=BridgeDriver.PEXIP, address="https://bridge", ports=4))
    db.session.commit()
    guest = {"guest": "sip:anne@example.org"}
    booked(unn, {"studio": "TRO-2"}, {"studio": "BOD-2"}, guest, start=at(9), end=at(11))
    three = ({"studio": "TRO-1"}, {"studio": "BOD-1"}, guest)
    told = find(unn, *three, preferred=at(10))
    assert [each["kind"] for each in told["binding"]] == ["ports"]
    assert all(each["end"] <= at(9) or each["start"] >= at(11) for each in told["suggestions"])
    assert find(unn, preferred=at(10))["suggestions"][0]["start"] == at(10)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": at(8)}, "end"),
        ({"end": at(8, 63)}, "end"),
        ({"duration_minutes": 4}, "duration_minutes"),
        ({"hours": {"from": "9", "to": "10:00"}}, "hours.from"),
        ({"days": ["noday"]}, "days.0"),
        ({"days": [7]}, "days.0"),
        ({"days": [True]}, "days.0"),
        ({"parties": [{"studio": "NO-1"}]}, "parties.0.studio"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_field(unn, changes, field):
    answer = unn("POST", "/find-time", json=asked(**changes))
    assert (answer.status_code, [each["field"] for each in answer.json["problems"]]) == (422, [field])


def test_what_is_only_read_needs_no_right_to_book(app, network):
    shown = factories.token(factories.account(role=Role.MANAGER), Scope.READ)
    assert app.test_client().post("/api/v1/find-time", json=asked(), headers=shown).status_code == 200


def test_closures_hours_and_the_clock_are_told_in_a_sentence_too(unn, network):
    start = instant(tomorrow(), 10)
    network.bodo_1.bookable_hours = {day: ["11:00-15:00"] for day in DAYS}
    db.session.add(
        Closure(studio_id=network.tromso_1.id, starts_at=start, ends_at=start + timedelta(hours=1), reason="Paint.")
    )
    db.session.commit()
    told = find(unn, preferred=at(10), start=at(8, -1))
    assert [(each["kind"], each["message"]) for each in told["binding"]] == [
        ("closed", "TRO-1 is out of use 10:00–11:00: Paint."),
        ("hours", "BOD-1 cannot be booked at that hour."),
    ]
    late = find(unn, preferred=at(17))["binding"]
    assert ("outside", "17:00 is not within the time that was asked for.") in [
        (each["kind"], each["message"]) for each in late
    ]
    past = find(unn, preferred=at(8, -2), start=at(8, -3))["binding"]
    assert ("too_soon", "08:00 has passed, or is too soon.") in [(each["kind"], each["message"]) for each in past]
