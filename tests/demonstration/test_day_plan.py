"""The plan against the assumed profile: shares, durations, parties, and no studio in two places at once."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import mean
from zoneinfo import ZoneInfo

import pytest

from demonstration.day_plan import (
    LivingDay,
    Meeting,
    first_start,
    plan_around,
    plan_day,
    profile_hour,
)
from demonstration.network import Network, Room
from demonstration.titles import FIELDS, SHAPES
from demonstration.working_days import easter_sunday, is_holiday
from models import OrganisationKind, Purpose
from studios.booking.rules import title_problems

OSLO = ZoneInfo("Europe/Oslo")
MONDAY = date(2026, 11, 2)
ROOMS = [
    Room(
        studio_id=number,
        endpoint_id=number,
        code=f"S-{number:03}",
        site_id=number // 4,
        organisation_id=number // 20,
        kind=OrganisationKind.HEALTH_TRUST if number % 2 else OrganisationKind.MUNICIPALITY,
        region=("Nord", "Midt", "Vest", "Sør-Øst")[number % 4],
        steered=number % 50 != 0,
    )
    for number in range(1, 901)
]
NETWORK = Network(1, ROOMS, own=3)


def day_of(day: date) -> list[Meeting]:
    return plan_day(1, day, OSLO, NETWORK, {})


def around(now: datetime) -> LivingDay:
    return plan_around(1, now, OSLO, NETWORK, {})


def oslo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OSLO)


@pytest.fixture(scope="module")
def weeks() -> dict[date, list[Meeting]]:
    """Four weeks of November, Mondays to Sundays."""
    return {day: day_of(day) for day in (MONDAY + timedelta(days=number) for number in range(28))}


@pytest.fixture(scope="module")
def meetings(weeks: dict[date, list[Meeting]]) -> list[Meeting]:
    return [meeting for day, found in weeks.items() if day.weekday() < 4 for meeting in found]


def overlaps(meetings: Iterable[Meeting]) -> list[tuple[Meeting, Meeting]]:
    """By brute force over each studio's own."""
    of: dict[int, list[Meeting]] = defaultdict(list)
    for meeting in meetings:
        for room in meeting.rooms:
            of[room.studio_id].append(meeting)
    return [
        (one, other)
        for found in of.values()
        for one, other in pairwise(sorted(found, key=lambda meeting: meeting.starts_at))
        if other.starts_at < one.ends_at
    ]


def test_a_working_day_has_200_to_250_conferences_and_other_days_fewer(weeks: dict[date, list[Meeting]]) -> None:
    for day, found in weeks.items():
        least, most = {4: (140, 175), 5: (5, 11), 6: (5, 11)}.get(day.weekday(), (200, 250))
        assert least <= len(found) <= most, day


def test_july_and_holidays_are_quiet() -> None:
    assert 80 <= len(day_of(date(2026, 7, 7))) <= 100
    assert len(day_of(date(2026, 5, 14))) <= 11  # Ascension, a Thursday
    assert 60 <= len(day_of(date(2026, 12, 24))) <= 75


def test_the_movable_holidays_follow_easter() -> None:
    # Easter Sundays as almanacs have them.
    known = {1961: (4, 2), 2000: (4, 23), 2024: (3, 31), 2025: (4, 20), 2026: (4, 5), 2027: (3, 28), 2038: (4, 25)}
    assert {year: (easter_sunday(year).month, easter_sunday(year).day) for year in known} == known
    holidays = [day for day in (date(2026, 1, 1) + timedelta(days=number) for number in range(365)) if is_holiday(day)]
    assert [f"{day:%m-%d}" for day in holidays] == [
        "01-01", "04-02", "04-03", "04-05", "04-06", "05-01", "05-14", "05-17", "05-24", "05-25", "12-25", "12-26",
    ]  # fmt: skip


def test_purposes_starts_durations_and_parties_hold_to_the_profile(meetings: list[Meeting]) -> None:
    purposes, hours, minutes = Counter(), Counter(), Counter()
    for meeting in meetings:
        local = meeting.starts_at.astimezone(OSLO)
        purposes[meeting.purpose] += 1
        hours[local.hour] += 1
        minutes[local.minute] += 1
    number = len(meetings)
    for purpose, share in {"clinical": 30, "multidisciplinary": 10, "administration": 25, "education": 25}.items():
        assert abs(100 * purposes[Purpose(purpose)] / number - share) < 3
    for hour, share in {7: 3, 8: 19, 9: 18, 10: 14, 11: 8, 12: 14, 13: 11, 14: 7, 15: 3}.items():
        assert abs(100 * hours[hour] / number - share) < 3
    assert 0.55 < minutes[0] / number < 0.65
    assert 0.2 < minutes[30] / number < 0.3
    assert 46 < mean((meeting.ends_at - meeting.starts_at).seconds / 60 for meeting in meetings) < 56
    sizes = [len(meeting.rooms) for meeting in meetings]
    assert 0.5 < sizes.count(2) / number < 0.6
    assert 780 < sum(sizes) / 16 < 940
    assert (min(sizes), 20 < max(sizes) <= 35) == (2, True)


def test_about_41_conferences_are_at_once_at_most(weeks: dict[date, list[Meeting]]) -> None:
    peaks = []
    for day in (day for day in weeks if day.weekday() < 4):
        instants = {meeting.starts_at for meeting in weeks[day]}
        peaks.append(max(sum(m.starts_at <= at < m.ends_at for m in weeks[day]) for at in instants))
    assert 35 < mean(peaks) < 48


