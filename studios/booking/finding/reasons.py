"""Why a start will not do: every reason, by exact intervals. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from studios.booking.finding.draws import Draws, lack
from studios.booking.finding.question import BlockedSeat, Blocker, NearMiss, Question, Room, Taken, Why
from studios.booking.finding.ranking import is_soon
from studios.calendars.rules import Span

MOST_NAMED = 3
"""Of the studios of a pool that are all blocked, so many are named."""
_FOREVER = timedelta.max


def near_miss(question: Question, draws: Draws, meeting: Span) -> NearMiss:
    """All that is in the way of a meeting at this time; nothing when it can be held."""
    blocked = {room: list(blockers(question.rooms[room], meeting, question)) for room in draws.rooms()}
    seats = tuple(
        _blocked_seat(party, draws.of(party), blocked)
        for party in draws.parties()
        if all(blocked[room] for room in draws.of(party))
    )
    free = {party: [room for room in draws.of(party) if not blocked[room]] for party in draws.parties()}
    return NearMiss(
        meeting.start,
        meeting.end,
        general=tuple(_general(question, meeting)),
        seats=seats,
        too_few=None if seats else lack(free),
    )


def blockers(room: Room, meeting: Span, question: Question) -> Iterator[Blocker]:
    """What keeps the meeting out of one studio."""
    held = meeting.widened(room.setup, room.clear_down)
    for taken in room.reserved:
        if taken.start < held.end and held.start < taken.end:
            move = _move(taken, held, question)
            yield Blocker(Why.RESERVED, room.id, Span(taken.start, taken.end), taken.key, move)
    for closure in room.closures:
        if closure.start < held.end and held.start < closure.end:
            yield Blocker(Why.CLOSED, room.id, Span(closure.start, closure.end), closure.key)
    for span in room.shut:
        if span.overlaps(meeting):
            yield Blocker(Why.HOURS, room.id, span)
    if room.is_down and is_soon(question, meeting.start):
        yield Blocker(Why.DOWN, room.id)


def _general(question: Question, meeting: Span) -> Iterator[Blocker]:
    if meeting.start < question.now + question.lead:
        yield Blocker(Why.TOO_SOON)
    if not any(span.start <= meeting.start and meeting.end <= span.end for span in question.within):
        yield Blocker(Why.OUTSIDE)
    for span in question.barred:
        if span.overlaps(meeting):
            yield Blocker(Why.PORTS, span=span)


def _blocked_seat(party: int, rooms: Sequence[int], blocked: Mapping[int, Sequence[Blocker]]) -> BlockedSeat:
    nearest = sorted(rooms, key=lambda room: (len(blocked[room]), max(map(_hardness, blocked[room]))))[:MOST_NAMED]
    return BlockedSeat(party, len(rooms), tuple(blocker for room in nearest for blocker in blocked[room]))


def _hardness(blocker: Blocker) -> timedelta:
    return _FOREVER if blocker.move is None else abs(blocker.move)


def _move(taken: Taken, held: Span, question: Question) -> timedelta:
    """The shorter way out of the time that we would hold; never into the past."""
    later, earlier = held.end - taken.start, taken.end - held.start
    if earlier < later and taken.start - earlier >= question.now:
        return -earlier
    return later
