"""The conferences of one day: how many, when, what for, and in which studios. No two overlap in a studio.

The profile is assumed, for none is published: docs/decisions/013 says what it holds to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from demonstration.network import Network, Room
from demonstration.titles import title
from demonstration.working_days import FEWEST, MOST, conferences_on, is_working_day
from models import Purpose
from studios.booking.rules import blocked_time

PURPOSES = {
    Purpose.CLINICAL: 30,
    Purpose.MULTIDISCIPLINARY: 10,
    Purpose.ADMINISTRATION: 25,
    Purpose.EDUCATION: 25,
    Purpose.TEST: 10,
}
START_HOURS = {
    7: 3, 8: 19, 9: 18, 10: 14, 11: 8, 12: 14, 13: 11, 14: 7, 15: 3, 16: 1, 17: 0.6, 18: 0.4, 19: 0.2, 20: 0.1,
}  # fmt: skip
START_MINUTES = {0: 60, 30: 25, 15: 8, 45: 7}
MINUTES = {
    Purpose.CLINICAL: {15: 20, 20: 15, 30: 35, 45: 18, 60: 12},
    Purpose.MULTIDISCIPLINARY: {30: 30, 45: 40, 60: 30},
    Purpose.ADMINISTRATION: {30: 25, 45: 20, 60: 35, 90: 15, 120: 5},
    Purpose.EDUCATION: {45: 30, 60: 30, 90: 25, 120: 10, 180: 5},
    Purpose.TEST: {15: 70, 20: 20, 30: 10},
}
# Parties: up to and with the number, by how often.
PARTIES = {
    Purpose.CLINICAL: {(2, 2): 100},
    Purpose.MULTIDISCIPLINARY: {(2, 2): 20, (3, 3): 25, (4, 4): 25, (5, 5): 15, (6, 6): 15},
    Purpose.ADMINISTRATION: {(2, 2): 30, (3, 3): 20, (4, 4): 15, (5, 6): 18, (7, 12): 17},
    Purpose.EDUCATION: {(2, 2): 22, (3, 3): 18, (4, 4): 14, (5, 6): 18, (7, 10): 15, (11, 20): 10, (21, 35): 3},
    Purpose.TEST: {(2, 2): 100},
}
BOOKED_DAYS_AHEAD = (1, 30)

# Local hours in which the day around now is the day itself; outside them this hour of the profile comes now.
FIRST_HOUR, LAST_HOUR, MID_MORNING = 8, 14, 9
# A call that is shown is a real one: what would run already starts at the next whole minute that leaves time for it.
LEAD = timedelta(seconds=20)
STARTS_OVER = 2  # minutes
CANCELLED_SHARE = 0.03
SMALL = 4  # parties in a conference of the coordinator's own

T = TypeVar("T")
Busy = Mapping[int, Sequence[tuple[datetime, datetime]]]


@dataclass(frozen=True, slots=True)
class Slot:
    """When and what for, before studios are chosen. Minutes count from the day's first, 00:00."""

    start: int
    minutes: int
    purpose: Purpose
    parties: int


@dataclass(frozen=True, slots=True)
class Meeting:
    """A conference with its studios, the host first. `own`: of the demonstration's coordinator."""

    title: str
    purpose: Purpose
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    rooms: tuple[Room, ...]
    cancelled: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class LivingDay:
    """What of the day is over, and what is still to come."""

    past: tuple[Meeting, ...]
    future: tuple[Meeting, ...]


@dataclass(frozen=True, slots=True)
class _Timed:
    starts_at: datetime
    slot: Slot

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.slot.minutes)


def plan_slots(random: Random, number: int) -> list[Slot]:
    """So many conferences by the profile, in order of their start."""
    slots = [_slot(random) for _ in range(number)]
    return sorted(slots, key=lambda slot: (slot.start, slot.minutes, slot.purpose, slot.parties))


def plan_day(seed: int, day: date, zone: ZoneInfo, network: Network, busy: Busy) -> list[Meeting]:
    """A whole day, the same for the same seed; nothing of it goes on past midnight."""
    random = Random(f"{seed} {day}")
    midnight = datetime.combine(day, time(), zone)
    timed = [
        # By the wall clock, and in real time from there.
        _Timed((midnight + timedelta(minutes=slot.start)).astimezone(UTC), slot)
        for slot in plan_slots(random, conferences_on(day, random))
    ]
    return _seated(random, timed, network, busy, own=())


