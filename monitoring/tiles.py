"""What a studio's tile shows. Pure decisions on plain values and `now`.

The precedence among healths is decided where they are stored (monitoring/rules.py); what time alone does to a stored
health, pages of studios decide in the same way. A tile adds what the calendar and the calls say.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models import Health, OrganisationKind
from monitoring.rules import UNREADABLE, Cause
from studios.inventory.present import present_health

SOON = timedelta(minutes=15)


class TileState(StrEnum):
    """In the order of the page. The values are the tones of the stylesheet."""

    IDLE = "idle"
    CALL = "call"
    SOON = "soon"
    DEGRADED = "degraded"
    DOWN = "down"
    CUT = "cut"
    MAINTENANCE = "maint"
    UNKNOWN = "unknown"


WELL = frozenset({TileState.IDLE, TileState.CALL, TileState.SOON})
FAULTS = frozenset({TileState.DEGRADED, TileState.DOWN, TileState.CUT})

_BY_HEALTH = {
    Health.DEGRADED: TileState.DEGRADED,
    Health.DOWN: TileState.DOWN,
    Health.UNREACHABLE: TileState.CUT,
    Health.MAINTENANCE: TileState.MAINTENANCE,
    Health.UNKNOWN: TileState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the tables say of a studio. `polled_at`: the last poll that said anything, an answer or silence.

    `booked_from` is the start of the conference that runs or comes next, none when there is none.
    """

    health: Health | None = None
    polled_at: datetime | None = None
    closed: bool = False
    in_call: bool = False
    booked_from: datetime | None = None


def tile_state(seen: Seen, now: datetime, stale_after: timedelta) -> TileState:
    # By the last poll, not the last answer: a studio that is down has not answered for long, and that is well known.
    health = present_health(seen.health, seen.polled_at, seen.closed, now, stale_after)
    if health is not Health.OK:
        return _BY_HEALTH[health]
    if seen.in_call:
        return TileState.CALL
    if seen.booked_from is not None and seen.booked_from - now <= SOON:
        return TileState.SOON
    return TileState.IDLE


def tile_cause(state: TileState, stored: str, polled_at: datetime | None) -> str:
    """Why the tile shows what it shows: the stored cause, unless time alone or the calendar overruled it."""
    if state is TileState.MAINTENANCE:
        return Cause.CLOSURE
    if state is TileState.UNKNOWN and stored not in UNREADABLE:
        return Cause.STALE if polled_at else Cause.NEVER_POLLED
    return "" if state in WELL else stored


@dataclass(frozen=True, slots=True)
class Tile:
    """One studio on the wall. `since` is that of its stored health."""

    studio_id: int
    code: str
    name: str
    site_id: int
    site: str
    kind: OrganisationKind
    region: str
    county: str
    municipality: str
    town: str
    state: TileState
    in_call: bool
    since: datetime | None
    cause: str
    polled_at: datetime | None
    vendor: str = ""
    loss_percent: float | None = None
    jitter_ms: float | None = None
    latitude: float = 0.0
    longitude: float = 0.0


class Watch(StrEnum):
    """How far the page can be trusted."""

    RUNNING = "ok"
    BEHIND = "degraded"
    SILENT = "down"


# A monitor gives a sign of life every 2 seconds.
SILENT_AFTER = timedelta(seconds=15)
# More than this share of the studios with old data is no longer a matter of single studios.
BEHIND_SHARE = 0.1


def watch(beat_at: datetime | None, now: datetime, stale: int, polled: int) -> Watch:
    """`beat_at` is the last sign of life of any monitor; `stale` of `polled` studios have data that is too old."""
    if beat_at is None or now - beat_at > SILENT_AFTER:
        return Watch.SILENT
    if stale > polled * BEHIND_SHARE:
        return Watch.SILENT
    return Watch.BEHIND if stale else Watch.RUNNING
