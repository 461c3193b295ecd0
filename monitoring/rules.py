"""When is a studio's equipment well? Pure decisions on what polling saw, and on `now`.

Two things are kept apart. A `Pulse` tells whether the endpoint answers: down is confirmed after several misses over
some time, up after answers. Its `Health` is the pulse seen together with closures, the site and the age of it all.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from models.monitoring import Health


class Poll(StrEnum):
    """What one poll says of the endpoint. A late poll, ours to blame, says nothing; a refusal says that it lives."""

    ANSWERED = "answered"
    MISSED = "missed"
    LATE = "late"
    IMPOSSIBLE = "impossible"
    REFUSED = "refused"


class Cause(StrEnum):
    """Why a health is what it is, as stored; pages say it in words."""

    NONE = ""
    CLOSURE = "closure"
    SITE_OUTAGE = "site-outage"
    NO_ANSWER = "no-answer"
    BAD_ANSWER = "bad-answer"
    NEVER_POLLED = "never-polled"
    STALE = "stale"
    CONTROL_SILENT = "control-silent"
    CONTROL_REFUSED = "control-refused"
    CAMERA = "camera"
    MICROPHONE = "microphone"
    DEVICE = "device"
    UNREGISTERED = "unregistered"
    LOSS = "loss"
    FLAPPING = "flapping"
    SNMP_SILENT = "snmp-silent"
    BAD_ADDRESS = "bad-address"
    SNMP_VERSION = "snmp-version"
    CREDENTIAL = "credential"
    SNMP_CREDENTIAL = "snmp-credential"
    SNMP_KEYS = "snmp-keys"


def cause_of(stored: str) -> Cause:
    """A cause as it is stored; none for one that another version wrote."""
    try:
        return Cause(stored)
    except ValueError:
        return Cause.NONE


@dataclass(frozen=True, slots=True)
class Patience:
    """Down after `misses` in a row over at least `over`; up again after `answers` in a row; stale after `stale`."""

    misses: int = 3
    over: timedelta = timedelta(seconds=2)
    answers: int = 1
    stale: timedelta = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether an endpoint answers, as far as polling knows.

    `polled_at` is the last poll that told whether it lives; `missed_since` when the first of the present misses was
    asked.
    """

    misses: int = 0
    answers: int = 0
    missed_since: datetime | None = None
    polled_at: datetime | None = None
    answered_at: datetime | None = None
    down: bool = False
    cause: Cause = Cause.NEVER_POLLED


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else bears on an endpoint's health, beside its own answers. `watched_since`: when we began to poll it;
    `steered`: its control interface answers although SNMP does not, as where the community is wrong."""

    watched_since: datetime
    closed: bool = False
    site_silent: bool = False
    fault: Cause = Cause.NONE
    steered: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    health: Health
    cause: Cause


def after(
    pulse: Pulse, poll: Poll, *, asked_at: datetime, now: datetime, patience: Patience, cause: Cause = Cause.NO_ANSWER
) -> Pulse:
    """The pulse after one more poll; `cause` tells why it was missed or impossible.

    A miss that isn't confirmed yet proves nothing: what was stale stays so until there is an answer or no doubt.
    """
    if poll is Poll.LATE:
        return pulse
    if poll is Poll.IMPOSSIBLE:
        return replace(pulse, misses=0, answers=0, missed_since=None, down=False, cause=cause)
    if poll is Poll.REFUSED:
        return replace(pulse, misses=0, answers=0, missed_since=None, polled_at=now, down=False, cause=cause)
    if poll is Poll.ANSWERED:
        return _answered(pulse, now, patience)
    # A clock that was set back in between must not put off what is to be confirmed until it has caught up.
    misses, since = pulse.misses + 1, min(pulse.missed_since or asked_at, asked_at)
    confirmed = misses >= patience.misses and now - since >= patience.over
    return replace(
        pulse,
        misses=misses,
        answers=0,
        missed_since=since,
        polled_at=now if pulse.down or confirmed else pulse.polled_at,
        down=pulse.down or confirmed,
        cause=pulse.cause if pulse.cause in UNREADABLE and not confirmed else cause,
    )


def _answered(pulse: Pulse, now: datetime, patience: Patience) -> Pulse:
    answers = pulse.answers + 1
    return replace(
        pulse,
        misses=0,
        answers=answers,
        missed_since=None,
        polled_at=now,
        answered_at=now,
        down=pulse.down and answers < patience.answers,
        cause=Cause.NONE,
    )


def verdict(pulse: Pulse, around: Surroundings, *, now: datetime, patience: Patience) -> Verdict:
    """An endpoint's health. The precedence of all states is here and nowhere else: the first that holds."""
    if around.closed:
        return Verdict(Health.MAINTENANCE, Cause.CLOSURE)
    if pulse.cause in UNREADABLE:
        return Verdict(Health.UNKNOWN, pulse.cause)
    # A restarted monitor takes over old data: it has as long as any poll to refresh them before they count as stale.
    if now > stale_at(pulse, around, patience):
        return Verdict(Health.UNKNOWN, Cause.STALE)
    if around.site_silent and pulse.misses and not around.steered:
        return Verdict(Health.UNREACHABLE, Cause.SITE_OUTAGE)
    if pulse.down and around.steered:
        return Verdict(Health.DEGRADED, around.fault or Cause.SNMP_SILENT)
    if pulse.down:
        return Verdict(Health.DOWN, pulse.cause if pulse.cause in MISSED else Cause.NO_ANSWER)
    if pulse.answered_at is None:
        return Verdict(Health.UNKNOWN, Cause.NEVER_POLLED)
    if around.fault:
        return Verdict(Health.DEGRADED, around.fault)
    return Verdict(Health.OK, Cause.NONE)


# Why nothing can be read of an endpoint that may well live: somebody has to set something right.
UNREADABLE = frozenset(
    {Cause.BAD_ADDRESS, Cause.SNMP_VERSION, Cause.CREDENTIAL, Cause.SNMP_CREDENTIAL, Cause.SNMP_KEYS}
)
MISSED = frozenset({Cause.NO_ANSWER, Cause.BAD_ANSWER})


# Percent of the packets; beyond it sound breaks up.
BEARABLE_LOSS = 5.0


def fault(
    control: Cause,
    *,
    cameras: Collection[bool],
    microphones: Collection[bool],
    device_well: bool | None = None,
    registered: bool | None = None,
    loss_percent: float | None = None,
) -> Cause:
    """The fault of an endpoint that answers; of several the gravest. The values say which pieces are connected.

    Codecs list sockets that nothing was ever plugged into: a fault is when nothing is connected to any of them.
    """
    if control:  # what a codec said of its peripherals before it fell silent is no longer known
        return control
    if device_well is False:
        return Cause.DEVICE
    if cameras and not any(cameras):
        return Cause.CAMERA
    if microphones and not any(microphones):
        return Cause.MICROPHONE
    if registered is False:
        return Cause.UNREGISTERED
    return Cause.LOSS if loss_percent is not None and loss_percent > BEARABLE_LOSS else Cause.NONE


def stale_at(pulse: Pulse, around: Surroundings, patience: Patience) -> datetime:
    """When what is known of an endpoint becomes too old to count, unless it is polled before."""
    return max(pulse.polled_at or around.watched_since, around.watched_since) + patience.stale


def is_doubtful(pulse: Pulse) -> bool:
    """Missed, and not yet confirmed down: worth asking again at once."""
    return pulse.misses > 0 and not pulse.down
