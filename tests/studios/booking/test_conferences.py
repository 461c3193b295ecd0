from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from errors import Conflict
from models import (
    AuditEntry,
    Closure,
    Conference,
    ConferenceState,
    Event,
    Leg,
    Party,
    Purpose,
    Reservation,
    Wanted,
    db,
    write,
)
from studios.booking import conferences
from studios.booking.conferences import book, cancel, change, locked, take_back_cancellation
from studios.booking.obstacles import ChangedMeanwhile, NoPorts, StudioClosed, StudioTaken, WishRefused
from studios.booking.rules import Problem, first_look
from studios.booking.running import extend
from studios.booking.terms import retire_bridge, set_bridge, set_terms
from studios.booking.wishes import Booking
from studios.booking.wishes import studios as these_studios
from tests import factories

HOUR = timedelta(hours=1)


@pytest.fixture
def start() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=7)


@pytest.fixture
def studios(app):
    site = factories.site()
    return [factories.studio(site) for _ in range(4)]


def wish(studios, start, **changes) -> Booking:
    values = {
        "title": "Lung meeting",
        "purpose": Purpose.CLINICAL,
        "organisation_id": studios[0].site.organisation_id,
        "start": start,
        "end": start + HOUR,
        "parties": these_studios(studio.id for studio in studios),
    }
    return Booking(**{**values, **changes})


def booked(studios, start, **changes) -> Conference:
    asked = wish(studios, start, **changes)
    conference_id = write(lambda: book(asked, None).id)
    return db.session.get_one(Conference, conference_id)


def rows(model) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_a_booking_reserves_every_studio_and_seats_them_in_order(studios, start):
    conference = booked(studios[2::-1], start)
    assert [party.reservation.studio.code for party in conference.parties] == [s.code for s in studios[2::-1]]
    assert {(r.starts_at, r.ends_at) for r in conference.reservations} == {(start, start + HOUR)}
    assert conference.reference == f"K-{10_000 + conference.id}"
    assert conference.due_at == first_look(start)
    assert rows(AuditEntry) == 1


def test_buffers_belong_to_the_reserved_time_and_keep_neighbours_away(studios, start):
    buffered = factories.studio(studios[0].site, setup_minutes=10, clear_down_minutes=15)
    conference = booked([buffered, studios[0]], start)
    times = {(r.starts_at, r.ends_at) for r in conference.reservations}
    assert times == {
        (start - timedelta(minutes=10), start + timedelta(minutes=75)),
        (start, start + HOUR),
    }
    with pytest.raises(StudioTaken):
        booked([buffered, studios[1]], start + timedelta(minutes=80))
    booked([buffered, studios[1]], start + timedelta(minutes=85))


def test_a_clash_names_studio_time_reference_owner_and_telephone_and_leaves_nothing(studios, start):
    first = booked(studios[:2], start)
    with pytest.raises(StudioTaken) as refused:
        booked(studios[1:3], start + HOUR / 2)
    (clash,) = refused.value.clashes
    assert (clash.studio.code, clash.starts_at, clash.ends_at) == (studios[1].code, start, start + HOUR)
    assert (clash.reference, clash.owner) == (first.reference, first.organisation.name)
    assert clash.contact == "77 00 00 01"
    assert not hasattr(clash, "title")
    db.session.rollback()
    assert (rows(Conference), rows(Reservation), rows(Party), rows(Event)) == (1, 2, 2, 1)


def test_back_to_back_is_no_clash(studios, start):
    booked(studios[:2], start)
    booked(studios[:2], start + HOUR)
    booked(studios[:2], start - HOUR)


@pytest.mark.parametrize("whole_site", [True, False])
def test_a_closed_studio_is_refused_with_its_reason(studios, start, whole_site):
    where = {"site_id": studios[0].site_id} if whole_site else {"studio_id": studios[0].id}
    db.session.add(Closure(starts_at=start, ends_at=start + HOUR, reason="New carpet", **where))
    db.session.commit()
    with pytest.raises(StudioClosed) as refused:
        booked(studios[:2], start)
    assert {closed.reason for closed in refused.value.closures} == {"New carpet"}
    booked(studios[:2], start + HOUR)


