"""Who may get which studio: the parties that name one, and those that draw on a pool of what is left. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from studios.booking.finding.matching import too_few
from studios.booking.finding.question import Seat, TooFew


@dataclass(frozen=True, slots=True)
class Draws:
    """By party: the one studio it can have, or the pool it draws on, in which nobody else's one studio is left."""

    fixed: Mapping[int, int]
    pools: Mapping[int, tuple[int, ...]]

    def rooms(self) -> Iterator[int]:
        """Every studio that may come into it, once."""
        yield from dict.fromkeys([*self.fixed.values(), *(room for pool in set(self.pools.values()) for room in pool)])

    def of(self, party: int) -> tuple[int, ...]:
        return (self.fixed[party],) if party in self.fixed else self.pools[party]

    def parties(self) -> list[int]:
        """Those that need a studio, in order."""
        return sorted([*self.fixed, *self.pools])


def draws(seats: Sequence[Seat]) -> Draws | TooFew:
    """Who draws on what; TooFew when there are not enough different studios whatever the time."""
    wanted = {party: seat.rooms for party, seat in enumerate(seats) if seat.rooms is not None}
    if lacking := lack(wanted):
        return lacking
    fixed = {party: rooms[0] for party, rooms in wanted.items() if len(rooms) == 1}
    gone = set(fixed.values())
    left = {rooms: tuple(room for room in rooms if room not in gone) for rooms in set(wanted.values())}
    return Draws(fixed, {party: left[rooms] for party, rooms in wanted.items() if party not in fixed})


def lack(wanted: Mapping[int, Sequence[int]]) -> TooFew | None:
    """Parties that have fewer studios among them than they are."""
    parties = list(wanted)
    found = too_few([wanted[party] for party in parties])
    return TooFew(tuple(parties[index] for index in found[0]), tuple(found[1])) if found else None
