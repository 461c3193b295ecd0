from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.booking import Purpose
from studios.booking.rules import (
    Limits,
    Problem,
    TimeDoesNotExist,
    TimeIsAmbiguous,
    blocked_time,
    clean_title,
    end_of,
    host_position,
    instant,
    problems,
    problems_while_running,
)
from studios.booking.wishes import Booking, studios

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LIMITS = Limits(longest=timedelta(hours=12), horizon=timedelta(days=400))


def wish(**changes) -> Booking:
    values = {
        "title": "Lung meeting",
        "purpose": Purpose.CLINICAL,
        "organisation_id": 1,
        "start": NOW + timedelta(hours=1),
        "end": NOW + timedelta(hours=2),
        "parties": studios((1, 2)),
    }
    return Booking(**{**values, **changes})


def test_a_plain_wish_has_no_problems():
    assert problems(wish(), NOW, LIMITS) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": ""}, Problem.TITLE_MISSING),
        ({"title": "x" * 81}, Problem.TITLE_TOO_LONG),
        ({"title": "x" * 10_000}, Problem.TITLE_TOO_LONG),
        ({"title": "a\x00b"}, Problem.TITLE_UNPRINTABLE),
        ({"parties": studios((1,))}, Problem.TOO_FEW_PARTIES),
        ({"parties": studios((1, 2, 1))}, Problem.STUDIO_TWICE),
        ({"parties": studios(tuple(range(51)))}, Problem.TOO_MANY_PARTIES),
        ({"end": NOW + timedelta(hours=1)}, Problem.END_BEFORE_START),
        ({"end": NOW - timedelta(hours=1)}, Problem.END_BEFORE_START),
        ({"start": NOW - timedelta(seconds=61)}, Problem.START_IN_THE_PAST),
        ({"end": NOW + timedelta(hours=13, seconds=1)}, Problem.TOO_LONG),
        (
            {"start": NOW + timedelta(days=401), "end": NOW + timedelta(days=401, hours=1)},
            Problem.TOO_FAR_AHEAD,
        ),
    ],
)
def test_each_broken_rule_is_named(changes, problem):
    assert problems(wish(**changes), NOW, LIMITS) == [problem]


def test_the_minute_that_has_just_begun_is_not_past():
    assert problems(wish(start=NOW - timedelta(seconds=59)), NOW, LIMITS) == []


def test_while_it_runs_only_title_and_end_may_change():
    start = NOW - timedelta(hours=1)
    longer = wish(start=start, end=NOW + timedelta(hours=2))
    assert problems_while_running(longer, start, [1, 2], NOW, LIMITS) == []
    ended = wish(start=start, end=NOW)
    assert problems_while_running(ended, start, [1, 2], NOW, LIMITS) == [Problem.END_IN_THE_PAST]
    moved = wish(start=NOW, parties=studios((2, 1)))
    found = problems_while_running(moved, start, [1, 2], NOW, LIMITS)
    assert found == [Problem.START_IS_FIXED, Problem.STUDIOS_ARE_FIXED]


def test_a_time_that_the_clock_jumps_over_does_not_exist():
    with pytest.raises(TimeDoesNotExist):
        instant(date(2026, 3, 29), time(2, 30), OSLO)
    with pytest.raises(TimeDoesNotExist):
        instant(date(2026, 3, 29), time(2, 30), OSLO, summer=True)


def test_an_hour_over_the_spring_night_is_sixty_minutes():
    start = instant(date(2026, 3, 29), time(1, 30), OSLO)
    end = instant(date(2026, 3, 29), time(3, 30), OSLO)
    assert (start, end) == (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
    assert end_of(start, 60) == end


def test_a_time_that_comes_twice_must_be_told_apart():
    with pytest.raises(TimeIsAmbiguous):
        instant(date(2026, 10, 25), time(2, 30), OSLO)
    assert instant(date(2026, 10, 25), time(2, 30), OSLO, summer=True) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert instant(date(2026, 10, 25), time(2, 30), OSLO, summer=False) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_instant_is_found_again_by_its_wall_time(at):
    wall = at.astimezone(OSLO)
    summer = bool(wall.dst())
    assert instant(wall.date(), wall.time(), OSLO, summer) == at


def test_buffers_surround_the_conference():
    start, end = NOW, NOW + timedelta(hours=1)
    assert blocked_time(start, end, 10, 5) == (start - timedelta(minutes=10), end + timedelta(minutes=5))


def test_the_first_studio_that_can_be_steered_hosts():
    assert host_position([False, True, True]) == 1
    assert host_position([False, False]) is None


def test_white_space_in_a_title_is_folded():
    assert clean_title("  Lung \t meeting\n") == "Lung meeting"
