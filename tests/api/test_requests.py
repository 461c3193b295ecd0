"""What is read, what is refused and how it is told."""

import json

import pytest

from models import AuditEntry, Role, db
from tests import factories

GOOD = {"title": "one", "at": "2026-11-26T09:00:00+01:00"}


@pytest.fixture
def dialect() -> str:
    return "sqlite"


def made(send, **changes):
    return send("POST", "/samples", json={**GOOD, **changes})


def done():
    return db.session.scalar(db.select(db.func.count()).select_from(AuditEntry).where(AuditEntry.action == "sample"))


def test_an_instant_is_answered_in_utc(send):
    answer = made(send)
    assert (answer.status_code, answer.json["at"]) == (201, "2026-11-26T08:00:00Z")
    assert answer.headers["Location"] == f"/api/v1/samples/{answer.json['id']}"
    assert answer.mimetype == "application/json"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": 5}, "title"),
        ({"title": "x" * 21}, "title"),
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"title": "a\ud800b"}, "title"),
        ({"titel": "x"}, "titel"),
        ({"ti\0tel": "x"}, "ti\\0tel"),
        ({"ti\ud800tel": "x"}, "ti\\ud800tel"),
        ({"at": "2026-11-26T09:00:00"}, "at"),
        ({"at": "2026-11-26"}, "at"),
        ({"at": "1999-12-31T23:59:59Z"}, "at"),
        ({"at": "2100-01-01T00:00:00Z"}, "at"),
        ({"at": "2026-02-30T00:00:00Z"}, "at"),
        ({"at": "2026-11-26T09:00:00+25:00"}, "at"),
        ({"at": 1_700_000_000}, "at"),
        ({"at": "1700000000"}, "at"),
        ({"day": "2026-02-30"}, "day"),
        ({"day": "1999-01-01"}, "day"),
        ({"colour": "green"}, "colour"),
        ({"urgent": "yes"}, "urgent"),
        ({"urgent": 1}, "urgent"),
        ({"inner": {}}, "inner"),
        ({"inner": [5]}, "inner.0"),
        ({"inner": [{"number": 1}, {"number": -1}]}, "inner.1.number"),
        ({"inner": [{"number": 2**31}]}, "inner.0.number"),
        ({"inner": [{"number": 10**4000}]}, "inner.0.number"),
        ({"inner": [{"number": 1.5}]}, "inner.0.number"),
        ({"inner": [{"number": 1, "more": 2}]}, "inner.0.more"),
        ({"inner": [{"number": 1}] * 4}, "inner"),
    ],
)
def test_what_does_not_fit_is_named_by_its_field(send, changes, field):
    answer = made(send, **changes)
    assert (answer.status_code, [one["field"] for one in answer.json["problems"]]) == (422, [field])
    assert answer.json["problems"][0]["message"]
    assert done() == 0


def test_every_problem_is_told_at_once(send):
    answer = send("POST", "/samples", json={"colour": 1})
    assert {one["field"] for one in answer.json["problems"]} == {"title", "at", "colour"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"title": NaN}',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b"'",
        b'{"a": 1,}',
        b"{}{}",
    ],
)
def test_what_is_no_json_is_not_understood(send, text):
    answer = send("POST", "/samples", data=text, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["error"]


@pytest.mark.parametrize("text", [b"[]", b"5", b"null", b'"text"', b"[" * 150 + b"]" * 150, b"1" * 10_000])
def test_json_of_another_kind_does_not_fit(send, text):
    assert send("POST", "/samples", data=text, content_type="application/json").status_code in (400, 422)


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_kind_of_content_is_refused(send, kind):
    answer = send("POST", "/samples", data=json.dumps(GOOD), content_type=kind)
    assert (answer.status_code, answer.is_json) == (415, True)


def test_the_kind_of_content_may_name_its_encoding(send):
    kind = "application/json; charset=utf-8"
    assert send("POST", "/samples", data=json.dumps(GOOD), content_type=kind).status_code == 201


def test_too_much_is_refused(send):
    assert made(send, title="x" * 1_100_000).status_code == 413


@pytest.mark.parametrize("address", ["/nothing", "/samples/0", f"/samples/{2**31}", f"/samples/{2**90}", "/samples/a"])
def test_what_is_not_there_is_told_in_json(send, address):
    answer = send("GET", address, {"Accept": "text/html"})
    assert (answer.status_code, answer.json["problems"]) == (404, [])


@pytest.mark.parametrize("title", ["a%00b", "x" * 300])
def test_a_part_of_an_address_that_nothing_can_be_named_by_leads_nowhere(send, title):
    assert send("DELETE", f"/samples/of/{title}").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_answered_with_those_there_are(send, method):
    answer = send(method, "/samples")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert answer.json["error"]


def test_a_fault_of_ours_is_told_with_the_id_that_the_log_has(send):
    answer = send("GET", "/samples/fault", {"X-Request-Id": "asked-by-me"})
    assert (answer.status_code, answer.json["request"], answer.json["problems"]) == (500, "asked-by-me", [])


def test_an_answer_may_be_without_content(send):
    answer = send("DELETE", "/samples/of/something")
    assert (answer.status_code, answer.data) == (204, b"")


@pytest.mark.parametrize("title", ["taken", "gone"])
def test_a_refusal_may_tell_more_and_takes_back_what_was_written(send, title):
    answer = made(send, title=title)
    assert (answer.status_code, set(answer.json)) == (409, {"error", "problems", "next_free"})
    assert done() == 0


def test_a_query_is_read_by_its_types(send):
    answer = send("GET", "/samples?limit=5&colour=red&colour=blue&since=2026-11-26T09:00:00%2B01:00&urgent=true")
    assert answer.json == {"limit": 5, "colours": ["red", "blue"], "since": "2026-11-26T08:00:00Z"}
    assert send("GET", "/samples").json["limit"] == 10


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=", "limit"),
        ("limit=5.0", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=5&limit=6", "limit"),
        ("colour=green", "colour.0"),
        ("colour=red%00", "colour.0"),
        ("since=1700000000", "since"),
        ("urgent=1", "urgent"),
        ("nothing=1", "nothing"),
    ],
)
def test_a_query_that_does_not_fit_is_named_by_its_field(send, query, field):
    answer = send("GET", f"/samples?{query}")
    assert (answer.status_code, [one["field"] for one in answer.json["problems"]]) == (422, [field])


def test_the_document_is_for_tokens_and_for_signed_in_browsers(app, send, client_for):
    assert send("GET", "/openapi.json").json["openapi"] == "3.1.0"
    assert client_for(factories.account(role=Role.MANAGER)).get("/api/v1/openapi.json").json["openapi"] == "3.1.0"
    assert app.test_client().get("/api/v1/openapi.json").status_code == 401


def test_the_page_for_people_names_every_operation(app, send, client_for):
    page = client_for(factories.account(role=Role.MANAGER)).get("/api", headers={"Accept-Language": "en"}).text
    document = send("GET", "/openapi.json").json
    for address, operations in document["paths"].items():
        for method in operations:
            assert f"<code>{method.upper()} {address}</code>" in page
