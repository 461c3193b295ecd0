"""Is a studio fit for the conference that is about to begin there? Pure decisions on what a fresh probe found."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.incidents import Light

# Minutes before the start.
AHEAD = (30, 15, 5)
LAST = min(AHEAD)


class Check(StrEnum):
    REACHABLE = "reachable"
    REGISTERED = "registered"
    CAMERA = "camera"
    MICROPHONE = "microphone"
    IDLE = "idle"


class Result(StrEnum):
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a fresh look found; None where it could not be asked or does not tell. `answered` by SNMP, `steered` by the
    control interface, without which no call can be set up; `calls`: how many are up."""

    answered: bool | None = None
    steered: bool | None = None
    registered: bool | None = None
    cameras: Collection[bool] = ()
    microphones: Collection[bool] = ()
    calls: int | None = None


def due_minutes(starts_at: datetime, now: datetime) -> int | None:
    """Which of the looks has come last; none before the first, and none once it has begun."""
    ahead = (starts_at - now) / timedelta(minutes=1)
    return min((each for each in AHEAD if ahead <= each), default=None) if ahead > 0 else None


def checked(probe: Probe, in_use: bool) -> dict[Check, Result]:
    """`in_use`: another conference still has the studio, so that its calls say nothing yet."""
    reachable = probe.steered if probe.steered is not None else probe.answered
    return {
        Check.REACHABLE: _result(reachable),
        Check.REGISTERED: _result(probe.registered),
        Check.CAMERA: _result(any(probe.cameras) if probe.cameras else None),
        Check.MICROPHONE: _result(any(probe.microphones) if probe.microphones else None),
        Check.IDLE: _result(None if probe.calls is None or in_use else probe.calls == 0),
    }


def _result(well: bool | None) -> Result:
    if well is None:
        return Result.UNKNOWN
    return Result.OK if well else Result.FAILED


def light(checks: Mapping[Check, Result], minutes: int) -> Light:
    """Red: it cannot take part as things are. A call that is up may end in time, until the last look."""
    failed = {check for check, result in checks.items() if result is Result.FAILED}
    if failed - {Check.IDLE} or (failed and minutes <= LAST):
        return Light.RED
    return Light.AMBER if failed or checks[Check.REACHABLE] is Result.UNKNOWN else Light.GREEN
