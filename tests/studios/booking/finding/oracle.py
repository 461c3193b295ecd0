"""Finding a time by trying everything: each start, each choice of studios, each interval. Slow, and plainly right."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from math import acos, cos, radians, sin

from studios.booking.finding.question import Question, Room
from studios.calendars.rules import Span

FIVE, QUARTER, HALF = (timedelta(minutes=minutes) for minutes in (5, 15, 30))
TWENTY, HOUR = timedelta(minutes=20), timedelta(hours=1)
Table = tuple[int | None, ...]


def starts(spans: list[Span], length: timedelta) -> list[datetime]:
    """Every whole five minutes at which a meeting lies in one of the spans."""
    found = set()
    for span in spans:
        at = span.start.replace(minute=0, second=0, microsecond=0)
        while at + length <= span.end:
            if at >= span.start:
                found.add(at)
            at += FIVE
    return sorted(found)


def is_free(room: Room, start: datetime, length: timedelta) -> bool:
    end = start + length
    return all(
        start - room.setup >= over or end + room.clear_down <= begun
        for begun, over, _ in [*room.reserved, *room.closures]
    ) and all(start >= shut.end or end <= shut.start for shut in room.shut)


def tables(question: Question, start: datetime, length: timedelta) -> Iterator[Table]:
    """Every way to seat the parties in different free studios."""
    if start < question.now + question.lead or (question.latest and start > question.latest):
        return
    if any(start < span.end and span.start < start + length for span in question.barred):
        return
    choices = [
        [None] if seat.rooms is None else [room for room in seat.rooms if is_free(question.rooms[room], start, length)]
        for seat in question.seats
    ]
    for table in product(*choices):
        rooms = [room for room in table if room is not None]
        if len(set(rooms)) == len(rooms):
            yield table


def cost(question: Question, table: Table, start: datetime) -> tuple[int, ...]:
    """What the parties that draw on pools get, summed aim by aim; less is better."""
    named = [question.rooms[seat.rooms[0]] for seat in question.seats if seat.rooms and len(seat.rooms) == 1]
    total = (0, 0, 0, 0, 0)
    for seat, room_id in zip(question.seats, table, strict=True):
        if room_id is None or len(seat.rooms) == 1:
            continue
        room = question.rooms[room_id]
        aims = (
            int(room.is_down and start < question.now + HOUR),
            int(not room.quality_ok),
            max(0, room.capacity - seat.people),
            min([_kilometres(room, other) for other in named] or [0]),
            _load(question, room, start),
        )
        total = tuple(a + b for a, b in zip(total, aims, strict=True))
    return total


def needs_down(question: Question, table: Table, start: datetime) -> bool:
    return start < question.now + HOUR and any(question.rooms[room].is_down for room in table if room is not None)


def chosen(question: Question, length: timedelta, spans: list[Span], limit: int) -> list[datetime]:
    """The starts that should be suggested, in order."""
    possible = {start: list(tables(question, start, length)) for start in starts(spans, length)}
    sound = [t for t, found in possible.items() if any(not needs_down(question, table, t) for table in found)]
    first = _picked(question, sound, [], limit)
    return first + _picked(question, [t for t, found in possible.items() if found], first, limit)


def answer(question: Question) -> list[tuple[datetime, timedelta]]:
    """The starts and lengths that should be suggested, in order."""
    within, length, limit = list(question.within), question.length, question.limit
    wide = [Span(span.start - TWENTY, span.end + TWENTY) for span in within]
    if exact := chosen(question, length, within, limit):
        return [(start, length) for start in exact]
    shifted = [(start, length) for start in chosen(question, length, wide, (limit + 1) // 2)]
    shorter = _shorter(question, within, limit - len(shifted))
    return shifted + shorter or _shorter(question, wide, limit)


def _shorter(question: Question, spans: list[Span], limit: int) -> list[tuple[datetime, timedelta]]:
    length = question.length - FIVE
    while limit and length * 4 >= question.length * 3:
        if found := chosen(question, length, spans, limit):
            return [(start, length) for start in found]
        length -= FIVE
    return []


def _picked(question: Question, possible: list[datetime], before: list[datetime], limit: int) -> list[datetime]:
    def rank(start: datetime) -> tuple[timedelta, datetime]:
        return abs(start - question.preferred) if question.preferred else timedelta(), start

    found: list[datetime] = []
    for every, apart, until in ((5, FIVE, 1), (15, HALF, limit), (15, QUARTER, limit), (5, FIVE, limit)):
        for start in sorted(possible, key=rank):
            is_apart = all(abs(start - other) >= apart for other in before + found)
            if start.minute % every == 0 and is_apart and len(before + found) < until:
                found.append(start)
    return sorted(found, key=rank)


def _load(question: Question, room: Room, start: datetime) -> int:
    day = start.astimezone(question.zone).date()
    return sum(begun.astimezone(question.zone).date() == day for begun, _, _ in room.reserved)


def _kilometres(one: Room, other: Room) -> int:
    if one.site_id == other.site_id:
        return 0
    a, b = radians(one.latitude), radians(other.latitude)
    cosine = sin(a) * sin(b) + cos(a) * cos(b) * cos(radians(other.longitude - one.longitude))
    return round(6371 * acos(min(1, cosine)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
