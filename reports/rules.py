"""What a local day was, and what became of the conferences and studios in it: pure decisions.

Instants are whole seconds since 1970 (UTC), fractions cut off, so that every sum is exact; a `Span` runs from its first
second up to and without its last. docs/decisions/009 says why what counts as what.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from models.booking import Purpose
from models.monitoring import Health
from models.usage import Outcome

LATE = 60  # seconds after the planned start; what is up by then is on time
NIGHT = time(4)  # when the day before is reported
MADE_UP = timedelta(days=400)  # how far back missed nights are made up
MAILED = timedelta(days=7)  # an older night is made up without a mail
HOUR = 3600
# The far end's equipment rang or its panel asked for a press, and nobody came.
UNANSWERED = frozenset({"no-answer", "not-answered", "waiting-for-press"})
NOT_STARTED = "not-started"  # nothing was ever dialled, and no leg says why
FAULTY = frozenset({Health.DEGRADED, Health.DOWN, Health.UNREACHABLE})

Span = tuple[int, int]


def local_day(day: date, zone: str) -> tuple[datetime, datetime]:
    """The instants at which a day of the zone begins and ends: 23, 24 or 25 hours apart."""
    return _local(day, time(), zone), _local(day + timedelta(days=1), time(), zone)


def night_after(day: date, zone: str) -> datetime:
    """When the day is to be reported: the next 04:00."""
    return _local(day + timedelta(days=1), NIGHT, zone)


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def due_nights(first: date, made: dict[date, datetime], now: datetime, zone: str) -> list[date]:
    """The days from `first` on, the oldest first, whose night has passed and whose report was not made after it."""
    today = now.astimezone(ZoneInfo(zone)).date()
    earliest = max(first, today - MADE_UP)
    passed = [(day, night_after(day, zone)) for day in days_between(earliest, today - timedelta(days=1))]
    return [day for day, night in passed if night <= now and (day not in made or made[day] < night)]


def seconds_of(instant: datetime) -> int:
    return int(instant.timestamp())


def clip(spans: Iterable[Span], within: Span) -> list[Span]:
    """What of the spans falls within one; what does not is left out."""
    cut = ((max(start, within[0]), min(end, within[1])) for start, end in spans)
    return [(start, end) for start, end in cut if start < end]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, in order."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def length(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in spans)


@dataclass(frozen=True, slots=True)
class Seat:
    """One party of a conference: when its calls were up, and what stood in the way of one, in order.

    The host places the calls and has none of its own. `studio_id` is none for a guest.
    """

    studio_id: int | None
    host: bool
    calls: tuple[Span, ...] = ()
    causes: tuple[str, ...] = ()

    @property
    def unanswered(self) -> bool:
        """Its equipment is known to have worked, and nobody came: it rang, and no attempt failed otherwise."""
        return bool(self.causes) and set(self.causes) <= UNANSWERED


@dataclass(frozen=True, slots=True)
class Booking:
    """A conference as it was planned, and what came of it so far. `calls` says at which studio; none is a guest."""

    conference_id: int
    organisation_id: int
    purpose: Purpose
    planned: Span
    cancelled: bool
    over: bool
    seats: tuple[Seat, ...]
    calls: tuple[tuple[int | None, Span], ...]

    @property
    def up(self) -> list[Span]:
        return [span for _studio_id, span in self.calls]

    @property
    def dialled(self) -> list[Seat]:
        return [seat for seat in self.seats if not seat.host]


def outcome_of(booking: Booking) -> Outcome:
    if booking.calls:
        return Outcome.HELD
    if booking.cancelled:
        return Outcome.CANCELLED
    if not booking.over:
        return Outcome.RUNNING
    answered_nowhere = booking.dialled and all(seat.unanswered for seat in booking.dialled)
    return Outcome.NO_SHOW if answered_nowhere else Outcome.FAILED


def outcome_at(seat: Seat, booking: Booking) -> Outcome:
    """What became of one seat's part. The host's is the conference's."""
    whole = outcome_of(booking)
    if seat.host or whole in (Outcome.CANCELLED, Outcome.RUNNING):
        return whole
    if seat.calls:
        return Outcome.HELD
    if not booking.over:
        return Outcome.RUNNING
    return Outcome.NO_SHOW if seat.unanswered else Outcome.FAILED


