"""The pages of closures: taken out of use, what that hits moved in one step, and back."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from models import Closure, Conference, Reservation, Role, Studio, db
from tests import factories
from tests.studios.booking.pages import OSLO, Network, SignIn, counted_queries, in_english, text_of

HOUR = timedelta(hours=1)
MOST_MORE = 9


@pytest.fixture
def technician(network: Network, client_for: SignIn) -> FlaskClient:
    return in_english(client_for(factories.account(organisation=network.unn, role=Role.TECHNICIAN)))


def tomorrow(hour: int) -> datetime:
    return (
        (datetime.now(OSLO) + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(UTC)
    )


def typed(**changes: str) -> dict[str, str]:
    day = tomorrow(8).astimezone(OSLO).date().isoformat()
    whole = {"start_day": day, "start_time": "08:00", "end_day": day, "end_time": "16:00", "reason": "Nytt kamera"}
    return {**whole, **changes}


def close(client: FlaskClient, where: str, **changes: str):
    return client.post(f"/closures/new?{where}", data=typed(**changes))


def closures() -> list[Closure]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Closure).order_by(Closure.id)))


def seated(conference: Conference) -> set[str]:
    db.session.rollback()
    query = sa.select(Studio.code).join(Reservation, Reservation.studio_id == Studio.id)
    held = query.where(Reservation.conference_id == conference.id, Reservation.released_at.is_(None))
    return set(db.session.scalars(held))


def ticks(page) -> list[str]:
    return [
        part.partition('"')[0] for part in page.text.split('name="move"')[1:] for part in [part.partition('value="')[2]]
    ]


def test_a_studio_is_taken_out_of_use_from_its_page(technician, network):
    form = technician.get(f"/closures/new?studio={network.tromso_1.code}")
    assert 'value="16:00"' in form.text
    answer = close(technician, f"studio={network.tromso_1.code}")
    [closure] = closures()
    assert answer.location == f"/closures/{closure.id}"
    assert (closure.studio_id, closure.reason) == (network.tromso_1.id, "Nytt kamera")
    assert (closure.starts_at, closure.ends_at) == (tomorrow(8), tomorrow(16))
    assert "No conference is booked there" in text_of(technician.get(answer.location))


def test_all_that_a_closure_hits_is_moved_in_one_step(technician, network):
    hits = [
        factories.conference(network.tromso_1, network.bodo_1, start=tomorrow(hour), end=tomorrow(hour) + HOUR)
        for hour in (9, 11)
    ]
    page = technician.get(close(technician, f"studio={network.tromso_1.code}").location)
    assert "2 conferences" in text_of(page)
    chosen = ticks(page)
    assert len(chosen) == 2
    answer = technician.post(page.request.path + "/moves", data={"move": chosen}, follow_redirects=True)
    assert "2 conferences have another studio now." in text_of(answer)
    assert [seated(each) for each in hits] == [{"TRO-2", "BOD-1"}] * 2


def test_what_is_not_ticked_stays_and_what_changed_meanwhile_is_told(technician, network):
    first, second = (
        factories.conference(network.tromso_1, network.bodo_1, start=tomorrow(hour), end=tomorrow(hour) + HOUR)
        for hour in (9, 11)
    )
    page = technician.get(close(technician, f"studio={network.tromso_1.code}").location)
    db.session.rollback()
    first.version += 1
    db.session.commit()
    moved = technician.post(page.request.path + "/moves", data={"move": ticks(page)[:1]}, follow_redirects=True)
    assert f"{first.reference} was not moved" in text_of(moved)
    assert seated(first) == seated(second) == {"TRO-1", "BOD-1"}


def test_nobody_moves_what_the_closure_does_not_hit(technician, network):
    other = factories.conference(network.tromso_1, network.bodo_1, start=tomorrow(20), end=tomorrow(21))
    page = technician.get(close(technician, f"studio={network.tromso_1.code}").location)
    forged = f"{other.id}-{other.version}-0-{network.tromso_2.id}"
    technician.post(page.request.path + "/moves", data={"move": [forged, "x", "1-2-3", "9" * 30]})
    assert seated(other) == {"TRO-1", "BOD-1"}


def test_a_whole_site_is_closed_and_put_back(technician, network):
    site = network.tromso_1.site
    answer = close(technician, f"site={site.id}")
    [closure] = closures()
    assert (closure.site_id, closure.studio_id) == (site.id, None)
    assert site.name in text_of(technician.get("/closures"))
    assert technician.post(f"{answer.location}/reopen").status_code == 303
    assert closures() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": " "}, "Give a reason"),
        ({"end_time": "07:00"}, "The end must come after the start"),
        ({"end_day": "when it is mended"}, "Write the day as in"),
        ({"start_time": "25:99"}, "Write the day as in"),
        ({"end_day": "2031-01-01"}, "at most three years"),
    ],
)
def test_what_makes_no_sense_is_refused_and_stays_as_typed(technician, network, changes, words):
    answer = close(technician, f"studio={network.tromso_1.code}", **changes)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert all(f'value="{value}"' in answer.text for value in changes.values())
    assert closures() == []


def test_others_studios_are_not_theirs_to_close(technician, network):
    assert technician.get(f"/closures/new?studio={network.bodo_1.code}").status_code == 403
    assert close(technician, f"studio={network.bodo_1.code}").status_code == 403
    assert technician.get("/closures/new?studio=NOWHERE").status_code == 404
    assert closures() == []


def test_the_review_takes_few_queries_more_for_each_conference(technician, network):
    counts = []
    for studio, hours in ((network.tromso_1, (9,)), (network.tromso_2, (9, 10, 11, 12))):
        for hour in hours:
            partner = network.bodo_1 if studio is network.tromso_1 else network.bodo_2
            factories.conference(studio, partner, start=tomorrow(hour), end=tomorrow(hour) + HOUR)
        page = close(technician, f"studio={studio.code}").location
        db.session.rollback()
        with counted_queries() as sent:
            technician.get(page)
        counts.append(len(sent))
    assert counts[1] - counts[0] <= 3 * MOST_MORE
