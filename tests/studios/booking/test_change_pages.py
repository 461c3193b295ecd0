"""Changing, cancelling and ending a conference in the browser."""

from datetime import UTC, datetime, time, timedelta

import pytest
from flask.testing import FlaskClient

from models import Answer, Conference, ConferenceState, Leg, Party, Purpose, Reservation, Wanted, db, write
from studios.booking.answers import decline
from studios.booking.conferences import book, booking_of
from studios.booking.series.previews import SeriesRequest
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.saving import book_series
from studios.booking.wishes import Booking, GuestWish, PoolWish, StudioWish
from tests import factories
from tests.studios.booking.pages import (
    MOST_QUERIES,
    OSLO,
    Network,
    asked_for,
    chosen_in,
    counted_queries,
    instant,
    text_of,
    tomorrow,
    typed,
    value_of,
)


@pytest.fixture
def dialect() -> str:
    """What the pages make of it; what is read and stored below them is tried on both databases elsewhere."""
    return "sqlite"


def nine() -> datetime:
    return instant(tomorrow(), 9)


@pytest.fixture
def planned(network: Network) -> Conference:
    return factories.conference(network.tromso_1, network.bodo_1, start=nine(), title="Lung meeting")


@pytest.fixture
def running(network: Network) -> Conference:
    """Began ten minutes ago, for an hour."""
    start = (datetime.now(UTC) - timedelta(minutes=10)).replace(second=0, microsecond=0)
    return factories.conference(
        network.tromso_1, network.bodo_1, start=start, title="Lung meeting", state=ConferenceState.RUNNING
    )


def wall(at: datetime) -> str:
    return f"{at.astimezone(OSLO):%H:%M}"


def address(conference: Conference, action: str) -> str:
    return f"/conferences/{conference.reference}/{action}"


def now_stored(conference: Conference) -> Conference:
    db.session.rollback()
    return db.session.get_one(Conference, conference.id)


def test_the_form_comes_filled_in(coordinator: FlaskClient, planned: Conference) -> None:
    page = coordinator.get(address(planned, "change"))
    filled = {name: value_of(page, name) for name in ("title", "date", "start", "duration", "end", "version")}
    assert filled == {
        "title": "Lung meeting",
        "date": f"{tomorrow():%d.%m.%Y}",
        "start": "09:00",
        "duration": "60",
        "end": "",
        "version": "1",
    }
    assert chosen_in(page) == ["TRO-1", "BOD-1"]
    assert "2 studios are free" in text_of(page)


def test_a_conference_is_moved_retitled_and_reseated(coordinator: FlaskClient, planned: Conference) -> None:
    sent = typed("BOD-2", "TRO-1", title="Kidneys", start="09:30", purpose="test", version="1")
    answer = coordinator.post(address(planned, "change"), data=sent)
    assert answer.status_code == 303
    changed = now_stored(planned)
    assert (changed.title, changed.purpose, changed.version) == ("Kidneys", Purpose.TEST, 2)
    assert changed.starts_at == nine() + timedelta(minutes=30)
    assert [party.reservation.studio.code for party in changed.parties if party.reservation] == ["BOD-2", "TRO-1"]
    assert f"{planned.reference} is changed." in text_of(coordinator.get(answer.location))


def test_buttons_of_the_form_keep_to_the_conference(coordinator: FlaskClient, planned: Conference) -> None:
    page = coordinator.post(address(planned, "change/draft"), data=typed(shift="5", version="1"))
    assert value_of(page, "start") == "09:05"
    assert value_of(page, "version") == "1"
    assert "2 studios are free" in text_of(page)
    assert f'formaction="{address(planned, "change")}"' in page.text


