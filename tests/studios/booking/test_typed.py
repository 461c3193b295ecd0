from datetime import date, time

import pytest

from studios.booking.typed import date_text, read_date, read_minutes, read_time, time_text, turned

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("26.11.2026", date(2026, 11, 26)),
        (" 26.11.26 ", date(2026, 11, 26)),
        ("26/11/2026", date(2026, 11, 26)),
        ("26 11 2026", date(2026, 11, 26)),
        ("2026-11-26", date(2026, 11, 26)),
        ("26.11", date(2026, 11, 26)),
        ("26.11.", date(2026, 11, 26)),
        ("22.11", date(2026, 11, 22)),
        ("21.11", date(2027, 11, 21)),
        ("1.1", date(2027, 1, 1)),
    ],
)
def test_a_date_is_read_as_people_type_it(typed: str, meant: date) -> None:
    assert read_date(typed, TODAY) == meant


@pytest.mark.parametrize(
    "typed", ["", "tomorrow", "31.02.2026", "0.0.2026", "26.13.2026", "1.1.1999", "1.1.9999", "²6.11.2026", "9" * 5000]
)
def test_what_is_no_date_is_none(typed: str) -> None:
    assert read_date(typed, TODAY) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("9", time(9)),
        ("09", time(9)),
        ("930", time(9, 30)),
        ("0930", time(9, 30)),
        ("9.30", time(9, 30)),
        ("09:30", time(9, 30)),
        (" 23:59 ", time(23, 59)),
        ("0", time(0)),
    ],
)
def test_a_time_is_read_as_people_type_it(typed: str, meant: time) -> None:
    assert read_time(typed) == meant


@pytest.mark.parametrize("typed", ["", "24:00", "9:60", "9:5", "noon", "-1", "٩:٣٠", "1" * 5000, "\x00"])
def test_what_is_no_time_is_none(typed: str) -> None:
    assert read_time(typed) is None


def test_a_duration_is_whole_minutes_up_to_a_day() -> None:
    assert [read_minutes(text) for text in ("45", " 1 ", "1440")] == [45, 1, 1440]
    assert [read_minutes(text) for text in ("", "0", "-5", "1441", "1.5", "an hour", "9" * 5000)] == [None] * 7


def test_what_the_form_writes_is_read_back() -> None:
    assert read_date(date_text(date(2027, 1, 5)), TODAY) == date(2027, 1, 5)
    assert read_time(time_text(time(7, 5))) == time(7, 5)


def test_the_days_turn_only_within_the_years_that_can_be_typed() -> None:
    assert turned(date(2026, 12, 31), 1) == date(2027, 1, 1)
    assert turned(date(2099, 12, 31), 1) == date(2099, 12, 31)
