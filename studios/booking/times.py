"""Dates and times as the booking pages write them, in the wall clock of the site's zone."""

from datetime import date, datetime, timedelta

from flask_babel import format_date, format_time, get_locale
from flask_babel import gettext as _


def clock(instant: datetime) -> str:
    return format_time(instant, "HH:mm")


def clock_seconds(instant: datetime) -> str:
    return format_time(instant, "HH:mm:ss")


def day_name(day: date, year: bool = False) -> str:
    """Thursday 26 November, or torsdag 26. november; with the year where it matters."""
    locale = get_locale()
    pattern = "EEEE d MMMM" if locale is None or locale.language == "en" else "EEEE d. MMMM"
    return format_date(day, f"{pattern} y" if year else pattern)


def capital(text: str) -> str:
    """The text as a heading begins: only its first letter changes."""
    return text[:1].upper() + text[1:]


def length_of(span: timedelta) -> str:
    """A length as people say it: 1 h 45 min."""
    minutes = round(span / timedelta(minutes=1))
    if minutes < 60:
        return _("%(minutes)s min", minutes=minutes)
    if minutes % 60 == 0:
        return _("%(hours)s h", hours=minutes // 60)
    return _("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60)