def test_a_clash_leaves_the_conference_as_it_was(
    coordinator: FlaskClient, network: Network, planned: Conference
) -> None:
    factories.conference(network.bodo_1, network.bodo_2, start=nine() + timedelta(hours=1))
    answer = coordinator.post(address(planned, "change"), data=typed(start="09:30", version="1"))
    assert answer.status_code == 409
    assert "NLSH Bodø, Studio 1 is busy 10:00–11:00" in text_of(answer)
    assert value_of(answer, "start") == "09:30"
    assert now_stored(planned).starts_at == nine()
    free = db.select(Reservation).where(Reservation.conference_id == planned.id, Reservation.released_at.is_(None))
    assert len(db.session.scalars(free).all()) == 2


@pytest.mark.parametrize("version", ["1", "", "x", "-1", "9" * 400])
def test_who_saw_an_older_version_is_refused_with_the_way_to_the_present_one(
    coordinator: FlaskClient, planned: Conference, version: str
) -> None:
    coordinator.post(address(planned, "change"), data=typed(title="Somebody else's", version="1"))
    for action in ("change", "cancel"):
        answer = coordinator.post(address(planned, action), data=typed(title="Mine", version=version))
        assert answer.status_code == 409
        assert "Somebody else changed this conference while you had it open." in text_of(answer)
        assert f'href="/conferences/{planned.reference}"' in answer.text
    assert now_stored(planned).title == "Somebody else's"


def test_between_planned_and_starting_a_change_is_asked_to_wait(
    coordinator: FlaskClient, network: Network, planned: Conference
) -> None:
    far_end = db.session.scalars(db.select(Party).filter_by(conference_id=planned.id, host=False)).one()
    db.session.add(
        Leg(conference_id=planned.id, party_id=far_end.id, wanted=Wanted.UP, token="t", changed_at=datetime.now(UTC))
    )
    db.session.commit()
    answer = coordinator.post(address(planned, "change"), data=typed(title="Kidneys", version="1"))
    assert answer.status_code == 409
    assert "The calls are being set up at this moment." in text_of(answer)
    assert value_of(answer, "title") == "Kidneys"
    answer = coordinator.post(address(planned, "cancel"), data={"version": "1"})
    assert "The calls are taken down." in text_of(coordinator.get(answer.location))


def test_while_it_runs_only_title_and_end_are_open(
    coordinator: FlaskClient, network: Network, running: Conference
) -> None:
    page = coordinator.get(address(running, "change"))
    assert value_of(page, "start") is None
    assert value_of(page, "end")
    later = wall(running.ends_at + timedelta(minutes=15))
    sent = typed("TRO-2", "BOD-2", title="Longer", end=later, start="03:00", date="01.01.2020", version="1")
    assert coordinator.post(address(running, "change"), data=sent).status_code == 303
    changed = now_stored(running)
    assert changed.title == "Longer"
    assert changed.ends_at == running.starts_at + timedelta(minutes=75)
    assert [party.reservation.studio.code for party in changed.parties if party.reservation] == ["TRO-1", "BOD-1"]


@pytest.mark.parametrize(("end", "field"), [("", "end"), ("soon", "end")])
def test_a_new_end_that_makes_no_sense_is_refused(
    coordinator: FlaskClient, running: Conference, end: str, field: str
) -> None:
    answer = coordinator.post(address(running, "change"), data={"title": "Longer", "end": end, "version": "1"})
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert value_of(answer, "title") == "Longer"


def test_a_good_end_of_a_running_conference_is_not_warned_of(coordinator: FlaskClient, running: Conference) -> None:
    earlier = wall(running.ends_at - timedelta(minutes=15))
    sent = {"title": "Lung meeting", "end": earlier, "version": "1"}
    page = text_of(coordinator.post(address(running, "change/draft"), data=sent))
    assert "2 studios free" in page or "2 studios are free" in page
    assert "This time cannot be booked" not in page


def test_an_end_that_has_passed_is_refused(coordinator: FlaskClient, running: Conference) -> None:
    passed = running.starts_at + timedelta(minutes=5)
    answer = coordinator.post(address(running, "change"), data={"title": "x", "end": wall(passed), "version": "1"})
    assert answer.status_code == 422
    assert "The end has passed." in text_of(answer)


