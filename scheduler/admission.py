"""Whether a call may open into a studio, and what has to be done in the room first: pure decisions.

A camera that opens by itself may show the patient before. So a studio is muted before it is called, or asks for a
press; what cannot be made sure of is not called.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from models.inventory import StartMode
from studios.booking.rules import LOOK_AHEAD

# When the panel begins to ask, and with that how early people may begin by themselves.
PROMPT_AHEAD = LOOK_AHEAD
# Off the instant when hundreds of conferences start, and as late as that allows: nobody is to miss their microphone.
MUTE_AHEAD = timedelta(seconds=20)
LOOK_EVERY = timedelta(seconds=15)
# Longer than a call may ring.
SURE_FOR = timedelta(seconds=60)
# Less than the first pause between two dials: the call does not wait for the panel.
AFTER_REFUSAL = timedelta(seconds=3)

WAITS_FOR_PRESS = "waiting-for-press"
NOT_MUTED = "not-muted"


class Step(StrEnum):
    """What is done at a studio's panel."""

    ASK_TO_START = "ask_to_start"
    MUTE = "mute"
    ASK_TO_OPEN = "ask_to_open"
    LOOK = "look"
    OPEN = "open"
    CLEAR = "clear"


@dataclass(frozen=True)
class Door:
    """An Admission as its row stands. `steered`: whether its equipment can be muted and asked at all."""

    party_id: int
    studio_id: int
    mode: StartMode
    steered: bool
    prompted_at: datetime | None = None
    pressed_at: datetime | None = None
    muted_at: datetime | None = None
    opened_at: datetime | None = None
    next_attempt_at: datetime | None = None
    cause: str = ""

    @property
    def is_muted(self) -> bool:
        """As far as is known."""
        return self.muted_at is not None and self.opened_at is None


def bar(door: Door, now: datetime) -> str:
    """Why no call may open into the studio yet, or nothing. Equipment that nobody steers has its own rules."""
    if not door.steered or door.mode is StartMode.OPEN:
        return ""
    if door.mode is StartMode.PRESS:
        return "" if door.pressed_at or door.opened_at else door.cause or WAITS_FOR_PRESS
    return "" if door.opened_at or _is_surely_muted(door, now) else door.cause or NOT_MUTED


def step(door: Door, starts_at: datetime, connected: bool, now: datetime) -> Step | None:
    """What is to be done at the panel now, while the conference is wanted or about to be."""
    if not door.steered or door.mode is StartMode.OPEN or door.opened_at:
        return None
    if door.next_attempt_at and door.next_attempt_at > now:
        return None
    if door.mode is StartMode.PRESS:
        return None if door.prompted_at or door.pressed_at or now < starts_at - PROMPT_AHEAD else Step.ASK_TO_START
    if door.muted_at is None or (not connected and not _is_surely_muted(door, now)):
        return None if now < starts_at - MUTE_AHEAD else Step.MUTE
    if not connected:
        return None
    if door.pressed_at:
        return Step.OPEN
    if door.prompted_at is None:
        return Step.ASK_TO_OPEN
    return Step.LOOK if now - door.muted_at >= LOOK_EVERY else None


def _is_surely_muted(door: Door, now: datetime) -> bool:
    """Seen so just now, on whichever side of a clock that was stepped: people in the room have their own switches."""
    return door.muted_at is not None and abs(now - door.muted_at) < SURE_FOR


def anew(door: Door) -> Door:
    """The door after a call: what people agreed to held for that one."""
    return Door(door.party_id, door.studio_id, door.mode, door.steered)


def step_afterwards(door: Door) -> Step | None:
    """What is to be done once the call has been seen to end: whoever comes next finds the room as it was."""
    return Step.CLEAR if door.is_muted else None


def next_step_at(door: Door, starts_at: datetime) -> datetime | None:
    """When there will be something to do before the start, if there will."""
    if not door.steered or door.mode is StartMode.OPEN or door.opened_at or door.pressed_at:
        return None
    first = starts_at - (PROMPT_AHEAD if door.mode is StartMode.PRESS else MUTE_AHEAD)
    done = door.prompted_at if door.mode is StartMode.PRESS else door.muted_at
    return None if done else max(first, door.next_attempt_at or first)


def after(door: Door, done: Step, muted: bool | None, now: datetime) -> tuple[Door, str]:
    """The door once a step was carried out, and the name of what happened, if that is worth telling. `muted`: what a
    look found."""
    door = replace(door, next_attempt_at=None, cause="")
    if done is Step.ASK_TO_START:
        return replace(door, prompted_at=now), "studio.asked"
    if done is Step.MUTE:
        return replace(door, muted_at=now), "studio.muted"
    if done is Step.ASK_TO_OPEN:
        return replace(door, muted_at=now, prompted_at=now), ""
    if done is Step.OPEN or (done is Step.LOOK and not muted):
        return replace(door, opened_at=now), "studio.opened"
    if done is Step.LOOK:
        return replace(door, muted_at=now), ""
    return anew(door), ""


def after_refusal(door: Door, refused: Step, cause: str, now: datetime) -> tuple[Door, str]:
    """The door where a step failed. A room that could not be given back is left: its people have the switches."""
    if refused is Step.CLEAR:
        return anew(door), "studio.not_cleared"
    event = "studio.not_muted" if refused is Step.MUTE else "studio.not_asked"
    tell = event if refused in (Step.MUTE, Step.ASK_TO_START) and door.cause != cause else ""
    return replace(door, cause=cause, next_attempt_at=now + AFTER_REFUSAL), tell
