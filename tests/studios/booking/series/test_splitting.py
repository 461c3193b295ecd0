from datetime import date, time, timedelta

import pytest

from studios.booking.series import rules
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.splitting import Met, cut, place_of, shifted, text

FIRST = date(2026, 10, 19)
RULES = [
    "FREQ=DAILY;COUNT=9",
    "FREQ=DAILY;INTERVAL=3;UNTIL=20270101",
    "FREQ=WEEKLY;COUNT=26",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;COUNT=12",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU,MO;WKST=SU;COUNT=12",
    "FREQ=MONTHLY;BYDAY=2TU;COUNT=12",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;UNTIL=20280301",
    "FREQ=MONTHLY;BYMONTHDAY=15,-1;COUNT=9",
    "FREQ=YEARLY;COUNT=5",
    "FREQ=YEARLY;BYMONTH=3,9;BYDAY=-1FR;INTERVAL=2;COUNT=5",
]


def met(rule: str, first: date = FIRST) -> list[date]:
    return rules.days(rules.read(rule), first)


def recurrence(rule: str) -> Recurrence:
    return Recurrence(rule, FIRST, time(9), 60, "Europe/Oslo")


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_written_as_it_is_read(rule):
    assert rules.read(text(rules.read(rule))) == rules.read(rule)


@pytest.mark.parametrize("rule", RULES)
def test_a_series_that_is_cut_in_two_meets_on_the_same_days(rule):
    days = met(rule)
    for index in range(1, len(days)):
        head, tail = cut(recurrence(rule), index)
        assert met(head.rule, head.first_day) == days[:index]
        assert met(tail.rule, tail.first_day) == days[index:]
        assert tail.first_day == days[index]


@pytest.mark.parametrize("by", [1, -1, 3, 7])
def test_a_series_is_moved_by_days_where_a_rule_can_say_so(by):
    for rule in RULES[:4]:
        moved = shifted(recurrence(rule), by)
        if moved is not None:
            assert met(moved.rule, moved.first_day) == [day + timedelta(days=by) for day in met(rule)]
    assert shifted(recurrence("FREQ=WEEKLY;BYDAY=MO;COUNT=3"), by) is not None
    assert shifted(recurrence("FREQ=MONTHLY;BYDAY=2TU;COUNT=12"), by) is None
    assert shifted(recurrence("FREQ=MONTHLY;BYMONTHDAY=1;COUNT=12"), -3) is None


def test_a_meetings_place_is_found_after_the_series_was_moved():
    days = met("FREQ=WEEKLY;COUNT=6")
    moved = [day + timedelta(days=1) for day in days]
    members = [Met(day, 1) for day in days[2:]] + [Met(days[1], None), Met(days[0], 0)]
    assert [place_of(moved, members, day) for day in days] == list(range(6))
    assert [place_of(days, [Met(day, 0) for day in days], day) for day in days] == list(range(6))
