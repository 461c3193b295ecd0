"""What to do about each leg of a conference, from what is wanted and what the endpoints say: pure decisions.

A call is set up by the conference's host, the codec that dials and mixes. Wanted and observed are kept apart: a leg
is dialled only when no call of ours is seen and none can still be on its way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from models.calls import LegState, Wanted
from scheduler.admission import NOT_MUTED, WAITS_FOR_PRESS

# How long an order may take to show at the codec; until then a call that was ordered is not known to be missing.
SETTLING = timedelta(seconds=10)
NO_ANSWER = timedelta(seconds=40)
MOST_ATTEMPTS = 10
BACKOFF = (5, 10, 20, 40, 60)  # seconds before the second, third, ... attempt; the last one repeats
AFTER_DROP = timedelta(seconds=5)
HUNG_UP = "hung-up"
BEGUN_BY_HAND = "leg.begun_by_hand"
LEFT = "leg.left"
AFTER_HANG_UP = timedelta(seconds=30)
AFTER_STOP_FAILED = timedelta(seconds=10)
# A stop that is never confirmed is given up at last, so that one dead codec does not hold a conference for ever.
STOP_GIVEN_UP = timedelta(minutes=10)


PREVIOUS = "previous-conference"
# What is waited for without counting as an attempt.
PATIENT = (PREVIOUS, WAITS_FOR_PRESS, NOT_MUTED)
UNDER_WAY = (LegState.DIALLING, LegState.RINGING)
# A codec's words for a call that is about to go: what it leaves behind shows at the next look.
ENDING = ("disconnecting", "idle")


class Action(StrEnum):
    WAIT = "wait"
    RECORD = "record"
    DIAL = "dial"
    HANG_UP = "hang_up"
    HANG_UP_FAR_END = "hang_up_far_end"


@dataclass(frozen=True)
class LiveCall:
    """A call as a codec sees it; `token` is the booking id it was dialled with, where the codec keeps it."""

    call_id: str
    status: str
    remote: str
    token: str | None = None


@dataclass(frozen=True)
class Silence:
    """A codec that did not tell its calls, and why. `lasting` when asking again cannot help."""

    cause: str
    lasting: bool = False


# What a codec said of its calls: the calls, or why it said nothing. None: it was not asked, or cannot be.
Sight = Sequence[LiveCall] | Silence | None


@dataclass(frozen=True)
class LegView:
    """A leg as its row stands. `address` is where the host dials it."""

    leg_id: int
    studio_id: int
    wanted: Wanted
    state: LegState
    address: str
    token: str
    remote_call_id: str | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    dialled_at: datetime | None = None
    connected_at: datetime | None = None
    cause: str = ""
    held_down: bool = False

    @property
    def was_ordered(self) -> bool:
        """Whether a call may ever have come of it; attempts also count when the host could not even be asked."""
        return self.dialled_at is not None or self.connected_at is not None

    def is_to_be_dialled(self, now: datetime) -> bool:
        """Whether its next attempt is due, and no call of it is up or on its way."""
        if self.wanted is Wanted.DOWN or self.gave_up or self.state in (LegState.CONNECTED, *UNDER_WAY):
            return False
        return self.next_attempt_at is None or self.next_attempt_at <= now

    @property
    def gave_up(self) -> bool:
        """Not called again by itself: it was tried often enough, it cannot help, or somebody there hung up."""
        if self.state is LegState.DROPPED:
            return self.next_attempt_at is None
        return self.state is LegState.FAILED and (self.next_attempt_at is None or self.attempts >= MOST_ATTEMPTS)


@dataclass(frozen=True)
class Move:
    """What to do about one leg, and what its row says from then on. `event` names what happened, if anything did."""

    leg_id: int
    action: Action
    state: LegState
    event: str = ""
    cause: str = ""
    call_id: str | None = None
    next_attempt_at: datetime | None = None
    counts: bool = False  # as one more attempt
    was_connected: bool = False  # found so when it was ended, whatever had been recorded


def normal_address(address: str) -> str:
    """An address without what differs between what was dialled and what codecs report of it."""
    bare = address.strip().lower().split(";")[0]
    for scheme in ("sip:", "sips:", "h323:"):
        bare = bare.removeprefix(scheme)
    return bare.removesuffix(":5060").rstrip("/")


def our_call(leg: LegView, calls: Sequence[LiveCall]) -> LiveCall | None:
    """The host's call that is this leg: by our token, else (older software keeps none) by id or address. One that
    people began by hand, to the same studio while the conference lasts, is the conference's too."""
    for call in calls:
        if call.token == leg.token:
            return call
    unmarked = [call for call in calls if call.token is None]
    known = next((call for call in unmarked if _may_be(leg, call)), None)
    by_hand = leg.wanted is Wanted.UP and not leg.held_down
    return known or next((call for call in unmarked if by_hand and _leads_to(leg.address, call)), None)


