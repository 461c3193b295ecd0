"""When a process counts as silent, and whether people must be told. Pure decisions on plain values and `now`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.heartbeat import SILENT_AFTER

# The processes of one machine start together, and the pages may be the first to be there.
GRACE = timedelta(seconds=30)


class Kind(StrEnum):
    WEB = "web"
    SCHEDULER = "scheduler"
    MONITOR = "monitor"
    FLEET = "fleet"


# Whoever looks at a page sees that the web process is there, and only a demonstration has a fleet.
NEEDED = (Kind.SCHEDULER, Kind.MONITOR)


@dataclass(frozen=True, slots=True)
class Silence:
    """No process of a kind gives signs of life. `since` its last one; none where none is to be waited for: it was
    never started, or it was stopped on purpose."""

    kind: Kind
    since: datetime | None


def is_silent(beat_at: datetime, now: datetime) -> bool:
    """A sign of life that lies well ahead is from before the database's clock was set back: it tells nothing of now."""
    return abs(now - beat_at) > SILENT_AFTER


def silences(last_beats: Mapping[str, datetime], now: datetime, serving_for: timedelta) -> list[Silence]:
    """What people must be told: the kinds of process that are needed and of which none is alive.

    `last_beats`: of each kind the last sign of life of any; `serving_for`: how long the pages have been served.
    """
    if serving_for < GRACE:
        return []
    silent = [kind for kind in NEEDED if kind not in last_beats or is_silent(last_beats[kind], now)]
    past = {kind: at for kind, at in last_beats.items() if at <= now}
    return [Silence(kind, past.get(kind)) for kind in silent]
