"""What the report pages say: periods, figures, changes and causes in the reader's language."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_interval
from flask_babel import LazyString, format_date, format_decimal, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from accounts.language import language
from reports.periods import Kind, Period
from reports.rules import NOT_STARTED
from studios.booking.wording import cause_sentence

NO_BREAK = "\N{NO-BREAK SPACE}"
PERIODS: dict[Kind, LazyString] = {
    Kind.DAY: _l("Day"),
    Kind.WEEK: _l("Week"),
    Kind.MONTH: _l("Month"),
    Kind.YEAR: _l("Year"),
}


@dataclass(frozen=True)
class Change:
    """How a figure moved: the icon, its name for those who don't see it, the tone, and by how much."""

    shape: str
    name: str
    tone: str
    text: str


def capital(text: object) -> str:
    return str(text)[:1].upper() + str(text)[1:]


def heading(period: Period) -> str:
    return str(_("Usage: %(period)s", period=name(period)))


def name(period: Period) -> str:
    """The period as it stands in a sentence: Sunday 22 November 2026, week 47, November 2026, 2026."""
    if period.kind is Kind.DAY:
        return full_day(period.first)
    if period.kind is Kind.WEEK:
        year, week, _weekday = period.first.isocalendar()
        return str(_("week %(week)s of %(year)s", week=week, year=year))
    return str(format_date(period.first, "MMMM y" if period.kind is Kind.MONTH else "y"))


def short(period: Period) -> str:
    """For a link to a neighbour: 22 Nov, week 46, October, 2025."""
    if period.kind is Kind.DAY:
        return short_day(period.first)
    if period.kind is Kind.WEEK:
        return str(_("week %(week)s", week=period.first.isocalendar().week))
    return str(format_date(period.first, "MMMM" if period.kind is Kind.MONTH else "y"))


def days(period: Period) -> str:
    """From when to when: 16–22 November 2026."""
    if period.first == period.last:
        return full_day(period.first)
    return format_interval(period.first, period.last, skeleton="yMMMMd", locale=get_locale())


def full_day(day: date) -> str:
    return str(format_date(day, "EEEE d MMMM y" if language() == "en" else "EEEE d. MMMM y"))


def short_day(day: date) -> str:
    return str(format_date(day, "EEE d MMM" if language() == "en" else "EEE d. MMM"))


def weekday(number: int) -> str:
    """Its short name; 0 is Monday."""
    return str(format_date(date(2024, 1, 1 + number), "EEE"))


def number(value: float) -> str:
    return str(format_decimal(value, "#,##0"))


def hours(seconds: float) -> str:
    """In hours, to a tenth while there are few."""
    value = seconds / 3600
    return str(_("%(number)s h", number=format_decimal(value, "#,##0.0" if value < 1000 else "#,##0"))).replace(
        " ", NO_BREAK
    )


def share(value: float | None) -> str:
    """In per cent; nothing that is not known is shown as a number."""
    if value is None:
        return str(_("not known"))
    written = format_decimal(100 * value, "#,##0.0")
    return f"{written}%" if language() == "en" else f"{written}{NO_BREAK}%"


def change_in_number(now: float, before: float, good: int = 0) -> Change:
    """By how many per cent; by how many where there was nothing before. `good`: 1 when more is good, -1 when less."""
    if not before:
        return _change(now - before, good, number(abs(now - before)))
    part = (now - before) / before
    return _change(round(part, 3), good, share(abs(part)))


def change_in_count(now: int, before: int, good: int = 0) -> Change:
    return _change(now - before, good, number(abs(now - before)))


def change_in_share(now: float | None, before: float | None, good: int = 0) -> Change | None:
    """In percentage points; None where either is not known."""
    if now is None or before is None:
        return None
    points = round(round(100 * now, 1) - round(100 * before, 1), 1)  # as the two are shown
    text = _("%(number)s pp", number=format_decimal(abs(points), "#,##0.0"))
    return _change(points, good, str(text).replace(" ", NO_BREAK))


def cause(stored: str) -> str:
    """Why a conference failed, in a sentence."""
    return str(_("No call was ever placed.")) if stored == NOT_STARTED else cause_sentence(stored)


def deviation(seconds: int) -> str:
    """Used less than booked with a minus, more with a plus."""
    sign = "+" if seconds > 0 else "−" if seconds < 0 else ""
    return f"{sign}{hours(abs(seconds))}"


def vocabulary() -> dict[str, Callable[..., Any]]:
    """What the templates say things with."""
    said = (name, short, days, full_day, short_day, weekday, number, hours, share, cause, deviation, capital, heading)
    return {function.__name__: function for function in said}


def _change(by: float, good: int, text: str) -> Change:
    if not by:
        return Change("level", str(_("unchanged")), "", text)
    tone = "" if not good else "is-good" if by * good > 0 else "is-bad"
    return Change("up", str(_("risen")), tone, text) if by > 0 else Change("fall", str(_("fallen")), tone, text)
