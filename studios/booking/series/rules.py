"""A rule of recurrence (RFC 5545, section 3.3.10) as values, and the days that it names. Pure.

Only what a series of meetings needs is read: days, weeks, months and years, always with an end. Every expansion is
bounded, whatever the rule says: dateutil steps from period to period, each of which gives one step, so that a rule that
no day ever meets ends at the horizon and not in the year 9999.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal

from dateutil import rrule

MOST_OCCURRENCES = 200
MOST_SEATS = 2000
"""So many meetings times parties a series has at most; they are booked in one transaction."""
FURTHEST = timedelta(days=3653)  # ten years
SENSIBLE_YEARS = range(1900, 9001)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
READ = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
BELOW_A_DAY = {"BYHOUR", "BYMINUTE", "BYSECOND"}
NOT_READ = {"BYWEEKNO", "BYYEARDAY", "RSCALE", "SKIP"}
WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


class RuleProblem(StrEnum):
    """Why a rule can't be a series."""

    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"
    BELOW_A_DAY = "below_a_day"
    HAS_START = "has_start"
    UNTIL_IS_NOT_A_DAY = "until_is_not_a_day"
    NO_END = "no_end"
    TWO_ENDS = "two_ends"
    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    TOO_FAR = "too_far"
    NEVER = "never"


