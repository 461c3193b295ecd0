"""Waiting for time to come free and asking others to move, from the page of a request to the answers."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from models import Conference, RequestState, Swap, WaitingRequest, db
from studios.booking.waiting.minding import mind_who_waits
from tests import factories
from tests.studios.booking.pages import MOST_QUERIES, Network, counted_queries, instant, text_of, tomorrow, typed


@pytest.fixture
def taken(network: Network) -> Conference:
    """All that the others have, from seven to five, for the week."""
    row = None
    for day in range(8):
        date = tomorrow() + timedelta(days=day)
        row = row or factories.conference(
            network.bodo_1, start=instant(date, 7), end=instant(date, 18), title="Theirs", movable=True
        )
        if day:
            factories.conference(network.bodo_1, start=instant(date, 7), end=instant(date, 18), title="Theirs")
    assert row
    return row


def asked() -> WaitingRequest:
    db.session.rollback()
    return db.session.scalars(db.select(WaitingRequest)).one()


def test_a_request_waits_is_offered_what_comes_free_and_takes_it(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network, taken: Conference
) -> None:
    page = text_of(coordinator.post("/book/draft", data=typed()))
    assert "Wait for this or one of the next six days" in page
    answer = coordinator.post("/book/wait", data=typed())
    assert answer.location == "/requests/"
    assert "The request waits." in text_of(coordinator.get(answer.location))
    assert (asked().earliest, asked().latest) == (
        instant(tomorrow(), 8),
        instant(tomorrow() + timedelta(days=6), 16),
    )
    neighbour.post(f"/conferences/{taken.reference}/cancel", data={"version": "1"})
    db.session.rollback()
    mind_who_waits()
    page = text_of(coordinator.get("/requests/"))
    assert "A time is held for it" in page
    assert "TRO-1, BOD-1" in page
    taken_now = coordinator.post(f"/requests/waiting/{asked().id}", data={"act": "accept"})
    assert "is booked" in text_of(coordinator.get(taken_now.location))
    assert asked().state is RequestState.ACCEPTED


@pytest.mark.parametrize(("act", "state"), [("withdraw", RequestState.WITHDRAWN), ("nonsense", RequestState.WAITING)])
def test_a_request_is_withdrawn(
    coordinator: FlaskClient, network: Network, taken: Conference, act: str, state: RequestState
) -> None:
    coordinator.post("/book/wait", data=typed())
    coordinator.post(f"/requests/waiting/{asked().id}", data={"act": act})
    assert asked().state is state


def test_what_lacks_something_does_not_wait(coordinator: FlaskClient) -> None:
    answer = coordinator.post("/book/wait", data=typed(title=""))
    assert (answer.status_code, "Give the conference a title." in text_of(answer)) == (422, True)
    assert db.session.scalars(db.select(WaitingRequest)).all() == []


def swap() -> Swap:
    db.session.rollback()
    return db.session.scalars(db.select(Swap)).one()


def test_the_owner_of_a_movable_conference_is_asked_and_moves_it(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network
) -> None:
    theirs = factories.conference(network.bodo_1, network.bodo_2, start=instant(tomorrow(), 9), movable=True)
    reference = theirs.reference
    assert "Ask them to move it" in text_of(coordinator.post("/book/draft", data=typed()))
    refused = coordinator.post(f"/book/swap/{reference}", data=typed())
    assert (refused.status_code, "Give a reason" in text_of(refused)) == (422, True)
    form = typed(**{f"reason-{reference}": "The patient is here only then"})
    answer = coordinator.post(f"/book/swap/{reference}", data=form)
    assert "They are asked." in text_of(coordinator.get(answer.location))
    page = text_of(neighbour.get("/requests/"))
    assert "UNN asks NLSH" in page
    assert "The patient is here only then" in page
    assert "Lung meeting" not in page
    assert "Both conferences are moved." in text_of(
        neighbour.post(f"/requests/swaps/{swap().id}", data={"act": "accept"}, follow_redirects=True)
    )
    assert swap().state is RequestState.ACCEPTED


def test_the_owner_keeps_it_with_a_reason_and_who_asks_may_ask_no_longer(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network
) -> None:
    theirs = factories.conference(network.bodo_1, network.bodo_2, start=instant(tomorrow(), 9), movable=True)
    reference = theirs.reference
    coordinator.post(f"/book/swap/{reference}", data=typed(**{f"reason-{reference}": "Please"}))
    without = neighbour.post(f"/requests/swaps/{swap().id}", data={"act": "decline"})
    assert (without.status_code, "Give a reason" in text_of(without)) == (422, True)
    neighbour.post(f"/requests/swaps/{swap().id}", data={"act": "decline", "reason": "It cannot wait"})
    assert "It cannot wait" in text_of(coordinator.get("/requests/"))
    assert swap().state is RequestState.DECLINED


def test_the_page_takes_few_queries_and_says_what_to_do_when_empty(coordinator: FlaskClient, network: Network) -> None:
    with counted_queries() as queries:
        page = coordinator.get("/requests/")
    assert "Nothing waits." in text_of(page)
    assert len(queries) <= MOST_QUERIES
