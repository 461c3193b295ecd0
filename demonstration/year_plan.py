"""What became of past conferences, and how the studios' equipment was: a story for each day, by its own seed."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

from demonstration.day_plan import Meeting
from demonstration.network import Room
from models import ConferenceState, Health

DAYS = 365
SECOND = timedelta(seconds=1)
# What the scheduler waits before the second, third, ... attempt, and when it gives a call up.
PAUSES = (5, 10, 20, 40, 60, 60, 60, 60, 60)
RINGS_FOR = 40  # seconds
LASTING = frozenset({"unauthorised"})


class Fate(StrEnum):
    HELD = "held"
    CANCELLED = "cancelled"
    FAILED = "failed"
    NO_SHOW = "no_show"
    LATE = "late"
    ONE_MISSING = "one_missing"
    ONE_DROPPED = "one_dropped"


FATES = {
    Fate.HELD: 865,
    Fate.CANCELLED: 40,
    Fate.FAILED: 10,
    Fate.NO_SHOW: 15,
    Fate.LATE: 30,
    Fate.ONE_MISSING: 25,
    Fate.ONE_DROPPED: 15,
}
CAUSES = {
    Fate.FAILED: ("unreachable", "unreachable", "busy", "unauthorised"),
    Fate.NO_SHOW: ("no-answer",),
    Fate.LATE: ("unreachable", "busy"),
    Fate.ONE_MISSING: ("no-answer", "unreachable", "busy"),
}
LATE_BY = (70, 330)  # seconds

# Outages of single studios a day, and of whole sites; how long they last, in minutes.
STUDIO_OUTAGES, SITE_OUTAGES = 14, 0.6
STUDIO_OUTAGE = (4, 240)
SITE_OUTAGE = (10, 150)
DEGRADED_SHARE = 0.35
# How much worse the worst studios are than the others.
TROUBLE = 1.6
# On one day in the year the monitor did not run for half of it.
STALE_FROM, STALE_UNTIL = time(11, 40), time(17, 25)
DAY_ENDS = timedelta(minutes=30)  # before midnight all is well again


@dataclass(frozen=True, slots=True)
class Outage:
    """Of one endpoint. Only what is not degraded keeps calls away."""

    room: Room
    begins_at: datetime
    ends_at: datetime
    health: Health
    cause: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that failed."""

    at: datetime
    number: int
    cause: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class LegStory:
    """The call to one room: what failed, and when it was up."""

    room: Room
    dialled_at: datetime
    failures: tuple[Attempt, ...]
    calls: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, slots=True)
class Story:
    """A past conference. `up_at` is when all that ever came were there; none where nobody came."""

    meeting: Meeting
    state: ConferenceState
    cancelled_at: datetime | None
    legs: tuple[LegStory, ...]

    @property
    def up_at(self) -> datetime | None:
        return max((leg.calls[0][0] for leg in self.legs if leg.calls), default=None)


@dataclass(frozen=True, slots=True)
class _Hindrance:
    """Why a call cannot be made, and until when; `until` is none when it never can."""

    cause: str
    until: datetime | None


class Outages:
    """Those of a day, to ask what stood in the way of a call."""

    def __init__(self, found: Iterable[Outage]) -> None:
        self._of: dict[int, list[Outage]] = {}
        for outage in sorted(found, key=lambda outage: outage.begins_at):
            if outage.health is not Health.DEGRADED:
                self._of.setdefault(outage.room.studio_id, []).append(outage)

    def at(self, room: Room, instant: datetime) -> Outage | None:
        outages = self._of.get(room.studio_id, [])
        index = bisect_right(outages, instant, key=lambda outage: outage.begins_at) - 1
        return outages[index] if index >= 0 and outages[index].ends_at > instant else None


def tell(random: Random, meeting: Meeting, outages: Outages) -> Story:
    """What became of a conference that is over."""
    fate = random.choices(list(FATES), list(FATES.values()))[0]
    if fate is Fate.CANCELLED:
        cancelled_at = meeting.created_at + (meeting.starts_at - meeting.created_at) * random.uniform(0.3, 0.99)
        return Story(meeting, ConferenceState.CANCELLED, cancelled_at, ())
    cause = random.choice(CAUSES.get(fate, ("",)))
    host = _of_the_host(random, fate, cause, meeting, outages)
    odd = random.randrange(1, len(meeting.rooms))
    legs = []
    for number, room in enumerate(meeting.rooms[1:], start=1):
        hindrance = host or _of_the_far_end(fate, cause, number == odd, room, meeting, outages)
        legs.append(_leg(random, meeting, room, hindrance, fate is Fate.ONE_DROPPED and number == odd))
    held = any(leg.calls for leg in legs)
    return Story(meeting, ConferenceState.ENDED if held else ConferenceState.FAILED, None, tuple(legs))


def plan_outages(seed: int, day: date, zone: ZoneInfo, rooms: Sequence[Room]) -> list[Outage]:
    """The outages of a day: minutes to hours, some studios much worse than others, none beyond the day's own end."""
    random = Random(f"{seed} {day} outages")
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC) - DAY_ENDS
    weights = _troubles(seed, rooms)
    found = [
        _outage(random, random.choices(rooms, weights)[0], day, zone) for _ in range(_poisson(random, STUDIO_OUTAGES))
    ]
    for _ in range(_poisson(random, SITE_OUTAGES)):
        site_id = random.choice(rooms).site_id
        begins_at, ends_at = _span(random, day, zone, SITE_OUTAGE)
        at_site = [room for room in rooms if room.site_id == site_id]
        found += [Outage(room, begins_at, ends_at, Health.UNREACHABLE, "site-outage") for room in at_site]
    return _apart([outage for outage in found if outage.ends_at < end])


