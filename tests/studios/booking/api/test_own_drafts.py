"""Drafts of programs are kept as they are, are nobody else's, and are booked like any request."""

from models import Conference, Draft, db
from tests.studios.booking.api.asking import at, booked, wish


def test_a_draft_is_kept_written_anew_and_thrown_away(unn):
    kept = unn("POST", "/drafts", json={"title": "Lung"})
    assert kept.status_code == 201
    address = f"/drafts/{kept.json['id']}"
    assert kept.headers["Location"] == f"/api/v1{address}"
    assert kept.json["content"] == {"title": "Lung"}
    again = unn("PUT", address, json={"start": at(9), "parties": [{"studio": "TRO-1"}]})
    assert again.json["content"] == {"start": at(9), "parties": [{"studio": "TRO-1"}]}
    assert unn("GET", address).json == again.json
    assert unn("GET", "/drafts").json == {"drafts": [again.json]}
    assert unn("DELETE", address).status_code == 204
    assert unn("GET", address).status_code == 404


def test_nobody_else_reaches_it(unn, nlsh):
    address = f"/drafts/{unn('POST', '/drafts', json={'title': 'Lung'}).json['id']}"
    assert nlsh("GET", "/drafts").json == {"drafts": []}
    for method, more in (("GET", {}), ("DELETE", {}), ("PUT", {"json": {}})):
        assert nlsh(method, address, **more).status_code == 404
    assert nlsh("POST", f"{address}/book").status_code == 404


def test_it_is_booked_like_any_request_and_is_gone_then(unn):
    key = unn("POST", "/drafts", json=wish({"studio": "TRO-1"}, {"any_of": {"town": "Bodø"}})).json["id"]
    once = {"Idempotency-Key": "draft"}
    booked_now = unn("POST", f"/drafts/{key}/book", headers=once)
    assert (booked_now.status_code, booked_now.json["studios"]) == (201, ["TRO-1", "BOD-1"])
    assert unn("POST", f"/drafts/{key}/book", headers=once).json == booked_now.json
    assert unn("GET", f"/drafts/{key}").status_code == 404
    assert db.session.scalar(db.select(db.func.count()).select_from(Conference)) == 1


def test_it_stays_where_it_lacks_something_or_the_time_is_taken(unn, nlsh):
    key = unn("POST", "/drafts", json={"title": "Lung meeting"}).json["id"]
    lacking = unn("POST", f"/drafts/{key}/book")
    assert lacking.status_code == 422
    assert {each["field"] for each in lacking.json["problems"]} == {"purpose", "start", "end", "parties"}
    booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"})
    unn("PUT", f"/drafts/{key}", json=wish())
    refused = unn("POST", f"/drafts/{key}/book")
    assert (refused.status_code, refused.json["conflicts"][0]["studio"]) == (409, "BOD-1")
    assert refused.json["alternatives"]
    assert db.session.scalar(db.select(db.func.count()).select_from(Draft)) == 1


def test_patients_are_kept_out_of_it(unn):
    assert unn("POST", "/drafts", json={"title": "Pasient 01020300082"}).status_code == 422
