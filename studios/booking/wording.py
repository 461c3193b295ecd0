"""What the booking pages call purposes, states of conferences and calls, and causes."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from devices import errors
from models import Conference, ConferenceState, Leg, LegState, Light, Preflight, Purpose
from studios.booking import queries
from studios.booking.rules import Phase
from studios.booking.times import clock

PURPOSES = {
    Purpose.CLINICAL: _l("Clinical"),
    Purpose.MULTIDISCIPLINARY: _l("Multidisciplinary meeting"),
    Purpose.ADMINISTRATION: _l("Administration"),
    Purpose.EDUCATION: _l("Education"),
    Purpose.TEST: _l("Test"),
}


@dataclass(frozen=True)
class Badge:
    """A state in a word: the tone of the stylesheet, the icon's shape, the word."""

    tone: str
    shape: str
    word: str | LazyString


STATES = {
    ConferenceState.PLANNED: Badge("idle", "cal", _l("Planned")),
    ConferenceState.STARTING: Badge("call", "call", _l("Starting")),
    ConferenceState.RUNNING: Badge("call", "call", _l("Under way")),
    ConferenceState.DEGRADED: Badge("degraded", "degraded", _l("Under way, not all connected")),
    ConferenceState.STOPPING: Badge("idle", "stop", _l("Ending")),
    ConferenceState.ENDED: Badge("idle", "ok", _l("Ended")),
    ConferenceState.FAILED: Badge("down", "down", _l("Did not take place")),
    ConferenceState.CANCELLED: Badge("unknown", "x", _l("Cancelled")),
}
WITHOUT_VIDEO = {
    Phase.PLANNED: Badge("idle", "cal", _l("Planned, without video")),
    Phase.UNDER_WAY: Badge("idle", "cal", _l("Room in use, without video")),
    Phase.OVER: Badge("idle", "ok", _l("Over")),
}
LEGS = {
    LegState.IDLE: Badge("idle", "clock", _l("Waiting to be called")),
    LegState.DIALLING: Badge("call", "clock", _l("Calling")),
    LegState.RINGING: Badge("call", "clock", _l("Ringing")),
    LegState.CONNECTED: Badge("call", "call", _l("Connected")),
    LegState.DROPPED: Badge("degraded", "degraded", _l("Dropped out")),
    LegState.FAILED: Badge("down", "down", _l("Not reached")),
    LegState.STOPPING: Badge("idle", "stop", _l("Hanging up")),
    LegState.STOPPED: Badge("idle", "stop", _l("Hung up")),
}
ADMISSIONS = {
    "waiting": Badge("degraded", "clock", _l("Waits for a press in the studio")),
    "muted": Badge("idle", "mute", _l("Camera and microphone off")),
    "open": Badge("ok", "ok", _l("Camera and microphone on")),
}
DEVICE_ERRORS = (
    errors.DeviceError,
    errors.Busy,
    errors.NoAnswer,
    errors.Rejected,
    errors.UnknownNumber,
    errors.Unreachable,
    errors.Unauthorised,
    errors.CapacityFull,
    errors.RateLimited,
    errors.Ambiguous,
    errors.NotReady,
    errors.BadAnswer,
)
# By the words that the scheduler stores.
CAUSES = {error.code: error.sentence for error in DEVICE_ERRORS} | {
    "hung-up": _l("Somebody there hung up."),
    "network": _l("The connection broke off."),
    "waiting-for-press": _l("The panel in the studio asks for a press before anybody is let in."),
    "not-muted": _l("Camera and microphone have not been switched off yet."),
    "not-answered": _l("The call ended before anybody answered."),
    "previous-conference": _l("The studio's previous conference has not been seen to end."),
    "no-host": _l("No studio of this conference can be steered, so nobody can place the calls."),
}


def cause_sentence(stored: str | None) -> str:
    """A stored cause in a sentence; one that we have no words for speaks for itself."""
    return str(CAUSES.get(stored or "", stored or ""))


def state_badge(conference: Conference, missing: int = 0) -> Badge:
    """The state of a conference, with how many parties are missing where that is its trouble."""
    badge = STATES[conference.state]
    if not conference.video and conference.state is ConferenceState.PLANNED:
        return WITHOUT_VIDEO[queries.phase_of(conference)]
    if conference.state is not ConferenceState.DEGRADED or not missing:
        return badge
    word = ngettext("Under way, %(num)s party missing", "Under way, %(num)s parties missing", missing)
    return Badge(badge.tone, badge.shape, word)


def leg_badge(leg: Leg) -> Badge:
    if leg.state is LegState.DROPPED and leg.next_attempt_at:
        return Badge("degraded", "degraded", _("Dropped out, calling again"))
    if leg.state is LegState.FAILED and leg.next_attempt_at:
        return Badge("degraded", "degraded", _("Not reached, calling again"))
    return LEGS[leg.state]


# What a look before the start found wrong, by the words that monitoring stores.
CHECKS = {
    "reachable": _l("cannot be reached"),
    "registered": _l("is not registered"),
    "camera": _l("has no camera"),
    "microphone": _l("has no microphone"),
    "idle": _l("is in another call"),
}


def faults_found(checks: Iterable[str]) -> str:
    return ", ".join(str(CHECKS.get(check, check)) for check in checks)


def look_badge(look: Preflight) -> Badge:
    """What the last look before the start found."""
    time = clock(look.checked_at)
    failed = [check for check, result in look.checks.items() if result == "failed"]
    if failed:
        tone = "down" if look.light is Light.RED else "degraded"
        return Badge(tone, tone, _("%(time)s: %(faults)s", time=time, faults=faults_found(failed)))
    if look.light is Light.GREEN:
        return Badge("ok", "ok", _("%(time)s: ready", time=time))
    return Badge("unknown", "unknown", _("%(time)s: could not be asked", time=time))
