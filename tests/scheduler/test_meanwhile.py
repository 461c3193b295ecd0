"""What people do while a pass over their conference is under way; asserted at the simulated studios."""

from datetime import UTC, datetime, timedelta

from models import Conference, ConferenceState, Event, Leg, Purpose, db, write
from scheduler import calls
from scheduler.calls import reconcile
from simulation.studio import Fault
from studios.booking import conferences as writes
from studios.booking.wishes import Booking, studios
from tests.scheduler.test_calls import connected, is_in, kinds, look_now, passes_until


def while_observing(monkeypatch, deed) -> None:
    """Do something once, after the codecs were asked and before anything is ordered."""
    observe, done = calls._observe, []

    def then_do(*arguments):
        seen = observe(*arguments)
        if not done:
            done.append(True)
            deed()
            db.session.rollback()
        return seen

    monkeypatch.setattr(calls, "_observe", then_do)


def asked(conference: Conference, **changes) -> Booking:
    values = {
        "title": conference.title,
        "purpose": Purpose.CLINICAL,
        "organisation_id": conference.organisation_id,
        "start": conference.starts_at,
        "end": conference.ends_at,
        "parties": studios(party.studio_id for party in conference.parties),
    }
    return Booking(**{**values, **changes})


def test_a_conference_given_up_while_its_start_is_under_way_is_not_called(network, running_now, equipment, monkeypatch):
    conference = running_now("TROMSO", "BODO")
    while_observing(monkeypatch, lambda: write(lambda: writes.cancel(conference.id, 1, None)))
    reconcile(conference.id, "tester", equipment)
    assert not network.calls("BODO")
    passes_until(conference, equipment, is_in(ConferenceState.FAILED, conference))
    assert "leg.dialled" not in kinds(conference)
    assert not network.calls("BODO")


def test_a_retitled_conference_is_called_all_the_same(network, running_now, equipment, monkeypatch):
    conference = running_now("TROMSO", "BODO")
    wish = asked(conference, title="Another title")
    while_observing(monkeypatch, lambda: write(lambda: writes.change(conference.id, wish, 1, None)))
    reconcile(conference.id, "tester", equipment)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert (conference.title, connected(network, "BODO")) == ("Another title", 1)


def test_a_stop_that_was_due_reads_the_new_end_before_it_hangs_up(network, running_now, equipment, monkeypatch):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    now = datetime.now(UTC)
    write(lambda: db.session.execute(db.update(Conference).values(ends_at=now, due_at=now)))
    wish = asked(conference, end=now + timedelta(hours=1))
    while_observing(monkeypatch, lambda: write(lambda: writes.change(conference.id, wish, 1, None)))
    reconcile(conference.id, "tester", equipment)
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert connected(network, "BODO") == 1
    assert "leg.hung_up" not in kinds(conference)


def test_an_end_that_comes_while_the_codecs_are_asked_is_not_noticed_late(network, running_now, equipment, monkeypatch):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    end = datetime.now(UTC)
    while_observing(monkeypatch, lambda: write(lambda: db.session.execute(db.update(Conference).values(ends_at=end))))
    look_now(conference)
    look = reconcile(conference.id, "tester", equipment)
    assert look is not None
    assert look.at <= datetime.now(UTC)


def test_a_conference_slept_through_is_marked_without_asking_anybody(network, running_now, equipment, monkeypatch):
    monkeypatch.setattr(equipment, "calls", _refuse)
    end = datetime.now(UTC) - timedelta(minutes=5)
    conference = running_now("TROMSO", "BODO", since=timedelta(hours=1), end=end)
    reconcile(conference.id, "tester", equipment)
    assert is_in(ConferenceState.FAILED, conference)()
    assert kinds(conference) == ["conference.failed"]
    assert db.session.scalar(db.select(db.func.count()).select_from(Leg)) == 0


def _refuse(*_: object) -> None:
    raise AssertionError("a codec was asked")


def test_a_call_that_was_never_ordered_leaves_the_studio_free_at_the_end(network, running_now, equipment):
    network.suffer("TROMSO", Fault.DEAD)
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, lambda: "leg.failed" in kinds(conference), seconds=15)
    now = datetime.now(UTC)
    write(lambda: db.session.execute(db.update(Conference).values(ends_at=now, due_at=now)))
    passes_until(conference, equipment, is_in(ConferenceState.FAILED, conference), seconds=15)


def test_a_codec_that_refuses_our_password_is_not_asked_again(network, running_now, equipment, studios):
    studios["TROMSO"].endpoint.control_credential.seal("wrong")
    db.session.commit()
    conference = running_now("TROMSO", "BODO")
    end = conference.ends_at
    look = reconcile(conference.id, "tester", equipment)
    cause = db.session.scalars(db.select(Event).where(Event.kind == "leg.failed")).one().details["cause"]
    assert look is not None
    assert (cause, look.at) == ("unauthorised", end)
