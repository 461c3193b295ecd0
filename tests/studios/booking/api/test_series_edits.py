"""Meetings of a series are edited and cancelled by programs: one, it and the following, or all; whole or not at all."""

import pytest

from tests.studios.booking.api.asking import at, booked
from tests.studios.booking.api.test_series import series


@pytest.fixture
def saved(unn):
    """The references of three meetings, a week apart."""
    return [each["reference"] for each in unn("POST", "/series", json=series()).json["conferences"]]


def starts(unn, references):
    return [unn("GET", f"/conferences/{each}").json["start"] for each in references]


def test_an_edit_is_previewed_meeting_by_meeting(unn, saved):
    change = {"scope": "following", "start": at(10, 7)}
    answer = unn("POST", f"/conferences/{saved[1]}/series/preview-change", json=change)
    assert answer.status_code == 200, answer.json
    assert answer.json["can_be_made"]
    lines = answer.json["occurrences"]
    assert [(each["reference"], each["start_before"], each["start"]) for each in lines] == [
        (saved[1], at(9, 7), at(10, 7)), (saved[2], at(9, 14), at(10, 14)),
    ]  # fmt: skip
    assert starts(unn, saved) == [at(9), at(9, 7), at(9, 14)]


@pytest.mark.parametrize(
    ("scope", "changed", "expected"),
    [
        ("this", 1, [at(9), at(10, 7), at(9, 14)]),
        ("following", 2, [at(9), at(10, 7), at(10, 14)]),
        ("all", 3, [at(10), at(10, 7), at(10, 14)]),
    ],
)
def test_an_edit_moves_those_in_its_scope(unn, saved, scope, changed, expected):
    answer = unn("PATCH", f"/conferences/{saved[1]}/series", json={"scope": scope, "start": at(10, 7)})
    assert answer.status_code == 200, answer.json
    assert len(answer.json["changed"]) == changed
    assert starts(unn, saved) == expected


def test_the_end_the_table_and_the_words_are_changed_of_all(unn, saved):
    change = {
        "scope": "all", "end": at(11), "title": "Heart meeting", "movable": True, "purpose": "education",
        "parties": [{"studio": "TRO-2"}, {"studio": "BOD-2"}],
    }  # fmt: skip
    answer = unn("PATCH", f"/conferences/{saved[0]}/series", json=change)
    assert answer.status_code == 200, answer.json
    last = unn("GET", f"/conferences/{saved[2]}").json
    assert (last["end"], last["title"], last["movable"], last["purpose"], last["studios"]) == (
        at(11, 14), "Heart meeting", True, "education", ["TRO-2", "BOD-2"],
    )  # fmt: skip


def test_with_one_meeting_in_the_way_none_is_changed(unn, nlsh, saved):
    taken = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, title="Secret", start=at(10, 14), end=at(11, 14))
    change = {"scope": "all", "start": at(10)}
    seen = unn("POST", f"/conferences/{saved[0]}/series/preview-change", json=change)
    assert (seen.status_code, seen.json["can_be_made"]) == (200, False)
    answer = unn("PATCH", f"/conferences/{saved[0]}/series", json=change)
    assert answer.status_code == 409
    assert answer.json["occurrences"] == seen.json["occurrences"]
    assert answer.json["occurrences"][2]["conflicts"][0]["reference"] == taken["reference"]
    assert "Secret" not in answer.text
    assert starts(unn, saved) == [at(9), at(9, 7), at(9, 14)]


def test_an_edit_of_what_was_changed_meanwhile_is_refused(unn, saved):
    change = {"scope": "all", "title": "Heart meeting"}
    address = f"/conferences/{saved[0]}/series"
    assert unn("PATCH", address, json={**change, "version": 1}).status_code == 200
    answer = unn("PATCH", address, json={**change, "title": "Liver meeting", "version": 1})
    assert (answer.status_code, answer.json["changed"]) == (409, True)
    assert unn("DELETE", f"{address}?scope=all", headers={"If-Match": '"1"'}).status_code == 409


def test_the_same_key_edits_once(unn, saved):
    sent = {"json": {"scope": "all", "title": "Heart meeting"}, "headers": {"Idempotency-Key": "one"}}
    first, again = (unn("PATCH", f"/conferences/{saved[0]}/series", **sent) for _ in range(2))
    assert (first.status_code, again.json) == (200, first.json)
    assert unn("GET", f"/conferences/{saved[0]}").json["version"] == 2


def test_those_in_the_scope_are_cancelled(unn, saved):
    answer = unn("DELETE", f"/conferences/{saved[1]}/series?scope=following")
    assert (answer.status_code, answer.json["cancelled"]) == (200, saved[1:])
    assert [each["kept"] for each in answer.json["occurrences"]] == [None, None]
    again = unn("DELETE", f"/conferences/{saved[1]}/series?scope=all")
    assert [each["kept"] for each in again.json["occurrences"]] == [None, "cancelled", "cancelled"]
    assert unn("DELETE", f"/conferences/{saved[1]}/series?scope=all").status_code == 409


def test_only_who_owns_a_series_edits_it(nlsh, saved):
    address = f"/conferences/{saved[0]}/series"
    assert nlsh("PATCH", address, json={"scope": "all", "title": "Ours"}).status_code == 403
    assert nlsh("POST", f"{address}/preview-change", json={"scope": "all", "title": "Ours"}).status_code == 403
    assert nlsh("DELETE", f"{address}?scope=all").status_code == 403


def test_a_conference_of_no_series_and_what_makes_no_sense_are_refused(unn, saved):
    alone = booked(unn, start=at(14), end=at(15))["reference"]
    for method, address in (("PATCH", ""), ("POST", "/preview-change")):
        refused = unn(method, f"/conferences/{alone}/series{address}", json={"scope": "all", "title": "Heart"})
        assert refused.status_code == 409
        nonsense = unn(method, f"/conferences/{saved[0]}/series{address}", json={"scope": "all", "end": at(8)})
        assert (nonsense.status_code, nonsense.json["problems"][0]["field"]) == (422, "end")
    assert unn("DELETE", f"/conferences/{saved[0]}/series").status_code == 422
    assert unn("DELETE", "/conferences/K-1/series?scope=all").status_code == 404
