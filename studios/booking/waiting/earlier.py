"""Who comes before somebody in the line, and could have what is about to be offered to them.

What each of them asks for and which studios would do is read once in a sweep, outside any transaction that writes.
Under the studios' locks only those count who have use for one of the studios that are offered, and what is reserved and
closed around that time is read for all of them at once.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from sqlalchemy.orm import joinedload

from models import Account, WaitingRequest, db
from studios.booking import diaries
from studios.booking.candidates import Candidate, Own
from studios.booking.diaries import Diary
from studios.booking.drawing import Pools
from studios.booking.finding.asked import asked_spans
from studios.booking.finding.question import STEP
from studios.booking.obstacles import NoneFree
from studios.booking.rooms import candidates_for, rooms
from studios.booking.waiting.lapses import lead
from studios.booking.waiting.queries import declined_holds
from studios.booking.waiting.requests import own_for
from studios.booking.waiting.rules import around, first_start, hours_of
from studios.booking.waiting.searching import zone
from studios.booking.wishes import Booking, GuestWish, StudioWish, booking_from_json
from studios.calendars.rules import Span


@dataclass(frozen=True)
class Asked:
    """A request, with the studios that would do for it; `within`: the spans in which its meeting must lie. `pools`
    knows those that would do for each of its parties."""

    booking: Booking
    window: Span
    within: Sequence[Span]
    turned_down: Sequence[Span]
    studios: dict[int, Candidate]
    pools: Pools

    @property
    def length(self) -> timedelta:
        return self.booking.end - self.booking.start

    def starts(self, near: Span) -> Iterator[datetime]:
        """When a meeting could begin that gets in the way of this span."""
        part = around(near, self.length, self.window)
        for span in (each.shared_with(part) for each in self.within):
            start = span.start + (datetime.min.replace(tzinfo=UTC) - span.start) % STEP
            while start + self.length <= span.end:
                if not any(each.overlaps(Span(start, start + self.length)) for each in self.turned_down):
                    yield start
                start += STEP

    def can_have(self, start: datetime, diary: Diary) -> bool:
        meeting = Span(start, start + self.length)
        named = [wish.studio_id for wish in self.booking.parties if isinstance(wish, StudioWish)]
        if not all(diary.is_free(self.studios[key], meeting) for key in named):
            return False
        try:
            self.pools.draw(replace(self.booking, start=meeting.start, end=meeting.end), diary)
        except NoneFree:
            return False
        return True


class Earlier:
    """The requests of one sweep, as far as they were read."""

    def __init__(self) -> None:
        self._known = rooms()
        self._pools: dict[tuple[int, int | None], tuple[Own, Pools]] = {}
        self._asked: dict[int, Asked | None] = {}

    def read(self, request_ids: Collection[int]) -> None:
        """What these ask for; nothing is read twice."""
        missing = [key for key in request_ids if key not in self._asked]
        if not missing:
            return
        query = db.select(WaitingRequest).where(WaitingRequest.id.in_(missing))
        for request in db.session.scalars(query.options(joinedload(WaitingRequest.account))):
            self._asked[request.id] = self._readable(request)

    def first_who_could(self, request_ids: Sequence[int], studio_ids: Collection[int], near: Span) -> int | None:
        """The first of these who has use for one of the studios and can be seated near that span now."""
        self.read(request_ids)
        rivals = {
            key: asked
            for key in request_ids
            if (asked := self._asked.get(key))
            and not asked.studios.keys().isdisjoint(studio_ids)
            and next(asked.starts(near), None)
        }
        if not rivals:
            return None
        studios = {studio.id: studio for asked in rivals.values() for studio in asked.studios.values()}
        longest = max(asked.length for asked in rivals.values())
        diary = diaries.read(studios.values(), [near.widened(longest, longest)])
        return next((key for key, asked in rivals.items() if _fits(asked, near, diary)), None)

    def _readable(self, request: WaitingRequest) -> Asked | None:
        try:
            return self._read(request)
        except (KeyError, TypeError, ValueError):  # told when its own turn comes
            return None

    def _read(self, request: WaitingRequest) -> Asked | None:
        """None for who can't be served, whatever is free."""
        booking = booking_from_json(request.booking)
        own, pools = self._pools_of(request.organisation_id, request.account)
        fitting = [
            candidates_for(wish, self._known, own, booking.purpose)
            if isinstance(wish, StudioWish)
            else pools.fitting(wish, booking.purpose)
            for wish in booking.parties
        ]
        if any(
            not each and not isinstance(wish, GuestWish) for wish, each in zip(booking.parties, fitting, strict=True)
        ):
            return None
        window, length = Span(request.earliest, request.latest), booking.end - booking.start
        start = first_start(window.start, datetime.now(UTC), lead())
        hours = hours_of(window.start, window.end, length, zone())
        return Asked(
            booking,
            window,
            asked_spans(start, window.end, hours, None, zone()) if start < window.end else [],
            [Span(hold.starts_at, hold.ends_at) for hold in declined_holds(request.id)],
            {studio.id: studio for each in fitting for studio in each},
            pools,
        )

    def _pools_of(self, organisation_id: int, person: Account | None) -> tuple[Own, Pools]:
        key = organisation_id, person.id if person else None
        if key not in self._pools:
            own = own_for(organisation_id, person)
            self._pools[key] = own, Pools(self._known, own)
        return self._pools[key]


def _fits(asked: Asked, near: Span, diary: Diary) -> bool:
    return any(asked.can_have(start, diary) for start in asked.starts(near))


def before(line: Sequence[int], request_id: int) -> list[int]:
    """Who comes before this one in the line."""
    return list(takewhile(lambda each: each != request_id, line))
