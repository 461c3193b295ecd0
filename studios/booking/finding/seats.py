"""Who gets which studio at one given time, to the minute; or what is in the way. Pure."""

from dataclasses import dataclass, replace

from studios.booking.finding.draws import draws
from studios.booking.finding.matching import cheapest
from studios.booking.finding.question import NearMiss, Question, Remark, Room, TooFew
from studios.booking.finding.ranking import Ranking
from studios.booking.finding.reasons import blockers, near_miss
from studios.calendars.rules import Span


@dataclass(frozen=True, slots=True)
class Seating:
    """`rooms` in the order of the parties, None for a guest. `remarks`: party, and what there is to say of its
    studio."""

    rooms: tuple[int | None, ...]
    remarks: tuple[tuple[int, Remark], ...]


def seats_at(question: Question, meeting: Span) -> Seating | NearMiss | TooFew:
    """The best studios for a meeting at exactly this time, wherever that lies. What is out of order is only remarked
    on: it may be booked, and may be well again."""
    drawn = draws(question.seats)
    if isinstance(drawn, TooFew):
        return drawn
    here = replace(question, within=(meeting,))
    working = replace(here, rooms=_as_if_working(question))
    missed = near_miss(working, drawn, meeting)
    if missed.general or missed.seats or missed.too_few:
        return missed
    ranking = Ranking(here, drawn.fixed)

    def is_free(room: int) -> bool:
        return next(blockers(working.rooms[room], meeting, working), None) is None

    chosen = cheapest(
        [
            ranking.shortlist(pool, question.seats[party].people, meeting.start, is_free, len(drawn.pools))
            for party, pool in drawn.pools.items()
        ]
    )
    if chosen is None:
        raise AssertionError("near_miss counts the studios, so there is one for each party")
    found = {**drawn.fixed, **dict(zip(drawn.pools, chosen, strict=True))}
    rooms = tuple(found.get(party) for party in range(len(question.seats)))
    remarks = tuple(
        (party, remark)
        for party, room in found.items()
        for remark in ranking.remarks(party, room, meeting.start, party in drawn.fixed)
    )
    return Seating(rooms, remarks)


def _as_if_working(question: Question) -> dict[int, Room]:
    return {key: replace(room, is_down=False) if room.is_down else room for key, room in question.rooms.items()}
