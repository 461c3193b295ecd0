"""How busy a day is: working days, weekends, holidays.

Norway's public holidays are few and follow from the year and its Easter Sunday, so that no table of years runs out.
"""

from datetime import date, timedelta
from functools import cache
from random import Random

FEWEST, MOST = 200, 250  # conferences on a working day
ON_A_FRIDAY, IN_JULY, ON_A_QUIET_DAY = 0.7, 0.4, 0.3
FEWEST_AT_REST, MOST_AT_REST = 5, 11  # at weekends and on public holidays

FIXED_HOLIDAYS = {(1, 1), (5, 1), (5, 17), (12, 25), (12, 26)}
# Maundy Thursday, Good Friday, Easter Sunday and Monday, Ascension, Whit Sunday and Monday: days after Easter Sunday.
MOVABLE_HOLIDAYS = {-3, -2, 0, 1, 39, 49, 50}
QUIET_DAYS = {(12, 24), (12, 31)}
FRIDAY, SATURDAY = 4, 5
JULY = 7


@cache
def easter_sunday(year: int) -> date:
    """By the Gregorian calendar (the algorithm of Meeus, Jones and Butcher)."""
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


def is_holiday(day: date) -> bool:
    return (day.month, day.day) in FIXED_HOLIDAYS or (day - easter_sunday(day.year)).days in MOVABLE_HOLIDAYS


def is_working_day(day: date) -> bool:
    return day.weekday() < SATURDAY and not is_holiday(day)


def conferences_on(day: date, random: Random) -> int:
    """How many conferences start on a day."""
    if not is_working_day(day):
        return random.randint(FEWEST_AT_REST, MOST_AT_REST)
    share = ON_A_FRIDAY if day.weekday() == FRIDAY else 1.0
    if day.month == JULY:
        share *= IN_JULY
    if (day.month, day.day) in QUIET_DAYS:
        share *= ON_A_QUIET_DAY
    return round(random.randint(FEWEST, MOST) * share)


def days_before(day: date, days: int) -> list[date]:
    """The days before one, the latest first."""
    return [day - timedelta(days=number) for number in range(1, days + 1)]
