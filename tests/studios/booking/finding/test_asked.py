from datetime import time
from zoneinfo import ZoneInfo

from studios.booking.finding.asked import asked_spans
from studios.calendars.rules import Span
from tests.studios.booking.finding.oracle import utc

OSLO = ZoneInfo("Europe/Oslo")


def asked(start, end, hours=None, days=None):
    return asked_spans(utc(start), utc(end), hours, days, OSLO)


def spans(*pairs):
    return [Span(utc(start), utc(end)) for start, end in pairs]


def test_without_hours_and_days_the_whole_window_is_asked_for():
    assert asked("2026-11-26 08:03", "2026-12-10 08:00") == spans(("2026-11-26 08:03", "2026-12-10 08:00"))
    assert asked("2026-11-26 08:00", "2026-11-26 08:00") == []


def test_hours_hold_on_each_day_of_the_window_and_are_cut_by_it():
    assert asked("2026-11-26 08:00", "2026-11-27 10:00", (time(8), time(15, 30))) == spans(
        ("2026-11-26 08:00", "2026-11-26 14:30"), ("2026-11-27 07:00", "2026-11-27 10:00")
    )


def test_days_are_whole_and_joined_where_one_follows_the_other():
    assert asked("2026-11-23 00:00", "2026-11-30 00:00", days={1, 2, 4}) == spans(
        ("2026-11-23 23:00", "2026-11-25 23:00"), ("2026-11-26 23:00", "2026-11-27 23:00")
    )


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin():
    assert asked("2026-11-27 00:00", "2026-11-29 12:00", (time(22), time(6)), {4}) == spans(
        ("2026-11-27 21:00", "2026-11-28 05:00")
    )
    assert asked("2026-11-28 00:00", "2026-11-29 12:00", (time(22), time(6)), {4}) == spans(
        ("2026-11-28 00:00", "2026-11-28 05:00")
    )


def test_hours_until_midnight_end_there():
    assert asked("2026-11-26 00:00", "2026-11-27 00:00", (time(20), time(0)), {3}) == spans(
        ("2026-11-26 19:00", "2026-11-26 23:00")
    )


def test_hours_keep_to_the_wall_clock_over_the_change_of_clocks():
    assert asked("2026-03-28 12:00", "2026-03-30 12:00", (time(9), time(10))) == spans(
        ("2026-03-29 07:00", "2026-03-29 08:00"), ("2026-03-30 07:00", "2026-03-30 08:00")
    )
    nights = (time(1, 30), time(3, 30))
    assert asked("2026-03-29 00:00", "2026-03-29 12:00", nights) == spans(("2026-03-29 00:30", "2026-03-29 01:30"))
    assert asked("2026-10-24 22:00", "2026-10-25 12:00", nights) == spans(("2026-10-24 23:30", "2026-10-25 02:30"))
