"""What the charts show: conferences week by week, the busiest hours, and the latest days one by one."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from models import ConferenceUsage, HourUsage, Outcome, Report, StudioUsage, db
from reports.figures import has_part_in
from reports.periods import DAYS_IN_WEEK, YEAR_OF_WEEKS, Kind, containing, weeks_up_to

WEEKS = 12
OFFICE_HOURS = range(7, 18)  # always shown; earlier and later ones when something was up


@dataclass(frozen=True)
class Week:
    """Conferences of a week and of the one 52 weeks before; None where no day of it was reported. `days` and
    `days_before` say how many days of each were."""

    monday: date
    conferences: int | None
    year_before: int | None
    days: int = DAYS_IN_WEEK
    days_before: int = DAYS_IN_WEEK


@dataclass(frozen=True)
class Line:
    """The most conferences at once, hour by hour, on one weekday (0 is Monday); None where no hour was reported."""

    weekday: int
    conferences: list[int | None]


@dataclass(frozen=True)
class Busy:
    hours: list[int]
    lines: list[Line]

    @property
    def most(self) -> int:
        return max((number or 0 for line in self.lines for number in line.conferences), default=0)


@dataclass(frozen=True)
class DayLine:
    """A day of the list of latest days. `as_booked` of `decided`; `used_seconds` and health are of all studios."""

    day: date
    booked: int
    decided: int
    as_booked: int
    used_seconds: int
    healthy_seconds: int
    known_seconds: int


def made_reports(first: date, last: date) -> dict[date, datetime]:
    """When the report of each reported day was made, the oldest day first."""
    query = sa.select(Report.day, Report.made_at).where(Report.day.between(first, last)).order_by(Report.day)
    return {row.day: row.made_at for row in db.session.execute(query)}


def newest_day() -> date | None:
    return db.session.scalar(sa.select(sa.func.max(Report.day)))


def conferences_by_week(day: date, region: str | None = None) -> list[Week]:
    """Twelve weeks up to the one of the day, each beside the same a year before."""
    mondays = weeks_up_to(day, WEEKS)
    last = mondays[-1] + timedelta(days=6)
    days = _conferences_by_day([(mondays[0], last), (mondays[0] - YEAR_OF_WEEKS, last - YEAR_OF_WEEKS)], region)
    weeks: Counter[date] = Counter()
    for found, number in days.items():
        weeks[containing(Kind.WEEK, found).first] += number  # a week of nothing but zeros is there, too
    reported = Counter(containing(Kind.WEEK, found).first for found in days)
    pairs = [(monday, monday - YEAR_OF_WEEKS) for monday in mondays]
    return [Week(now, weeks.get(now), weeks.get(then), reported[now], reported[then]) for now, then in pairs]


def busiest_hours(first: date, last: date, zone: str) -> Busy:
    """By weekday and local hour; the hour that comes twice when the clock is put back counts once, by its greater."""
    query = sa.select(HourUsage.day, HourUsage.starts_at, HourUsage.conferences)
    most: dict[int, dict[int, int]] = defaultdict(dict)
    for row in db.session.execute(query.where(HourUsage.day.between(first, last))):
        hours, hour = most[row.day.weekday()], row.starts_at.astimezone(ZoneInfo(zone)).hour
        hours[hour] = max(hours.get(hour, 0), row.conferences)
    used = [hour for hours in most.values() for hour, number in hours.items() if number]
    shown = list(range(min([OFFICE_HOURS[0], *used]), max([OFFICE_HOURS[-1], *used]) + 1))
    weekdays = [first.weekday()] if first == last else range(7)
    return Busy(shown, [Line(weekday, [most[weekday].get(hour) for hour in shown]) for weekday in weekdays])


def latest_days(number: int) -> list[DayLine]:
    """The reported days, the newest first."""
    days = list(db.session.scalars(sa.select(Report.day).order_by(Report.day.desc()).limit(number)))
    if not days:
        return []
    counts, seconds = _by_day(_counts_by_day(days[-1], days[0])), _by_day(_seconds_by_day(days[-1], days[0]))
    return [DayLine(day, *counts.get(day, (0, 0, 0)), *seconds.get(day, (0, 0, 0))) for day in days]


def _by_day(query: sa.Executable) -> dict[date, tuple[int, int, int]]:
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in db.session.execute(query)}


def _conferences_by_day(spans: Sequence[tuple[date, date]], region: str | None) -> dict[date, int]:
    """Conferences of each reported day in the spans, the cancelled left out."""
    counted = (
        sa.select(ConferenceUsage.day, sa.func.count().label("number"))
        .where(_in_one_of(ConferenceUsage.day, spans), ConferenceUsage.outcome != Outcome.CANCELLED)
        .where(has_part_in(region) if region else sa.true())
        .group_by(ConferenceUsage.day)
        .subquery()
    )
    query = (
        sa.select(Report.day, sa.func.coalesce(counted.c.number, 0))
        .outerjoin(counted, counted.c.day == Report.day)
        .where(_in_one_of(Report.day, spans))
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _in_one_of(day: Any, spans: Sequence[tuple[date, date]]) -> sa.ColumnElement[bool]:
    return sa.or_(*(day.between(first, last) for first, last in spans))


def _counts_by_day(first: date, last: date) -> sa.Executable:
    open_or_gone = (Outcome.CANCELLED, Outcome.RUNNING)
    return (
        sa.select(
            ConferenceUsage.day,
            sa.func.sum(sa.case((ConferenceUsage.outcome != Outcome.CANCELLED, 1), else_=0)),
            sa.func.sum(sa.case((ConferenceUsage.outcome.not_in(open_or_gone), 1), else_=0)),
            sa.func.sum(sa.case((ConferenceUsage.as_booked, 1), else_=0)),
        )
        .where(ConferenceUsage.day.between(first, last))
        .group_by(ConferenceUsage.day)
    )


def _seconds_by_day(first: date, last: date) -> sa.Executable:
    known = StudioUsage.healthy_seconds + StudioUsage.faulty_seconds
    return (
        sa.select(
            StudioUsage.day,
            sa.func.sum(StudioUsage.used_seconds),
            sa.func.sum(StudioUsage.healthy_seconds),
            sa.func.sum(known),
        )
        .where(StudioUsage.day.between(first, last))
        .group_by(StudioUsage.day)
    )
