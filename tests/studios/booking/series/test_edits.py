from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studios.booking.rules import instant
from studios.booking.series.edits import Change, Kept, Member, Outcome, Scope, Stage, cancel, edit

OSLO = ZoneInfo("Europe/Oslo")
LONG_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(day: date, wall: time = time(9)) -> datetime:
    return instant(day, wall, OSLO)


def member(number: int, day: date, wall: time = time(9), **changes) -> Member:
    start = at(day, wall)
    values = {"recurs_at": start, "start": start, "end": start + HOUR, "stage": Stage.PLANNED, "detached": False}
    return Member(number, **{**values, **changes})


def mondays(first: date = date(2026, 10, 12), count: int = 4) -> list[Member]:
    """At nine; the third is the first one in winter time."""
    return [member(number, first + timedelta(weeks=number)) for number in range(count)]


def edited(members: list[Member], pivot: int, scope: Scope, now: datetime = LONG_BEFORE, **change) -> list[Outcome]:
    return edit(members, members[pivot], scope, Change(**change), OSLO, now)


def ids(outcomes: list[Outcome]) -> list[int]:
    return [outcome.member.conference_id for outcome in outcomes]


def walls(outcomes: list[Outcome]) -> list[str]:
    return [f"{outcome.start.astimezone(OSLO):%m-%d %H:%M}" for outcome in outcomes]


def test_an_edit_of_this_one_is_for_no_other():
    outcomes = edited(mondays(), 1, Scope.THIS, title=True)
    assert ids(outcomes) == [1]
    assert outcomes[0].title


def test_an_edit_of_the_following_has_this_one_in_it_and_none_before():
    assert ids(edited(mondays(), 1, Scope.FOLLOWING, title=True)) == [1, 2, 3]


def test_an_edit_of_all_is_for_those_before_too():
    assert ids(edited(mondays(), 2, Scope.ALL, title=True)) == [0, 1, 2, 3]


def test_what_follows_is_told_by_where_the_rule_put_it():
    members = mondays()
    members[0] = member(0, date(2026, 12, 1), recurs_at=members[0].recurs_at, detached=True)
    assert ids(edited(members, 1, Scope.FOLLOWING, title=True)) == [1, 2, 3]


def test_a_new_time_is_that_time_on_the_wall_on_both_sides_of_the_clock_change():
    outcomes = edited(mondays(), 0, Scope.ALL, start=at(date(2026, 10, 12), time(10, 30)))
    assert walls(outcomes) == ["10-12 10:30", "10-19 10:30", "10-26 10:30", "11-02 10:30"]
    assert [outcome.end - outcome.start for outcome in outcomes] == [HOUR] * 4


def test_a_new_day_moves_each_by_as_many_days_and_keeps_its_time_on_the_wall():
    # Monday to Sunday, the 25th, is over the clock change for the third one.
    outcomes = edited(mondays(), 0, Scope.ALL, start=at(date(2026, 10, 11)))
    assert walls(outcomes) == ["10-11 09:00", "10-18 09:00", "10-25 09:00", "11-01 09:00"]


def test_a_new_day_alone_leaves_each_at_its_own_time():
    members = [*mondays(count=2), member(2, date(2026, 10, 26), time(14))]
    outcomes = edited(members, 0, Scope.ALL, start=at(date(2026, 10, 13)))
    assert walls(outcomes) == ["10-13 09:00", "10-20 09:00", "10-27 14:00"]


def test_a_new_length_is_for_each_and_moves_no_start():
    outcomes = edited(mondays(), 0, Scope.ALL, minutes=90)
    assert [outcome.start for outcome in outcomes] == [one.start for one in mondays()]
    assert {outcome.end - outcome.start for outcome in outcomes} == {timedelta(minutes=90)}


def test_new_words_move_nothing():
    outcomes = edited(mondays(), 0, Scope.ALL, start=mondays()[0].start, title=True, purpose=True)
    assert not any(outcome.moved for outcome in outcomes)
    assert all(outcome.title and outcome.purpose and outcome.kept is None for outcome in outcomes)