def foreign_calls(legs: Sequence[LegView], calls: Sequence[LiveCall]) -> list[LiveCall]:
    """The host's calls that are nobody's leg: never ours to end."""
    ours = [our_call(leg, calls) for leg in legs]
    return [call for call in calls if call not in ours]


def is_gone(leg: LegView, host: Sight) -> bool:
    """Whether the host's call of a leg that was connected is not there any more."""
    is_up = leg.wanted is Wanted.UP and leg.state is LegState.CONNECTED
    return is_up and isinstance(host, Sequence) and our_call(leg, host) is None


def needs_far_end(leg: LegView, host: Sight) -> bool:
    """Whether the far end must be asked too: a stop is done only when both ends are idle, and a call that vanished
    before it was answered has its reason there."""
    if leg.wanted is Wanted.DOWN and (not leg.was_ordered or leg.state is LegState.STOPPED):
        return False
    if isinstance(host, Silence) or host is None:
        return leg.wanted is Wanted.DOWN
    if our_call(leg, host) is not None:
        return False
    return leg.wanted is Wanted.DOWN or leg.state in UNDER_WAY


def decide(
    legs: Sequence[LegView],
    host: Sight,
    far_ends: Mapping[int, Sight],
    bars: Mapping[int, str],
    host_address: str,
    host_studio_id: int,
    stop_due_at: datetime,
    now: datetime,
    jitter: float = 0.0,
    endings: Mapping[int, str] = MappingProxyType({}),
    redials: bool = False,
) -> list[Move]:
    """One move for each leg.

    `far_ends` by leg, for those that were asked; `bars` by studio: why no call may be opened into it; `host_studio_id`
    is 0 for a bridge; `jitter`, from -1 to 1, spreads retries by a fifth; `endings` by leg: why its call is gone, where
    the host told; `redials`: who hung up is called again.
    """
    held_up = _held_up(legs, host, bars, host_studio_id)
    moves = []
    for leg in legs:
        far = far_ends.get(leg.leg_id)
        if leg.wanted is Wanted.DOWN:
            moves.append(_take_down(leg, host, far, host_address, stop_due_at, now))
        else:
            cause = held_up or bars.get(leg.studio_id, "")
            ending = endings.get(leg.leg_id, "")
            moves.append(_bring_up(leg, host, far, host_address, cause, ending, redials, now, jitter))
    return moves


def backoff(attempts: int, jitter: float) -> timedelta:
    """How long to wait after the given number of attempts; `jitter` from -1 to 1 moves it by up to a fifth."""
    seconds = BACKOFF[min(max(attempts, 1), len(BACKOFF)) - 1]
    return timedelta(seconds=seconds * (1 + 0.2 * jitter))


