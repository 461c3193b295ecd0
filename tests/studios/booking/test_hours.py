from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studios.booking.hours import DAYS, closed_spans, is_within, read_hours
from studios.calendars.rules import Span

OSLO = ZoneInfo("Europe/Oslo")
OFFICE = read_hours("mon-fri 08:00-15:30")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_typed_hours_are_stored_by_day_in_the_order_of_the_week():
    assert read_hours("sat 12:00-14:00, 08:00-11:30; MON-tue 00:00-24:00") == {
        "mon": ["00:00-24:00"],
        "tue": ["00:00-24:00"],
        "sat": ["08:00-11:30", "12:00-14:00"],
    }


def test_stored_hours_are_read_back_the_same():
    assert read_hours(read_hours("mon-sun 00:00-24:00")) == {day: ["00:00-24:00"] for day in DAYS}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("", "at least one day"),
        ({}, "at least one day"),
        ({"mon": []}, "at least one day"),
        ("man 08:00-15:30", "no day"),
        ({"monday": ["08:00-15:30"]}, "no day"),
        ("fri-mon 08:00-15:30", "backwards"),
        ("mon", "not understood"),
        ("mon 8-15", "not understood"),
        ("mon 08:00-25:00", "not understood"),
        ("mon 08:00-24:30", "past 24:00"),
        ("mon 24:00-24:00", "ends before"),
        ("mon 22:00-06:00", "both days"),
        ("mon 08:00-12:00, 11:00-13:00", "overlap"),
        ("mon 08:00-12:00; mon 11:00-13:00", "overlap"),
        ({"mon": "08:00-15:30"}, "list of texts"),
        ({"mon": [8]}, "list of texts"),
    ],
)
def test_wrong_hours_are_refused_with_a_sentence(wrong, says):
    with pytest.raises(ValueError, match=says) as refused:
        read_hours(wrong)
    assert str(refused.value).endswith(".")


def test_a_studio_without_hours_is_never_closed():
    assert closed_spans(None, OSLO, at("2026-11-23 00:00"), at("2026-11-30 00:00")) == []


def test_a_studio_is_closed_at_night_and_at_the_weekend():
    assert closed_spans(OFFICE, OSLO, at("2026-11-27 12:00"), at("2026-11-30 08:00")) == [
        Span(at("2026-11-27 14:30"), at("2026-11-30 07:00"))
    ]


def test_hours_up_to_midnight_and_from_midnight_are_open_through():
    through = read_hours("mon 20:00-24:00; tue 00:00-06:00")
    assert is_within(through, OSLO, Span(at("2026-11-23 19:00"), at("2026-11-24 05:00")))
    assert not is_within(through, OSLO, Span(at("2026-11-23 19:00"), at("2026-11-24 05:01")))
    assert not is_within(through, OSLO, Span(at("2026-11-23 18:59"), at("2026-11-24 05:00")))


def test_a_meeting_may_fill_the_hours_to_the_minute():
    assert is_within(OFFICE, OSLO, Span(at("2026-11-26 07:00"), at("2026-11-26 14:30")))
    assert not is_within(OFFICE, OSLO, Span(at("2026-11-26 07:00"), at("2026-11-26 14:31")))


def test_hours_keep_to_the_wall_clock_when_it_moves():
    nights = read_hours("sun 01:30-03:30")
    spring = closed_spans(nights, OSLO, at("2026-03-29 00:00"), at("2026-03-29 03:00"))
    assert spring == [
        Span(at("2026-03-29 00:00"), at("2026-03-29 00:30")),
        Span(at("2026-03-29 01:30"), at("2026-03-29 03:00")),
    ]
    autumn = closed_spans(nights, OSLO, at("2026-10-24 23:00"), at("2026-10-25 03:00"))
    assert autumn == [
        Span(at("2026-10-24 23:00"), at("2026-10-24 23:30")),
        Span(at("2026-10-25 02:30"), at("2026-10-25 03:00")),
    ]


def test_hours_that_begin_or_end_in_the_hour_that_is_missing_do_so_at_the_jump():
    opens = closed_spans(read_hours("sun 02:30-12:00"), OSLO, at("2026-03-29 00:00"), at("2026-03-29 10:00"))
    assert opens == [Span(at("2026-03-29 00:00"), at("2026-03-29 01:00"))]
    closes = closed_spans(read_hours("sun 00:00-02:10"), OSLO, at("2026-03-28 23:00"), at("2026-03-29 10:00"))
    assert closes == [Span(at("2026-03-29 01:00"), at("2026-03-29 10:00"))]


def test_hours_that_begin_or_end_in_the_hour_that_comes_twice_hold_both():
    opens = closed_spans(read_hours("sun 02:30-12:00"), OSLO, at("2026-10-24 23:00"), at("2026-10-25 11:00"))
    assert opens == [Span(at("2026-10-24 23:00"), at("2026-10-25 00:30"))]
    closes = closed_spans(read_hours("sun 00:00-02:30"), OSLO, at("2026-10-24 22:00"), at("2026-10-25 11:00"))
    assert closes == [Span(at("2026-10-25 01:30"), at("2026-10-25 11:00"))]


_ranges = st.tuples(st.integers(0, 47), st.integers(1, 24)).map(
    lambda pair: (
        f"{pair[0] // 2:02}:{pair[0] % 2 * 30:02}-{(end := min(pair[0] + pair[1], 48)) // 2:02}:{end % 2 * 30:02}"
    )
)


@given(
    st.dictionaries(st.sampled_from(DAYS), st.lists(_ranges, min_size=1, max_size=1), min_size=1),
    st.sampled_from([at("2026-03-27 00:00"), at("2026-10-23 00:00"), at("2026-11-23 00:00")]),
    st.integers(0, 5 * 96),
)
def test_an_instant_is_closed_when_the_wall_clock_is_outside_the_hours(hours, origin, quarters):
    instant = origin + timedelta(minutes=15 * quarters + 7)
    wall = instant.astimezone(OSLO)
    inside = any(text[:5] <= f"{wall:%H:%M}" < text[6:] for text in hours.get(DAYS[wall.weekday()], ()))
    closed = closed_spans(hours, OSLO, origin, origin + timedelta(days=6))
    is_twice = wall.utcoffset() != wall.replace(fold=1 - wall.fold).utcoffset()
    if not is_twice:  # in the hour that comes twice, hours hold from the first to the last
        assert inside != any(span.start <= instant < span.end for span in closed)
