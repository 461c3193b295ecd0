"""When a fault becomes an incident, when it is over, and which comes first. Pure decisions on plain values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.incidents import Severity
from models.monitoring import Health
from monitoring.rules import UNREADABLE, Cause

# A single studio waits until it could have turned out that its whole site is out of contact.
WAIT = timedelta(seconds=30)
# A fault that is gone so long is over; one that comes back this soon after that is the same again.
CALM = timedelta(minutes=5)
SAME_AGAIN = timedelta(minutes=30)
# So many falls within so long are one fault, though none of them lasts.
FLAPS, FLAPPING_WITHIN = 3, timedelta(minutes=10)

# Without these a conference goes on, though worse.
_MINOR = frozenset({Cause.LOSS, Cause.FLAPPING, Cause.SNMP_SILENT, *UNREADABLE})

_WEIGHTS = {Severity.MINOR: 1, Severity.MAJOR: 3, Severity.CRITICAL: 10}
CLINICAL_WEIGHT = 3
HORIZON = timedelta(hours=24)
NEAREST = 5.0  # minutes: what begins sooner is not more urgent


class Step(StrEnum):
    """What is to be done with an incident."""

    OPEN = "open"
    REOPEN = "reopen"
    CHANGE = "change"
    RETURN = "return"
    QUIETEN = "quieten"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Fault:
    cause: Cause
    severity: Severity


@dataclass(frozen=True, slots=True)
class Place:
    """A studio or a whole site; just one of them."""

    studio_id: int | None = None
    site_id: int | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """A studio's equipment as stored; `falls`: how often it fell silent or ill lately."""

    studio_id: int
    health: Health
    cause: Cause
    since: datetime
    falls: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """An incident that is open, or was resolved a while ago."""

    incident_id: int
    place: Place
    fault: Fault
    quiet_since: datetime | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    step: Step
    place: Place
    fault: Fault
    incident_id: int | None = None


def fault_of(health: Health, cause: Cause) -> Fault | None:
    """What is wrong with a studio by itself; none where it is well, closed, or in the shadow of its site."""
    if health is Health.DOWN:
        return Fault(cause, Severity.CRITICAL)
    if health is Health.DEGRADED:
        return Fault(cause, Severity.MINOR if cause in _MINOR else Severity.MAJOR)
    if health is Health.UNKNOWN and cause in UNREADABLE:
        return Fault(cause, Severity.MINOR)
    return None


def decisions(
    presents: Iterable[Present], cut_off: Iterable[int], known: Iterable[Known], now: datetime
) -> list[Decision]:
    """What has changed since the incidents were last seen to. `cut_off`: the sites that are out of contact."""
    by_place = {one.place: one for one in sorted(known, key=lambda one: one.resolved_at is None)}
    outage = Fault(Cause.SITE_OUTAGE, Severity.CRITICAL)
    out = {Place(site_id=site_id) for site_id in cut_off}
    found = [_while_there(place, outage, by_place.get(place), now) for place in sorted(out, key=_order)]
    found += [_while_gone(one, now) for place, one in by_place.items() if place.site_id and place not in out]
    for present in presents:
        place = Place(studio_id=present.studio_id)
        found.append(_of_studio(present, by_place.get(place), now))
    return [decision for decision in found if decision is not None]


def _of_studio(present: Present, known: Known | None, now: datetime) -> Decision | None:
    place, fault = Place(studio_id=present.studio_id), fault_of(present.health, present.cause)
    flapping = present.falls >= FLAPS
    if known is not None and known.resolved_at is None:
        if fault is not None:
            return _while_there(place, fault, known, now)
        gone = _while_gone(known, now) if present.health is Health.OK else None
        return None if flapping and gone and gone.step is Step.RESOLVE else gone
    if fault is not None:
        return _while_there(place, fault, known, now) if flapping or now - present.since >= WAIT else None
    since_then = known is None or known.resolved_at is None or present.since > known.resolved_at
    if flapping and since_then and present.health is Health.OK:
        return _while_there(place, Fault(Cause.FLAPPING, Severity.MINOR), known, now)
    return None  # well; or closed, in the shadow of its site, not known: nothing can be said of a fault


def _while_there(place: Place, fault: Fault, known: Known | None, now: datetime) -> Decision | None:
    if known is None:
        return Decision(Step.OPEN, place, fault)
    if known.resolved_at is not None:
        again = now - known.resolved_at < SAME_AGAIN
        return Decision(Step.REOPEN, place, fault, known.incident_id) if again else Decision(Step.OPEN, place, fault)
    if known.quiet_since is not None:
        return Decision(Step.RETURN, place, fault, known.incident_id)
    if known.fault != fault:
        return Decision(Step.CHANGE, place, fault, known.incident_id)
    return None


def _while_gone(known: Known, now: datetime) -> Decision | None:
    if known.resolved_at is not None:
        return None
    if known.quiet_since is None:
        return Decision(Step.QUIETEN, known.place, known.fault, known.incident_id)
    if not timedelta() <= now - known.quiet_since < CALM:
        return Decision(Step.RESOLVE, known.place, known.fault, known.incident_id)
    return None


def _order(place: Place) -> tuple[int, int]:
    return place.site_id or 0, place.studio_id or 0


@dataclass(frozen=True, slots=True)
class Threatened:
    """A studio's next conference: how many take part, and when."""

    starts_at: datetime
    participants: int
    clinical: bool


def priority(severity: Severity, threatened: Iterable[Threatened], now: datetime) -> float:
    """How urgent a fault is: severity x participants x clinical weight / minutes, over the conferences that it hits.

    0 where there is none within 24 hours: the lowest band.
    """
    return sum(
        (_WEIGHTS[severity] * each.participants * (CLINICAL_WEIGHT if each.clinical else 1)) / max(NEAREST, minutes)
        for each in threatened
        if (minutes := (each.starts_at - now) / timedelta(minutes=1)) <= HORIZON / timedelta(minutes=1)
    )


def most_urgent_first(priorities: Mapping[int, float], incidents: Mapping[int, tuple[Severity, datetime]]) -> list[int]:
    """The incidents by their numbers; in the lowest band the gravest first, then the oldest."""

    def rank(number: int) -> tuple[float, int, datetime]:
        severity, opened_at = incidents[number]
        return -priorities[number], -_WEIGHTS[severity], opened_at

    return sorted(incidents, key=rank)


def is_to_escalate(
    acknowledged: bool, quiet: bool, closed: bool, told_at: datetime | None, after: timedelta, now: datetime
) -> bool:
    """Whether the next on the list are to be told: nobody has taken it, it is still there, and work on it is not the
    reason."""
    return not (acknowledged or quiet or closed) and told_at is not None and now - told_at >= after
