"""What was just done is undone within a minute, by whoever did it, while nothing else has happened; and what else is
done on a conference's page."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from errors import Conflict
from models import Answer, Conference, ConferenceState, db, write
from studios.booking import conferences as writes
from studios.booking.conferences import booking_of
from studios.booking.undoing import undo
from studios.booking.versions import UNDO_WITHIN
from tests import factories
from tests.studios.booking.pages import Network, asked_for, instant, text_of, tomorrow, typed, value_of


def only() -> Conference:
    db.session.rollback()
    return db.session.scalars(db.select(Conference).order_by(Conference.id)).one()


def at(conference: Conference, action: str = "") -> str:
    return f"/conferences/{conference.reference}{action}"


def pressed(client: FlaskClient, conference: Conference, action: str, **form: object) -> str:
    answer = client.post(at(conference, action), data={"version": conference.version, **form})
    return text_of(client.get(answer.location) if answer.status_code == 303 else answer)


def test_a_booking_is_undone(coordinator: FlaskClient) -> None:
    page = coordinator.post("/book", data=typed(), follow_redirects=True)
    assert "Until then you can undo." in text_of(page)
    assert "Undone. Nobody was written to." in pressed(coordinator, only(), "/undo")
    assert only().state is ConferenceState.CANCELLED


def test_a_change_is_undone_to_what_it_was(coordinator: FlaskClient) -> None:
    coordinator.post("/book", data=typed())
    before = booking_of(only())
    sent = typed("BOD-2", "TRO-2", title="Kidneys", start="11:00", version="1")
    coordinator.post(at(only(), "/change"), data=sent)
    assert booking_of(only()) != before
    pressed(coordinator, only(), "/undo")
    assert booking_of(only()) == before


def test_a_cancellation_is_undone(coordinator: FlaskClient) -> None:
    coordinator.post("/book", data=typed())
    pressed(coordinator, only(), "/cancel")
    assert only().state is ConferenceState.CANCELLED
    pressed(coordinator, only(), "/undo")
    assert only().state is ConferenceState.PLANNED


def test_a_series_is_undone_whole(coordinator: FlaskClient) -> None:
    coordinator.post("/book", data=typed(repeat="daily", times="3"))
    first = db.session.scalars(db.select(Conference).order_by(Conference.id)).first()
    assert first is not None
    assert "Undo the whole series" in text_of(coordinator.get(at(first)))
    pressed(coordinator, first, "/undo")
    db.session.rollback()
    states = set(db.session.scalars(db.select(Conference.state)))
    assert states == {ConferenceState.CANCELLED}


def test_several_meetings_cancelled_at_once_are_not_undone_one_by_one(coordinator: FlaskClient) -> None:
    coordinator.post("/book", data=typed(repeat="daily", times="3"))
    first = db.session.scalars(db.select(Conference).order_by(Conference.id)).first()
    assert first is not None
    form = {"scope": "all", "version": "1", "sure": "1"}
    coordinator.post(at(first, "/series/cancel"), data=form)
    page = coordinator.get(at(first))
    assert 'id="undo"' not in page.text
    assert 'id="restore"' in page.text


def test_after_a_minute_it_is_too_late(coordinator: FlaskClient, network: Network) -> None:
    coordinator.post("/book", data=typed())
    late = datetime.now(UTC) + UNDO_WITHIN
    with pytest.raises(Conflict):
        write(lambda: undo(only().id, 1, network.coordinator, late))
    assert only().state is ConferenceState.PLANNED


def test_nobody_undoes_what_another_did(coordinator: FlaskClient, network: Network, client_for: object) -> None:
    coordinator.post("/book", data=typed())
    colleague = client_for(factories.account(organisation=network.unn))  # type: ignore[operator]
    page = colleague.get(at(only())).text
    assert 'id="undo"' not in page
    answer = colleague.post(at(only(), "/undo"), data={"version": "1"})
    assert answer.status_code == 409
    assert only().state is ConferenceState.PLANNED


def test_what_somebody_has_changed_since_is_not_undone(coordinator: FlaskClient, network: Network) -> None:
    coordinator.post("/book", data=typed())
    write(lambda: writes.change(only().id, booking_of(only()), 1, network.neighbour))
    assert 'id="undo"' not in coordinator.get(at(only())).text
    for version in ("1", "2"):
        assert coordinator.post(at(only(), "/undo"), data={"version": version}).status_code == 409


def test_a_studio_that_was_taken_meanwhile_stops_the_undoing(coordinator: FlaskClient, network: Network) -> None:
    coordinator.post("/book", data=typed())
    conference, key = only(), only().id
    coordinator.post(at(conference, "/change"), data=typed("TRO-1", "BOD-2", version="1"))
    db.session.rollback()
    factories.conference(network.bodo_1, network.tromso_2, start=instant(tomorrow(), 9))
    db.session.rollback()
    conference = db.session.get_one(Conference, key)
    said = pressed(coordinator, conference, "/undo")
    assert "The time is taken in at least one studio." in said
    assert "BOD-1 is taken" in said


def test_a_cancelled_conference_is_planned_again(coordinator: FlaskClient, network: Network) -> None:
    conference = factories.conference(
        network.tromso_1, network.bodo_1, start=instant(tomorrow(), 9), state=ConferenceState.CANCELLED
    )
    assert "planned again" in pressed(coordinator, conference, "/restore")
    assert only().state is ConferenceState.PLANNED


def test_a_running_conference_is_extended_as_long_as_it_can_be(coordinator: FlaskClient, network: Network) -> None:
    start = (datetime.now(UTC) - timedelta(minutes=10)).replace(second=0, microsecond=0)
    running = factories.conference(network.tromso_1, network.bodo_1, start=start, state=ConferenceState.RUNNING)
    factories.conference(network.bodo_1, network.bodo_2, start=running.ends_at + timedelta(minutes=20))
    page = coordinator.get(at(running))
    assert ('id="extend-15"' in page.text, 'id="extend-30"' in page.text) == (True, False)
    assert "Then NLSH has NLSH Bodø, Studio 1" in text_of(page)
    assert "lasts 15 minutes longer" in pressed(coordinator, running, "/extend", minutes=15)
    db.session.rollback()
    again = db.session.get_one(Conference, running.id)
    assert again.ends_at == start + timedelta(minutes=75)
    said = pressed(coordinator, again, "/extend", minutes=15)
    assert "BOD-1 is taken" in said


def test_one_studio_is_given_back_after_asking(coordinator: FlaskClient, network: Network) -> None:
    start = (datetime.now(UTC) - timedelta(minutes=10)).replace(second=0, microsecond=0)
    running = factories.conference(network.tromso_1, network.bodo_1, start=start, state=ConferenceState.RUNNING)
    assert "The other parties go on." in text_of(coordinator.get(at(running, "/release/1")))
    assert "is given back" in pressed(coordinator, running, "/release/1")
    party = only().parties[1]
    assert party.reservation is not None
    assert party.reservation.released_at is not None


def test_the_invited_organisation_declines_with_a_reason(coordinator: FlaskClient, neighbour: FlaskClient) -> None:
    coordinator.post("/book", data=typed())
    conference = only()
    assert f'href="{at(conference, "/answer/1")}"' in neighbour.get(at(conference)).text
    assert coordinator.get(at(conference, "/answer/1")).status_code == 403
    form = {"version": conference.version, "word": "declined", "reason": ""}
    refused = neighbour.post(at(conference, "/answer/1"), data=form)
    assert (refused.status_code, "Give a reason" in text_of(refused)) == (422, True)
    neighbour.post(at(conference, "/answer/1"), data={**form, "reason": "The camera is broken"})
    party = only().parties[1]
    assert (party.answer, party.answer_reason) == (Answer.DECLINED, "The camera is broken")


def test_a_conference_is_booked_again_for_the_next_week(coordinator: FlaskClient) -> None:
    coordinator.post("/book", data=typed(title="Lung meeting"))
    page = coordinator.get("/book", query_string={"copy": only().reference})
    assert value_of(page, "title") == "Lung meeting"
    assert value_of(page, "start") == "09:00"
    assert asked_for(page)["party"] == ['{"studio": "TRO-1"}', '{"studio": "BOD-1"}']


def test_a_draft_is_put_aside_and_taken_up_again(coordinator: FlaskClient, neighbour: FlaskClient) -> None:
    kept = coordinator.post("/drafts/", data=typed(title="Half a thought"))
    page = coordinator.get(kept.location)
    assert value_of(page, "title") == "Half a thought"
    assert "Half a thought" in text_of(coordinator.get("/drafts/"))
    assert neighbour.get(kept.location).status_code == 404
    assert coordinator.post(kept.location, data=typed(title="Half a thought")).status_code == 303
    assert "Half a thought" not in text_of(coordinator.get("/drafts/"))
