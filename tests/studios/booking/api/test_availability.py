"""When studios are taken, closed and free, for programs."""

from datetime import timedelta

import pytest

from models import Closure, db
from tests.studios.booking.api.asking import at, booked
from tests.studios.booking.pages import instant, tomorrow


def ask(send, query):
    answer = send("GET", f"/availability?from={at(8)}&to={at(16)}&{query}")
    assert answer.status_code == 200, answer.json
    return answer.json


def test_what_is_taken_closed_and_free_is_told_and_never_a_title(unn, nlsh, network):
    network.bodo_1.setup_minutes = 10
    network.bodo_1.bookable_hours = {day: ["07:00-15:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    start = instant(tomorrow(), 13)
    db.session.add(
        Closure(site_id=network.bodo_1.site_id, starts_at=start, ends_at=start + timedelta(hours=1), reason="Paint")
    )
    db.session.commit()
    other = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, title="Secret")
    answer = ask(unn, "studio=BOD-1")
    [told] = answer["studios"]
    before = (instant(tomorrow(), 9) - timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
    assert told["busy"] == [
        {"start": before, "end": at(10), "kind": "conference", "reference": other["reference"], "owner": "NLSH"}
    ]
    assert told["closures"] == [{"start": at(13), "end": at(14), "reason": "Paint"}]
    assert [(each["start"], each["end"]) for each in told["free"]] == [
        (at(8), before), (at(10), at(13)), (at(14), at(15)),
    ]  # fmt: skip
    assert (told["setup_minutes"], told["clear_down_minutes"]) == (10, 0)
    assert "Secret" not in str(answer)


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", ["BOD-1", "BOD-2", "TRO-1", "TRO-2"]),
        ("studio=TRO-2&studio=BOD-1", ["TRO-2", "BOD-1"]),
        ("site=unn tromsø", ["TRO-1", "TRO-2"]),
        ("organisation=NLSH", ["BOD-1", "BOD-2"]),
        ("town=bodø&capacity=8", ["BOD-1", "BOD-2"]),
        ("capacity=9", []),
        ("equipment=microscope", []),
        ("limit=1", ["BOD-1"]),
    ],
)
def test_studios_are_chosen_by_code_by_place_and_by_what_they_have(unn, query, codes):
    told = ask(unn, query)
    assert [each["studio"] for each in told["studios"]] == codes
    assert told["total"] == (4 if query in ("", "limit=1") else len(codes))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("studio=NO-1", "studio"),
        ("site=Nowhere", "site"),
        ("organisation=Nobody", "organisation"),
        ("town=Atlantis", "town"),
        (f"from={at(8)}&to={at(8)}", "to"),
        (f"from={at(8)}&to={at(9, 31)}", "to"),
    ],
)
def test_what_is_not_known_or_too_much_is_told_with_its_field(unn, query, field):
    answer = unn("GET", f"/availability?{query}")
    assert (answer.status_code, [each["field"] for each in answer.json["problems"]]) == (422, [field])


def test_without_a_window_it_is_the_next_day(unn):
    assert unn("GET", "/availability").status_code == 200