def test_a_request_that_breaks_rules_is_refused_with_all_of_them(studios, start):
    with pytest.raises(WishRefused) as refused:
        booked(studios[:1], start, title=" ", end=start)
    assert set(refused.value.problems) == {
        Problem.TITLE_MISSING,
        Problem.TOO_FEW_PARTIES,
        Problem.END_BEFORE_START,
    }


def test_a_conference_moves_over_its_own_old_time(studios, start):
    conference = booked(studios[:3], start)
    moved = wish(studios[1:4], start + HOUR / 2, title="Moved")
    write(lambda: change(conference.id, moved, 1, None).id)
    db.session.refresh(conference)
    assert (conference.title, conference.version, conference.starts_at) == ("Moved", 2, start + HOUR / 2)
    assert conference.due_at == first_look(start + HOUR / 2)
    kept = {r.studio_id for r in conference.reservations if r.released_at is None}
    assert kept == {studio.id for studio in studios[1:4]}
    booked([studios[0], factories.studio()], start)


def test_a_conference_that_people_were_about_to_begin_early_waits_for_its_new_start(studios, start):
    conference = booked(studios[:2], start)
    write(lambda: setattr(conference, "joined_at", start - HOUR / 60))
    write(lambda: change(conference.id, wish(studios[:2], start + HOUR), 1, None).id)
    db.session.refresh(conference)
    assert conference.joined_at is None


def test_a_move_into_a_taken_time_changes_nothing(studios, start):
    booked(studios[2:4], start + HOUR)
    conference = booked(studios[:2], start)
    with pytest.raises(StudioTaken):
        write(lambda: change(conference.id, wish(studios[1:3], start + HOUR), 1, None).id)
    db.session.refresh(conference)
    assert (conference.version, conference.starts_at) == (1, start)
    assert {r.released_at for r in conference.reservations} == {None}


def test_a_change_of_what_somebody_else_has_changed_is_refused(studios, start):
    conference = booked(studios[:2], start)
    write(lambda: change(conference.id, wish(studios[:2], start, title="First"), 1, None).id)
    with pytest.raises(ChangedMeanwhile):
        write(lambda: change(conference.id, wish(studios[:2], start, title="Second"), 1, None).id)
    with pytest.raises(ChangedMeanwhile):
        write(lambda: cancel(conference.id, 1, None).id)


def test_a_cancelled_conference_gives_its_time_back(studios, start):
    conference = booked(studios[:2], start)
    write(lambda: cancel(conference.id, 1, None).id)
    db.session.refresh(conference)
    assert (conference.state, conference.due_at) == (ConferenceState.CANCELLED, None)
    booked(studios[:2], start)


@pytest.fixture
def running(studios) -> Conference:
    now = datetime.now(UTC)
    return factories.conference(
        *studios[:2], start=now - HOUR, end=now + HOUR, state=ConferenceState.RUNNING, due_at=now + HOUR
    )


def test_a_running_conference_is_extended_and_the_scheduler_told(running, studios):
    later = running.ends_at + HOUR
    longer = wish(studios[:2], running.starts_at, end=later)
    write(lambda: change(running.id, longer, 1, None).id)
    db.session.refresh(running)
    assert running.ends_at == later
    assert {r.ends_at for r in running.reservations} == {later}
    assert running.due_at <= datetime.now(UTC)


def test_a_running_conference_is_not_extended_into_somebody_elses_time(running, studios):
    booked([studios[1], studios[3]], running.ends_at)
    longer = wish(studios[:2], running.starts_at, end=running.ends_at + HOUR / 4)
    with pytest.raises(StudioTaken):
        write(lambda: change(running.id, longer, 1, None).id)


def test_a_running_conference_keeps_its_start_and_studios(running, studios):
    with pytest.raises(WishRefused) as refused:
        write(lambda: change(running.id, wish(studios[1:3], running.starts_at + HOUR / 2), 1, None).id)
    assert set(refused.value.problems) == {Problem.START_IS_FIXED, Problem.STUDIOS_ARE_FIXED}


