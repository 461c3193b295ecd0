"""Days, weeks, months and years that reports sum over: which one contains a day, and which comes before and after."""

import enum
from dataclasses import dataclass
from datetime import date, timedelta

DAYS_IN_WEEK = 7
SATURDAY = 5
YEAR_OF_WEEKS = timedelta(weeks=52)  # so that Mondays meet Mondays


class Kind(enum.StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both in it. Weeks begin on Mondays."""

    kind: Kind
    first: date
    last: date

    @property
    def previous(self) -> "Period":
        return containing(self.kind, self.first - timedelta(days=1))

    @property
    def next(self) -> "Period":
        return containing(self.kind, self.last + timedelta(days=1))

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def up_to(self, number: int) -> "Period":
        """Its first `number` days, or all of them: what a period that is not over is fairly compared with."""
        return Period(self.kind, self.first, min(self.last, self.first + timedelta(days=number - 1)))


def containing(kind: Kind, day: date) -> Period:
    """The period that the day is in. Raises OverflowError or ValueError beyond the calendar's ends."""
    if kind is Kind.DAY:
        return Period(kind, day, day)
    if kind is Kind.WEEK:
        first = day - timedelta(days=day.weekday())
        return Period(kind, first, first + timedelta(days=DAYS_IN_WEEK - 1))
    if kind is Kind.MONTH:
        first = day.replace(day=1)
        return Period(kind, first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    return Period(kind, date(day.year, 1, 1), date(day.year, 12, 31))


def working_days(first: date, last: date) -> int:
    """Mondays to Fridays; public holidays count as the weekdays they fall on."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return sum(1 for day in days if day.weekday() < SATURDAY)


def weeks_up_to(day: date, number: int) -> list[date]:
    """The Mondays of `number` weeks, the last being the week of the day."""
    monday = containing(Kind.WEEK, day).first
    return [monday - timedelta(weeks=back) for back in reversed(range(number))]
