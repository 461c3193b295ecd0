"""Calling studios now: chosen on one page, called at a press."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from models import Conference, Organisation, Purpose, db
from tests import factories
from tests.studios.booking.pages import Network, SignIn, counted_queries, in_english, text_of

MOST_QUERIES = 12


@pytest.fixture
def coordinator(network: Network, client_for: SignIn) -> FlaskClient:
    return in_english(client_for(network.coordinator))


def press(client: FlaskClient, *studio_ids: int, **fields: str):
    return client.post("/call", data={"studio": [str(one) for one in studio_ids], **fields})


def conferences() -> list[Conference]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Conference).order_by(Conference.id)))


def test_two_studios_are_called_at_a_press(coordinator: FlaskClient, network: Network) -> None:
    before = datetime.now(UTC)
    answer = press(coordinator, network.tromso_1.id, network.bodo_2.id, minutes="15")
    [booked] = conferences()
    assert answer.status_code == 303
    assert answer.location.endswith(f"/conferences/{booked.reference}")
    assert [party.studio_id for party in booked.parties] == [network.tromso_1.id, network.bodo_2.id]
    assert before - timedelta(minutes=1) < booked.starts_at <= datetime.now(UTC)
    assert booked.ends_at - booked.starts_at == timedelta(minutes=15)
    assert (booked.title, booked.purpose) == ("Call without appointment", Purpose.ADMINISTRATION)
    assert booked.organisation_id == network.unn.id
    assert booked.due_at is not None
    assert booked.due_at <= datetime.now(UTC)


def test_a_guest_makes_the_second_party(coordinator: FlaskClient, network: Network) -> None:
    press(coordinator, network.tromso_1.id, guest="+4777123456", title="Samtale", purpose="test")
    [booked] = conferences()
    assert [party.guest_address for party in booked.parties] == [None, "+4777123456"]
    assert (booked.title, booked.purpose) == ("Samtale", Purpose.TEST)


def test_studios_are_searched_for_added_and_removed_by_links(coordinator: FlaskClient, network: Network) -> None:
    first, second = network.tromso_1, network.bodo_1
    page = coordinator.get("/call", query_string={"studio": first.id, "q": "bodø", "title": "Samtale"})
    text = text_of(page)
    assert "1 chosen" in text
    assert first.code in text
    assert second.code in text
    html = page.get_data(as_text=True)
    assert f"studio={first.id}&amp;studio={second.id}" in html
    assert "title=Samtale" in html
    assert "0 chosen" in text_of(coordinator.get("/call"))


def test_who_is_busy_is_shown_so_and_cannot_be_added(coordinator: FlaskClient, network: Network) -> None:
    now = datetime.now(UTC)
    factories.conference(
        network.bodo_1, network.bodo_2, start=now + timedelta(minutes=10), end=now + timedelta(hours=1)
    )
    text = text_of(page := coordinator.get("/call?q=bodø"))
    assert text.count("not free for so long") == 2
    assert f"studio={network.bodo_1.id}" not in page.get_data(as_text=True)


def test_a_refused_call_says_why_and_keeps_what_was_chosen(coordinator: FlaskClient, network: Network) -> None:
    now = datetime.now(UTC)
    taken = factories.conference(network.bodo_1, network.bodo_2, start=now, end=now + timedelta(hours=1))
    answer = press(coordinator, network.tromso_1.id, network.bodo_1.id, title="Samtale", minutes="45")
    assert answer.status_code == 409
    assert taken.reference in text_of(answer)
    assert "2 chosen" in text_of(answer)
    assert 'value="Samtale"' in answer.get_data(as_text=True)
    assert len(conferences()) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "at least 2"),
        ({"guest": "somebody"}, "Type a guest as a video address"),
        ({"guest": "+4777123456", "title": "x" * 81}, "at most 80"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    coordinator: FlaskClient, network: Network, fields: dict[str, str], words: str
) -> None:
    answer = press(coordinator, network.tromso_1.id, **fields)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not conferences()


def test_nonsense_in_the_address_is_no_error(coordinator: FlaskClient) -> None:
    address = "/call?studio=x&studio=99999999&minutes=7&purpose=party&organisation=-3"
    assert coordinator.get(address).status_code == 200


def test_nobody_calls_in_the_name_of_an_organisation_that_is_not_theirs(
    coordinator: FlaskClient, network: Network
) -> None:
    stranger: Organisation = network.nlsh
    press(coordinator, network.tromso_1.id, network.bodo_1.id, organisation=str(stranger.id))
    [booked] = conferences()
    assert booked.organisation_id == network.unn.id


def test_the_page_takes_at_most_twelve_queries(coordinator: FlaskClient, network: Network) -> None:
    with counted_queries() as queries:
        coordinator.get(f"/call?studio={network.tromso_1.id}&studio={network.bodo_1.id}&q=studio")
    assert len(queries) <= MOST_QUERIES
