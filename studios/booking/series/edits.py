"""What an edit of one meeting does to the others of its series. Pure; instants are UTC.

Times are moved in the wall clock of the series' zone, so that nine stays nine when the clock is moved. What was
cancelled stays so, what has begun is left alone, and what was moved or reseated by itself keeps its time and studios.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from studios.booking.rules import TimeDoesNotExist, TimeIsAmbiguous, end_of, instant


class Scope(StrEnum):
    """Which meetings an edit is for; `following` has the one it is made on in it."""

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"


class Stage(StrEnum):
    PLANNED = "planned"
    LIVE = "live"
    OVER = "over"
    CANCELLED = "cancelled"


class Kept(StrEnum):
    """Why a meeting does not take an edit, or, of the last two, why it keeps its time."""

    CANCELLED = "cancelled"
    OVER = "over"
    UNDER_WAY = "under_way"
    DETACHED = "detached"
    DOES_NOT_EXIST = "does_not_exist"


@dataclass(frozen=True)
class Member:
    """A meeting of a series as it stands. `recurs_at` is where the rule put it, and never changes."""

    conference_id: int
    recurs_at: datetime
    start: datetime
    end: datetime
    stage: Stage = Stage.PLANNED
    detached: bool = False
    """Whether it was moved or reseated by itself."""


@dataclass(frozen=True)
class Change:
    """What is edited. None and False for what is not.

    `start` is the new start of the meeting that the edit is made on, `minutes` the new length of all that take it.
    """

    start: datetime | None = None
    minutes: int | None = None
    title: bool = False
    purpose: bool = False
    parties: bool = False


@dataclass(frozen=True)
class Outcome:
    """What becomes of one meeting: its time afterwards, which other parts of the change it takes, and why not all."""

    member: Member
    start: datetime
    end: datetime
    title: bool = False
    purpose: bool = False
    parties: bool = False
    kept: Kept | None = None
    ambiguous: bool = False
    """Whether its new start comes twice that night; the first is taken."""
    detached: bool = False
    """Whether it stands by itself afterwards."""

    @property
    def moved(self) -> bool:
        return (self.start, self.end) != (self.member.start, self.member.end)

    @property
    def changed(self) -> bool:
        return self.moved or self.title or self.purpose or self.parties


@dataclass(frozen=True)
class Cancelling:
    member: Member
    kept: Kept | None = None


@dataclass(frozen=True)
class Shift:
    """By how many days, and to which time on the wall; None leaves each at its own."""

    days: int
    wall: time | None


def edit(
    members: Sequence[Member], pivot: Member, scope: Scope, change: Change, zone: ZoneInfo, now: datetime
) -> list[Outcome]:
    """What an edit that is made on `pivot` does to each member in its scope, in the order of the rule."""
    shift = shift_between(pivot.start, change.start, zone)
    return [
        Outcome(member, member.start, member.end, kept=kept, detached=member.detached)
        if (kept := closed(member, now))
        else _outcome(member, pivot, scope, change, shift, zone)
        for member in in_scope(members, pivot, scope)
    ]


def cancel(members: Sequence[Member], pivot: Member, scope: Scope, now: datetime) -> list[Cancelling]:
    """Which members in the scope are cancelled: all that have not begun, those that were moved too."""
    return [Cancelling(member, closed(member, now)) for member in in_scope(members, pivot, scope)]


def in_scope(members: Sequence[Member], pivot: Member, scope: Scope) -> Iterator[Member]:
    """The members that an edit on `pivot` speaks of, in the order of the rule, wherever they were moved to."""
    for member in sorted(members, key=lambda member: member.recurs_at):
        is_pivot = member.conference_id == pivot.conference_id
        follows = scope is Scope.FOLLOWING and member.recurs_at >= pivot.recurs_at
        if is_pivot or follows or scope is Scope.ALL:
            yield member


def closed(member: Member, now: datetime) -> Kept | None:
    """Why no edit may touch a meeting; None while it is to come."""
    if member.stage is Stage.CANCELLED:
        return Kept.CANCELLED
    if member.stage is Stage.OVER or member.end <= now:
        return Kept.OVER
    if member.stage is Stage.LIVE or member.start <= now:
        return Kept.UNDER_WAY
    return None


def _outcome(
    member: Member, pivot: Member, scope: Scope, change: Change, shift: Shift | None, zone: ZoneInfo
) -> Outcome:
    """What becomes of a meeting that is to come."""
    is_pivot = member.conference_id == pivot.conference_id
    as_it_is = Outcome(member, member.start, member.end, change.title, change.purpose, detached=member.detached)
    if member.detached and not is_pivot:
        return replace(as_it_is, kept=Kept.DETACHED if _is_more_than_words(change, shift) else None)
    taking = replace(as_it_is, parties=change.parties)
    start, ambiguous = (change.start or member.start, False) if is_pivot else _shifted(member.start, shift, zone)
    if start is None:
        return replace(taking, kept=Kept.DOES_NOT_EXIST)
    end = start + (member.end - member.start) if change.minutes is None else end_of(start, change.minutes)
    timed = replace(taking, start=start, end=end, ambiguous=ambiguous)
    return replace(timed, detached=member.detached or (scope is Scope.THIS and (timed.moved or timed.parties)))


def _is_more_than_words(change: Change, shift: Shift | None) -> bool:
    return shift is not None or change.minutes is not None or change.parties


def shift_between(old: datetime, new: datetime | None, zone: ZoneInfo) -> Shift | None:
    """How the edited meeting moves on calendar and wall clock; None when it does not."""
    if new is None:
        return None
    before, after = old.astimezone(zone), new.astimezone(zone)
    days = (after.date() - before.date()).days
    # Which of two equal times is meant holds for that night only, so the other meetings get the time without its fold.
    wall = after.time().replace(fold=0) if after.time() != before.time() else None
    return Shift(days, wall) if days or wall is not None else None


def _shifted(start: datetime, shift: Shift | None, zone: ZoneInfo) -> tuple[datetime | None, bool]:
    """The start of another meeting after the shift, None where that time does not exist; and whether it comes twice."""
    if shift is None:
        return start, False
    old = start.astimezone(zone)
    wall = old.time().replace(fold=0) if shift.wall is None else shift.wall
    return _first_instant(old.date() + timedelta(days=shift.days), wall, zone)


def _first_instant(day: date, wall: time, zone: ZoneInfo) -> tuple[datetime | None, bool]:
    try:
        return instant(day, wall, zone), False
    except TimeDoesNotExist:
        return None, False
    except TimeIsAmbiguous:
        return instant(day, wall, zone, summer=True), True
