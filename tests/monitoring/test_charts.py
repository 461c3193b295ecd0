"""Charts as shapes: what is drawn is what was measured, and where nothing was measured nothing is drawn."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Health
from monitoring.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Range,
    Sample,
    Window,
    chart,
    columns,
    round_top,
    strip,
    window,
)

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = window(Range.DAY, NOW)


def sample(minutes_ago: float, round_trip: float | None) -> Sample:
    return Sample(NOW - minutes_ago * MINUTE, round_trip, None, None, None, None)


def drawn(*samples: Sample, full: float | None = None):
    return chart(samples, lambda one: one.round_trip_ms, DAY, [], full=full)


def points(path: str) -> list[tuple[float, float]]:
    return [tuple(map(float, point.split())) for point in path.removeprefix("M").split("L")]  # type: ignore[misc]


def test_a_line_goes_from_the_left_to_the_right_and_up_with_its_values():
    found = drawn(
        sample(24 * 60, 0.0), *(sample(minutes, 5.0) for minutes in range(24 * 60 - 5, 0, -5)), sample(0, 10.0)
    )
    [path] = found.paths
    first, *_, last = points(path)
    assert first == (LEFT, BOTTOM)
    assert last == (RIGHT, TOP)
    assert (found.least, found.most) == (0.0, 10.0)


def test_where_nothing_was_measured_the_line_is_broken():
    found = drawn(sample(60, 1.0), sample(55, 1.0), sample(30, 2.0), sample(25, None), sample(20, 2.0), sample(5, 3.0))
    assert [len(points(path)) for path in found.paths] == [2, 2]
    assert len(found.dots) == 1


def test_a_chart_of_nothing_has_a_scale_and_no_line():
    found = drawn(sample(10, None))
    assert (found.paths, found.dots, found.middle) == ([], [], None)
    assert [row.text for row in found.rows] == ["0", "0.5", "1"]


@given(st.floats(min_value=1e-6, max_value=1e6))
def test_the_top_is_a_round_number_at_or_above_the_greatest_value_and_not_far(most):
    top = round_top(most)
    assert most <= top <= 2.5 * most * (1 + 1e-9)
    assert float(f"{top:.2g}") == pytest.approx(top)


def test_percent_are_drawn_up_to_a_hundred():
    assert drawn(sample(10, 50.0), full=100.0).rows[-1].text == "100"


def test_lines_of_the_grid_stand_at_midnights_of_wall_time_in_the_week_when_the_clocks_move():
    shown = Window(datetime(2026, 10, 22, 12, tzinfo=UTC), datetime(2026, 10, 29, 12, tzinfo=UTC), timedelta(hours=1))
    oslo = ZoneInfo("Europe/Oslo")
    said: list[str] = []
    columns(Range.WEEK, shown, oslo, lambda at: said.append(f"{at.astimezone(oslo):%d. %H:%M}") or "")
    assert said == [f"{day}. 00:00" for day in (23, 24, 25, 26, 27, 28, 29)]


def test_states_follow_one_another_without_a_gap():
    changes = [
        (NOW - timedelta(days=2), Health.UNKNOWN, Health.OK),
        (NOW - 6 * 60 * MINUTE, Health.OK, Health.DOWN),
        (NOW - 3 * 60 * MINUTE, Health.DOWN, Health.OK),
    ]
    found = strip(changes, Health.OK, DAY)
    assert [one.health for one in found] == [Health.OK, Health.DOWN, Health.OK]
    assert found[0].start == DAY.start
    assert found[-1].end == DAY.end
    assert all(one.end == after.start for one, after in itertools.pairwise(found))
    assert found[1].end - found[1].start == timedelta(hours=3)


def test_without_a_change_the_present_state_has_lasted_and_without_equipment_there_is_none():
    assert [one.health for one in strip([], Health.DEGRADED, DAY)] == [Health.DEGRADED]
    assert strip([], None, DAY) == []
