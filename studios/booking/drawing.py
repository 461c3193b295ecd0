"""Which studio each party of a booking gets: a named one is itself, and of pools the best that are free."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from accounts.permissions import access_held_by
from accounts.rules import Access
from models import Account, Answer, Purpose, Role
from studios.booking.candidates import Candidate, Own
from studios.booking.diaries import Diary
from studios.booking.finding.matching import cheapest, too_few
from studios.booking.obstacles import Kind, NoneFree, Obstacle
from studios.booking.rooms import candidates_for
from studios.booking.wishes import Booking, GuestWish, PartyWish, PoolWish, StudioWish
from studios.calendars.rules import Span


@dataclass(frozen=True)
class Said:
    """What stands of a party where nothing changes for it: its studio is reserved for good, or it declined."""

    wish: PartyWish
    studio_id: int
    organisation_id: int | None
    reservation_id: int | None
    answer: Answer
    reason: str | None
    at: datetime | None
    by_id: int | None

    @property
    def declined(self) -> bool:
        return self.answer is Answer.DECLINED


@dataclass(frozen=True)
class Seat:
    """A party's studio; none for a guest, and none for who said no before."""

    wish: PartyWish
    studio: Candidate | None
    said: Said | None = None


Seats = list[Seat]
Absent = Mapping[int, Said]
"""By their places at the table those who said no, and get no studio."""
NO_ONE: Absent = MappingProxyType({})


def absent_of(parties: Sequence[PartyWish], said: Sequence[Said]) -> Absent:
    """Who of these declined before and is wished for as they were: the same studio by name, or the same pool."""
    declined, found = [each for each in said if each.declined], dict[int, Said]()
    named = {wish.studio_id for wish in parties if isinstance(wish, StudioWish)}
    for position, wish in enumerate(parties):
        for each in declined:
            same = wish.studio_id == each.studio_id if isinstance(wish, StudioWish) else wish == each.wish
            if same and (isinstance(wish, StudioWish) or each.studio_id not in named):
                found[position] = each
                declined.remove(each)
                break
    return found


def own_of(person: Account | None) -> Own:
    """The organisations that somebody books for; a process of ours, for all."""
    return Own() if person is None else own_by(access_held_by(person))


def own_by(access: Access) -> Own:
    """The same, for who has this access."""
    bookers = (Role.COORDINATOR, Role.ADMINISTRATOR)
    return Own(None if access.everywhere(*bookers) else access.organisation_ids(*bookers))


def own_in_emergency(person: Account) -> Own:
    """The same with those that somebody holds the emergency right for. Approval is not asked then."""
    access = access_held_by(person)
    roles = (Role.COORDINATOR, Role.ADMINISTRATOR, Role.EMERGENCY)
    return Own(None if access.everywhere(*roles) else access.organisation_ids(*roles), asks_nobody=True)


def draws_on_pools(booking: Booking) -> bool:
    return any(isinstance(wish, PoolWish) for wish in booking.parties)


class Pools:
    """The studios that would do for the pools of bookings; bookings of a series ask for the same ones."""

    def __init__(self, known: Mapping[int, Candidate], own: Own) -> None:
        self._known, self._own = known, own
        self._fitting: dict[tuple[PoolWish, Purpose], list[Candidate]] = {}

    def fitting(self, wish: PartyWish, purpose: Purpose) -> list[Candidate]:
        """In the order of their codes; none for who draws on no pool."""
        if not isinstance(wish, PoolWish):
            return []
        if (wish, purpose) not in self._fitting:
            self._fitting[wish, purpose] = candidates_for(wish, self._known, self._own, purpose)
        return self._fitting[wish, purpose]

    def of(self, bookings: Sequence[Booking]) -> dict[int, Candidate]:
        """All that these bookings may draw."""
        asked = {(wish, booking.purpose) for booking in bookings for wish in booking.parties}
        return {studio.id: studio for wish, purpose in asked for studio in self.fitting(wish, purpose)}

    def draw(
        self, booking: Booking, diary: Diary, kept: Collection[int] = (), absent: Absent = NO_ONE
    ) -> list[int | None]:
        """A studio's key for each party, no two the same; none for guests and who is absent. Raises NoneFree.

        `kept`: the studios that it has now, which it does not lose to better ones.
        """
        if not draws_on_pools(booking):
            return named_studios(booking, absent)
        refused = {each.studio_id for each in absent.values()}
        fitting = [self.fitting(wish, booking.purpose) for wish in booking.parties]
        meeting = Span(booking.start, booking.end)
        every = {studio.id: studio for each in fitting for studio in each}
        free = {key for key, studio in every.items() if key not in refused and diary.is_free(studio, meeting)}
        asked = [
            position
            for position, wish in enumerate(booking.parties)
            if not isinstance(wish, GuestWish) and position not in absent
        ]
        # A studio asked for by name is its party's whatever stands in its way, which the check under the lock will say.
        choices = [
            [wish.studio_id]
            if isinstance(wish := booking.parties[position], StudioWish)
            else [studio.id for studio in fitting[position] if studio.id in free]
            for position in asked
        ]
        chosen = cheapest(
            [
                {key: 0 if key in kept else 1 + _cost(booking.parties[place], self._known.get(key)) for key in each}
                for place, each in zip(asked, choices, strict=True)
            ]
        )
        if chosen is None:
            raise NoneFree(_short(booking, asked, choices, fitting))
        found = dict(zip(asked, chosen, strict=True))
        return [found.get(position) for position in range(len(booking.parties))]


def named_studios(booking: Booking, absent: Absent) -> list[int | None]:
    """The studio of each party that asks for one by name."""
    return [
        wish.studio_id if isinstance(wish, StudioWish) and position not in absent else None
        for position, wish in enumerate(booking.parties)
    ]


def _cost(wish: PartyWish, studio: Candidate | None) -> int:
    """Of a pool's studios: first one whose quality is known, then the smallest that is large enough."""
    if studio is None or not isinstance(wish, PoolWish):
        return 0
    return (not studio.quality_ok) * 10_000 + studio.capacity - wish.capacity


def _short(
    booking: Booking, asked: Sequence[int], choices: Sequence[Sequence[int]], fitting: Sequence[Sequence[Candidate]]
) -> list[Obstacle]:
    """Which pools have no studio for their parties: of none that fit, or of too few that are free."""
    parties, _studios = too_few(choices) or ([], [])
    return [
        Obstacle(Kind.NONE_FREE if fitting[asked[number]] else Kind.NONE_IN_POOL, (asked[number],))
        for number in parties
        if isinstance(booking.parties[asked[number]], PoolWish)
    ]