def after_failed_dial(move: Move, attempts: int, cause: str, lasting: bool, now: datetime, jitter: float) -> Move:
    """The leg after a dial that the host refused: tried again later, unless that cannot help."""
    again = None if lasting or attempts >= MOST_ATTEMPTS else now + backoff(attempts, jitter)
    return replace(move, state=LegState.FAILED, event="leg.failed", cause=cause, next_attempt_at=again)


def after_failed_hang_up(move: Move, cause: str, now: datetime) -> Move:
    return replace(move, event="leg.stop_failed", cause=cause, next_attempt_at=now + AFTER_STOP_FAILED)


def _held_up(legs: Sequence[LegView], host: Sight, bars: Mapping[int, str], host_studio_id: int) -> str:
    """Why nothing may be dialled from this host now, or nothing. Who else is in a room on a bridge is no hindrance."""
    if host_studio_id in bars:
        return bars[host_studio_id]
    if host_studio_id and isinstance(host, Sequence) and foreign_calls(legs, host):
        return "busy"
    return ""


def _bring_up(
    leg: LegView,
    host: Sight,
    far: Sight,
    host_address: str,
    held_up: str,
    ending: str,
    redials: bool,
    now: datetime,
    jitter: float,
) -> Move:
    if not isinstance(host, Sequence):
        return _host_silent(leg, host, now, jitter)
    if call := our_call(leg, host):
        return _follow(leg, call, now, jitter)
    if leg.state is LegState.CONNECTED:
        return _dropped(leg, ending, redials, now)
    if leg.state in UNDER_WAY:
        return _vanished(leg, far, host_address, now, jitter)
    if leg.gave_up or (leg.next_attempt_at and leg.next_attempt_at > now):
        return _wait(leg)
    if held_up in PATIENT:
        return replace(_wait(leg), action=Action.RECORD, cause=held_up)
    if held_up:
        return _failed(leg, held_up, False, now, jitter)
    return Move(leg.leg_id, Action.DIAL, LegState.DIALLING, counts=True)


def _dropped(leg: LegView, ending: str, redials: bool, now: datetime) -> Move:
    """A fault is mended at once; where a person hung up, only if that is the policy, and not in their face."""
    if ending != HUNG_UP:
        return Move(leg.leg_id, Action.RECORD, LegState.DROPPED, "leg.dropped", ending, None, now + AFTER_DROP)
    again = now + AFTER_HANG_UP if redials else None
    return Move(leg.leg_id, Action.RECORD, LegState.DROPPED, LEFT, ending, None, again)


def _follow(leg: LegView, call: LiveCall, now: datetime, jitter: float) -> Move:
    """A call of ours is up or on its way: take its state, and never dial again."""
    if call.status.lower() in ENDING:
        return _wait(leg)
    state = _state_of_call(call)
    if state in UNDER_WAY and leg.dialled_at and now - leg.dialled_at > NO_ANSWER:
        again = now + backoff(leg.attempts, jitter)
        return Move(leg.leg_id, Action.HANG_UP, LegState.FAILED, "leg.failed", "no-answer", call.call_id, again)
    adopted = leg.remote_call_id != call.call_id
    if state is leg.state and not adopted:
        return _wait(leg)
    event = f"leg.{state}" if state is not leg.state else ""
    if adopted and call.token is None and leg.state not in UNDER_WAY:
        event = BEGUN_BY_HAND
    elif adopted and leg.remote_call_id is None:
        event = "leg.adopted"
    return Move(leg.leg_id, Action.RECORD, state, event, "", call.call_id)


def _vanished(leg: LegView, far: Sight, host_address: str, now: datetime, jitter: float) -> Move:
    """Ordered, and no longer at the host: on its way still, or ended before anybody answered."""
    unconfirmed = leg.remote_call_id is None
    if unconfirmed and leg.dialled_at and now - leg.dialled_at < SETTLING:
        return _wait(leg)
    if isinstance(far, Silence):
        return _failed(leg, far.cause, False, now, jitter)
    busy = any(normal_address(call.remote) != normal_address(host_address) for call in far or ())
    return _failed(leg, "busy" if busy else "not-answered", False, now, jitter)