def test_about_half_the_studios_stand_unused_in_a_week(weeks: dict[date, list[Meeting]]) -> None:
    for start in range(0, 28, 7):
        days = list(weeks)[start : start + 7]
        used = {room.studio_id for day in days for meeting in weeks[day] for room in meeting.rooms}
        assert 380 < 900 - len(used) < 520


def test_no_studio_is_in_two_conferences_at_once(weeks: dict[date, list[Meeting]]) -> None:
    for found in weeks.values():
        assert overlaps(found) == []
        assert all(len(set(meeting.rooms)) == len(meeting.rooms) for meeting in found)


def test_the_host_can_always_be_steered(meetings: list[Meeting]) -> None:
    assert all(meeting.rooms[0].steered for meeting in meetings)


def test_a_day_ends_before_midnight(weeks: dict[date, list[Meeting]]) -> None:
    for day, found in weeks.items():
        assert {meeting.ends_at.astimezone(OSLO).date() for meeting in found} == {day}


def test_the_same_seed_gives_the_same_day_whatever_came_before() -> None:
    assert day_of(MONDAY) == plan_day(1, MONDAY, OSLO, Network(1, ROOMS[::-1], own=3), {})
    assert day_of(MONDAY) != plan_day(2, MONDAY, OSLO, Network(2, ROOMS, own=3), {})


def test_titles_are_short_and_hold_no_figure() -> None:
    titles = [shape.format(field=max(FIELDS, key=len)) for shapes in SHAPES.values() for shape in shapes]
    assert not [title for title in titles if title_problems(title) or any(letter.isdigit() for letter in title)]


@pytest.mark.parametrize(
    ("wall", "hour"),
    [
        ("2026-11-23 07:59", 9),
        ("2026-11-23 08:00", 8),
        ("2026-11-23 14:59", 14),
        ("2026-11-23 15:00", 9),
        ("2026-11-23 22:10", 9),
        ("2026-11-22 10:00", 9),  # a Sunday
        ("2026-12-25 10:00", 9),
    ],
)
def test_on_a_working_day_it_is_today_and_else_the_mid_morning(wall: str, hour: int) -> None:
    assert profile_hour(oslo(wall)) == hour


@pytest.mark.parametrize(
    "wall",
    [
        "2026-11-23 08:05:10",
        "2026-11-23 14:50:00",
        "2026-11-23 22:10:41",
        "2026-11-22 03:00:00",
        "2026-11-24 00:10:00",
        "2027-03-28 01:40:00",  # the clock is moved forward in twenty minutes
        "2026-10-25 02:30:00",  # this time comes twice
    ],
)
def test_whenever_it_is_started_there_is_life_now_and_for_hours(wall: str) -> None:
    now = oslo(wall).astimezone(UTC)
    day = around(now)
    soon = [meeting for meeting in day.future if meeting.starts_at <= now + timedelta(minutes=2, seconds=20)]
    assert len(soon) >= 5
    assert sum(meeting.starts_at <= now + timedelta(hours=1) for meeting in day.future) >= 18
    assert overlaps(day.past + day.future) == []


def test_what_is_past_is_over_and_what_is_to_come_begins_on_time() -> None:
    now = oslo("2026-11-23 10:20:30").astimezone(UTC)
    day = around(now)
    assert all(meeting.ends_at <= now for meeting in day.past)
    first = min(meeting.starts_at for meeting in day.future)
    assert first == now.replace(minute=21, second=0)
    at_once = Counter(meeting.starts_at for meeting in day.future if meeting.starts_at < now + timedelta(minutes=2))
    assert len(at_once) == 2
    assert max(at_once.values()) <= 20


@pytest.mark.parametrize(
    ("second", "wait"), [("00", 60), ("39", 21), ("40", 20), ("41", 79), ("59", 61)], ids=lambda value: str(value)
)
def test_the_first_start_is_the_next_whole_minute_that_leaves_20_seconds(second: str, wait: int) -> None:
    now = datetime.fromisoformat(f"2026-11-23T09:20:{second}+00:00")
    assert (first_start(now) - now).total_seconds() == wait


def test_the_shifted_day_keeps_to_real_hours_over_the_change_of_the_clock() -> None:
    """Two instants that both read 02:30 are an hour apart, and so are their days."""
    before = oslo("2026-10-25 02:30:00").astimezone(UTC)
    after = before + timedelta(hours=1)
    assert after.astimezone(OSLO).hour == before.astimezone(OSLO).hour == 2
    later = [meeting.starts_at - after for meeting in around(after).future]
    assert max(later) > timedelta(hours=4)
    assert min(later) == timedelta(minutes=1)


def test_nothing_of_a_shifted_day_lies_in_yesterday() -> None:
    now = oslo("2026-11-24 00:30:00")
    assert min(meeting.starts_at for meeting in around(now.astimezone(UTC)).past) >= oslo("2026-11-24 00:00:00")


def test_two_small_conferences_are_the_coordinators_own_and_one_begins_at_once() -> None:
    now = oslo("2026-11-23 10:20:30").astimezone(UTC)
    own = [meeting for meeting in around(now).future if meeting.own]
    assert len(own) == 2
    assert {meeting.rooms[0].organisation_id for meeting in own} == {3}
    assert own[0].starts_at < now + timedelta(minutes=2)
    assert not any(meeting.cancelled for meeting in own)


def test_what_studios_have_already_is_left_to_them() -> None:
    now = oslo("2026-11-23 10:20:30").astimezone(UTC)
    whole = (now - timedelta(days=1), now + timedelta(days=1))
    busy = {room.studio_id: [whole] for room in ROOMS[:600]}
    day = plan_around(1, now, OSLO, NETWORK, busy)
    used = {room.studio_id for meeting in day.past + day.future for room in meeting.rooms}
    assert used
    assert not used & busy.keys()
