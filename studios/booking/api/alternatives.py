"""Other times for parties whose wished time is gone: on the same day first, then at about that hour on days near it."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config import settings
from studios.booking.api.reading import own
from studios.booking.api.suggestions import suggestion_answers
from studios.booking.api.told import SuggestionAnswer
from studios.booking.finding.times import Hours, find_time
from studios.booking.ports import without_room
from studios.booking.rules import ports_needed
from studios.booking.wishes import Booking
from studios.calendars.rules import Span

MOST = 5
OF_THE_DAY = 3
REACH = timedelta(days=7)
EITHER_SIDE = timedelta(hours=1)
# Nobody is offered a night, unless it was a night that was asked for.
BY_DAY = (time(7), time(18))


def alternatives(booking: Booking, moved_id: int | None) -> list[SuggestionAnswer]:
    """Up to five times, of the wished day first, the nearest to the wished time first of each."""
    if booking.end <= booking.start:
        return []
    reach = Span(booking.start - REACH, booking.end + REACH)
    needed = ports_needed(booking.parties, booking.video)
    barred = without_room(needed, reach.start, reach.end, moved_id)
    day = _day_of(booking.start)
    of_the_day = _found(booking, day, _hours_of_the_day(booking), but=moved_id, barred=barred, limit=MOST)
    near = _found(booking, reach, _hours_near(booking), but=moved_id, barred=barred, limit=2 * MOST)
    others = [each for each in near if not _is_on(day, each)]
    kept = of_the_day[: max(OF_THE_DAY, MOST - len(others))]
    return kept + others[: MOST - len(kept)]


def _found(wished: Booking, within: Span, hours: Hours | None, **more: Any) -> list[SuggestionAnswer]:
    minutes = max((wished.end - wished.start) // timedelta(minutes=1), 1)
    answer = find_time(
        wished.parties, minutes, within.start, within.end,
        own=own(), purpose=wished.purpose, preferred=wished.start, hours=hours, **more,
    )  # fmt: skip
    return suggestion_answers(answer)


def _zone() -> ZoneInfo:
    return ZoneInfo(settings().zone)


def _day_of(start: datetime) -> Span:
    midnight = datetime.combine(start.astimezone(_zone()).date(), time(), _zone())
    return Span(midnight, midnight + timedelta(days=1))


def _is_on(day: Span, suggestion: SuggestionAnswer) -> bool:
    return day.start <= suggestion.start < day.end


def _hours_of_the_day(booking: Booking) -> Hours | None:
    start, end = (each.astimezone(_zone()) for each in (booking.start, booking.end))
    by_day = start.date() == end.date() and BY_DAY[0] <= start.time() and end.time() <= BY_DAY[1]
    return BY_DAY if by_day else None


def _hours_near(booking: Booking) -> Hours | None:
    """An hour before to an hour after the wished time of the day; any hour for what is nearly as long as a day."""
    start, end = booking.start - EITHER_SIDE, booking.end + EITHER_SIDE
    if end - start >= timedelta(days=1):
        return None
    return start.astimezone(_zone()).time(), end.astimezone(_zone()).time()
