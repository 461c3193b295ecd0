"""What people type for dates, times and durations, read generously. Pure; None is what makes no sense."""

import re
from datetime import date, time, timedelta

YEARS = range(2000, 2100)
MOST_MINUTES = 24 * 60

_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DATE = re.compile(r"([0-9]{1,2})[./ -]+([0-9]{1,2})(?:[./ -]+([0-9]{4}|[0-9]{2}))?[.]?")
_TIME = re.compile(r"([0-9]{1,2})(?:[:. ]?([0-9]{2}))?")
_MINUTES = re.compile(r"[0-9]{1,4}")


def read_date(text: str, today: date) -> date | None:
    """26.11.2026, 26.11.26, 26/11, 2026-11-26. Without a year it is the next time that this day comes."""
    if iso := _ISO_DATE.fullmatch(text.strip()):
        return _date(int(iso[1]), int(iso[2]), int(iso[3]))
    typed = _DATE.fullmatch(text.strip())
    if typed is None:
        return None
    day, month, year = int(typed[1]), int(typed[2]), typed[3]
    if year:
        return _date(int(year) + (2000 if len(year) == 2 else 0), month, day)
    this_year = _date(today.year, month, day)
    return _date(today.year + 1, month, day) if this_year is None or this_year < today else this_year


def read_time(text: str) -> time | None:
    """9, 09, 930, 0930, 9.30, 09:30."""
    typed = _TIME.fullmatch(text.strip())
    if typed is None:
        return None
    hour, minute = int(typed[1]), int(typed[2] or 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def read_minutes(text: str) -> int | None:
    """A duration in whole minutes, from 1 to a day."""
    typed = _MINUTES.fullmatch(text.strip())
    minutes = int(typed[0]) if typed else 0
    return minutes if 0 < minutes <= MOST_MINUTES else None


def date_text(day: date) -> str:
    """A date as the form writes it."""
    return f"{day.day:02}.{day.month:02}.{day.year}"


def time_text(wall: time) -> str:
    return f"{wall.hour:02}:{wall.minute:02}"


def turned(day: date, days: int) -> date:
    """The day so many days on, kept within the years that can be typed."""
    wanted = day + timedelta(days=days)
    return wanted if wanted.year in YEARS else day


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year in YEARS else None
    except ValueError:
        return None
