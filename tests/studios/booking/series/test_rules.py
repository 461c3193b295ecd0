import time
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from dateutil import rrule
from hypothesis import assume, given
from hypothesis import strategies as st

from studios.booking.series.rules import MOST_OCCURRENCES, RuleProblem, RuleRefused, days, read

MONDAY = date(2026, 10, 19)
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def refusal(text: str, first_day: date = MONDAY) -> RuleProblem:
    with pytest.raises(RuleRefused) as refused:
        days(read(text), first_day)
    return refused.value.problem


@st.composite
def rules_that_occur(draw) -> str:
    """Rules in which our reading and dateutil's must agree; those that dateutil would search for ages are left out."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    interval = draw(st.integers(1, 4 if frequency != "YEARLY" else 1))
    parts = [f"FREQ={frequency}", f"INTERVAL={interval}", f"WKST={draw(st.sampled_from(['MO', 'SU']))}"]
    by = st.sampled_from(["", "days", "nth", "month days"] if frequency in ("MONTHLY", "YEARLY") else ["", "days"])
    weekdays = st.lists(
        st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=4, unique=True
    )
    match draw(by):
        case "days":
            parts.append("BYDAY=" + ",".join(draw(weekdays)))
            if frequency in ("MONTHLY", "YEARLY") and draw(st.booleans()):
                parts.append(f"BYSETPOS={draw(st.sampled_from(['1', '-1', '2,-2', '4']))}")
        case "nth":
            numbers = st.sampled_from([1, 2, 3, 4, -1, -2, -4])
            parts.append("BYDAY=" + ",".join(f"{draw(numbers)}{weekday}" for weekday in draw(weekdays)))
        case "month days":
            month_days = st.lists(st.sampled_from([1, 13, 28, -1, -3]), min_size=1, max_size=3, unique=True)
            parts.append("BYMONTHDAY=" + ",".join(map(str, draw(month_days))))
    if frequency == "YEARLY" and draw(st.booleans()):
        parts.append("BYMONTH=" + draw(st.sampled_from(["1", "3,5", "2,12"])))
    return ";".join([*parts, f"COUNT={draw(st.integers(1, 9))}"])


@given(rules_that_occur(), st.dates(date(2020, 1, 1), date(2060, 12, 28)))
def test_the_days_of_a_rule_are_those_that_dateutil_finds(text, first_day):
    assume(first_day.day <= 28)
    theirs = rrule.rrulestr(text, dtstart=datetime.combine(first_day, datetime.min.time()))
    assert days(read(text), first_day) == [instant.date() for instant in theirs]


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(1, 6),
    st.integers(0, 150),
)
def test_a_weekly_rule_names_its_weekdays_in_every_nth_week_until_its_last_day(first, weekdays, interval, length):
    last = first + timedelta(days=length)
    monday = first - timedelta(days=first.weekday())
    walked = [first + timedelta(days=number) for number in range(length + 1)]
    expected = [day for day in walked if day.weekday() in weekdays and (day - monday).days // 7 % interval == 0]
    assume(expected)
    names = ",".join(WEEKDAYS[weekday] for weekday in weekdays)
    text = f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={names};UNTIL={last:%Y%m%d}"
    assert days(read(text), first) == expected


def test_the_last_day_of_a_rule_is_one_of_it():
    assert days(read("FREQ=WEEKLY;UNTIL=20261102"), MONDAY)[-1] == date(2026, 11, 2)


def test_the_first_day_counts_only_if_the_rule_names_it():
    assert days(read("FREQ=WEEKLY;BYDAY=TU;COUNT=2"), MONDAY) == [date(2026, 10, 20), date(2026, 10, 27)]


def test_a_month_without_that_day_is_passed_over():
    found = days(read("FREQ=MONTHLY;COUNT=3"), date(2027, 1, 31))
    assert found == [date(2027, 1, 31), date(2027, 3, 31), date(2027, 5, 31)]


def test_the_last_friday_of_each_month_can_be_said_in_two_ways():
    expected = [date(2026, 10, 30), date(2026, 11, 27), date(2026, 12, 25)]
    assert days(read("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"), MONDAY) == expected
    assert days(read("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1;COUNT=3"), MONDAY) == expected


def test_weekdays_with_and_without_a_number_are_added_up():
    found = days(read("FREQ=MONTHLY;BYDAY=1MO,TU;COUNT=5"), date(2026, 11, 1))
    assert found == [date(2026, 11, day) for day in (2, 3, 10, 17, 24)]


def test_a_rule_is_read_in_small_letters_and_with_its_name():
    assert read("rrule:freq=daily;count=2") == read("FREQ=DAILY;COUNT=2")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", RuleProblem.UNREADABLE),
        ("every Monday", RuleProblem.UNREADABLE),
        ("COUNT=3", RuleProblem.UNREADABLE),
        ("FREQ=FORTNIGHTLY;COUNT=3", RuleProblem.UNREADABLE),
        ("FREQ=DAILY;COUNT=3;COUNT=4", RuleProblem.UNREADABLE),
        ("FREQ=DAILY;COUNT=0", RuleProblem.UNREADABLE),
        ("FREQ=DAILY;COUNT=-3", RuleProblem.UNREADABLE),
        ("FREQ=DAILY;COUNT=٣", RuleProblem.UNREADABLE),
        ("FREQ=DAILY;COUNT=" + "9" * 5000, RuleProblem.UNREADABLE),
        ("FREQ=DAILY;INTERVAL=0;COUNT=3", RuleProblem.UNREADABLE),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=3", RuleProblem.UNREADABLE),
        ("FREQ=WEEKLY;BYDAY=;COUNT=3", RuleProblem.UNREADABLE),
        ("FREQ=MONTHLY;BYMONTHDAY=32;COUNT=3", RuleProblem.UNREADABLE),
        ("FREQ=MONTHLY;BYMONTHDAY=0;COUNT=3", RuleProblem.UNREADABLE),
        ("FREQ=YEARLY;BYMONTH=13;COUNT=3", RuleProblem.UNREADABLE),
        ("FREQ=DAILY;UNTIL=20270230", RuleProblem.UNREADABLE),
        ("FREQ=DAILY;COUNT=3;COLOUR=RED", RuleProblem.UNREADABLE),
        ("FREQ=WEEKLY;WKST=FOO;COUNT=3", RuleProblem.UNREADABLE),
        ("FREQ=DAILY;UNTIL=20270517T070000Z", RuleProblem.UNTIL_IS_NOT_A_DAY),
        ("FREQ=DAILY", RuleProblem.NO_END),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270517", RuleProblem.TWO_ENDS),
        ("FREQ=HOURLY;COUNT=3", RuleProblem.BELOW_A_DAY),
        ("FREQ=DAILY;BYHOUR=9;COUNT=3", RuleProblem.BELOW_A_DAY),
        ("FREQ=DAILY;BYMINUTE=30;COUNT=3", RuleProblem.BELOW_A_DAY),
        ("FREQ=DAILY;BYSECOND=1;COUNT=3", RuleProblem.BELOW_A_DAY),
        ("DTSTART:20261019T090000\nRRULE:FREQ=DAILY;COUNT=3", RuleProblem.HAS_START),
        ("FREQ=YEARLY;BYWEEKNO=20;COUNT=3", RuleProblem.UNSUPPORTED),
        ("FREQ=YEARLY;BYYEARDAY=100;COUNT=3", RuleProblem.UNSUPPORTED),
        ("FREQ=WEEKLY;BYDAY=2MO;COUNT=3", RuleProblem.UNSUPPORTED),
        ("FREQ=WEEKLY;BYMONTHDAY=2;COUNT=3", RuleProblem.UNSUPPORTED),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1;COUNT=3", RuleProblem.UNSUPPORTED),
        ("FREQ=MONTHLY;BYSETPOS=1;COUNT=3", RuleProblem.UNSUPPORTED),
        (f"FREQ=DAILY;COUNT={MOST_OCCURRENCES + 1}", RuleProblem.TOO_MANY),
        ("FREQ=DAILY;UNTIL=20270601", RuleProblem.TOO_MANY),
        ("FREQ=YEARLY;COUNT=12", RuleProblem.TOO_FAR),
        ("FREQ=YEARLY;UNTIL=21000101", RuleProblem.TOO_FAR),
        ("FREQ=DAILY;UNTIL=20261018", RuleProblem.NEVER),
    ],
)
def test_a_rule_that_cannot_be_a_series_says_why(text, problem):
    assert refusal(text) is problem


def test_two_hundred_occurrences_are_a_series():
    assert len(days(read(f"FREQ=DAILY;COUNT={MOST_OCCURRENCES}"), MONDAY)) == MOST_OCCURRENCES
    last = MONDAY + timedelta(days=MOST_OCCURRENCES - 1)
    assert days(read(f"FREQ=DAILY;UNTIL={last:%Y%m%d}"), MONDAY)[-1] == last


@pytest.mark.parametrize("first_day", [date.min, date.max])
def test_a_first_day_at_the_end_of_the_calendar_is_too_far(first_day):
    assert refusal("FREQ=WEEKLY;COUNT=3", first_day) is RuleProblem.TOO_FAR


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;COUNT=100000000",
        "FREQ=DAILY;UNTIL=99991231",
        "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2;COUNT=5",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2;COUNT=5",
        "FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2;UNTIL=99991231",
        "FREQ=YEARLY;BYDAY=53MO;BYSETPOS=366;COUNT=5",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU;COUNT=5",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6;COUNT=5",
        "FREQ=YEARLY;INTERVAL=999;BYMONTHDAY=31;BYMONTH=2;COUNT=5",
    ],
)
def test_a_rule_without_end_or_without_days_is_refused_at_once(text):
    began = time.perf_counter()
    assert refusal(text) in (RuleProblem.TOO_MANY, RuleProblem.NEVER)
    assert time.perf_counter() - began < 0.5


@given(st.text(alphabet="FREQ=DAILYWKMONTH;BC,-+0123456789UNTS\n٣", max_size=60))
def test_any_text_is_read_or_refused(text):
    for given_text in (text, f"FREQ=DAILY;{text}"):
        with suppress(RuleRefused):
            days(read(given_text), MONDAY)