def test_an_extension_into_somebody_elses_time_says_who_is_in_the_way(
    coordinator: FlaskClient, network: Network, running: Conference
) -> None:
    factories.conference(network.bodo_1, network.bodo_2, start=running.ends_at)
    end = wall(running.ends_at + timedelta(minutes=15))
    answer = coordinator.post(address(running, "change"), data={"title": "x", "end": end, "version": "1"})
    assert answer.status_code == 409
    assert "NLSH Bodø, Studio 1 is busy" in text_of(answer)


def test_cancelling_asks_first_and_says_what_comes_free(coordinator: FlaskClient, planned: Conference) -> None:
    page = coordinator.get(address(planned, "cancel"))
    assert "UNN Tromsø, Studio 1, 09:00–10:00" in text_of(page)
    assert now_stored(planned).state is ConferenceState.PLANNED
    answer = coordinator.post(address(planned, "cancel"), data={"version": value_of(page, "version")})
    assert answer.status_code == 303
    assert now_stored(planned).state is ConferenceState.CANCELLED
    assert "The studios are free again." in text_of(coordinator.get(answer.location))
    assert coordinator.post("/book", data=typed()).status_code == 303


def test_ending_now_says_that_the_calls_end_and_shortens_the_conference(
    coordinator: FlaskClient, running: Conference
) -> None:
    page = coordinator.get(address(running, "cancel"))
    assert "All calls of this conference are hung up now" in text_of(page)
    before = running.ends_at
    answer = coordinator.post(address(running, "cancel"), data={"version": value_of(page, "version")})
    assert answer.status_code == 303
    assert now_stored(running).ends_at < before
    assert "The calls are taken down." in text_of(coordinator.get(answer.location))


@pytest.mark.parametrize("state", [ConferenceState.ENDED, ConferenceState.FAILED, ConferenceState.CANCELLED])
def test_what_is_over_is_neither_changed_nor_cancelled(
    coordinator: FlaskClient, network: Network, state: ConferenceState
) -> None:
    over = factories.conference(network.tromso_1, network.bodo_1, start=nine(), state=state)
    for action in ("change", "cancel"):
        for answer in (
            coordinator.get(address(over, action)),
            coordinator.post(address(over, action), data=typed(version="1")),
        ):
            assert answer.status_code == 409
            assert "This conference is over" in text_of(answer)
            assert f'href="/conferences/{over.reference}"' in answer.text
    assert now_stored(over).state is state


def test_the_change_page_takes_at_most_twelve_queries(
    coordinator: FlaskClient, network: Network, planned: Conference
) -> None:
    with counted_queries() as queries:
        coordinator.get(address(planned, "change"))
    assert len(queries) <= MOST_QUERIES, "\n".join(queries)


def test_guests_and_numbers_of_people_stay(coordinator: FlaskClient, network: Network) -> None:
    asked = Booking(
        "Lung meeting",
        Purpose.CLINICAL,
        network.unn.id,
        nine(),
        nine() + timedelta(hours=1),
        (StudioWish(network.tromso_1.id, attendees=5), GuestWish("sip:anna@example.org")),
        movable=True,
    )
    conference = db.session.get_one(Conference, write(lambda: book(asked, None).id))
    page = coordinator.get(address(conference, "change"))
    assert "sip:anna@example.org" in text_of(page)
    form = typed(title="Heart meeting", start="10:00", version="1", movable="y", studio=[], **asked_for(page))
    assert coordinator.post(address(conference, "change"), data=form).status_code == 303
    stored = now_stored(conference)
    assert [(party.studio_id, party.guest_address, party.attendees) for party in stored.parties] == [
        (network.tromso_1.id, None, 5),
        (None, "sip:anna@example.org", None),
    ]
    assert (stored.title, stored.movable) == ("Heart meeting", True)


