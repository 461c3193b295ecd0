"""What people ask of a running conference, and what its last minutes do by themselves; asserted at the studios."""

from datetime import UTC, datetime, timedelta

import pytest

from errors import Conflict
from models import Conference, ConferenceState, StartMode, db, write
from scheduler.conference_rules import due_warning
from simulation.studio import Fault
from studios.booking import running
from studios.booking.joining import join, replace_studio
from studios.booking.wishes import StudioWish
from tests import factories
from tests.scheduler.test_admission import modes, pass_after_pass
from tests.scheduler.test_calls import connected, is_in, kinds, passes_until

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture
def open_rooms(studios):
    modes(studios, **dict.fromkeys(("TROMSO", "BODO", "ALTA"), StartMode.OPEN))


def test_a_party_is_taken_out_and_stays_out_until_it_is_called_again(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO", "ALTA")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    write(lambda: running.hang_up(conference.id, 1, None))
    passes_until(conference, equipment, lambda: not network.calls("BODO"))
    pass_after_pass(conference, equipment, 4)
    assert not network.calls("BODO")
    assert connected(network, "ALTA") == 1
    write(lambda: running.call_again(conference.id, 1, None))
    passes_until(conference, equipment, lambda: connected(network, "BODO") == 1)


def test_the_last_party_is_not_taken_out(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    with pytest.raises(Conflict):
        write(lambda: running.hang_up(conference.id, 1, None))


def test_who_hung_up_is_called_again_when_somebody_asks(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    network.hang_up("BODO")
    pass_after_pass(conference, equipment, 3)
    assert not network.calls("BODO")
    write(lambda: running.call_again(conference.id, 1, None))
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert connected(network, "BODO") == 1
    with pytest.raises(Conflict):
        write(lambda: running.call_again(conference.id, 1, None))


def ends_in(conference: Conference, seconds: int) -> datetime:
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    write(lambda: db.session.execute(db.update(Conference).values(ends_at=end)))
    for row in conference.reservations:
        row.ends_at = end
    db.session.commit()
    return end


def alerts(network, code: str) -> list[str]:
    return list(network.fleet.studios[code].alerts)


def test_the_screens_are_told_once_of_each_warning(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    ends_in(conference, 4 * 60)
    pass_after_pass(conference, equipment, 3)
    assert [len(alerts(network, code)) for code in ("TROMSO", "BODO")] == [1, 1]
    ends_in(conference, 50)
    pass_after_pass(conference, equipment, 3)
    assert [len(alerts(network, code)) for code in ("TROMSO", "BODO")] == [2, 2]
    assert "conference.extended" not in kinds(conference), "both rooms are silent: nobody came"


def test_it_goes_on_by_itself_while_nobody_else_comes_and_only_so_far(network, running_now, equipment, open_rooms):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    end = ends_in(conference, 50)
    pass_after_pass(conference, equipment, 3)
    db.session.refresh(conference)
    assert conference.ends_at == end + timedelta(minutes=15)
    ends_in(conference, 50)
    pass_after_pass(conference, equipment, 3)
    assert kinds(conference).count("conference.extended") == 1
    assert connected(network, "BODO") == 1


def test_it_does_not_go_on_into_somebody_else_s_time(network, running_now, equipment, studios, open_rooms):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    end = ends_in(conference, 50)
    factories.conference(studios["BODO"], studios["ALTA"], start=end + timedelta(minutes=10))
    db.session.rollback()
    pass_after_pass(conference, equipment, 3)
    db.session.refresh(conference)
    assert conference.ends_at == end
    assert len(alerts(network, "BODO")) == 1
    assert connected(network, "BODO") == 1


def test_after_an_extension_the_screens_are_told_of_the_new_end(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    ends_in(conference, 4 * 60)
    pass_after_pass(conference, equipment, 2)
    write(lambda: running.extend(conference.id, 15, None, None))
    ends_in(conference, 4 * 60)
    pass_after_pass(conference, equipment, 2)
    assert len(alerts(network, "BODO")) == 2


@pytest.mark.parametrize(
    ("before_end", "warned", "due"),
    [(301, None, None), (300, None, 5), (200, 5, None), (60, 5, 1), (60, None, 1), (30, 1, None)],
)
def test_each_warning_is_due_once(before_end, warned, due):
    assert due_warning(NOW + timedelta(seconds=before_end), warned, NOW) == due


def test_who_joins_is_called_and_who_is_replaced_is_taken_out_while_the_others_go_on(
    network, studios, running_now, equipment
):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    (kept,) = network.calls("BODO")
    write(lambda: join(conference.id, StudioWish(studios["ALTA"].id), None, None).id)
    passes_until(conference, equipment, lambda: connected(network, "ALTA") == 1)
    assert network.calls("BODO") == [kept]

    version = db.session.get_one(Conference, conference.id).version
    write(lambda: replace_studio(conference.id, 2, studios["NARVIK"].id, version, None).id)
    passes_until(conference, equipment, lambda: connected(network, "NARVIK") == 1 and not network.calls("ALTA"))
    assert network.calls("BODO") == [kept]
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert not network.fleet.studios["ALTA"].muted


def test_a_dead_host_is_replaced_and_the_conference_takes_place(network, studios, running_now, equipment):
    network.suffer("TROMSO", Fault.DEAD)
    conference = running_now("TROMSO", "BODO", "ALTA")
    passes_until(conference, equipment, lambda: "leg.failed" in kinds(conference), seconds=30)
    version = db.session.get_one(Conference, conference.id).version
    write(lambda: replace_studio(conference.id, 0, studios["NARVIK"].id, version, None).id)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference), seconds=30)
    assert all(network.fleet.studios[code].muted for code in ("BODO", "ALTA", "NARVIK"))
    assert [len(network.calls(code)) for code in ("BODO", "ALTA", "NARVIK")] == [2, 1, 1]
