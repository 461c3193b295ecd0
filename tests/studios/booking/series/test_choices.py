from datetime import UTC, date, datetime, time, timedelta

import pytest

from studios.booking.series.choices import Choice, UnknownDays, apply
from studios.booking.series.recurrence import Recurrence, occurrences

MONDAYS = occurrences(Recurrence("FREQ=WEEKLY;COUNT=3", date(2026, 10, 19), time(9), 45, "Europe/Oslo"))
AT_NIGHT = occurrences(Recurrence("FREQ=DAILY;COUNT=2", date(2026, 3, 29), time(2, 30), 45, "Europe/Oslo"))


def test_without_choices_every_occurrence_is_booked_where_the_rule_puts_it():
    planned = apply(MONDAYS, {})
    assert [(one.start, one.end) for one in planned] == [(one.start, one.end) for one in MONDAYS]
    assert all(one.to_be_booked and not one.detached for one in planned)


def test_a_skipped_occurrence_is_not_booked_and_the_others_are():
    planned = apply(MONDAYS, {"2026-10-26": Choice(skipped=True)})
    assert [one.to_be_booked for one in planned] == [True, False, True]


def test_a_moved_occurrence_keeps_its_length_and_where_the_rule_put_it():
    noon = datetime(2026, 10, 27, 11, tzinfo=UTC)
    moved = apply(MONDAYS, {"2026-10-26": Choice(start=noon)})[1]
    assert (moved.start, moved.end) == (noon, noon + timedelta(minutes=45))
    assert moved.recurs_at == MONDAYS[1].start
    assert moved.moved
    assert moved.detached


def test_an_occurrence_that_is_moved_to_its_own_start_is_not_moved():
    assert not apply(MONDAYS, {"2026-10-26": Choice(start=MONDAYS[1].start)})[1].detached


def test_an_occurrence_with_another_studio_stands_by_itself_at_its_own_time():
    swapped = apply(MONDAYS, {"2026-10-26": Choice(studios={1: 42})})[1]
    assert (swapped.studios, swapped.start) == ({1: 42}, MONDAYS[1].start)
    assert swapped.detached
    assert not swapped.moved


def test_an_occurrence_can_be_moved_to_another_studio_too():
    noon = datetime(2026, 10, 26, 11, tzinfo=UTC)
    both = apply(MONDAYS, {"2026-10-26": Choice(start=noon, studios={0: 7})})[1]
    assert (both.start, both.studios) == (noon, {0: 7})


def test_a_time_that_does_not_exist_is_booked_only_when_moved():
    assert [one.to_be_booked for one in apply(AT_NIGHT, {})] == [False, True]
    later = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    moved = apply(AT_NIGHT, {"2026-03-29": Choice(start=later)})[0]
    assert moved.to_be_booked
    assert (moved.start, moved.end) == (later, later + timedelta(minutes=45))


def test_choices_for_what_is_no_occurrence_are_refused_by_name():
    with pytest.raises(UnknownDays) as refused:
        apply(MONDAYS, {"2026-10-26": Choice(), "2026-10-27": Choice(skipped=True), "soon": Choice()})
    assert refused.value.days == ("2026-10-27", "soon")