def lateness(calls: Sequence[Span], planned_start: int) -> int | None:
    """Seconds from the planned start to the first call up, 0 when it was up before; None when none was."""
    return max(0, min(start for start, _end in calls) - planned_start) if calls else None


def is_late(late_seconds: int | None) -> bool:
    return late_seconds is not None and late_seconds > LATE


def was_as_booked(booking: Booking) -> bool:
    """Held on time, and nobody missing."""
    late = lateness(booking.up, booking.planned[0])
    return late is not None and not is_late(late) and all(seat.calls for seat in booking.dialled)


def calls_for(seat: Seat, booking: Booking) -> Sequence[Span]:
    """When a seat was in the conference: the host while any call is up."""
    return booking.up if seat.host else seat.calls


def use_of(booking: Booking) -> list[tuple[int, Span]]:
    """When which studio was in a call, one that was replaced meanwhile included; what overlaps stands twice."""
    at_far_ends = [(studio_id, span) for studio_id, span in booking.calls if studio_id is not None]
    hosts = [seat.studio_id for seat in booking.seats if seat.host and seat.studio_id is not None]
    return [*at_far_ends, *((host, span) for host in hosts for span in booking.up)]


def cause_of(booking: Booking) -> str | None:
    """Why a conference failed or was not as booked, if it is over and anything is known: the first missing seat's
    last word, a technical one before a call that nobody answered."""
    outcome = outcome_of(booking)
    if outcome in (Outcome.CANCELLED, Outcome.RUNNING) or was_as_booked(booking):
        return None
    missing = [seat for seat in booking.dialled if not seat.calls] or booking.dialled
    words = [word for seat in missing for word in reversed(seat.causes)]
    technical = [word for word in words if word not in UNANSWERED]
    unknown = None if outcome is Outcome.HELD else NOT_STARTED
    return next(iter((*technical, *words)), unknown)


@dataclass(frozen=True, slots=True)
class Wellness:
    """Seconds of a studio's day."""

    healthy: int = 0
    faulty: int = 0
    maintenance: int = 0
    unknown: int = 0


def wellness(changes: Sequence[tuple[int, Health]], known_until: int, day: Span) -> Wellness:
    """How a studio was through a day, from its changes of health in order: the last before the day, and those in it.

    Nothing is known before the first change, nor after `known_until`, when its last poll had become too old: a monitor
    that is dead proves nothing.
    """
    healthy = faulty = maintenance = 0
    ends = [*(at for at, _health in changes[1:]), day[1]]
    for (start, health), end in zip(changes, ends, strict=False):
        seconds = max(0, min(end, day[1], known_until) - max(start, day[0]))
        if health is Health.OK:
            healthy += seconds
        elif health is Health.MAINTENANCE:
            maintenance += seconds
        elif health in FAULTY:
            faulty += seconds
    return Wellness(healthy, faulty, maintenance, day[1] - day[0] - healthy - faulty - maintenance)


def hours_of(day: Span) -> list[Span]:
    """The hours of a day in order. They are 23 or 25 when the clocks are changed."""
    return [(start, min(start + HOUR, day[1])) for start in range(day[0], day[1], HOUR)]


def peaks(groups: Iterable[Iterable[Span]], day: Span) -> list[int]:
    """For each hour of the day, the most groups that had something going on at one instant."""
    steps: dict[int, int] = {}
    for group in groups:
        for start, end in union(clip(group, day)):
            steps[start] = steps.get(start, 0) + 1
            steps[end] = steps.get(end, 0) - 1
    most = [0] * len(hours_of(day))
    level, instants = 0, sorted(steps)
    for instant, following in pairwise(instants):
        level += steps[instant]
        for hour in range((instant - day[0]) // HOUR, (following - 1 - day[0]) // HOUR + 1):
            most[hour] = max(most[hour], level)
    return most


def by_hour(spans: Iterable[Span], day: Span) -> list[int]:
    """Seconds of the spans in each hour of the day; what overlaps counts as often."""
    seconds = [0] * len(hours_of(day))
    for start, end in clip(spans, day):
        for hour in range((start - day[0]) // HOUR, (end - 1 - day[0]) // HOUR + 1):
            begins = day[0] + hour * HOUR
            seconds[hour] += min(end, begins + HOUR) - max(start, begins)
    return seconds


def _local(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
