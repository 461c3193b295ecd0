"""Periods, charts and changes: what needs no page."""

from datetime import date, timedelta

import pytest
from flask import Flask
from flask_babel import refresh
from hypothesis import given
from hypothesis import strategies as st

from reports import charts, page, wording
from reports.charts import heat, step_for, trend
from reports.figures import Figures, Subject
from reports.periods import Kind, Period, containing, weeks_up_to, working_days
from reports.trends import Week

MONDAY = date(2026, 11, 16)
some_days = st.dates(date(2000, 2, 1), date(2099, 12, 1))


@pytest.fixture
def dialect() -> str:
    return "sqlite"  # nothing here reads it


@given(st.sampled_from(Kind), some_days)
def test_periods_follow_each_other_without_a_gap(kind, day):
    period = containing(kind, day)
    assert period.first <= day <= period.last
    assert period.previous.last == period.first - timedelta(days=1)
    assert period.previous.next == period
    assert period.next.first == period.last + timedelta(days=1)


@given(some_days)
def test_a_week_is_seven_days_from_its_monday(day):
    week = containing(Kind.WEEK, day)
    assert (week.first.weekday(), week.days) == (0, 7)
    assert week.first.isocalendar()[:2] == day.isocalendar()[:2]


def test_months_and_years_are_as_long_as_they_are():
    assert containing(Kind.MONTH, date(2028, 2, 29)).days == 29
    assert containing(Kind.YEAR, date(2026, 6, 1)).days == 365


def test_a_week_that_is_not_over_is_compared_with_as_many_days():
    assert containing(Kind.WEEK, MONDAY).up_to(3) == Period(Kind.WEEK, MONDAY, MONDAY + timedelta(days=2))
    assert containing(Kind.MONTH, date(2026, 2, 1)).up_to(31).days == 28


def test_working_days_leave_the_weekend_out():
    assert working_days(MONDAY, MONDAY + timedelta(days=6)) == 5
    assert working_days(MONDAY + timedelta(days=5), MONDAY + timedelta(days=6)) == 0


def test_the_last_of_twelve_weeks_is_the_one_of_the_day():
    mondays = weeks_up_to(date(2026, 11, 22), 12)
    assert (len(mondays), mondays[-1], mondays[0]) == (12, MONDAY, MONDAY - timedelta(weeks=11))


@given(st.integers(0, 10_000_000))
def test_four_steps_reach_the_greatest_number_and_are_whole(most):
    step = step_for(most)
    assert isinstance(step, int)
    assert 4 * step >= most
    assert step == 1 or 4 * (step - 1) < most or str(step).rstrip("0") in {"1", "2", "25", "3", "4", "5"}


numbers = st.one_of(st.none(), st.integers(0, 5000))


@given(st.lists(st.tuples(numbers, numbers), min_size=12, max_size=12))
def test_the_lines_stay_in_the_drawing_and_its_axis_starts_at_zero(pairs):
    drawn = trend([Week(MONDAY, *pair) for pair in pairs])
    points = [point for run in drawn.line + drawn.past for point in run]
    line = [point.number for run in drawn.line for point in run]
    assert line == [now for now, _before in pairs if now is not None]
    assert all(len(run) > 1 for run in drawn.past)
    assert all(charts.TOP - 0.01 <= point.y <= charts.BOTTOM for point in points)
    assert all(point.y == charts.BOTTOM for point in points if point.number == 0)
    assert (drawn.ticks[0].number, drawn.ticks[0].y) == (0, charts.BOTTOM + 4)


def test_a_week_without_a_report_breaks_the_line():
    drawn = trend([Week(MONDAY, number, None) for number in (1, 2, None, 4)])
    assert [[point.number for point in run] for run in drawn.line] == [[1, 2], [4]]
    assert drawn.past == []


def test_a_week_of_which_not_all_days_are_reported_is_a_point_of_its_own_and_no_fall_of_the_line():
    drawn = trend([Week(MONDAY, 1000, None), Week(MONDAY, 1100, None), Week(MONDAY, 200, None, days=1)])
    assert [[point.number for point in run] for run in drawn.line] == [[1000, 1100]]
    assert [(point.number, point.x) for point in drawn.so_far] == [(200, charts.RIGHT)]
    assert drawn.lead
    assert (drawn.lead.number, drawn.lead.x) == (200, charts.RIGHT)


