"""The rule of a series that is cut in two, or moved by some days. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from studios.booking.series import rules
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.rules import WEEKDAYS, Rule, Weekday


@dataclass(frozen=True)
class Met:
    """On which day the rule put a meeting at first, and by how many days it stands elsewhere; None when that was done
    to it alone."""

    recurs_on: date
    moved_by: int | None


def text(rule: Rule) -> str:
    """The rule as `rules.read` reads it."""
    parts = {
        "FREQ": rule.frequency.value,
        "INTERVAL": str(rule.interval) if rule.interval != 1 else "",
        "BYMONTH": _listed(rule.months),
        "BYMONTHDAY": _listed(rule.month_days),
        "BYDAY": _listed(f"{each.nth or ''}{WEEKDAYS[each.weekday]}" for each in rule.weekdays),
        "BYSETPOS": _listed(rule.positions),
        "WKST": WEEKDAYS[rule.week_start] if rule.week_start else "",
        "COUNT": str(rule.count or ""),
        "UNTIL": f"{rule.until:%Y%m%d}" if rule.until else "",
    }
    return ";".join(f"{name}={value}" for name, value in parts.items() if value)


def place_of(days: Sequence[date], met: Iterable[Met], recurs_on: date) -> int:
    """Which of the rule's days, from 0, is that of the meeting that recurred on this day at first.

    A series that was moved as a whole has a rule that was moved with it, by as many days as its meetings.
    """
    known = list(met)
    for moved_by in dict.fromkeys([0, *(each.moved_by for each in known if each.moved_by is not None)]):
        if {each.recurs_on + timedelta(days=moved_by) for each in known} <= set(days):
            return bisect_left(days, recurs_on + timedelta(days=moved_by))
    return bisect_left(days, recurs_on)


def cut(recurrence: Recurrence, index: int) -> tuple[Recurrence, Recurrence]:
    """The series up to, and without, its meeting of this index (from 1), and the series from it on."""
    rule = rules.read(recurrence.rule)
    days = rules.days(rule, recurrence.first_day)
    whole = rules.completed(rule, recurrence.first_day)
    before = replace(whole, count=None, until=days[index - 1])
    after = whole if whole.count is None else replace(whole, count=len(days) - index)
    return (
        replace(recurrence, rule=text(before)),
        replace(recurrence, rule=text(after), first_day=days[index]),
    )


def shifted(recurrence: Recurrence, by: int) -> Recurrence | None:
    """The series with each day moved by so many; None where no rule says that, such as for the second Tuesdays."""
    if by == 0:
        return recurrence
    rule, distance = rules.read(recurrence.rule), timedelta(days=by)
    wanted = [day + distance for day in rules.days(rule, recurrence.first_day)]
    moved = replace(
        rule,
        weekdays=tuple(Weekday((each.weekday + by) % 7, each.nth) for each in rule.weekdays),
        month_days=tuple(each + by for each in rule.month_days),
        until=rule.until + distance if rule.until else None,
    )
    found = replace(recurrence, rule=text(moved), first_day=recurrence.first_day + distance)
    try:
        return found if rules.days(rules.read(found.rule), found.first_day) == wanted else None
    except rules.RuleRefused:
        return None


def _listed(values: Iterable[object]) -> str:
    return ",".join(map(str, values))
