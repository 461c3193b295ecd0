"""The question of a time to meet, and its answer, as plain values. Instants are UTC. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from studios.booking.candidates import Candidate, Unfit
from studios.calendars.rules import Span

STEP = timedelta(minutes=5)
"""Meetings begin at whole five minutes."""
MOST_SHIFTED = timedelta(minutes=20)
SOON = timedelta(hours=1)
"""What is down now may be up again for a meeting that begins later than this."""


Taken = tuple[datetime, datetime, int]
"""Time of a studio that is gone, from and to, and the key of what takes it: a reservation or a closure. A plain tuple,
for there are ten thousands of them."""


@dataclass(frozen=True, slots=True)
class Room:
    """A studio as the search sees it. `reserved` holds whole blocked times, buffers included."""

    id: int
    capacity: int = 1
    setup: timedelta = timedelta()
    clear_down: timedelta = timedelta()
    site_id: int = 0
    latitude: float = 0.0
    longitude: float = 0.0
    quality_ok: bool = True
    is_down: bool = False
    reserved: Sequence[Taken] = ()
    closures: Sequence[Taken] = ()
    shut: Sequence[Span] = ()
    """Outside its bookable hours."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A party: the studios that would do, one for a studio asked for by name; none at all for a guest."""

    rooms: tuple[int, ...] | None
    people: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """`within`: when the meeting must lie wholly in one of these, in order and apart. `barred`: when there are too few
    bridge ports for it. `zone`: whose days count for the load on a studio. `rooms` holds all that seats name. Nothing
    begins before `now` and the lead, nor after `latest`."""

    seats: Sequence[Seat]
    rooms: Mapping[int, Room]
    length: timedelta
    within: Sequence[Span]
    now: datetime
    zone: ZoneInfo
    preferred: datetime | None = None
    lead: timedelta = timedelta()
    latest: datetime | None = None
    barred: Sequence[Span] = ()
    limit: int = 5
    exactly: bool = False
    """Without compromises, and without saying what is in the way."""


class Remark(StrEnum):
    """What there is to say of a studio in a suggestion."""

    DOWN = "down"
    """It is out of order, and the meeting is soon."""
    DOWN_BUT_LATER = "down_but_later"
    """It is out of order now, and there is time to put that right."""
    UNTESTED = "untested"
    """Its last quality test was not passed, or is too old."""
    SAME_SITE = "same_site"
    """Drawn from a pool, at the site of a studio that was asked for by name."""
    ROOMY = "roomy"
    """Twice as large as was asked for; nothing closer was free."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A time at which everybody can. `rooms` in the parties' order, None for a guest. `remarks`: party, and what there
    is to say of its studio. `shifted`: how far outside the hours that were asked for, negative when before them."""

    start: datetime
    end: datetime
    rooms: tuple[int | None, ...]
    remarks: tuple[tuple[int, Remark], ...] = ()
    shifted: timedelta = timedelta()
    shortened: timedelta = timedelta()


class Why(StrEnum):
    """What stands in the way of a start."""

    RESERVED = "reserved"
    CLOSED = "closed"
    HOURS = "hours"
    DOWN = "down"
    PORTS = "ports"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    OUTSIDE = "outside"
    """It is not within the hours and days that were asked for."""


@dataclass(frozen=True, slots=True)
class Blocker:
    """What blocks a studio, or with `room` None the whole meeting, and when.

    `move`: by how much a reservation would have to move to give way, negative for earlier, whatever is next to it.
    `reference` names its conference, `owner` the organisation whose it is and `contact` their telephone, `movable`
    whether they may be asked for its time; `reason` is a closure's. The pure search leaves these empty.
    """

    why: Why
    room: int | None = None
    span: Span | None = None
    key: int | None = None
    move: timedelta | None = None
    reference: str = ""
    owner: str = ""
    contact: str = ""
    movable: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BlockedSeat:
    """A party for which no studio is free: of how many, and what blocks those that are nearest to being free."""

    party: int
    studios: int
    blockers: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class TooFew:
    """Parties that draw on the same studios, which are fewer than they are; a party without any stands alone."""

    parties: tuple[int, ...]
    rooms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A start at which it does not work, and all the reasons: for the meeting, for single parties, for their number."""

    start: datetime
    end: datetime
    general: tuple[Blocker, ...] = ()
    seats: tuple[BlockedSeat, ...] = ()
    too_few: TooFew | None = None

    @property
    def alone(self) -> BlockedSeat | None:
        """The one party that is in the way of all others."""
        return self.seats[0] if len(self.seats) == 1 and not self.general and not self.too_few else None


@dataclass(frozen=True, slots=True)
class Answer:
    """`too_few`: why no time at all will do. `missed`: why the preferred start will not do, or without one, when
    nothing was found, the start at which the fewest parties are in the way.

    The pure search leaves the rest empty. `studios`: all that came into question, by key. `unfit`: for parties that
    ask for a studio which is not one for them, why; one that is no longer in use has no reason.
    """

    suggestions: tuple[Suggestion, ...] = ()
    missed: NearMiss | None = None
    too_few: TooFew | None = None
    studios: Mapping[int, Candidate] = field(default_factory=dict)
    unfit: Mapping[int, tuple[Unfit, ...]] = field(default_factory=dict)