def test_the_year_before_is_drawn_where_two_whole_weeks_of_it_follow_each_other():
    weeks = [Week(MONDAY, 5, 4), Week(MONDAY, 5, None), Week(MONDAY, 5, 3), Week(MONDAY, 5, 2, days_before=2)]
    assert trend(weeks).past == []
    assert trend(weeks).past_lead is None
    drawn = trend([*weeks, Week(MONDAY, 5, 7), Week(MONDAY, 5, 8)])
    assert [[point.number for point in run] for run in drawn.past] == [[7, 8]]


def test_a_whole_week_between_gaps_is_still_seen():
    drawn = trend([Week(MONDAY, number, None) for number in (1, None, 3, None, 4, 5)])
    assert [point.number for point in drawn.dots] == [1, 3, 5]


def test_the_last_numbers_never_cover_each_other():
    for now, before in ((100, 99), (99, 100), (5, 5)):
        drawn = trend([Week(MONDAY, now, before)] * 2)
        assert drawn.lead
        assert drawn.past_lead
        assert abs(drawn.lead.y - drawn.past_lead.y) >= 30


def test_heat_goes_from_nothing_to_five():
    assert [heat(number, 10) for number in (None, 0, 1, 2, 3, 9, 10)] == [0, 0, 1, 1, 2, 5, 5]
    assert heat(0, 0) == 0


def test_a_bar_is_never_longer_than_its_rail():
    assert (charts.bar(5, 10), charts.bar(30, 10), charts.bar(1, 0)) == (50.0, 100.0, 0.0)


def studio(name: str, **values: int) -> Subject:
    return Subject(1, name, name, "gp", "Nord", Figures(**values))


def test_the_greatest_deviation_is_in_either_direction():
    studios = [
        studio("as booked", booked_seconds=900, used_seconds=900),
        studio("unused", booked_seconds=900),
        studio("overrun", booked_seconds=900, used_seconds=1000),
    ]
    assert [one.name for one in page.ordered(studios, "deviation")] == ["unused", "overrun", "as booked"]


def test_unknown_health_is_neither_the_best_nor_the_worst():
    studios = [studio("unknown"), studio("ill", faulty_seconds=1), studio("well", healthy_seconds=1)]
    assert [one.name for one in page.ordered(studios, "healthy")] == ["ill", "well", "unknown"]


def test_colour_only_where_a_change_is_good_or_bad(app: Flask):
    with app.test_request_context(headers={"Accept-Language": "en"}):
        tones = [
            wording.change_in_share(0.9, 0.8, 1),
            wording.change_in_share(0.8, 0.9, 1),
            wording.change_in_share(0.03, 0.02, -1),
            wording.change_in_share(0.9, 0.8),
            wording.change_in_share(0.90001, 0.9, 1),
        ]
        found = [(change.shape, change.tone, change.text.replace("\xa0", " ")) for change in tones if change]
        assert found == [
            ("up", "is-good", "10.0 pp"),
            ("fall", "is-bad", "10.0 pp"),
            ("up", "is-bad", "1.0 pp"),
            ("up", "", "10.0 pp"),
            ("level", "", "0.0 pp"),
        ]
        assert wording.change_in_share(None, 0.5, 1) is None


def test_numbers_and_dates_are_written_in_the_readers_language(app: Flask):
    week = containing(Kind.WEEK, date(2026, 11, 22))
    with app.test_request_context(headers={"Accept-Language": "nb"}):
        assert wording.share(0.934) == "93,4\xa0%"
        assert wording.full_day(date(2026, 11, 22)) == "søndag 22. november 2026"
        assert wording.weekday(2) == "ons."
    refresh()  # the test's own context would keep the first language
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert wording.share(0.934) == "93.4%"
        assert wording.full_day(date(2026, 11, 22)) == "Sunday 22 November 2026"
        assert wording.short(week) == "week 47"
        assert wording.hours(5400) == "1.5\xa0h"
        assert wording.deviation(-5400) == "−1.5\xa0h"
