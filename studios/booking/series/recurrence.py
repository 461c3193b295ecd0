"""When a series meets: a rule in wall-clock time, and what each of its occurrences is in UTC. Pure.

A meeting at nine stays at nine when the clock is moved, so days and wall time come first and instants are made of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from holidays import country_holidays

from studios.booking.rules import TimeDoesNotExist, TimeIsAmbiguous, end_of, instant
from studios.booking.series import rules

# The library's names in English are keys: the pages have words for them in each language.
KEY_LANGUAGE = "en_US"
# (month, day): Christmas Eve, New Year's Eve, and the Sámi national day. No public holidays, but few are at work.
QUIET_DAYS = {(12, 24), (12, 31), (2, 6)}


class Note(StrEnum):
    """What somebody should know of an occurrence before it is booked."""

    DOES_NOT_EXIST = "does_not_exist"
    """The clock is moved forward over its start: it can be booked only when moved."""
    AMBIGUOUS = "ambiguous"
    """Its start comes twice: the first is meant unless somebody says otherwise."""
    HOLIDAY = "holiday"
    QUIET_DAY = "quiet_day"
    DST_WEEK = "dst_week"
    """Its distance from UTC is another than that of the occurrence before."""


@dataclass(frozen=True)
class Recurrence:
    """A series in the wall clock of `zone`. `rule` is an RRULE without its start; `minutes` are real time."""

    rule: str
    first_day: date
    start_time: time
    minutes: int
    zone: str


@dataclass(frozen=True)
class Occurrence:
    """One meeting of a series, the first having index 0. No two are on one day."""

    index: int
    day: date
    wall: time
    minutes: int
    recurs_at: datetime
    """Where the rule puts it (RECURRENCE-ID), UTC; a time that does not exist counts as before the clock is moved."""
    start: datetime | None
    """UTC; None when the wall time does not exist that night."""
    end: datetime | None
    notes: frozenset[Note] = frozenset()
    holidays: tuple[str, ...] = ()
    """The names of the day's public holidays, as the `holidays` library writes them in English."""


def occurrences(recurrence: Recurrence) -> list[Occurrence]:
    """Every meeting of the series, in order: at least one, 200 at most. Raises rules.RuleRefused."""
    days = rules.days(rules.read(recurrence.rule), recurrence.first_day)
    return list(_noted(recurrence, days))


def _noted(recurrence: Recurrence, days: list[date]) -> Iterator[Occurrence]:
    zone = ZoneInfo(recurrence.zone)
    names = _holidays(days)
    offset = None
    for index, day in enumerate(days):
        start, notes = _start(day, recurrence.start_time, zone)
        holidays = names.get(day, ())
        notes |= _day_notes(day, holidays)
        if start is not None:
            before, offset = offset, start.astimezone(zone).utcoffset()
            notes |= {Note.DST_WEEK} if before not in (None, offset) else set()
        yield Occurrence(
            index=index,
            day=day,
            wall=recurrence.start_time,
            minutes=recurrence.minutes,
            recurs_at=datetime.combine(day, recurrence.start_time, zone).astimezone(UTC),
            start=start,
            end=end_of(start, recurrence.minutes) if start else None,
            notes=frozenset(notes),
            holidays=holidays,
        )


def _start(day: date, wall: time, zone: ZoneInfo) -> tuple[datetime | None, set[Note]]:
    try:
        return instant(day, wall, zone), set()
    except TimeDoesNotExist:
        return None, {Note.DOES_NOT_EXIST}
    except TimeIsAmbiguous:
        return instant(day, wall, zone, summer=True), {Note.AMBIGUOUS}


def _day_notes(day: date, holidays: tuple[str, ...]) -> set[Note]:
    quiet = {Note.QUIET_DAY} if (day.month, day.day) in QUIET_DAYS else set()
    return quiet | ({Note.HOLIDAY} if holidays else set())


def _holidays(days: list[date]) -> Mapping[date, tuple[str, ...]]:
    """Norway's public holidays among the days: one day can be two (17 May 2027 is Pentecost Monday too)."""
    calendar = country_holidays("NO", years={day.year for day in days}, language=KEY_LANGUAGE)
    return {day: tuple(calendar.get_list(day)) for day in days if day in calendar}