class RuleRefused(Exception):
    def __init__(self, problem: RuleProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class Frequency(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


STEPS: dict[Frequency, Literal[0, 1, 2, 3]] = {
    Frequency.DAILY: rrule.DAILY,
    Frequency.WEEKLY: rrule.WEEKLY,
    Frequency.MONTHLY: rrule.MONTHLY,
    Frequency.YEARLY: rrule.YEARLY,
}


@dataclass(frozen=True)
class Weekday:
    """Monday is 0. `nth` counts within the month (or year), from its end when negative; None is every one."""

    weekday: int
    nth: int | None = None


@dataclass(frozen=True)
class Rule:
    """What the text of a rule says; an empty tuple where it says nothing. `until` is a local day, itself included."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | None = None
    weekdays: tuple[Weekday, ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


def read(text: str) -> Rule:
    """The rule of a text such as "FREQ=WEEKLY;BYDAY=MO;COUNT=26". Raises RuleRefused."""
    parts = _parts(text)
    rule = Rule(
        frequency=Frequency(parts["FREQ"]),
        interval=_number(parts.get("INTERVAL", "1"), 999),
        count=_number(parts["COUNT"], 10**9) if "COUNT" in parts else None,
        until=_day(parts["UNTIL"]) if "UNTIL" in parts else None,
        weekdays=_weekdays(parts.get("BYDAY")),
        month_days=_numbers(parts.get("BYMONTHDAY"), 31),
        months=tuple(_number(month, 12) for month in _listed(parts.get("BYMONTH"))),
        positions=_numbers(parts.get("BYSETPOS"), 366),
        week_start=_week_start(parts.get("WKST", "MO")),
    )
    if problem := _problem(rule):
        raise RuleRefused(problem)
    return rule


def completed(rule: Rule, first_day: date) -> Rule:
    """The rule with what it leaves open taken from the first day: weekly is on that day's weekday, and so on."""
    if rule.weekdays or rule.month_days or rule.frequency is Frequency.DAILY:
        return rule
    if rule.frequency is Frequency.WEEKLY:
        return replace(rule, weekdays=(Weekday(first_day.weekday()),))
    if rule.frequency is Frequency.MONTHLY:
        return replace(rule, month_days=(first_day.day,))
    return replace(rule, months=rule.months or (first_day.month,), month_days=(first_day.day,))


def days(rule: Rule, first_day: date) -> list[date]:
    """The days of the rule from `first_day` on, which is one of them only if the rule says so. Raises RuleRefused."""
    if first_day.year not in SENSIBLE_YEARS:
        raise RuleRefused(RuleProblem.TOO_FAR)
    horizon = first_day + FURTHEST
    last = min(rule.until or horizon, horizon)
    found: list[date] = []
    for day in _days_until(completed(rule, first_day), first_day, last):
        found.append(day)
        if len(found) == rule.count:
            return found
        if len(found) > MOST_OCCURRENCES:
            raise RuleRefused(RuleProblem.TOO_MANY)
    if not found:
        raise RuleRefused(RuleProblem.NEVER)
    if rule.until is None or rule.until > horizon:
        raise RuleRefused(RuleProblem.TOO_FAR)
    return found


def _days_until(rule: Rule, first_day: date, last: date) -> Iterator[date]:
    start = datetime.combine(_period_start(rule, first_day), time())
    until = datetime.combine(last, time())
    for step in rrule.rrule(STEPS[rule.frequency], dtstart=start, interval=rule.interval, until=until):
        period = _period(rule.frequency, step.date())
        chosen = _at_positions([day for day in period if _matches(rule, day)], rule.positions)
        yield from (day for day in chosen if first_day <= day <= last)


def _period_start(rule: Rule, day: date) -> date:
    match rule.frequency:
        case Frequency.DAILY:
            return day
        case Frequency.WEEKLY:
            return day - timedelta(days=(day.weekday() - rule.week_start) % 7)
        case Frequency.MONTHLY:
            return day.replace(day=1)
        case Frequency.YEARLY:
            return day.replace(month=1, day=1)


def _period(frequency: Frequency, start: date) -> list[date]:
    """All days of the period that begins on `start`."""
    match frequency:
        case Frequency.DAILY:
            length = 1
        case Frequency.WEEKLY:
            length = 7
        case Frequency.MONTHLY:
            length = monthrange(start.year, start.month)[1]
        case Frequency.YEARLY:
            length = (start.replace(year=start.year + 1) - start).days
    return [start + timedelta(days=number) for number in range(length)]


def _matches(rule: Rule, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    from_end = day.day - monthrange(day.year, day.month)[1] - 1
    if rule.month_days and not {day.day, from_end} & set(rule.month_days):
        return False
    return not rule.weekdays or any(_is_weekday(rule, weekday, day) for weekday in rule.weekdays)


def _is_weekday(rule: Rule, wanted: Weekday, day: date) -> bool:
    """Whether the day is that weekday; the nth is counted in the year where a yearly rule names no months."""
    if day.weekday() != wanted.weekday:
        return False
    if wanted.nth is None:
        return True
    in_year = rule.frequency is Frequency.YEARLY and not rule.months
    first = day.replace(month=1, day=1) if in_year else day.replace(day=1)
    last = day.replace(month=12, day=31) if in_year else day.replace(day=monthrange(day.year, day.month)[1])
    return wanted.nth in ((day - first).days // 7 + 1, -((last - day).days // 7) - 1)


def _at_positions(matching: list[date], positions: tuple[int, ...]) -> list[date]:
    if not positions:
        return matching
    size = len(matching)
    return [day for number, day in enumerate(matching) if {number + 1, number - size} & set(positions)]


def _problem(rule: Rule) -> RuleProblem | None:
    """What RFC 5545 or our bounds forbid of a rule that could be read."""
    if rule.count is None and rule.until is None:
        return RuleProblem.NO_END
    if rule.count is not None and rule.until is not None:
        return RuleProblem.TWO_ENDS
    if rule.count is not None and rule.count > MOST_OCCURRENCES:
        return RuleProblem.TOO_MANY
    of_weeks = rule.frequency in (Frequency.DAILY, Frequency.WEEKLY)
    if of_weeks and (rule.positions or any(weekday.nth for weekday in rule.weekdays)):
        return RuleProblem.UNSUPPORTED
    if rule.frequency is Frequency.WEEKLY and rule.month_days:
        return RuleProblem.UNSUPPORTED
    if rule.positions and not (rule.weekdays or rule.month_days):
        return RuleProblem.UNSUPPORTED
    return None


def _parts(text: str) -> dict[str, str]:
    """Name and value of each part, once each, with a frequency that is ours."""
    text = text.strip().upper()
    if "DTSTART" in text:
        raise RuleRefused(RuleProblem.HAS_START)
    pairs = [part.partition("=") for part in text.removeprefix("RRULE:").split(";")]
    parts = {name: value for name, _, value in pairs}
    if len(parts) < len(pairs) or parts.keys() - READ - BELOW_A_DAY - NOT_READ or "FREQ" not in parts:
        raise RuleRefused(RuleProblem.UNREADABLE)
    if parts["FREQ"] in ("HOURLY", "MINUTELY", "SECONDLY") or parts.keys() & BELOW_A_DAY:
        raise RuleRefused(RuleProblem.BELOW_A_DAY)
    if parts.keys() & NOT_READ:
        raise RuleRefused(RuleProblem.UNSUPPORTED)
    if parts["FREQ"] not in set(Frequency):
        raise RuleRefused(RuleProblem.UNREADABLE)
    return parts


def _day(text: str) -> date:
    """A day such as 20270517. An instant is refused: which local day it ends on is for who knows its zone to say."""
    if re.fullmatch(r"[0-9]{8}T[0-9]{6}Z?", text):
        raise RuleRefused(RuleProblem.UNTIL_IS_NOT_A_DAY)
    if not re.fullmatch(r"[0-9]{8}", text):
        raise RuleRefused(RuleProblem.UNREADABLE)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise RuleRefused(RuleProblem.UNREADABLE) from None


def _listed(text: str | None) -> list[str]:
    return [] if text is None else text.split(",")


def _weekdays(text: str | None) -> tuple[Weekday, ...]:
    return tuple(_weekday(one) for one in _listed(text))


def _weekday(text: str) -> Weekday:
    if not (found := WEEKDAY.fullmatch(text)):
        raise RuleRefused(RuleProblem.UNREADABLE)
    nth = _signed(found[1], 53) if found[1] else None
    return Weekday(WEEKDAYS.index(found[2]), nth)


def _week_start(text: str) -> int:
    if text not in WEEKDAYS:
        raise RuleRefused(RuleProblem.UNREADABLE)
    return WEEKDAYS.index(text)


def _numbers(text: str | None, largest: int) -> tuple[int, ...]:
    return tuple(_signed(one, largest) for one in _listed(text))


def _number(text: str, largest: int) -> int:
    """A number from 1 to `largest`."""
    number = _signed(text, largest)
    if number < 1:
        raise RuleRefused(RuleProblem.UNREADABLE)
    return number


def _signed(text: str, largest: int) -> int:
    """A number from 1 to `largest`, or as much below zero."""
    if not NUMBER.fullmatch(text) or not 1 <= abs(int(text)) <= largest:
        raise RuleRefused(RuleProblem.UNREADABLE)
    return int(text)
