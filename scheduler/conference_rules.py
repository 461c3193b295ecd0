"""What a conference is, seen through its legs, when to look at it again, and its last minutes: pure decisions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from models.booking import ConferenceState
from models.calls import LegState, Wanted
from models.inventory import StartMode
from scheduler.admission import WAITS_FOR_PRESS, Door
from scheduler.rules import MOST_ATTEMPTS, NO_ANSWER, UNDER_WAY, LegView, Sight, Silence

MOVING = timedelta(seconds=1)
WATCHING = timedelta(seconds=5)
HELD_UP = timedelta(seconds=1)
NOT_BEFORE_THE_END = datetime.max.replace(tzinfo=UTC)
WARNINGS = (5, 1)  # minutes before the end
FULL = "capacity-full"


def state_of(legs: Sequence[LegView], before: ConferenceState) -> ConferenceState:
    """What the conference is, seen through its legs."""
    if all(leg.wanted is Wanted.DOWN for leg in legs):
        if not all(leg.state is LegState.STOPPED for leg in legs):
            return ConferenceState.STOPPING
        held = any(leg.connected_at for leg in legs)
        return ConferenceState.ENDED if held else ConferenceState.FAILED
    legs = [leg for leg in legs if leg.wanted is Wanted.UP]  # whoever was let go is missed by nobody
    connected = sum(leg.state is LegState.CONNECTED for leg in legs)
    if connected == len(legs):
        return ConferenceState.RUNNING
    if connected or before in (ConferenceState.RUNNING, ConferenceState.DEGRADED):
        troubled = any(leg.state in (LegState.FAILED, LegState.DROPPED) for leg in legs)
        settled = before in (ConferenceState.RUNNING, ConferenceState.DEGRADED)
        return ConferenceState.DEGRADED if troubled or settled else ConferenceState.STARTING
    return ConferenceState.STARTING


def next_look(legs: Sequence[LegView], state: ConferenceState, ends_at: datetime, now: datetime) -> datetime | None:
    """When the conference must be looked at again; None when it is over."""
    if state in (ConferenceState.ENDED, ConferenceState.FAILED, ConferenceState.CANCELLED):
        return None
    look = min(_next_look_at_leg(leg, now) for leg in legs)
    # The end may have come while the codecs were asked for calls that were still wanted then.
    return min(look, max(ends_at, now)) if any(leg.wanted is Wanted.UP for leg in legs) else look


def due_warning(ends_at: datetime, warned_minutes: int | None, now: datetime) -> int | None:
    """For how many minutes before the end the screens must be told now, if they must; each only once."""
    due = [left for left in WARNINGS if now >= ends_at - timedelta(minutes=left)]
    return min(due) if due and (warned_minutes is None or warned_minutes > min(due)) else None


def may_go_on(silent: Sequence[bool], extended_minutes: int, step: int, most: int) -> bool:
    """Whether to ask for more time: `silent` says of each room whether its camera and microphone are still off. Where
    all are, nobody came, and the rooms need no more time."""
    return not (silent and all(silent)) and extended_minutes + step <= most


def nobody_came(
    doors: Sequence[Door], legs: Sequence[LegView], starts_at: datetime, minutes: int, now: datetime
) -> bool:
    """Whether all rooms asked for a press in vain for so many `minutes` (0: never). Only where every room has been
    asked, nobody was ever called, and nothing failed: a technical fault looks like nobody, too."""
    if not minutes or not doors or now < starts_at + timedelta(minutes=minutes):
        return False
    asked = all(door.mode is StartMode.PRESS and door.steered and door.prompted_at and not door.cause for door in doors)
    came = any(door.pressed_at or door.opened_at for door in doors)
    return asked and not came and not any(leg.attempts or leg.connected_at for leg in legs)


def bridge_fails(legs: Sequence[LegView], host: Sight, room_fault: str, now: datetime) -> str:
    """Why the calls must go another way than by their bridge, or nothing. One whose calls may be up is never left: a
    silent management node says nothing of the nodes that carry them."""
    called = [leg for leg in legs if leg.wanted is Wanted.UP]
    if not called or any(_may_be_up(leg, now) for leg in called):
        return ""
    cause = room_fault or (FULL if all(leg.cause == FULL for leg in called) else "")
    if isinstance(host, Silence):
        if host.lasting:
            return host.cause
        cause = host.cause
    return cause if all(leg.attempts for leg in called) else ""


def _may_be_up(leg: LegView, now: datetime) -> bool:
    on_its_way = leg.state in UNDER_WAY and leg.dialled_at is not None and now - leg.dialled_at <= NO_ANSWER
    return leg.state is LegState.CONNECTED or on_its_way


def _next_look_at_leg(leg: LegView, now: datetime) -> datetime:
    if leg.state in UNDER_WAY or (leg.state is LegState.STOPPING and leg.next_attempt_at is None):
        return now + MOVING
    if leg.state is LegState.IDLE:
        return now + (WATCHING if leg.cause == WAITS_FOR_PRESS else HELD_UP)
    if leg.wanted is Wanted.UP and leg.state is LegState.DROPPED and leg.gave_up:
        return now + WATCHING
    if leg.wanted is Wanted.UP and leg.gave_up:
        # Somebody may still dial by hand; but a codec that refuses our password locks us out if it is asked on.
        return now + WATCHING if leg.attempts >= MOST_ATTEMPTS else NOT_BEFORE_THE_END
    if leg.next_attempt_at is not None and leg.state is not LegState.CONNECTED:
        return max(leg.next_attempt_at, now + MOVING)
    return now + WATCHING
