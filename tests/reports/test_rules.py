"""What counts as what, and how long a day is."""

from datetime import UTC, date, datetime

import pytest

from models import Health, Outcome, Purpose
from reports.rules import (
    Booking,
    Seat,
    Wellness,
    cause_of,
    is_late,
    lateness,
    local_day,
    night_after,
    outcome_at,
    outcome_of,
    peaks,
    was_as_booked,
    wellness,
)

OSLO = "Europe/Oslo"
HOST = Seat(1, True)
HOUR = 3600
DAY = (0, 24 * HOUR)


def dialled(*calls: tuple[int, int], causes: tuple[str, ...] = (), studio: int = 2) -> Seat:
    return Seat(studio, False, calls, causes)


def booking(*seats: Seat, cancelled: bool = False, over: bool = True) -> Booking:
    calls = tuple((seat.studio_id, call) for seat in seats for call in seat.calls)
    return Booking(1, 1, Purpose.CLINICAL, (0, HOUR), cancelled, over, (HOST, *seats), calls)


UP = dialled((0, HOUR))
RANG = dialled(causes=("no-answer", "not-answered"))


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2027, 3, 28), 23),
        (date(2027, 10, 31), 25),
        (date(2026, 10, 25), 25),
        (date(2026, 12, 31), 24),
    ],
)
def test_a_local_day_is_as_long_as_the_clocks_make_it(day, hours):
    start, end = local_day(day, OSLO)
    assert (end - start).total_seconds() == hours * HOUR


def test_the_night_is_four_by_the_clock_on_the_wall():
    assert night_after(date(2027, 3, 27), OSLO) == datetime(2027, 3, 28, 2, tzinfo=UTC)
    assert night_after(date(2027, 10, 30), OSLO) == datetime(2027, 10, 31, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("conference", "outcome"),
    [
        (booking(UP, RANG), Outcome.HELD),
        (booking(UP, cancelled=True), Outcome.HELD),
        (booking(RANG, cancelled=True), Outcome.CANCELLED),
        (booking(RANG, over=False), Outcome.RUNNING),
        (booking(RANG, RANG), Outcome.NO_SHOW),
        (booking(RANG, dialled(causes=("no-answer", "unreachable"))), Outcome.FAILED),
        (booking(RANG, dialled(causes=("unreachable", "no-answer"))), Outcome.FAILED),
        (booking(dialled(causes=("busy",))), Outcome.FAILED),
        (booking(dialled()), Outcome.FAILED),
        (booking(), Outcome.FAILED),
    ],
)
def test_what_became_of_a_conference(conference, outcome):
    assert outcome_of(conference) is outcome


def test_each_studios_part_has_an_outcome_of_its_own_and_the_hosts_is_the_conferences():
    missing = dialled(causes=("busy",), studio=3)
    conference = booking(UP, missing, RANG)
    found = [outcome_at(seat, conference) for seat in conference.seats]
    assert found == [Outcome.HELD, Outcome.HELD, Outcome.FAILED, Outcome.NO_SHOW]
    assert outcome_at(HOST, booking(RANG)) is Outcome.NO_SHOW
    assert outcome_at(RANG, booking(UP, RANG, over=False)) is Outcome.RUNNING
    assert outcome_at(RANG, booking(UP, RANG, cancelled=True)) is Outcome.NO_SHOW


def test_a_conference_is_late_when_its_first_call_is_up_more_than_sixty_seconds_after_its_start():
    assert [is_late(lateness([(start, HOUR)], 0)) for start in (-30, 0, 60, 61)] == [False, False, False, True]
    assert lateness([(90, 100), (40, 50)], 0) == 40
    assert lateness([(-30, 50)], 0) == 0
    assert not is_late(lateness([], 0))


def test_it_was_as_booked_when_held_on_time_and_nobody_was_missing():
    assert was_as_booked(booking(UP, dialled((300, 400), (500, 600))))
    assert not was_as_booked(booking(UP, RANG))
    assert not was_as_booked(booking(dialled((61, HOUR))))
    assert not was_as_booked(booking(RANG))


def test_the_cause_is_a_technical_one_before_a_call_that_nobody_answered():
    assert cause_of(booking(RANG, dialled(causes=("busy", "unreachable")))) == "unreachable"
    assert cause_of(booking(RANG)) == "not-answered"
    assert cause_of(booking(dialled())) == "not-started"
    assert cause_of(booking(UP, RANG)) == "not-answered"
    assert cause_of(booking(UP)) is None
    assert cause_of(booking(dialled((61, HOUR)))) is None
    assert cause_of(booking(RANG, cancelled=True)) is None


def test_nothing_is_known_before_the_first_change_nor_after_the_last_poll_became_too_old():
    changes = [(2 * HOUR, Health.OK), (6 * HOUR, Health.UNREACHABLE), (8 * HOUR, Health.MAINTENANCE)]
    assert wellness(changes, 12 * HOUR, DAY) == Wellness(4 * HOUR, 2 * HOUR, 4 * HOUR, 14 * HOUR)
    assert wellness([], 24 * HOUR, DAY) == Wellness(unknown=24 * HOUR)


def test_half_a_day_without_polls_is_unknown_and_neither_healthy_nor_faulty():
    """A monitor that takes over after the gap dates the change back to when the last poll had become too old."""
    gap = [(-HOUR, Health.OK), (6 * HOUR, Health.UNKNOWN), (18 * HOUR, Health.OK)]
    assert wellness(gap, 30 * HOUR, DAY) == Wellness(healthy=12 * HOUR, unknown=12 * HOUR)
    assert wellness(gap[:1], 12 * HOUR, DAY) == Wellness(healthy=12 * HOUR, unknown=12 * HOUR)


def test_what_ends_in_the_second_that_another_begins_is_not_up_with_it():
    assert peaks([[(0, 100)], [(100, 200)], [(50, 60), (55, 70)]], (0, 2 * HOUR)) == [2, 0]
    assert peaks([[(10, HOUR)], [(HOUR, HOUR + 1)]], (0, 2 * HOUR)) == [1, 1]
