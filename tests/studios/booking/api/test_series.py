"""Series are previewed and booked by programs: whole, or not at all."""

from datetime import timedelta

import pytest

from models import Conference, Series, db
from tests.studios.booking.api.asking import at, booked, wish
from tests.studios.booking.pages import tomorrow

WEEKLY = "FREQ=WEEKLY;COUNT=3"


def series(*parties, **changes):
    """Three meetings at nine, a week apart, the first tomorrow."""
    return wish(*parties, **{"rule": WEEKLY, **changes})


def day(week):
    return (tomorrow() + timedelta(weeks=week)).isoformat()


def count(model=Conference):
    db.session.rollback()
    return db.session.scalar(db.select(db.func.count()).select_from(model))


def test_a_preview_tells_every_meeting_and_books_nothing(unn):
    answer = unn("POST", "/series/preview", json=series())
    assert answer.status_code == 200, answer.json
    told = answer.json
    assert ", 3 times, until" in told["description"]
    assert (told["can_be_saved"], told["counts"]["free"]) == (True, 3)
    assert [each["day"] for each in told["occurrences"]] == [day(0), day(1), day(2)]
    first = told["occurrences"][0]
    assert (first["start"], first["end"], first["recurs_at"]) == (at(9), at(10), at(9))
    assert (first["state"], first["studios"], first["conflicts"]) == ("free", ["TRO-1", "BOD-1"], [])
    assert (count(), count(Series)) == (0, 0)


def test_what_is_in_the_way_is_told_with_what_would_do_and_without_a_title(unn, nlsh):
    taken = booked(nlsh, {"studio": "BOD-1"}, {"studio": "TRO-2"}, title="Secret", start=at(9, 7), end=at(10, 7))
    answer = unn("POST", "/series/preview", json=series())
    second = answer.json["occurrences"][1]
    assert (second["state"], second["replacements"]) == (
        "replaceable", [{"party": 2, "from": "BOD-1", "to": "BOD-2"}],
    )  # fmt: skip
    (conflict,) = second["conflicts"]
    assert (conflict["reference"], conflict["owner"], conflict["parties"]) == (taken["reference"], "NLSH", [2])
    assert (answer.json["can_be_saved"], "Secret" in answer.text) == (False, False)


def test_a_series_is_booked_with_what_is_chosen_for_its_days(unn):
    choices = [
        {"day": day(1), "skip": True},
        {"day": day(2), "start": at(12, 14), "studios": [{"party": 2, "studio": "BOD-2"}]},
    ]
    answer = unn("POST", "/series", json=series(choices=choices))
    assert answer.status_code == 201, answer.json
    told = answer.json
    assert (told["booked"], told["skipped"]) == (2, 1)
    assert [(each["start"], each["studios"]) for each in told["conferences"]] == [
        (at(9), ["TRO-1", "BOD-1"]), (at(12, 14), ["TRO-1", "BOD-2"]),
    ]  # fmt: skip
    assert answer.headers["Location"] == f"/api/v1/series/{told['series']}"
    assert unn("GET", f"/conferences/{told['conferences'][0]['reference']}").json["series"] == told["series"]


def test_a_series_with_one_meeting_in_the_way_is_not_booked_at_all(unn, nlsh):
    booked(nlsh, {"studio": "BOD-1"}, {"studio": "TRO-2"}, start=at(9, 7), end=at(10, 7))
    answer = unn("POST", "/series", json=series())
    assert answer.status_code == 409
    assert [each["state"] for each in answer.json["occurrences"]] == ["free", "replaceable", "free"]
    assert answer.json["conflicts"][0]["studio"] == "BOD-1"
    assert (count(), count(Series)) == (1, 0)


def test_the_same_key_books_a_series_once(unn):
    first, again = (unn("POST", "/series", json=series(), headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    assert count() == 3


def test_a_series_with_every_meeting_skipped_is_refused(unn):
    choices = [{"day": day(week), "skip": True} for week in range(3)]
    answer = unn("POST", "/series", json=series(choices=choices))
    assert (answer.status_code, answer.json["occurrences"]) == (409, [])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rule": "every now and then"}, "rule"),
        ({"rule": "FREQ=HOURLY;COUNT=3"}, "rule"),
        ({"rule": "FREQ=WEEKLY"}, "rule"),
        ({"title": " "}, "title"),
        ({"end": at(9)}, "end"),
        ({"start": at(9, 800), "end": at(10, 800)}, "start"),
        ({"end": at(10).replace(":00Z", ":30Z")}, "end"),
        ({"choices": [{"day": "2026-01-01"}]}, "choices.0.day"),
        ({"choices": [{"day": day(1)}, {"day": day(1)}]}, "choices.1.day"),
        ({"choices": [{"day": day(1), "start": at(9, 800)}]}, "choices.0.start"),
        ({"choices": [{"day": day(1), "studios": [{"party": 3, "studio": "BOD-2"}]}]}, "choices.0.studios.0.party"),
        ({"choices": [{"day": day(1), "studios": [{"party": 2, "studio": "NO-1"}]}]}, "choices.0.studios.0.studio"),
    ],
)
@pytest.mark.parametrize("address", ["/series", "/series/preview"])
def test_what_makes_no_sense_is_told_with_its_field(unn, address, changes, field):
    answer = unn("POST", address, json=series(**changes))
    assert answer.status_code == 422, answer.json
    assert [each["field"] for each in answer.json["problems"]] == [field]
    assert count() == 0


def test_a_series_is_told_to_everybody_without_a_title(unn, nlsh):
    saved = unn("POST", "/series", json=series({"studio": "TRO-1"}, {"studio": "TRO-2"}, title="Secret")).json
    unn("DELETE", f"/conferences/{saved['conferences'][1]['reference']}")
    answer = nlsh("GET", f"/series/{saved['series']}")
    assert answer.status_code == 200
    told = answer.json
    assert (told["rule"], told["organisation"], told["minutes"], told["first_day"]) == (WEEKLY, "UNN", 60, day(0))
    assert [each["state"] for each in told["occurrences"]] == ["planned", "cancelled", "planned"]
    assert [each["reference"] for each in told["occurrences"]] == [each["reference"] for each in saved["conferences"]]
    assert "Secret" not in answer.text
    assert nlsh("GET", "/series/4711").status_code == 404


def test_nobody_books_a_series_for_others(unn):
    assert unn("POST", "/series", json=series(organisation="NLSH")).status_code == 403
    assert count() == 0