@pytest.fixture
def pooled(network: Network) -> Conference:
    """Of a series: a named studio, a guest, and a studio that a pool gave."""
    hour = nine() + timedelta(hours=1)
    guest = GuestWish("sip:anna@example.org")
    parties = (StudioWish(network.tromso_1.id), guest, PoolWish(town="Bodø"))
    asked = Booking("Lung meeting", Purpose.CLINICAL, network.unn.id, nine(), hour, parties)
    recurrence = Recurrence("FREQ=DAILY;COUNT=2", tomorrow(), time(9), 60, "Europe/Oslo")
    request = SeriesRequest(asked, recurrence)
    key = write(lambda: book_series(request, network.coordinator).conferences[0].id)
    return db.session.get_one(Conference, key)


def test_another_title_leaves_a_pool_a_guest_and_the_series_alone(
    coordinator: FlaskClient, network: Network, pooled: Conference
) -> None:
    before = booking_of(pooled).parties
    kept = [party.id for party in pooled.parties]
    page = coordinator.get(address(pooled, "change"))
    form = typed(title="Heart meeting", version="1", studio=[], **asked_for(page))
    assert coordinator.post(address(pooled, "change"), data=form).status_code == 303
    stored = now_stored(pooled)
    assert (stored.title, stored.detached) == ("Heart meeting", False)
    assert booking_of(stored).parties == before
    assert [party.id for party in stored.parties] == kept


@pytest.mark.parametrize("seen", ["BOD-1", "BOD-2"])
def test_another_time_takes_the_studio_of_the_pool_that_was_seen(
    coordinator: FlaskClient, network: Network, pooled: Conference, seen: str
) -> None:
    wishes = booking_of(pooled).parties
    asked = asked_for(coordinator.get(address(pooled, "change")))
    asked["seat"][2] = seen
    form = typed(start="11:00", version="1", studio=[], **asked)
    assert coordinator.post(address(pooled, "change"), data=form).status_code == 303
    stored = now_stored(pooled)
    assert booking_of(stored).parties == wishes
    assert [party.reservation.studio.code for party in stored.parties if party.reservation] == ["TRO-1", seen]


def test_a_marked_room_stays_marked(coordinator: FlaskClient, network: Network) -> None:
    parties = (StudioWish(network.tromso_1.id),)
    hour = nine() + timedelta(hours=1)
    asked = Booking("Training", Purpose.EDUCATION, network.unn.id, nine(), hour, parties, video=False)
    conference = db.session.get_one(Conference, write(lambda: book(asked, None).id))
    form = typed("TRO-1", title="Training", start="10:00", version="1", marked="y")
    assert coordinator.post(address(conference, "change"), data=form).status_code == 303
    stored = now_stored(conference)
    assert (stored.video, stored.due_at, len(stored.parties)) == (False, None, 1)


def test_who_declined_is_not_asked_again_by_another_change(coordinator: FlaskClient, network: Network) -> None:
    people = [network.tromso_1, network.tromso_2, network.bodo_1]
    hour = nine() + timedelta(hours=1)
    wishes = tuple(StudioWish(studio.id) for studio in people)
    asked = Booking("Lung meeting", Purpose.CLINICAL, network.unn.id, nine(), hour, wishes)
    conference = db.session.get_one(Conference, write(lambda: book(asked, network.coordinator).id))
    write(lambda: decline(conference.id, 2, "Nobody is here", network.neighbour).id)
    page = coordinator.get(address(conference, "change"))
    assert chosen_in(page) == ["TRO-1", "TRO-2"]
    form = typed("TRO-1", "TRO-2", title="Heart meeting", version=value_of(page, "version"))
    assert coordinator.post(address(conference, "change"), data=form).status_code == 303
    absent = now_stored(conference).parties[2]
    assert (absent.studio_id, absent.answer, absent.answer_reason) == (
        network.bodo_1.id,
        Answer.DECLINED,
        "Nobody is here",
    )