@pytest.mark.parametrize("scope", [Scope.FOLLOWING, Scope.ALL])
def test_a_cancelled_one_is_never_resurrected(scope):
    members = mondays()
    members[2] = member(2, date(2026, 10, 26), stage=Stage.CANCELLED)
    outcome = edited(members, 0, scope, start=at(date(2026, 10, 13)), title=True, parties=True, minutes=30)[2]
    assert outcome.kept is Kept.CANCELLED
    assert not outcome.changed


def test_the_cancelled_one_itself_takes_no_edit():
    members = [member(0, date(2026, 10, 12), stage=Stage.CANCELLED)]
    assert edited(members, 0, Scope.THIS, title=True)[0].kept is Kept.CANCELLED


def test_what_is_over_or_under_way_is_left_alone():
    members = mondays()
    now = members[1].start + HOUR / 2
    outcomes = edited(members, 2, Scope.ALL, now, start=at(date(2026, 10, 26), time(11)), title=True, parties=True)
    assert [outcome.kept for outcome in outcomes] == [Kept.OVER, Kept.UNDER_WAY, None, None]
    assert [outcome.changed for outcome in outcomes] == [False, False, True, True]


def test_a_meeting_whose_calls_are_up_early_is_under_way():
    members = [member(0, date(2026, 10, 12), stage=Stage.LIVE)]
    assert edited(members, 0, Scope.THIS, title=True)[0].kept is Kept.UNDER_WAY


def test_a_meeting_that_was_ended_early_is_over():
    start = at(date(2026, 10, 12))
    members = [member(0, date(2026, 10, 12), stage=Stage.OVER)]
    assert edited(members, 0, Scope.THIS, now=start + HOUR / 2, title=True)[0].kept is Kept.OVER


def test_a_detached_one_keeps_its_time_and_studios_but_takes_title_and_purpose():
    members = mondays()
    members[1] = member(1, date(2026, 10, 20), time(13), recurs_at=members[1].recurs_at, detached=True)
    change = {"start": at(date(2026, 10, 12), time(10)), "minutes": 30, "title": True, "purpose": True, "parties": True}
    outcome = edited(members, 0, Scope.ALL, **change)[1]
    assert (outcome.start, outcome.end) == (members[1].start, members[1].end)
    assert (outcome.title, outcome.purpose, outcome.parties) == (True, True, False)
    assert outcome.kept is Kept.DETACHED
    assert outcome.detached


def test_a_detached_one_is_not_told_of_when_only_words_change():
    members = mondays()
    members[1] = member(1, date(2026, 10, 20), recurs_at=members[1].recurs_at, detached=True)
    assert edited(members, 0, Scope.ALL, title=True)[1].kept is None


def test_a_detached_one_takes_what_is_edited_on_itself():
    members = mondays()
    members[1] = member(1, date(2026, 10, 20), time(13), recurs_at=members[1].recurs_at, detached=True)
    outcomes = edited(members, 1, Scope.FOLLOWING, start=at(date(2026, 10, 20), time(14)), parties=True)
    assert walls(outcomes) == ["10-20 14:00", "10-26 14:00", "11-02 14:00"]
    assert [outcome.detached for outcome in outcomes] == [True, False, False]


@pytest.mark.parametrize(
    ("scope", "change", "detached"),
    [
        (Scope.THIS, {"minutes": 30}, True),
        (Scope.THIS, {"parties": True}, True),
        (Scope.THIS, {"title": True}, False),
        (Scope.ALL, {"minutes": 30, "parties": True}, False),
    ],
)
def test_only_what_is_moved_or_reseated_by_itself_is_detached(scope, change, detached):
    assert edited(mondays(), 0, scope, **change)[0].detached is detached


