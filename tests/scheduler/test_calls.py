"""The reconciler against simulated studios that really call one another; asserted at the studios themselves."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from devices.errors import Ambiguous, Unreachable
from models import (
    Admission,
    Answer,
    CallRecord,
    Conference,
    ConferenceState,
    Event,
    Leg,
    LegState,
    ReservationKind,
    db,
    write,
)
from scheduler import calls
from scheduler.calls import reconcile
from scheduler.drivers.cisco_xapi import CiscoXapi
from scheduler.rules import SETTLING
from simulation.studio import CallState, Fault
from tests import factories


def passes_until(conference: Conference, equipment, wanted: Callable[[], bool], seconds: float = 8) -> None:
    """Pass after pass, as often as the conference asks for it."""
    give_up = time.monotonic() + seconds
    conference_id = conference.id
    while time.monotonic() < give_up:
        reconcile(conference_id, "tester", equipment)
        db.session.rollback()
        db.session.expire_all()
        if wanted():
            db.session.rollback()
            return
        db.session.rollback()
        time.sleep(0.05)
    raise AssertionError(f"not reached: {db.session.get_one(Conference, conference_id).state}, {kinds(conference)}")


def kinds(conference: Conference) -> list[str]:
    query = db.select(Event.kind).where(Event.conference_id == conference.id).order_by(Event.id)
    return list(db.session.scalars(query))


def is_in(state: ConferenceState, conference: Conference) -> Callable[[], bool]:
    return lambda: db.session.get_one(Conference, conference.id).state is state


def set_end(conference: Conference, end: datetime) -> None:
    set_times(conference, ends_at=end)


def set_times(conference: Conference, **times: datetime) -> None:
    """And let the next pass come at once."""
    now = datetime.now(UTC)
    put = db.update(Conference).where(Conference.id == conference.id).values(**times, due_at=now)
    write(lambda: db.session.execute(put))


def look_now(conference: Conference) -> None:
    """Let the next pass come at once, and let every retry be due."""
    now = datetime.now(UTC)
    write(
        lambda: (
            db.session.execute(db.update(Conference).where(Conference.id == conference.id).values(due_at=now)),
            db.session.execute(db.update(Leg).where(Leg.next_attempt_at.is_not(None)).values(next_attempt_at=now)),
            db.session.execute(db.update(Admission).values(next_attempt_at=None)),
        )
    )


def connected(network, code: str) -> int:
    return sum(call.state is CallState.CONNECTED for call in network.calls(code))


def records(conference: Conference) -> list[CallRecord]:
    db.session.rollback()
    query = db.select(CallRecord).filter_by(conference_id=conference.id).order_by(CallRecord.id)
    return list(db.session.scalars(query))


def test_two_studios_are_connected_at_both_ends_and_idle_again_at_the_end(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert (connected(network, "TROMSO"), connected(network, "BODO")) == (1, 1)
    set_end(conference, datetime.now(UTC))
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference))
    assert not network.calls("TROMSO")
    assert not network.calls("BODO")
    told = [kind for kind in kinds(conference) if kind != "leg.ringing" and not kind.startswith("studio.")]
    assert told == [
        "conference.starting",
        "leg.dialled",
        "leg.connected",
        "conference.running",
        "leg.hung_up",
        "conference.stopping",
        "leg.stopped",
        "conference.ended",
    ]
    assert conference.due_at is None


def test_more_than_two_studios_are_mixed_by_the_first(network, running_now, equipment):
    conference = running_now("ALTA", "TROMSO", "BODO", "NARVIK")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert [connected(network, code) for code in ("ALTA", "TROMSO", "BODO", "NARVIK")] == [3, 1, 1, 1]
    set_end(conference, datetime.now(UTC))
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference))
    assert not any(network.calls(code) for code in network.specs)


def test_a_call_dialled_by_a_worker_that_died_before_its_commit_is_adopted(
    network, running_now, equipment, monkeypatch
):
    conference = running_now("TROMSO", "BODO")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(calls, "record", die)
        with pytest.raises(KeyboardInterrupt):
            reconcile(conference.id, "the one that dies", equipment)
    assert len(network.calls("TROMSO")) == 1
    write(lambda: db.session.execute(db.update(Conference).values(lease_until=None, due_at=datetime.now(UTC))))
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert (connected(network, "TROMSO"), connected(network, "BODO")) == (1, 1)
    assert kinds(conference).count("leg.dialled") == 1
    assert "leg.adopted" in kinds(conference)


def test_only_one_of_two_workers_gets_the_conference(network, running_now, equipment, monkeypatch):
    conference = running_now("TROMSO", "BODO")
    observe = calls._observe

    def meanwhile(*arguments):
        assert reconcile(conference.id, "the second", equipment) is None
        return observe(*arguments)

    monkeypatch.setattr(calls, "_observe", meanwhile)
    assert reconcile(conference.id, "the first", equipment) is not None
    assert len(network.calls("TROMSO")) == 1


def test_a_worker_whose_lease_was_taken_sends_and_writes_nothing(network, running_now, equipment, monkeypatch):
    conference = running_now("TROMSO", "BODO")
    observe = calls._observe

    def lose(*arguments):
        taken = Conference.lease_version + 1
        write(lambda: db.session.execute(db.update(Conference).values(lease_version=taken)))
        return observe(*arguments)

    monkeypatch.setattr(calls, "_observe", lose)
    assert reconcile(conference.id, "late", equipment) is None
    assert not network.calls("TROMSO")
    assert kinds(conference) == ["conference.starting"], "from when the lease was still its own"


def test_a_busy_studio_is_tried_again_and_its_call_is_left_alone(network, running_now, equipment):
    network.suffer("BODO", Fault.BUSY)
    conference = running_now("TROMSO", "BODO")
    leg = lambda: db.session.scalars(db.select(Leg)).one()  # noqa: E731
    passes_until(conference, equipment, lambda: leg().state is LegState.FAILED)
    assert leg().cause == "busy"
    assert leg().next_attempt_at > datetime.now(UTC)
    assert len(network.calls("BODO")) == 1
    network.suffer("BODO", Fault.CLEAR)
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert leg().attempts == 2


def test_nothing_is_dialled_from_a_host_that_is_in_another_call(network, running_now, equipment):
    network.suffer("TROMSO", Fault.BUSY)
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, lambda: "leg.failed" in kinds(conference))
    assert not network.calls("BODO")
    assert len(network.calls("TROMSO")) == 1


def test_a_call_that_drops_is_dialled_again(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    network.lose_calls("BODO")
    look_now(conference)
    passes_until(conference, equipment, lambda: "leg.dropped" in kinds(conference))
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert kinds(conference).count("leg.dialled") == 2


def test_each_stretch_of_a_call_is_on_record_from_its_connection_to_its_end(network, running_now, equipment):
    began = datetime.now(UTC)
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert [record.ended_at for record in records(conference)] == [None]
    network.lose_calls("BODO")
    look_now(conference)
    passes_until(conference, equipment, lambda: "leg.dropped" in kinds(conference))
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    set_end(conference, datetime.now(UTC))
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference))
    first, second = records(conference)
    assert began < first.connected_at < first.ended_at < second.connected_at < second.ended_at < datetime.now(UTC)
    assert {record.studio_id for record in (first, second)} == {conference.parties[1].reservation.studio_id}


def test_a_call_that_outlives_the_end_by_an_extension_stays_one_stretch(network, running_now, equipment, monkeypatch):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    with monkeypatch.context() as patch:
        patch.setattr(CiscoXapi, "hang_up", _unreachable)
        set_end(conference, datetime.now(UTC))
        reconcile(conference.id, "tester", equipment)
    assert db.session.scalars(db.select(Leg.state)).one() is LegState.STOPPING
    db.session.rollback()
    set_end(conference, datetime.now(UTC) + timedelta(minutes=15))
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert [record.ended_at for record in records(conference)] == [None]


def test_a_call_that_never_came_up_has_no_record(network, running_now, equipment):
    network.suffer("BODO", Fault.DECLINES)
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, lambda: "leg.failed" in kinds(conference))
    set_end(conference, datetime.now(UTC))
    passes_until(conference, equipment, is_in(ConferenceState.FAILED, conference), seconds=15)
    assert records(conference) == []


def test_a_dead_host_is_retried_and_the_far_studio_left_in_peace(network, running_now, equipment):
    network.suffer("TROMSO", Fault.DEAD)
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, lambda: "leg.failed" in kinds(conference), seconds=15)
    assert db.session.scalars(db.select(Leg)).one().cause == "unreachable"
    assert not network.calls("BODO")


def test_an_order_whose_answer_was_lost_is_looked_for_and_not_sent_twice(network, running_now, equipment, monkeypatch):
    conference = running_now("TROMSO", "BODO")
    dial = CiscoXapi.dial

    def lose_the_answer(*order):
        dial(*order)
        raise Ambiguous("timed out")

    monkeypatch.setattr(CiscoXapi, "dial", lose_the_answer)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert (connected(network, "TROMSO"), connected(network, "BODO")) == (1, 1)
    assert kinds(conference).count("leg.dialled") == 1


def test_an_order_that_never_arrived_is_sent_again_once_it_has_had_its_time(
    network, running_now, equipment, monkeypatch
):
    conference = running_now("TROMSO", "BODO")

    def lose_the_order(*_order):
        raise Ambiguous("timed out")

    with monkeypatch.context() as patch:
        patch.setattr(CiscoXapi, "dial", lose_the_order)
        reconcile(conference.id, "tester", equipment)
        look_now(conference)
        reconcile(conference.id, "tester", equipment)
        assert kinds(conference).count("leg.dialled") == 1
    long_ago = datetime.now(UTC) - SETTLING
    write(lambda: db.session.execute(db.update(Leg).values(dialled_at=long_ago)))
    look_now(conference)
    passes_until(conference, equipment, lambda: "leg.failed" in kinds(conference))
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert connected(network, "BODO") == 1


def test_no_call_opens_into_a_studio_whose_previous_conference_is_still_up(network, running_now, equipment, studios):
    before = running_now("TROMSO", "BODO", since=timedelta(hours=1), end=datetime.now(UTC) + timedelta(seconds=2))
    passes_until(before, equipment, is_in(ConferenceState.RUNNING, before))
    start = before.ends_at
    time.sleep(max(0.0, (start - datetime.now(UTC)).total_seconds()))
    after = factories.conference(studios["ALTA"], studios["BODO"], start=start)
    db.session.rollback()
    reconcile(after.id, "tester", equipment)
    assert not network.calls("ALTA")
    look_now(before)
    passes_until(before, equipment, is_in(ConferenceState.ENDED, before))
    look_now(after)
    passes_until(after, equipment, is_in(ConferenceState.RUNNING, after))
    assert connected(network, "BODO") == 1


def test_what_ran_past_its_end_while_no_scheduler_was_up_is_taken_down(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    set_end(conference, datetime.now(UTC) - timedelta(seconds=0.5))
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference))
    assert not network.calls("BODO")


def test_a_call_that_was_gone_when_the_scheduler_came_back_was_up_until_the_planned_end_at_most(
    network, running_now, equipment
):
    now = datetime.now(UTC)
    end = now - timedelta(hours=9)
    conference = running_now("TROMSO", "BODO", since=timedelta(hours=11), end=now + timedelta(hours=1))
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    write(lambda: db.session.execute(db.update(CallRecord).values(connected_at=end - timedelta(hours=1))))
    network.hang_up("BODO")
    set_end(conference, end)
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference))
    assert [record.ended_at for record in records(conference)] == [end]


def test_a_conference_slept_through_is_marked_failed_and_never_dialled(network, running_now, equipment):
    end = datetime.now(UTC) - timedelta(minutes=5)
    conference = running_now("TROMSO", "BODO", since=timedelta(hours=1), end=end)
    passes_until(conference, equipment, is_in(ConferenceState.FAILED, conference))
    assert "leg.dialled" not in kinds(conference)


@pytest.mark.parametrize("word", [Answer.DECLINED, Answer.WAITING])
def test_where_nobody_is_left_to_meet_the_conference_is_cancelled_and_has_not_failed(
    network, running_now, equipment, word
):
    conference = running_now("TROMSO", "BODO")
    other = conference.parties[1]
    other.answer = word
    if word is Answer.DECLINED:
        other.reservation.released_at = conference.starts_at
    else:
        other.reservation.kind, other.reservation.expires_at = ReservationKind.PENDING_REQUEST, conference.starts_at
    db.session.commit()
    passes_until(conference, equipment, is_in(ConferenceState.CANCELLED, conference))
    assert kinds(conference) == ["conference.without_parties"]
    assert conference.due_at is None
    assert all(row.released_at for row in conference.reservations)
    assert not network.calls("TROMSO")


def test_a_call_that_stays_up_at_the_far_end_alone_is_ended_there(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    network.suffer("TROMSO", Fault.DEAD)
    set_end(conference, datetime.now(UTC))
    passes_until(conference, equipment, lambda: not network.calls("BODO"), seconds=20)
    assert db.session.get_one(Conference, conference.id).state is ConferenceState.STOPPING
    network.suffer("TROMSO", Fault.CLEAR)
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference), seconds=20)


def test_an_extension_keeps_the_calls_up(network, running_now, equipment):
    first_end = datetime.now(UTC) + timedelta(seconds=4)
    conference = running_now("TROMSO", "BODO", end=first_end)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    set_end(conference, first_end + timedelta(hours=1))
    time.sleep(max(0.0, (first_end - datetime.now(UTC)).total_seconds()))
    look_now(conference)
    assert reconcile(conference.id, "tester", equipment) is not None
    assert connected(network, "BODO") == 1
    assert db.session.get_one(Conference, conference.id).state is ConferenceState.RUNNING


def _unreachable(*_: object) -> None:
    raise Unreachable("for the test")
