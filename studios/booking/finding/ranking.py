"""Which of several free studios a party gets, and what there is to say of it. Pure.

By turns: one that works before one that is out of order, where the meeting is soon; a passed quality test; the
tightest fit of capacity; the nearest to a studio that was asked for by name; the least used on that day.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from math import asin, cos, radians, sin, sqrt

from studios.booking.candidates import Candidate
from studios.booking.finding.question import SOON, Question, Remark, Room
from studios.calendars.rules import Span

EARTH_KM = 6371.0
# One cost a studio, in which a lesser aim never outweighs a greater one, not even summed over fifty parties.
DIGIT = 20
_LARGEST = 1 << 14


class Ranking:
    """The costs of studios for the seats of a question, of which some are fixed by name."""

    def __init__(self, question: Question, fixed: Mapping[int, int]) -> None:
        self._question = question
        self._named = [question.rooms[room] for room in fixed.values()]
        self._far: dict[int, int] = {}
        self._orders: dict[tuple[tuple[int, ...], int, bool], list[tuple[int, int]]] = {}

    def shortlist(
        self, pool: tuple[int, ...], people: int, start: datetime, is_free: Callable[[int], bool], number: int
    ) -> dict[int, int]:
        """Of a pool's free studios the cheapest for a seat, with their costs when the meeting begins at `start`.

        They are at least so many, if there are: all that might be among the `number` cheapest once the load of the day
        counts too, which is looked up for these only.
        """
        found: dict[int, int] = {}
        day, last = _day_of(start, self._question), 0
        for cost, room in self._order(pool, people, is_soon(self._question, start)):
            if len(found) >= number and cost > last:
                break
            if is_free(room):
                found[room] = cost << DIGIT | min(load(self._question.rooms[room], day), _LARGEST)
                last = cost
        return found

    def _order(self, pool: tuple[int, ...], people: int, soon: bool) -> list[tuple[int, int]]:
        """The pool's studios by their cost as far as it is the same on each day."""
        key = pool, people, soon
        if key not in self._orders:
            self._orders[key] = sorted((self._lasting_cost(room, people, soon), room) for room in pool)
        return self._orders[key]

    def _lasting_cost(self, room_id: int, people: int, soon: bool) -> int:
        room = self._question.rooms[room_id]
        spare = max(room.capacity - people, 0)
        return _as_one((soon and room.is_down, not room.quality_ok, spare, self.distance(room)))

    def distance(self, room: Room) -> int:
        """Whole kilometres to the nearest studio that was asked for by name, 0 at its site or where none was."""
        if room.id not in self._far:
            self._far[room.id] = min((kilometres(room, named) for named in self._named), default=0)
        return self._far[room.id]

    def remarks(self, party: int, room_id: int, start: datetime, is_named: bool) -> Iterator[Remark]:
        room, people = self._question.rooms[room_id], self._question.seats[party].people
        if room.is_down:
            yield Remark.DOWN if is_soon(self._question, start) else Remark.DOWN_BUT_LATER
        if not room.quality_ok:
            yield Remark.UNTESTED
        if not is_named and any(room.site_id == named.site_id for named in self._named):
            yield Remark.SAME_SITE
        if not is_named and 1 < people <= room.capacity // 2:
            yield Remark.ROOMY


def is_soon(question: Question, start: datetime) -> bool:
    return start < question.now + SOON


def load(room: Room, day: Span) -> int:
    """How many reservations of the studio begin on the day."""
    begin, end = day.start, day.end
    return sum(1 for start, _, _ in room.reserved if begin <= start < end)


def _as_one(aims: tuple[int, ...]) -> int:
    whole = 0
    for aim in aims:
        whole = whole << DIGIT | min(aim, _LARGEST)
    return whole


def _day_of(start: datetime, question: Question) -> Span:
    day = start.astimezone(question.zone).date()
    midnights = (datetime.combine(each, time(), question.zone) for each in (day, day + timedelta(days=1)))
    return Span(*(midnight.astimezone(UTC) for midnight in midnights))


def kilometres(one: Room | Candidate, other: Room | Candidate) -> int:
    """Over the globe (haversine)."""
    if one.site_id == other.site_id:
        return 0
    north, other_north = radians(one.latitude), radians(other.latitude)
    east = radians(other.longitude - one.longitude)
    half = sin((other_north - north) / 2) ** 2 + cos(north) * cos(other_north) * sin(east / 2) ** 2
    return round(2 * EARTH_KM * asin(min(1.0, sqrt(half))))
