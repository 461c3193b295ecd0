"""A studio's bookable hours: read and checked, and when by them it is closed. Pure.

Hours are of the wall clock in the studio's zone. On a night when the clock moves, hours begin when their first time
comes for the first time and end when their last comes for the last; a time that the clock jumps over is the jump.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from studios.booking.candidates import BookableHours
from studios.calendars.rules import Span, openings

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
END_OF_DAY = 24 * 60  # minutes, as all times of the day here
ONE_DAY = timedelta(days=1)
FORM = "Hours look like 08:00-15:30, and a day ends at 24:00."
_RANGE = re.compile(r"([01]\d|2[0-4]):([0-5]\d)\s*[-–]\s*([01]\d|2[0-4]):([0-5]\d)", re.ASCII)


def read_hours(given: str | Mapping[str, object]) -> BookableHours:
    """Hours as they are typed ("mon-fri 08:00-11:30, 12:00-15:30; sat 10:00-14:00") or as they are stored, in order.

    Raises ValueError with a sentence that says what is wrong.
    """
    days = _typed(given) if isinstance(given, str) else _stored(given)
    if not days:
        raise ValueError("Name at least one day with its hours, such as mon-fri 08:00-15:30.")
    return {day: _in_order(day, days[day]) for day in DAYS if day in days}


def closed_spans(hours: BookableHours | None, zone: ZoneInfo, start: datetime, end: datetime) -> list[Span]:
    """When within [start, end) the studio may not be booked, in order and in UTC. Without hours it always may."""
    if hours is None:
        return []
    opened = list(_open_spans(hours, zone, start, end))
    return openings(Span(start.astimezone(UTC), end.astimezone(UTC)), opened) if start < end else []


def is_within(hours: BookableHours | None, zone: ZoneInfo, span: Span) -> bool:
    """Whether the whole span may be booked."""
    return not closed_spans(hours, zone, span.start, span.end)


def first_instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """When the wall clock first shows so many minutes after midnight; where it jumps over that, the jump. UTC."""
    return _instant(day, minutes, zone, fold=0)


def last_instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """When the wall clock shows that for the last time; it comes twice where the clock is moved back. UTC."""
    return _instant(day, minutes, zone, fold=1)


def _open_spans(hours: BookableHours, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Span]:
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        for text in hours.get(DAYS[day.weekday()], ()):
            opens, closes = _minutes(text)
            yield Span(first_instant(day, opens, zone), last_instant(day, closes, zone))
        day += ONE_DAY


def _instant(day: date, minutes: int, zone: ZoneInfo, fold: int) -> datetime:
    days, rest = divmod(minutes, END_OF_DAY)
    wall = datetime.combine(day + days * ONE_DAY, time(rest // 60, rest % 60), zone)
    earlier, later = sorted(wall.replace(fold=each).astimezone(UTC) for each in (0, 1))
    if earlier == later or earlier.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return later if fold else earlier
    return _jump_between(earlier, later, zone)


def _jump_between(earlier: datetime, later: datetime, zone: ZoneInfo) -> datetime:
    """The whole minute at which the zone's offset changes."""
    while later - earlier > timedelta(minutes=1):
        middle = earlier + (later - earlier) // timedelta(minutes=2) * timedelta(minutes=1)
        if middle.astimezone(zone).utcoffset() == earlier.astimezone(zone).utcoffset():
            earlier = middle
        else:
            later = middle
    return later


def _typed(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        names, _, ranges = part.partition(" ")
        for day in _days(names.lower()):
            found.setdefault(day, []).extend(piece.strip() for piece in ranges.split(","))
    return found


def _days(names: str) -> list[str]:
    first, dash, last = names.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise ValueError(f"{names!r} is no day. Days are {', '.join(DAYS)}, or several such as mon-fri.")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    if begin > end:
        raise ValueError(f"{names!r} runs backwards. Name the days in the order of the week.")
    return list(DAYS[begin : end + 1])


def _stored(given: Mapping[str, object]) -> dict[str, list[str]]:
    found = {}
    for day, ranges in given.items():
        if day not in DAYS:
            raise ValueError(f"{day!r} is no day. Days are {', '.join(DAYS)}.")
        if not isinstance(ranges, list) or not all(isinstance(each, str) for each in ranges):
            raise ValueError(f"The hours of {day} must be a list of texts. {FORM}")
        if ranges:
            found[day] = list(ranges)
    return found


def _in_order(day: str, texts: list[str]) -> list[str]:
    ranges = sorted(_checked(day, text) for text in texts)
    for (_, end), (start, _) in pairwise(ranges):
        if start < end:
            raise ValueError(f"The hours of {day} overlap.")
    return [f"{_clock(start)}-{_clock(end)}" for start, end in ranges]


def _checked(day: str, text: str) -> tuple[int, int]:
    if not _RANGE.fullmatch(text):
        raise ValueError(f"{text!r} on {day} is not understood. {FORM}")
    start, end = _minutes(text)
    if end > END_OF_DAY:
        raise ValueError(f"{text!r} on {day} goes past 24:00.")
    if end <= start:
        raise ValueError(f"{text!r} on {day} ends before it begins. Hours over midnight are written on both days.")
    return start, end


def _minutes(text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not understood. {FORM}")
    first_hour, first_minute, last_hour, last_minute = map(int, match.groups())
    return 60 * first_hour + first_minute, 60 * last_hour + last_minute


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
