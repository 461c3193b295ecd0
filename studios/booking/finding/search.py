"""The search for times at which everybody can meet. Pure.

1. Each studio's free starts become one integer, a bit a start. A pool that several parties draw on has the starts at
   which as many of its studios are free as there are parties; all parties together are these, and-ed.
2. Starts are tried in the order of their rank, and only there is it worked out who gets which studio, until there are
   enough suggestions.
3. A start that needs a studio which is out of order, when the meeting is soon, comes after all that need none. Among
   equals the start nearest to the preferred one comes first, the earlier of two; without a preferred one the earliest.
4. So that the suggestions differ, only the first is whatever start is next. The others begin on the quarter hour and
   half an hour apart; where these are too few, a quarter of an hour apart; and only then at any five minutes.
5. When nothing fits: up to 20 minutes outside what was asked for, for about half of the suggestions; then the least
   shortening that fits, up to a quarter; and both only when neither finds anything.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import and_, or_

from studios.booking.finding.draws import Draws, draws, lack
from studios.booking.finding.matching import cheapest
from studios.booking.finding.question import (
    MOST_SHIFTED,
    SOON,
    STEP,
    Answer,
    NearMiss,
    Question,
    Remark,
    Suggestion,
    TooFew,
)
from studios.booking.finding.ranking import Ranking
from studios.booking.finding.reasons import near_miss
from studios.booking.finding.slots import (
    NOTHING,
    at_least,
    barred_by,
    free_starts,
    grid_over,
    has,
    nearest,
    runs,
    starts_within,
    thresholds,
)
from studios.calendars.rules import Span

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Round:
    """Starts at whole multiples of `every`, and `apart` from all chosen before, until so many are found."""

    every: timedelta
    apart: timedelta
    until: int


def find(question: Question) -> Answer:
    """Ranked times for the meeting, or the nearest to it, and what stands in the way of the preferred start."""
    drawn = draws(question.seats)
    if isinstance(drawn, TooFew):
        return Answer(too_few=drawn)
    if not question.within:
        return Answer()
    search = _Search(question, drawn)
    exact = search.suggestions(question.length, question.within, question.limit)
    if question.exactly:
        return Answer(tuple(exact))
    return Answer(tuple(exact or search.compromises()), search.missed(exact))


def openings(question: Question) -> list[Span]:
    """The stretches of the time that was asked for in which a meeting of this length can lie anywhere: as step 1 finds
    them, so that parties with different pools may still have too few studios among them."""
    drawn = draws(question.seats)
    if isinstance(drawn, TooFew) or not question.within:
        return []
    return _Search(question, drawn).openings()


class _Search:
    def __init__(self, question: Question, drawn: Draws) -> None:
        self._question, self._draws = question, drawn
        self._grid = grid_over(question.within, MOST_SHIFTED)
        self._ranking = Ranking(question, drawn.fixed)
        self._has_down = any(question.rooms[room].is_down for room in drawn.rooms())

    def suggestions(self, length: timedelta, within: Sequence[Span], limit: int) -> list[Suggestion]:
        """Meetings of this length within these spans, best first."""
        asked = self._asked(length, within)
        if not asked or limit < 1:
            return []
        free, found = self._free(length), dict[int, tuple[int | None, ...]]()
        for usable in self._without_and_with_down(free):
            if len(found) == limit:
                break
            possible = asked & ~_union(1 << index for index in found) & self._everybody(usable)
            found |= self._ranked(self._chosen(usable, possible, found, limit))
        return [self._suggestion(index, length, rooms) for index, rooms in found.items()]

    def openings(self) -> list[Span]:
        question, grid = self._question, self._grid
        starts = self._asked(question.length, question.within) & self._everybody(self._free(question.length))
        return [Span(grid.at(first), grid.at(last) + question.length) for first, last in runs(starts)]

    def compromises(self) -> list[Suggestion]:
        """Step 5."""
        question = self._question
        widened = [span.widened(MOST_SHIFTED, MOST_SHIFTED) for span in question.within]
        found = self.suggestions(question.length, widened, (question.limit + 1) // 2)
        found += self._shortened(question.within, question.limit - len(found))
        return found or self._shortened(widened, question.limit)

    def missed(self, exact: Sequence[Suggestion]) -> NearMiss | None:
        """Why the preferred start, or without one and with nothing found the nearest to working, will not do."""
        question = self._question
        start = question.preferred or (None if exact else self._nearest_to_working())
        if start is None or any(each.start == start for each in exact):
            return None
        found = near_miss(question, self._draws, Span(start, start + question.length))
        return found if found.general or found.seats or found.too_few else None

    def _shortened(self, within: Sequence[Span], limit: int) -> list[Suggestion]:
        for steps in range(1, self._question.length // 4 // STEP + 1):
            if found := self.suggestions(self._question.length - steps * STEP, within, limit):
                return found
        return []

    def _nearest_to_working(self) -> datetime:
        """The start at which the most parties, and the bridge, could; where there is none in all that was asked for,
        the first that comes up to it."""
        question, grid = self._question, self._grid
        asked = starts_within(grid, question.within, question.length) & self._bookable()
        if not asked:
            return grid.at(grid.index_from(question.within[0].start))
        free = self._free(question.length)
        masks = [_union(free[room] for room in self._draws.of(party)) for party in self._draws.parties()]
        masks.append(grid.whole & ~barred_by(grid, question.barred, question.length))
        best = next(mask for mask in reversed(thresholds(masks, len(masks), asked)) if mask)
        return grid.at(nearest(best, grid, None))

    def _asked(self, length: timedelta, within: Sequence[Span]) -> int:
        """Every start that what was asked for, the clock and the bridge allow."""
        asked = starts_within(self._grid, within, length) & self._bookable()
        return asked & ~barred_by(self._grid, self._question.barred, length)

    def _bookable(self) -> int:
        """The starts that are neither too soon nor too far ahead."""
        grid, question = self._grid, self._question
        end = grid.count if question.latest is None else (question.latest - grid.origin) // STEP + 1
        return grid.bits(grid.index_from(question.now + question.lead), end)

    def _free(self, length: timedelta) -> dict[int, int]:
        rooms = self._question.rooms
        return free_starts(self._grid, (rooms[room] for room in self._draws.rooms()), length)

    def _without_and_with_down(self, free: dict[int, int]) -> Iterator[dict[int, int]]:
        later = self._grid.bits(self._grid.index_from(self._question.now + SOON), self._grid.count)
        if self._has_down and later != self._grid.whole:
            rooms = self._question.rooms
            yield {room: mask & later if rooms[room].is_down else mask for room, mask in free.items()}
        yield free

    def _everybody(self, usable: dict[int, int]) -> int:
        """Starts at which every party could, as far as parties with different pools do not get in each other's way."""
        whole = self._grid.whole
        drawers = Counter(self._draws.pools.values())
        named = reduce(and_, (usable[room] for room in self._draws.fixed.values()), whole)
        enough = (at_least((usable[room] for room in pool), number, whole) for pool, number in drawers.items())
        return reduce(and_, enough, named)

    def _chosen(
        self, usable: dict[int, int], possible: int, before: Iterable[int], limit: int
    ) -> dict[int, tuple[int | None, ...]]:
        """Step 4: so many starts that `before` and these are `limit` in all, with who gets which studio."""
        found: dict[int, tuple[int | None, ...]] = {}
        taken = list(before)
        for each in _rounds(limit):
            open_to = possible & self._marks(each.every) & ~_union(self._around(index, each.apart) for index in taken)
            while open_to and len(taken) < each.until:
                index = nearest(open_to, self._grid, self._question.preferred)
                open_to &= ~(1 << index)
                possible &= ~(1 << index)
                if rooms := self._seated(usable, index):
                    found[index] = rooms
                    taken.append(index)
                    open_to &= ~self._around(index, each.apart)
                else:
                    possible &= self._with_others(usable, index)
                    open_to &= possible
        return found

    def _seated(self, usable: dict[int, int], index: int) -> tuple[int | None, ...] | None:
        """Who gets which studio at this start; None when there are too few different ones."""
        pools, seats, start = self._draws.pools, self._question.seats, self._grid.at(index)

        def is_free(room: int) -> bool:
            return has(usable[room], index)

        chosen = cheapest(
            [
                self._ranking.shortlist(pool, seats[party].people, start, is_free, len(pools))
                for party, pool in pools.items()
            ]
        )
        if chosen is None:
            return None
        rooms = {**self._draws.fixed, **dict(zip(pools, chosen, strict=True))}
        return tuple(rooms.get(party) for party in range(len(seats)))

    def _with_others(self, usable: dict[int, int], index: int) -> int:
        """At this start some parties have too few studios among them. The starts at which another studio of their pools
        is free: at all that are left out they lack the same."""
        pools = self._draws.pools
        lacking = lack({party: [room for room in pool if has(usable[room], index)] for party, pool in pools.items()})
        assert lacking is not None
        others = {room for party in lacking.parties for room in pools[party]}.difference(lacking.rooms)
        return _union(usable[room] for room in others)

    def _ranked(self, found: dict[int, tuple[int | None, ...]]) -> dict[int, tuple[int | None, ...]]:
        preferred = self._question.preferred or self._grid.origin
        return dict(sorted(found.items(), key=lambda each: (abs(self._grid.at(each[0]) - preferred), each[0])))

    def _marks(self, every: timedelta) -> int:
        """The starts at whole multiples of `every`, by the clock."""
        first = self._grid.index_from(_next_multiple(self._grid.origin, every))
        return _every(self._grid.count, every // STEP) << first & self._grid.whole

    def _around(self, index: int, apart: timedelta) -> int:
        """The starts less than `apart` from this one."""
        return self._grid.bits(index - apart // STEP + 1, index + apart // STEP)

    def _suggestion(self, index: int, length: timedelta, rooms: tuple[int | None, ...]) -> Suggestion:
        start = self._grid.at(index)
        meeting = Span(start, start + length)
        shortened = self._question.length - length
        return Suggestion(
            start, meeting.end, rooms, tuple(self._remarks(start, rooms)), shift(meeting, self._question), shortened
        )

    def _remarks(self, start: datetime, rooms: tuple[int | None, ...]) -> Iterator[tuple[int, Remark]]:
        for party, room in enumerate(rooms):
            if room is not None:
                for remark in self._ranking.remarks(party, room, start, party in self._draws.fixed):
                    yield party, remark


def shift(meeting: Span, question: Question) -> timedelta:
    """How far the meeting lies outside the nearest span that was asked for, negative when before it."""
    found = [_outside(meeting, span) for span in question.within]
    return min(found, key=abs)


def _outside(meeting: Span, span: Span) -> timedelta:
    before, after = max(span.start - meeting.start, NOTHING), max(meeting.end - span.end, NOTHING)
    return after if after > before else -before


def _rounds(limit: int) -> tuple[Round, ...]:
    return (
        Round(STEP, STEP, 1),
        Round(QUARTER, 2 * QUARTER, limit),
        Round(QUARTER, QUARTER, limit),
        Round(STEP, STEP, limit),
    )


def _next_multiple(instant: datetime, every: timedelta) -> datetime:
    return instant + (datetime.min.replace(tzinfo=instant.tzinfo) - instant) % every


def _every(count: int, step: int) -> int:
    """Each step-th bit, the first included."""
    return ((1 << (-(-count // step) * step)) - 1) // ((1 << step) - 1)


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)