def unwatched(seed: int, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """When the monitor did not run that day, if so: on one day in a year."""
    if day.toordinal() % DAYS != Random(f"{seed} unwatched").randrange(DAYS):
        return None
    begins_at, ends_at = (datetime.combine(day, wall, zone).astimezone(UTC) for wall in (STALE_FROM, STALE_UNTIL))
    return begins_at, ends_at


def _of_the_host(random: Random, fate: Fate, cause: str, meeting: Meeting, outages: Outages) -> _Hindrance | None:
    """What keeps the host from calling anybody."""
    if outage := outages.at(meeting.rooms[0], meeting.starts_at):
        return _Hindrance("unreachable", outage.ends_at)
    if fate is Fate.FAILED:
        return _Hindrance(cause, None)
    if fate is Fate.LATE:
        return _Hindrance(cause, meeting.starts_at + random.randint(*LATE_BY) * SECOND)
    return None


def _of_the_far_end(
    fate: Fate, cause: str, is_odd: bool, room: Room, meeting: Meeting, outages: Outages
) -> _Hindrance | None:
    if outage := outages.at(room, meeting.starts_at):
        return _Hindrance("unreachable", outage.ends_at)
    if fate is Fate.NO_SHOW or (fate is Fate.ONE_MISSING and is_odd):
        return _Hindrance(cause, None)
    return None


def _leg(random: Random, meeting: Meeting, room: Room, hindrance: _Hindrance | None, drops: bool) -> LegStory:
    """Attempts as the scheduler makes them, until one succeeds, the last has failed, or the conference is over."""
    dialled_at = attempt_at = meeting.starts_at + random.uniform(0.1, 0.9) * SECOND
    failures: list[Attempt] = []
    while hindrance and (hindrance.until is None or attempt_at < hindrance.until):
        number = len(failures) + 1
        failed_at = attempt_at + (RINGS_FOR if hindrance.cause == "no-answer" else random.uniform(0.5, 3)) * SECOND
        gives_up = number > len(PAUSES) or hindrance.cause in LASTING
        attempt_at = failed_at if gives_up else failed_at + PAUSES[number - 1] * SECOND
        if failed_at >= meeting.ends_at:
            return LegStory(room, dialled_at, tuple(failures), ())
        failures.append(Attempt(failed_at, number, hindrance.cause, None if gives_up else attempt_at))
        if gives_up:
            return LegStory(room, dialled_at, tuple(failures), ())
    connected_at = attempt_at + random.uniform(1, 4) * SECOND
    if connected_at >= meeting.ends_at:
        return LegStory(room, dialled_at, tuple(failures), ())
    ended_at = meeting.ends_at + random.uniform(0.3, 1.5) * SECOND
    calls = _with_a_drop(random, connected_at, ended_at) if drops else ((connected_at, ended_at),)
    return LegStory(room, dialled_at, tuple(failures), calls)


def _with_a_drop(random: Random, start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
    dropped_at = start + (end - start) * random.uniform(0.2, 0.7)
    back_at = dropped_at + random.uniform(7, 40) * SECOND
    return ((start, dropped_at), (back_at, end)) if back_at < end else ((start, end),)


def _outage(random: Random, room: Room, day: date, zone: ZoneInfo) -> Outage:
    begins_at, ends_at = _span(random, day, zone, STUDIO_OUTAGE)
    if random.random() < DEGRADED_SHARE:
        return Outage(room, begins_at, ends_at, Health.DEGRADED, random.choice(("control-silent", "control-refused")))
    return Outage(room, begins_at, ends_at, Health.DOWN, "no-answer")


def _span(random: Random, day: date, zone: ZoneInfo, minutes: tuple[int, int]) -> tuple[datetime, datetime]:
    """Short ones are frequent, long ones rare."""
    begins_at = datetime.combine(day, time(), zone).astimezone(UTC) + random.uniform(0.5, 22) * timedelta(hours=1)
    shortest, longest = minutes
    return begins_at, begins_at + timedelta(minutes=shortest + (longest - shortest) * random.random() ** 3)


def _apart(outages: Sequence[Outage]) -> list[Outage]:
    """One at a time at each endpoint: the first of those that touch."""
    kept: list[Outage] = []
    until: dict[int, datetime] = {}
    for outage in sorted(outages, key=lambda outage: (outage.begins_at, outage.room.code)):
        if outage.begins_at > until.get(outage.room.endpoint_id, outage.begins_at - SECOND):
            until[outage.room.endpoint_id] = outage.ends_at
            kept.append(outage)
    return kept


def _troubles(seed: int, rooms: Sequence[Room]) -> list[float]:
    random = Random(f"{seed} trouble")
    return [random.lognormvariate(0, TROUBLE) for _ in rooms]


def _poisson(random: Random, mean: float) -> int:
    """By the time between arrivals."""
    number, passed = 0, random.expovariate(mean)
    while passed < 1:
        number, passed = number + 1, passed + random.expovariate(mean)
    return number
