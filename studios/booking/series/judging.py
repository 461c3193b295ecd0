"""Whether bookings can be had as they are asked for, all that is in the way, and which studios would do instead.

Reads only and takes no locks: the answer holds until somebody else books. So many queries whatever the number of
bookings.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from models import Account
from studios.booking import diaries, queries
from studios.booking.candidates import Candidate
from studios.booking.conferences import limits
from studios.booking.drawing import Pools, Said, Seat, absent_of, named_studios, own_of
from studios.booking.obstacles import Kind, NoneFree, Obstacle, obstacle_of_clash, obstacle_of_closure
from studios.booking.ports import Asked, without_ports
from studios.booking.rooms import rooms
from studios.booking.rules import Problem, ports_needed, time_problems
from studios.booking.rules import party_problems as problems_of_parties
from studios.booking.seating import misfits, region_of
from studios.booking.series.replacing import StandIns
from studios.booking.wishes import Booking, studio_ids
from studios.calendars.rules import Span

REPLACED = frozenset({Kind.TAKEN, Kind.CLOSED, Kind.OUTSIDE_HOURS})
"""What another studio can help against."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with one booking; nothing when it can be had. `studios` are those it would get, by party.

    `replacements`: by party, a free studio for each one that is in the way.
    """

    problems: tuple[Problem, ...] = ()
    studios: tuple[Candidate | None, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    replacements: Mapping[int, Candidate] = field(default_factory=dict)

    @property
    def is_free(self) -> bool:
        return not self.problems and not self.obstacles

    @property
    def is_replaceable(self) -> bool:
        """Whether the replacements clear all that is in the way."""
        blocked = {position for obstacle in self.obstacles for position in obstacle.parties}
        only_studios = all(obstacle.kind in REPLACED for obstacle in self.obstacles)
        return bool(blocked) and only_studios and not self.problems and blocked <= self.replacements.keys()


@dataclass(frozen=True)
class Judged:
    """A booking to judge. One that is kept where it is has a time that nobody questions any more."""

    booking: Booking
    moved: bool = True
    conference_id: int | None = None
    """The conference that is moved, if there is one: its old time comes free first."""
    kept: frozenset[int] = frozenset()
    """The studios that it has now."""
    said: tuple[Said, ...] = ()
    """What stands of its parties."""


def judge(asked: Sequence[Judged], person: Account | None) -> list[Verdict]:
    """A verdict for each in turn; what one has got another does not get at the same time.

    The old times of all the conferences that are moved count as free.
    """
    bench = _Bench(asked, person)
    found = bench.verdicts()
    keys = {key for each in found for key in each.taken if key != diaries.SIBLING}
    named = queries.clashes_by_reservation(keys)
    return [each.named(named) for each in found]


@dataclass(frozen=True)
class _Found:
    """A verdict before those in the way are known by name: by party, which reservations take its studio."""

    verdict: Verdict
    by_party: tuple[tuple[int, Candidate, tuple[int, ...]], ...] = ()

    @property
    def taken(self) -> set[int]:
        return {key for _position, _studio, keys in self.by_party for key in keys}

    def named(self, clashes: Mapping[int, queries.Clash]) -> Verdict:
        found = [
            replace(obstacle_of_clash(clashes[key]), parties=(position,))
            if key in clashes
            else Obstacle(Kind.TAKEN, (position,), studio.code)
            for position, studio, keys in self.by_party
            for key in keys
        ]
        return replace(self.verdict, obstacles=(*found, *self.verdict.obstacles))


class _Bench:
    """What judging needs to know, read once for all bookings."""

    def __init__(self, asked: Sequence[Judged], person: Account | None) -> None:
        self._asked, self._own = asked, own_of(person)
        self._limits, self._now = limits(), datetime.now(UTC)
        self._known = rooms()
        self._pools = Pools(self._known, self._own)
        bookings = [each.booking for each in asked]
        named = {key for booking in bookings for key in studio_ids(booking.parties) if key in self._known}
        self._stand_ins = StandIns(named, self._known, self._own)
        studios = self._pools.of(bookings) | self._stand_ins.all() | {key: self._known[key] for key in named}
        moved = [each.conference_id for each in asked if each.conference_id]
        self._diary = diaries.read(studios.values(), [Span(b.start, b.end) for b in bookings if b.start < b.end], moved)

    def verdicts(self) -> list[_Found]:
        found = [self._found(each) for each in self._asked]
        lacking = without_ports(
            [
                self._ports(each, one.verdict) if one.verdict.is_free and not one.by_party else _NO_PORTS
                for each, one in zip(self._asked, found, strict=True)
            ]
        )
        without = Obstacle(Kind.NO_PORTS)
        return [
            replace(one, verdict=replace(one.verdict, obstacles=(without,))) if number in lacking else one
            for number, one in enumerate(found)
        ]

    def _ports(self, each: Judged, verdict: Verdict) -> Asked:
        booking = each.booking
        seats = [Seat(wish, studio) for wish, studio in zip(booking.parties, verdict.studios, strict=True)]
        needed = ports_needed(booking.parties, booking.video)
        return Asked(Span(booking.start, booking.end), needed, region_of(seats), each.conference_id)

    def _found(self, each: Judged) -> _Found:
        booking = each.booking
        if problems := self._problems(each):
            return _Found(Verdict(tuple(problems)))
        absent = absent_of(booking.parties, each.said)
        try:
            chosen, none_free = self._pools.draw(booking, self._diary, each.kept, absent), list[Obstacle]()
        except NoneFree as refused:
            chosen = named_studios(booking, absent)
            none_free = refused.obstacles
        return self._seated(booking, chosen, none_free)

    def _problems(self, each: Judged) -> list[Problem]:
        booking = each.booking
        found = time_problems(booking.start, booking.end, self._now, self._limits) if each.moved else []
        return found + problems_of_parties(booking.parties, booking.video)

    def _seated(self, booking: Booking, chosen: Sequence[int | None], none_free: Sequence[Obstacle]) -> _Found:
        meeting = Span(booking.start, booking.end)
        studios = tuple(self._known.get(key) if key is not None else None for key in chosen)
        seats = [Seat(wish, studio) for wish, studio in zip(booking.parties, studios, strict=True)]
        obstacles = [
            *_retired(chosen, studios),
            *misfits(booking, seats, self._own, self._diary),
            *self._closed(studios, meeting),
            *none_free,
        ]
        by_party = tuple(self._taken(studios, meeting))
        if not obstacles and not by_party:
            for studio in filter(None, studios):
                self._diary.hold(studio, meeting)
            return _Found(Verdict(studios=studios))
        blocked = {position for position, _studio, _keys in by_party}
        blocked |= {position for each in obstacles if each.kind in REPLACED for position in each.parties}
        replacements = self._stand_ins.replacing(sorted(blocked), studios, booking, self._diary)
        return _Found(Verdict((), studios, tuple(obstacles), replacements), by_party)

    def _taken(
        self, studios: Sequence[Candidate | None], meeting: Span
    ) -> Iterator[tuple[int, Candidate, tuple[int, ...]]]:
        for position, studio in enumerate(studios):
            if studio is not None and (found := self._diary.taken(studio, meeting)):
                yield position, studio, tuple(each.key for each in found)

    def _closed(self, studios: Sequence[Candidate | None], meeting: Span) -> Iterator[Obstacle]:
        for position, studio in enumerate(studios):
            for closed in self._diary.closed(studio, meeting) if studio else ():
                yield replace(obstacle_of_closure(closed), parties=(position,))


_NO_PORTS = Asked(Span(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)), 0, "")


def _retired(chosen: Sequence[int | None], studios: Sequence[Candidate | None]) -> list[Obstacle]:
    return [
        Obstacle(Kind.RETIRED, (position,))
        for position, (key, studio) in enumerate(zip(chosen, studios, strict=True))
        if key is not None and studio is None
    ]