def plan_around(seed: int, now: datetime, zone: ZoneInfo, network: Network, busy: Busy) -> LivingDay:
    """The working day around `now`: what is over, and what begins from the next whole minute on.

    1. Lay the profile so that its hour is the clock's, or on a quiet day or at night its mid-morning.
    2. Leave out what would lie before today's midnight: yesterday has its own.
    3. What would run now begins within the next minutes instead, a few at once.
    4. Choose the studios. `busy` is what they have already, by studio's key.
    """
    local = now.astimezone(zone)
    hour_began = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    hour = profile_hour(local)
    random = Random(f"{seed} {hour_began.isoformat()}")
    shifted = hour != local.hour or not is_working_day(local.date())
    number = random.randint(FEWEST, MOST) if shifted else conferences_on(local.date(), random)
    midnight = datetime.combine(local.date(), time(), zone).astimezone(UTC)
    laid = [_Timed(hour_began + timedelta(minutes=slot.start - 60 * hour), slot) for slot in plan_slots(random, number)]
    timed = _around(now, [each for each in laid if each.starts_at >= midnight])
    meetings = _seated(random, timed, network, busy, own=_own(timed, now))
    past = tuple(meeting for meeting in meetings if meeting.starts_at < now)
    future = tuple(_perhaps_cancelled(random, meeting, now) for meeting in meetings if meeting.starts_at >= now)
    return LivingDay(past, future)


def profile_hour(local: datetime) -> int:
    """The hour of the profile that comes at a wall-clock time: its own on a working day, else the mid-morning."""
    if is_working_day(local.date()) and FIRST_HOUR <= local.hour <= LAST_HOUR:
        return local.hour
    return MID_MORNING


def first_start(now: datetime) -> datetime:
    """The next whole minute that leaves the processes time to be ready for it."""
    earliest = now + LEAD
    whole = earliest.replace(second=0, microsecond=0)
    return whole if whole == earliest else whole + timedelta(minutes=1)


def _slot(random: Random) -> Slot:
    purpose = _drawn(random, PURPOSES)
    start = 60 * _drawn(random, START_HOURS) + _drawn(random, START_MINUTES)
    return Slot(start, _drawn(random, MINUTES[purpose]), purpose, random.randint(*_drawn(random, PARTIES[purpose])))


def _drawn(random: Random, weights: Mapping[T, float]) -> T:
    return random.choices(list(weights), list(weights.values()))[0]


def _around(now: datetime, laid: Iterable[_Timed]) -> list[_Timed]:
    begin = first_start(now)
    over: list[_Timed] = []
    running: list[_Timed] = []
    coming: list[_Timed] = []
    for each in laid:
        kept = over if each.ends_at <= now else running if each.starts_at < begin else coming
        kept.append(each)
    moved = [
        replace(each, starts_at=begin + timedelta(minutes=number % STARTS_OVER)) for number, each in enumerate(running)
    ]
    return over + sorted(moved, key=lambda each: each.starts_at) + coming


def _own(timed: Sequence[_Timed], now: datetime) -> set[int]:
    """Which are the coordinator's own: the first small one that begins at once, and one about an hour later."""
    found = set()
    for ahead in (timedelta(), timedelta(minutes=45)):
        small = (
            index
            for index, each in enumerate(timed)
            if each.starts_at > now + ahead and each.slot.parties <= SMALL and index not in found
        )
        found |= set(list(small)[:1])
    return found


def _seated(random: Random, timed: Sequence[_Timed], network: Network, busy: Busy, own: Iterable[int]) -> list[Meeting]:
    """Each with studios that are free for it; one for which fewer than two are left is dropped."""
    taken = {studio_id: list(spans) for studio_id, spans in busy.items()}
    meetings = []
    for index, each in enumerate(timed):
        mine = index in own

        def is_free(room: Room, each: _Timed = each) -> bool:
            start, end = _blocked(room, each.starts_at, each.ends_at)
            return all(begun >= end or over <= start for begun, over in taken.get(room.studio_id, ()))

        rooms = network.choose(random, each.slot.purpose, each.slot.parties, is_free, mine)
        if len(rooms) < 2:
            continue
        for room in rooms:
            taken.setdefault(room.studio_id, []).append(_blocked(room, each.starts_at, each.ends_at))
        meetings.append(_meeting(random, each, rooms, mine))
    return meetings


def _blocked(room: Room, start: datetime, end: datetime) -> tuple[datetime, datetime]:
    return blocked_time(start, end, room.setup_minutes, room.clear_down_minutes)


def _meeting(random: Random, timed: _Timed, rooms: Sequence[Room], own: bool) -> Meeting:
    ahead = timedelta(days=random.randint(*BOOKED_DAYS_AHEAD), minutes=random.randint(0, 480))
    return Meeting(
        title(random, timed.slot.purpose),
        timed.slot.purpose,
        timed.starts_at,
        timed.ends_at,
        timed.starts_at - ahead,
        tuple(rooms),
        own=own,
    )


def _perhaps_cancelled(random: Random, meeting: Meeting, now: datetime) -> Meeting:
    """What begins at once is not."""
    is_near = meeting.starts_at - now < timedelta(minutes=10)
    return replace(meeting, cancelled=random.random() < CANCELLED_SHARE and not meeting.own and not is_near)
