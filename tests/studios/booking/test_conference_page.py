"""The page of one conference: who sees what, what is up, what is wrong, and when it stops asking."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from models import (
    Answer,
    Conference,
    ConferenceState,
    EndpointStatus,
    Event,
    Health,
    Leg,
    LegState,
    Light,
    Party,
    PartyKind,
    Preflight,
    Role,
    Wanted,
    db,
    write,
)
from studios.booking.answers import decline
from tests import factories
from tests.studios.booking.pages import MOST_QUERIES, Network, SignIn, counted_queries, in_english, text_of

LIVE = {"HX-Request": "true"}


def conference_of(network: Network, state: ConferenceState, **changes: Any) -> Conference:
    """A conference of three studios, Tromsø 1 its host, that began a minute ago."""
    start = changes.pop("start", datetime.now(UTC) - timedelta(minutes=1))
    return factories.conference(
        network.tromso_1, network.bodo_1, network.bodo_2, start=start, state=state, title="Lung meeting", **changes
    )


def call(conference: Conference, position: int, state: LegState, **changes: Any) -> Leg:
    party = db.session.scalars(db.select(Party).filter_by(conference_id=conference.id, position=position)).one()
    leg = Leg(
        conference_id=conference.id,
        party_id=party.id,
        wanted=changes.pop("wanted", Wanted.UP),
        state=state,
        token=f"{conference.reference}/{party.id}",
        changed_at=datetime.now(UTC),
        **changes,
    )
    db.session.add(leg)
    db.session.commit()
    return leg


def address(conference: Conference, more: str = "") -> str:
    return f"/conferences/{conference.reference}{more}"


def mark_in(page: str) -> str:
    found = re.search(r'hx-get="[^"]*seen=(\w+)"', page)
    assert found, "the page asks for nothing"
    return found[1]


@pytest.mark.parametrize(
    "reference", ["K-99999999", "K-1", "K-x", "nonsense", "K-10001%00", "K-" + "9" * 400, "%F0%9F%A6%8A"]
)
def test_a_reference_that_leads_nowhere_is_not_found(coordinator: FlaskClient, reference: str) -> None:
    for more in ("", "/live", "/change", "/cancel"):
        assert coordinator.get(f"/conferences/{reference}{more}").status_code == 404


def test_every_role_opens_the_page_but_only_those_around_the_table_see_the_title(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network, client_for: SignIn
) -> None:
    conference = factories.conference(network.tromso_1, network.tromso_2, title="Lung meeting")
    assert "Lung meeting" in coordinator.get(address(conference)).text
    technician = in_english(client_for(factories.account(role=Role.TECHNICIAN)))
    for client in (neighbour, technician):
        page = client.get(address(conference))
        assert page.status_code == 200
        assert "Lung meeting" not in page.text
        assert "Title not shown" in page.text
        assert "UNN" in text_of(page)


def test_a_guests_address_and_a_reason_are_for_those_around_the_table(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network
) -> None:
    conference = factories.conference(
        network.tromso_1, network.tromso_2, start=datetime.now(UTC), state=ConferenceState.DEGRADED
    )
    guest = Party(
        conference_id=conference.id, position=2, kind=PartyKind.GUEST, guest_address="sip:anna@hospital.example"
    )
    db.session.add(guest)
    party = db.session.scalars(db.select(Party).filter_by(conference_id=conference.id, position=1)).one()
    party.answer, party.answer_reason = Answer.DECLINED, "Nobody is on duty"
    party.answered_by_id = network.coordinator.id
    db.session.commit()
    call(conference, 2, LegState.FAILED, attempts=1, cause="unknown-number")
    told = coordinator.get(address(conference)).text
    assert "sip:anna@hospital.example is not reached" in told
    assert "Declined: Nobody is on duty" in told
    for more in ("", "/live"):
        hidden = neighbour.get(address(conference, more), headers=LIVE if more else {}).text
        assert "anna" not in hidden
        assert "Nobody is on duty" not in hidden
        assert "A guest is not reached" in hidden
        assert "Declined" in hidden


def test_where_all_others_have_declined_the_page_says_that_nobody_is_left(
    coordinator: FlaskClient, network: Network
) -> None:
    conference = factories.conference(network.tromso_1, network.bodo_1, start=datetime.now(UTC) + timedelta(days=1))
    assert "Nobody is left to meet" not in text_of(coordinator.get(address(conference)))
    write(lambda: setattr(conference.parties[1], "answer", Answer.WAITING))
    write(lambda: decline(conference.id, 1, "Nobody is on duty", network.neighbour).id)
    assert "Nobody is left to meet" in text_of(coordinator.get(address(conference)))
    guest = Party(conference_id=conference.id, position=2, kind=PartyKind.GUEST, guest_address="sip:a@b.example")
    db.session.add(guest)
    db.session.commit()
    assert "Nobody is left to meet" not in text_of(coordinator.get(address(conference)))


def test_only_those_who_may_change_it_are_offered_that(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network
) -> None:
    conference = conference_of(network, ConferenceState.RUNNING)
    assert address(conference, "/cancel") in coordinator.get(address(conference)).text
    assert address(conference, "/cancel") not in neighbour.get(address(conference)).text
    assert neighbour.get(address(conference, "/cancel")).status_code == 403
    assert neighbour.get(address(conference, "/change")).status_code == 403
    assert neighbour.post(address(conference, "/cancel"), data={"version": "1"}).status_code == 403


def test_each_party_shows_its_call_and_the_host_is_in_it_when_anybody_is(
    coordinator: FlaskClient, network: Network
) -> None:
    conference = conference_of(network, ConferenceState.DEGRADED)
    call(conference, 1, LegState.CONNECTED, connected_at=datetime(2026, 11, 26, 9, 15, 4, tzinfo=UTC))
    call(conference, 2, LegState.DIALLING)
    said = text_of(coordinator.get(address(conference)))
    assert "2 connected" in said
    assert "Since 10:15:04" in said
    assert "Calling" in said


def test_a_dropped_party_is_named_with_cause_next_attempt_and_telephone(
    coordinator: FlaskClient, network: Network
) -> None:
    conference = conference_of(network, ConferenceState.DEGRADED)
    again = datetime(2026, 11, 26, 9, 41, 32, tzinfo=UTC)
    call(conference, 1, LegState.FAILED, attempts=3, cause="no-answer", next_attempt_at=again)
    call(conference, 2, LegState.CONNECTED)
    said = text_of(coordinator.get(address(conference)))
    assert "Under way, 1 party missing" in said
    assert "NLSH Bodø, Studio 1 is not reached" in said
    assert "The far end did not answer the call. Next attempt at 10:41:32." in said
    assert "75 44 55 66" in said


def test_a_call_that_was_given_up_says_that_nothing_more_is_tried(coordinator: FlaskClient, network: Network) -> None:
    conference = conference_of(network, ConferenceState.STARTING)
    call(conference, 1, LegState.FAILED, attempts=1, cause="unknown-number")
    said = text_of(coordinator.get(address(conference)))
    assert "No further attempt is planned." in said


def test_a_leg_that_is_being_taken_down_is_no_trouble(coordinator: FlaskClient, network: Network) -> None:
    conference = conference_of(network, ConferenceState.STOPPING)
    call(conference, 1, LegState.DROPPED, wanted=Wanted.DOWN)
    assert "dropped out at" not in text_of(coordinator.get(address(conference)))


def test_the_equipments_health_stands_beside_each_party_and_old_news_is_unknown(
    coordinator: FlaskClient, network: Network
) -> None:
    now = datetime.now(UTC)
    statuses = db.session.scalars(db.select(EndpointStatus).order_by(EndpointStatus.endpoint_id)).all()
    statuses[0].health, statuses[0].last_poll_at = Health.DEGRADED, now
    statuses[2].health, statuses[2].last_poll_at = Health.DOWN, now - timedelta(hours=1)
    db.session.commit()
    said = text_of(coordinator.get(address(conference_of(network, ConferenceState.PLANNED))))
    assert "Degraded" in said
    assert "Down" not in said
    assert "Unknown" in said


@pytest.mark.parametrize(
    ("state", "start_in", "seconds"),
    [
        (ConferenceState.PLANNED, timedelta(hours=5), 60),
        (ConferenceState.PLANNED, timedelta(minutes=10), 2),
        (ConferenceState.STARTING, timedelta(0), 2),
        (ConferenceState.RUNNING, timedelta(0), 2),
        (ConferenceState.STOPPING, timedelta(hours=-1), 2),
        (ConferenceState.ENDED, timedelta(hours=-1), None),
        (ConferenceState.FAILED, timedelta(hours=-1), None),
        (ConferenceState.CANCELLED, timedelta(hours=1), None),
    ],
)
def test_the_page_asks_again_as_often_as_something_can_change(
    coordinator: FlaskClient, network: Network, state: ConferenceState, start_in: timedelta, seconds: int | None
) -> None:
    conference = conference_of(network, state, start=datetime.now(UTC) + start_in)
    page = coordinator.get(address(conference)).text
    assert re.findall(r'hx-trigger="every (\d+)s"', page) == ([str(seconds)] if seconds else [])


def test_the_live_part_answers_only_when_there_is_something_new(coordinator: FlaskClient, network: Network) -> None:
    conference = conference_of(network, ConferenceState.STARTING)
    leg = call(conference, 1, LegState.DIALLING)
    seen = mark_in(coordinator.get(address(conference)).text)
    again = coordinator.get(address(conference, f"/live?seen={seen}"), headers=LIVE)
    assert (again.status_code, again.text) == (204, "")
    leg.state, leg.changed_at = LegState.CONNECTED, datetime.now(UTC)
    db.session.commit()
    news = coordinator.get(address(conference, f"/live?seen={seen}"), headers=LIVE)
    assert news.status_code == 200
    assert 'id="live"' in news.text
    assert "Connected" in text_of(news)
    assert mark_in(news.text) != seen


def test_the_last_answer_asks_for_nothing_more(coordinator: FlaskClient, network: Network) -> None:
    conference = conference_of(network, ConferenceState.RUNNING)
    seen = mark_in(coordinator.get(address(conference)).text)
    conference.state = ConferenceState.ENDED
    db.session.commit()
    last = coordinator.get(address(conference, f"/live?seen={seen}"), headers=LIVE)
    assert "Ended" in text_of(last)
    assert "hx-get" not in last.text


def test_live_updates_can_be_paused(coordinator: FlaskClient, network: Network) -> None:
    conference = conference_of(network, ConferenceState.RUNNING)
    page = coordinator.get(address(conference, "?paused=1"))
    assert "hx-get" not in page.text
    assert "Resume live updates" in text_of(page)


def test_asking_by_itself_does_not_keep_a_session_alive(coordinator: FlaskClient) -> None:
    view = coordinator.application.view_functions["booking.live"]
    assert view.polled  # type: ignore[attr-defined]


def test_the_page_takes_at_most_twelve_queries(coordinator: FlaskClient, network: Network) -> None:
    many = [factories.studio(network.bodo_1.site, code=f"BOD-{number}") for number in range(10, 30)]
    for studio in many:
        factories.endpoint(studio)
    conference = factories.conference(network.tromso_1, *many, state=ConferenceState.DEGRADED)
    for position in range(1, len(many) + 1):
        call(conference, position, LegState.FAILED, cause="busy")
    now = datetime.now(UTC)
    for number in range(100):
        studio = many[number % len(many)]
        db.session.add(Event(at=now, kind="leg.failed", conference_id=conference.id, studio_id=studio.id, details={}))
    db.session.commit()
    with counted_queries() as queries:
        page = coordinator.get(address(conference))
    assert text_of(page).count("was not reached") == 100
    assert len(queries) <= MOST_QUERIES, "\n".join(queries)


def test_a_red_light_before_the_start_proposes_another_studio(coordinator: FlaskClient, network: Network) -> None:
    now = datetime.now(UTC)
    conference = factories.conference(
        network.tromso_1, network.bodo_1, start=now + timedelta(minutes=14), end=now + timedelta(minutes=74)
    )
    for minutes, light, camera in ((30, Light.GREEN, "ok"), (15, Light.RED, "failed")):
        look = {"minutes": minutes, "light": light, "checks": {"reachable": "ok", "camera": camera}, "checked_at": now}
        db.session.add(Preflight(conference_id=conference.id, studio_id=network.bodo_1.id, **look))
        event = {"kind": "studio.degraded", "details": {"to": "degraded", "cause": "camera"}}
        db.session.add(Event(at=now, studio_id=network.bodo_1.id, **event))
    db.session.commit()
    page = coordinator.get(address(conference))
    text = text_of(page)
    assert "has no camera" in text
    assert "could stand in for" in text
    assert "has a fault" in text
    assert "Camera unplugged" in text
