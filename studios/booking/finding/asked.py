"""When a meeting may be: a window, certain hours of the day, certain days of the week. Pure."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from studios.booking.hours import END_OF_DAY, first_instant, last_instant
from studios.calendars.rules import Span

ONE_DAY = timedelta(days=1)
Hours = tuple[time, time]


def asked_spans(
    start: datetime, end: datetime, hours: Hours | None, days: Collection[int] | None, zone: ZoneInfo
) -> list[Span]:
    """The stretches of [start, end) that are asked for, in order, apart and in UTC.

    `days`: 0 is Monday. Hours that end no later than they begin go on over midnight and belong to the day on which
    they begin; without hours the whole day counts.
    """
    window = Span(start.astimezone(UTC), end.astimezone(UTC))
    if hours is None and days is None:
        return [window] if start < end else []
    joined: list[Span] = []
    for span in _by_day(window, hours or (time(), time()), days, zone):
        if joined and joined[-1].end >= span.start:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return joined


def _by_day(window: Span, hours: Hours, days: Collection[int] | None, zone: ZoneInfo) -> Iterator[Span]:
    opens, closes = (60 * each.hour + each.minute for each in hours)
    if closes <= opens:
        closes += END_OF_DAY
    day, last = window.start.astimezone(zone).date() - ONE_DAY, window.end.astimezone(zone).date()
    while day <= last:
        if days is None or day.weekday() in days:
            span = Span(first_instant(day, opens, zone), last_instant(day, closes, zone)).shared_with(window)
            if span.start < span.end:
                yield span
        day += ONE_DAY
