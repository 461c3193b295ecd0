"""A request that is sent again is done once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from api.idempotency import delete_old
from models import AuditEntry, IdempotencyKey, Role, db
from tests import factories

GOOD = {"title": "one", "at": "2026-11-26T09:00:00+01:00"}
KEY = {"Idempotency-Key": "k-1"}


def made(send, headers=KEY, **changes):
    return send("POST", "/samples", headers, json={**GOOD, **changes})


def done():
    db.session.rollback()
    return db.session.scalar(db.select(db.func.count()).select_from(AuditEntry).where(AuditEntry.action == "sample"))


def kept():
    db.session.rollback()
    return db.session.scalars(db.select(IdempotencyKey)).all()


def test_the_same_request_with_the_same_key_is_done_once_and_answered_the_same(send):
    first, second = made(send), made(send)
    assert (first.status_code, first.json, first.headers["Location"]) == (
        second.status_code,
        second.json,
        second.headers["Location"],
    )
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert done() == 1


def test_without_a_key_or_with_another_it_is_done_again(send):
    made(send)
    assert made(send, {}).status_code == made(send, {"Idempotency-Key": "k-2"}).status_code == 201
    assert done() == 3


def test_a_key_that_came_with_another_request_is_refused(send):
    made(send)
    answer = made(send, title="two")
    assert (answer.status_code, answer.json["problems"][0]["field"]) == (422, "Idempotency-Key")
    assert send("DELETE", "/samples/of/one", KEY).status_code == 422
    assert done() == 1


def test_an_answer_without_content_is_replayed_too(send):
    answers = [send("DELETE", "/samples/of/one", KEY) for _ in range(2)]
    assert [(answer.status_code, answer.data) for answer in answers] == [(204, b"")] * 2
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def test_another_accounts_key_is_another_key(app, send):
    made(send)
    other = factories.token(factories.account(role=Role.COORDINATOR))
    answer = made(send, {**KEY, **other}, title="two")
    assert answer.status_code == 201
    assert done() == 2


@pytest.mark.parametrize("title", ["taken", "gone", "refused"])
def test_a_refusal_is_not_kept_and_the_key_may_try_again(send, title):
    assert made(send, title=title).status_code == 409
    assert (done(), kept()) == (0, [])
    assert made(send).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "\u00e6", "a\tb"])
def test_a_key_is_visible_ascii(send, key):
    assert made(send, {"Idempotency-Key": key}).status_code == 422
    assert done() == 0


def test_a_key_counts_for_a_day(send):
    made(send)
    _age(timedelta(hours=23, minutes=59))
    assert made(send).headers.get("Idempotency-Replayed") == "true"
    _age(timedelta(hours=24, minutes=1))
    assert "Idempotency-Replayed" not in made(send, title="two").headers
    assert done() == 2


def test_old_keys_are_forgotten(send):
    made(send)
    assert (delete_old(), len(kept())) == (0, 1)
    _age(timedelta(hours=24, minutes=1))
    assert (delete_old(), len(kept())) == (1, 0)


def test_identical_requests_at_once_are_done_once(send):
    at_once = 8
    start = Barrier(at_once)

    def race(_number):
        start.wait()
        return made(send)

    with ThreadPoolExecutor(at_once) as threads:
        answers = list(threads.map(race, range(at_once)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers) == [""] + ["true"] * 7
    assert done() == 1


def test_different_requests_with_one_key_at_once_are_done_once(send):
    start = Barrier(2)

    def race(title):
        start.wait()
        return made(send, title=title).status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(race, ["one", "two"])) == [201, 422]
    assert done() == 1


def _age(age):
    db.session.rollback()
    db.session.execute(db.update(IdempotencyKey).values(created_at=datetime.now(UTC) - age))
    db.session.commit()
