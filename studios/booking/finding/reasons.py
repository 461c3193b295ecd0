"""Why a start will not do: every reason, by exact intervals. Pure."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from studios.booking.finding.draws import Draws, lack
from studios.booking.finding.question import BlockedSeat, Blocker, NearMiss, Question, Room, Why
from studios.booking.finding.ranking import is_soon
from studios.calendars.rules import Span

MOST_NAMED = 3
"""Of the studios of a pool that are all blocked, so many are named."""
_FOREVER = timedelta.max


def near_miss(question: Question, draws: Draws, meeting: Span) -> NearMiss:
    """All that is in the way of a meeting at this time; nothing when it can be held."""
    free = {room for room in draws.rooms() if _is_free(question.rooms[room], meeting, question)}
    left = {party: [room for room in draws.of(party) if room in free] for party in draws.parties()}
    seats = tuple(
        _blocked_seat(
            party, [(room, list(blockers(question.rooms[room], meeting, question))) for room in draws.of(party)]
        )
        for party, rooms in left.items()
        if not rooms
    )
    general = tuple(_general(question, meeting))
    return NearMiss(meeting.start, meeting.end, general, seats, too_few=None if seats else lack(left))


def blockers(room: Room, meeting: Span, question: Question) -> Iterator[Blocker]:
    """What keeps the meeting out of one studio."""
    held = meeting.widened(room.setup, room.clear_down)
    for start, end, key in room.reserved:
        if start < held.end and held.start < end:
            span = Span(start, end)
            yield Blocker(Why.RESERVED, room.id, span, key, _move(span, held, question))
    for start, end, key in room.closures:
        if start < held.end and held.start < end:
            yield Blocker(Why.CLOSED, room.id, Span(start, end), key)
    for span in room.shut:
        if span.overlaps(meeting):
            yield Blocker(Why.HOURS, room.id, span)
    if room.is_down and is_soon(question, meeting.start):
        yield Blocker(Why.DOWN, room.id)


def _is_free(room: Room, meeting: Span, question: Question) -> bool:
    return next(blockers(room, meeting, question), None) is None


def _general(question: Question, meeting: Span) -> Iterator[Blocker]:
    if meeting.start < question.now + question.lead:
        yield Blocker(Why.TOO_SOON)
    if question.latest is not None and meeting.start > question.latest:
        yield Blocker(Why.TOO_FAR)
    if not any(span.start <= meeting.start and meeting.end <= span.end for span in question.within):
        yield Blocker(Why.OUTSIDE)
    for span in question.barred:
        if span.overlaps(meeting):
            yield Blocker(Why.PORTS, span=span)


def _blocked_seat(party: int, blocked: Sequence[tuple[int, list[Blocker]]]) -> BlockedSeat:
    nearest = sorted(blocked, key=lambda each: (len(each[1]), max(map(_hardness, each[1]))))[:MOST_NAMED]
    return BlockedSeat(party, len(blocked), tuple(blocker for _, found in nearest for blocker in found))


def _hardness(blocker: Blocker) -> timedelta:
    return _FOREVER if blocker.move is None else abs(blocker.move)


def _move(taken: Span, held: Span, question: Question) -> timedelta:
    """The shorter way out of the time that we would hold; never into the past."""
    later, earlier = held.end - taken.start, taken.end - held.start
    if earlier < later and taken.start - earlier >= question.now:
        return -earlier
    return later
