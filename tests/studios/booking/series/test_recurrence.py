from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from studios.booking.series.recurrence import Note, Occurrence, Recurrence, occurrences

OSLO = ZoneInfo("Europe/Oslo")


def series(rule: str, first_day: date, wall: time = time(9), minutes: int = 60) -> list[Occurrence]:
    return occurrences(Recurrence(rule, first_day, wall, minutes, "Europe/Oslo"))


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)


def test_a_weekly_meeting_at_nine_stays_at_nine_in_autumn():
    found = series("FREQ=WEEKLY;COUNT=2", date(2026, 10, 19))
    assert [one.start for one in found] == [utc(2026, 10, 19, 7), utc(2026, 10, 26, 8)]
    assert [one.notes for one in found] == [frozenset(), {Note.DST_WEEK}]


def test_a_weekly_meeting_at_nine_stays_at_nine_in_spring_and_easter_monday_is_noted():
    found = series("FREQ=WEEKLY;COUNT=3", date(2027, 3, 22))
    assert [one.start for one in found] == [utc(2027, 3, 22, 8), utc(2027, 3, 29, 7), utc(2027, 4, 5, 7)]
    assert [one.notes for one in found] == [frozenset(), {Note.DST_WEEK, Note.HOLIDAY}, frozenset()]
    assert found[1].holidays == ("Easter Monday",)


def test_a_time_that_the_clock_jumps_over_has_no_instant():
    before, missing, after = series("FREQ=DAILY;COUNT=3", date(2026, 3, 28), time(2, 30))
    assert (missing.start, missing.end, missing.notes) == (None, None, {Note.DOES_NOT_EXIST})
    assert missing.recurs_at == utc(2026, 3, 29, 1, 30)
    assert before.start == utc(2026, 3, 28, 1, 30)
    assert (after.start, after.notes) == (utc(2026, 3, 30, 0, 30), {Note.DST_WEEK})


def test_a_time_that_comes_twice_is_the_first_and_noted():
    [twice] = series("FREQ=DAILY;COUNT=1", date(2026, 10, 25), time(2, 30))
    assert (twice.start, twice.end) == (utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30))
    assert twice.recurs_at == twice.start
    assert twice.notes == {Note.AMBIGUOUS}


def test_an_hour_over_the_night_when_the_clock_moves_is_sixty_minutes():
    [spring] = series("FREQ=DAILY;COUNT=1", date(2026, 3, 29), time(1, 30))
    assert (spring.start, spring.end) == (utc(2026, 3, 29, 0, 30), utc(2026, 3, 29, 1, 30))


def test_a_day_can_be_two_holidays():
    [may] = series("FREQ=DAILY;COUNT=1", date(2027, 5, 17))
    assert set(may.holidays) == {"Constitution Day", "Pentecost Monday"}


def test_the_quiet_days_are_no_holidays():
    days = [date(2026, 12, 24), date(2026, 12, 31), date(2027, 2, 6)]
    assert [series("FREQ=DAILY;COUNT=1", day)[0].notes for day in days] == [{Note.QUIET_DAY}] * 3


def test_a_holiday_of_the_day_before_is_not_noted():
    assert [one.notes for one in series("FREQ=DAILY;COUNT=3", date(2026, 12, 26))] == [
        {Note.HOLIDAY},
        frozenset(),
        frozenset(),
    ]


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.times(), st.integers(1, 720), st.integers(1, 60))
def test_every_meeting_stands_at_its_time_on_the_wall(first_day, wall, minutes, count):
    wall = wall.replace(second=0, microsecond=0, fold=0)
    found = series(f"FREQ=WEEKLY;COUNT={count}", first_day, wall, minutes)
    assert [(one.index, one.day) for one in found] == [
        (number, first_day + timedelta(weeks=number)) for number in range(count)
    ]
    for one in found:
        shown = one.recurs_at.astimezone(OSLO).replace(tzinfo=None)
        exists = shown == datetime.combine(one.day, wall)
        assert (one.start is not None) == exists == (Note.DOES_NOT_EXIST not in one.notes)
        if one.start is not None and one.end is not None:
            assert one.start == one.recurs_at
            assert one.end - one.start == timedelta(minutes=minutes)