def test_ending_a_running_conference_leaves_the_calls_to_the_scheduler_and_frees_the_studios(running, studios):
    write(lambda: cancel(running.id, 1, None).id)
    db.session.refresh(running)
    assert running.state is ConferenceState.RUNNING
    assert running.ends_at <= datetime.now(UTC)
    assert running.due_at <= datetime.now(UTC)
    booked(studios[:2], datetime.now(UTC) + timedelta(seconds=1))


def test_a_shorter_end_is_never_in_anybodys_way_whatever_the_terms_are_now(running, studios):
    neighbour = booked([studios[1], studios[3]], running.ends_at)
    write(lambda: set_terms(studios[1].code, setup_minutes=15, clear_down_minutes=15).code)
    before = running.ends_at
    for minutes in (5, 10):
        earlier = wish(studios[:2], running.starts_at, end=before - timedelta(minutes=minutes))
        write(lambda asked=earlier: change(running.id, asked, running.version, None).id)
        assert running.ends_at == earlier.end
        assert max(r.ends_at for r in running.reservations) <= neighbour.starts_at
    write(lambda: cancel(running.id, running.version, None).id)
    ends = {r.studio_id: r.ends_at for r in running.reservations}
    assert ends[studios[1].id] == running.ends_at + timedelta(minutes=15)
    assert ends[studios[0].id] == running.ends_at


@pytest.mark.parametrize("retired", [False, True])
def test_a_bridge_that_is_full_or_retired_refuses_a_longer_time_with_its_reason(running, studios, retired):
    bridge_id = write(lambda: set_bridge("Bridge", "https://127.0.0.1", 4)).id
    running.bridge_id, running.ports = bridge_id, 3
    factories.conference(studios[2], start=running.ends_at, bridge_id=bridge_id, ports=3)
    if retired:
        write(lambda: retire_bridge("Bridge"))
    with pytest.raises(NoPorts):
        write(lambda: extend(running.id, 15, None, None))


def test_the_databases_word_on_ports_is_told_as_a_refusal(running, studios, monkeypatch):
    monkeypatch.setattr(conferences, "check_ports", lambda *_: None)
    bridge_id = write(lambda: set_bridge("Bridge", "https://127.0.0.1", 4)).id
    running.bridge_id, running.ports = bridge_id, 3
    factories.conference(studios[2], start=running.ends_at, bridge_id=bridge_id, ports=3)
    with pytest.raises(NoPorts):
        write(lambda: extend(running.id, 15, None, None))


def test_who_tells_of_a_conference_does_not_wait_for_who_changes_it(studios, start):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time has the whole file")
    conference = factories.conference(*studios[:2], start=start)

    def changes() -> None:
        locked(conference.id)
        event = {"at": start, "kind": "x", "conference_id": conference.id, "details": {}}
        with db.engine.begin() as other:
            other.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
            other.execute(sa.insert(Event), [event])

    write(changes)
    assert rows(Event) == 1


def being_called(conference: Conference) -> None:
    leg = Leg(
        conference_id=conference.id,
        party_id=conference.parties[1].id,
        wanted=Wanted.UP,
        token="t",
        changed_at=datetime.now(UTC),
    )
    db.session.add(leg)
    db.session.commit()


def test_a_conference_whose_calls_are_being_set_up_is_ended_when_it_is_cancelled(studios):
    now = datetime.now(UTC)
    conference = factories.conference(*studios[:2], start=now, end=now + HOUR)
    being_called(conference)
    write(lambda: cancel(conference.id, 1, None).id)
    assert (conference.state, conference.version) == (ConferenceState.PLANNED, 2)
    assert conference.ends_at < now + HOUR / 2
    assert conference.due_at == conference.ends_at


def test_a_cancellation_is_not_taken_back_where_calls_were_set_up(studios, start):
    conference = factories.conference(*studios[:2], start=start, state=ConferenceState.CANCELLED)
    being_called(conference)
    with pytest.raises(Conflict, match="anew"):
        write(lambda: take_back_cancellation(conference.id, 1, None).id)


def test_what_is_over_is_neither_changed_nor_cancelled(studios, start):
    over = factories.conference(*studios[:2], start=start, state=ConferenceState.ENDED)
    for attempt in (
        lambda: change(over.id, wish(studios[:2], start), 1, None),
        lambda: cancel(over.id, 1, None),
    ):
        with pytest.raises(Exception, match="over"):
            write(attempt)