def _host_silent(leg: LegView, host: Sight, now: datetime, jitter: float) -> Move:
    """Without the host's word a call that may be up is left alone, and one that was never ordered counts as tried."""
    silence = host if isinstance(host, Silence) else Silence("no-host", lasting=True)
    if leg.state in (LegState.CONNECTED, *UNDER_WAY) or leg.gave_up:
        return replace(_wait(leg), action=Action.RECORD, cause=silence.cause)
    if leg.next_attempt_at and leg.next_attempt_at > now:
        return _wait(leg)
    return _failed(leg, silence.cause, silence.lasting, now, jitter)


def _take_down(leg: LegView, host: Sight, far: Sight, host_address: str, stop_due_at: datetime, now: datetime) -> Move:
    if leg.state is LegState.STOPPED:
        return _wait(leg)
    if not leg.was_ordered:
        return Move(leg.leg_id, Action.RECORD, LegState.STOPPED)
    call = our_call(leg, host) if isinstance(host, Sequence) else None
    event = "" if leg.state is LegState.STOPPING else "leg.hung_up"
    if call:
        held = _state_of_call(call) is LegState.CONNECTED
        return Move(leg.leg_id, Action.HANG_UP, LegState.STOPPING, event, "", call.call_id, was_connected=held)
    far_call = next((found for found in _calls(far) if _leads_to(host_address, found)), None)
    # A host that is in another call with that studio has made it without us: somebody's own, and never ours to end.
    if far_call and not any(_leads_to(leg.address, other) for other in _calls(host)):
        return Move(leg.leg_id, Action.HANG_UP_FAR_END, LegState.STOPPING, event, "", far_call.call_id)
    silence = next((sight for sight in (host, far) if isinstance(sight, Silence)), None)
    if silence is None:
        return Move(leg.leg_id, Action.RECORD, LegState.STOPPED, "leg.stopped")
    if now - stop_due_at > STOP_GIVEN_UP:
        return Move(leg.leg_id, Action.RECORD, LegState.STOPPED, "leg.stop_given_up", silence.cause)
    known = leg.state is LegState.STOPPING and leg.next_attempt_at is not None
    event = "" if known else "leg.stop_failed"
    again = now + AFTER_STOP_FAILED
    return Move(leg.leg_id, Action.RECORD, LegState.STOPPING, event, silence.cause, None, again)


def _failed(leg: LegView, cause: str, lasting: bool, now: datetime, jitter: float) -> Move:
    """One more attempt that came to nothing before it could be dialled, or after."""
    counts = leg.state not in UNDER_WAY
    move = Move(leg.leg_id, Action.RECORD, leg.state, counts=counts)
    return after_failed_dial(move, leg.attempts + counts, cause, lasting, now, jitter)


def _wait(leg: LegView) -> Move:
    return Move(leg.leg_id, Action.WAIT, leg.state, next_attempt_at=leg.next_attempt_at)


def _may_be(leg: LegView, call: LiveCall) -> bool:
    if leg.remote_call_id is not None:
        return leg.remote_call_id == call.call_id
    return leg.dialled_at is not None and _leads_to(leg.address, call)


def _leads_to(address: str, call: LiveCall) -> bool:
    return bool(address) and normal_address(call.remote) == normal_address(address)


def _state_of_call(call: LiveCall) -> LegState:
    """The codec's word for a call's state (xAPI reference, Status Call Status) as ours."""
    word = call.status.lower()
    if word in ("connected", "onhold", "resuming", "preserved", "remotepreserved"):
        return LegState.CONNECTED
    if word in ("ringing", "connecting", "earlymedia"):
        return LegState.RINGING
    return LegState.DIALLING


def _calls(sight: Sight) -> Sequence[LiveCall]:
    return sight if isinstance(sight, Sequence) else ()