def test_a_night_without_the_new_time_keeps_the_old_one():
    saturdays = [member(number, date(2026, 3, 22) + timedelta(weeks=number), time(1)) for number in range(3)]
    outcomes = edited(saturdays, 0, Scope.ALL, start=at(date(2026, 3, 22), time(2, 30)), title=True)
    assert walls(outcomes) == ["03-22 02:30", "03-29 01:00", "04-05 02:30"]
    assert [outcome.kept for outcome in outcomes] == [None, Kept.DOES_NOT_EXIST, None]
    assert outcomes[1].title


def test_a_night_with_the_new_time_twice_takes_the_first_and_says_so():
    sundays = [member(number, date(2026, 10, 18) + timedelta(weeks=number), time(1)) for number in range(2)]
    outcome = edited(sundays, 0, Scope.ALL, start=at(date(2026, 10, 18), time(2, 30)))[1]
    assert outcome.start == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert outcome.ambiguous


def test_the_second_of_two_equal_times_is_meant_for_that_night_only():
    nights = [member(0, date(2026, 10, 25), time(1)), member(1, date(2027, 3, 28), time(1))]
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    outcomes = edited(nights, 0, Scope.ALL, start=second)
    assert outcomes[0].start == second
    assert outcomes[1].kept is Kept.DOES_NOT_EXIST


def test_an_hour_that_was_chosen_in_a_night_with_two_stays_when_no_time_changes():
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    nights = [member(0, date(2026, 10, 24), time(2, 30)), Member(1, second, second, second + HOUR)]
    assert edited(nights, 0, Scope.ALL, minutes=30)[1].start == second


@pytest.mark.parametrize(("scope", "cancelled"), [(Scope.THIS, [2]), (Scope.FOLLOWING, [2, 3]), (Scope.ALL, [1, 2, 3])])
def test_cancelling_is_for_what_has_not_begun(scope, cancelled):
    members = mondays()
    members[3] = member(3, date(2026, 11, 3), recurs_at=members[3].recurs_at, detached=True)
    outcomes = cancel(members, members[2], scope, members[0].start)
    assert [one.member.conference_id for one in outcomes if one.kept is None] == cancelled


def test_cancelling_leaves_what_is_cancelled_over_or_under_way():
    members = [
        member(0, date(2026, 10, 12)),
        member(1, date(2026, 10, 19)),
        member(2, date(2026, 10, 26), stage=Stage.CANCELLED),
    ]
    outcomes = cancel(members, members[2], Scope.ALL, members[1].start)
    assert [one.kept for one in outcomes] == [Kept.OVER, Kept.UNDER_WAY, Kept.CANCELLED]


@given(
    st.lists(st.tuples(st.sampled_from(list(Stage)), st.booleans()), min_size=1, max_size=12),
    st.data(),
    st.sampled_from(list(Scope)),
    st.integers(-3, 3),
    st.times(time(4), time(22)),
    st.integers(0, 100),
)
def test_whatever_is_edited_only_what_is_to_come_moves_and_to_the_same_time_on_the_wall(
    kinds, data, scope, days, wall, passed
):
    wall = wall.replace(microsecond=0, second=0)
    first = date(2026, 9, 28)
    members = [
        member(number, first + timedelta(weeks=number), stage=stage, detached=detached)
        for number, (stage, detached) in enumerate(kinds)
    ]
    pivot = data.draw(st.integers(0, len(members) - 1))
    now = at(first) + timedelta(days=passed)
    new_start = at(first + timedelta(weeks=pivot, days=days), wall)
    for outcome in edited(members, pivot, scope, now, start=new_start, title=True):
        number = outcome.member.conference_id
        may_change = outcome.member.stage is Stage.PLANNED and outcome.member.start > now
        assert outcome.changed is may_change
        if may_change and (number == pivot or not outcome.member.detached):
            local = outcome.start.astimezone(OSLO).replace(tzinfo=None)
            assert local == datetime.combine(first + timedelta(weeks=number, days=days), wall)
            assert outcome.end - outcome.start == HOUR
        else:
            assert (outcome.start, outcome.end) == (outcome.member.start, outcome.member.end)
