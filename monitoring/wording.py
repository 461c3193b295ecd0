"""What the status page calls things: states, causes, kinds of parties."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask_babel import format_datetime, format_time, to_user_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from accounts.language import language
from models import ConferenceState, Health, OrganisationKind, Severity
from monitoring.agenda import Quality
from monitoring.tiles import Tile, TileState, Watch
from monitoring.vendor_profiles import Meaning
from monitoring.wall import Group
from studios.booking.story import Kind
from studios.inventory.wording import cause_word

STATES: dict[TileState, Any] = {
    TileState.IDLE: _l("idle"),
    TileState.CALL: _l("in call"),
    TileState.SOON: _l("booked"),
    TileState.DEGRADED: _l("degraded"),
    TileState.DOWN: _l("down"),
    TileState.CUT: _l("out of contact"),
    TileState.MAINTENANCE: _l("maintenance"),
    TileState.UNKNOWN: _l("unknown"),
}
# Symbols of static/icons.svg; an idle studio needs none.
SHAPES = {state: str(state) for state in TileState} | {TileState.IDLE: "", TileState.SOON: "clock"}
# Of a place, by its tone: that of its worst studio.
PLACES = {"ok": _l("OK")} | {str(state): word for state, word in STATES.items()}
TONES_OF_HEALTH = {
    Health.OK: "ok",
    Health.DEGRADED: "degraded",
    Health.DOWN: "down",
    Health.UNREACHABLE: "cut",
    Health.MAINTENANCE: "maint",
    Health.UNKNOWN: "unknown",
}
RECOVERIES: dict[Health, Any] = {
    Health.DOWN: _l("answers again"),
    Health.UNREACHABLE: _l("answers again"),
    Health.DEGRADED: _l("is well again"),
    Health.MAINTENANCE: _l("is back in use"),
}
CALLS: dict[ConferenceState, tuple[str, str, Any]] = {
    ConferenceState.STARTING: ("call", "clock", _l("Starting")),
    ConferenceState.RUNNING: ("ok", "ok", _l("Running")),
    ConferenceState.DEGRADED: ("degraded", "degraded", _l("Degraded")),
    ConferenceState.STOPPING: ("unknown", "stop", _l("Ending")),
    ConferenceState.FAILED: ("down", "down", _l("Failed")),
}
WATCHES: dict[Watch, Any] = {
    Watch.RUNNING: _l("The monitor is running"),
    Watch.BEHIND: _l("Some data is old"),
    Watch.SILENT: _l("Do not trust this page"),
}
SEVERITIES: dict[Severity, Any] = {
    Severity.MINOR: _l("Minor"),
    Severity.MAJOR: _l("Serious"),
    Severity.CRITICAL: _l("Critical"),
}
FACES_OF_SEVERITY = {
    Severity.MINOR: ("idle", "level"),
    Severity.MAJOR: ("degraded", "degraded"),
    Severity.CRITICAL: ("down", "down"),
}
# What happens to incidents, in addition to what is told of conferences and studios.
INCIDENT_KINDS = {
    "incident.opened": Kind("degraded", "down", _l("An incident was opened")),
    "incident.changed": Kind("degraded", "down", _l("The fault is another one now")),
    "incident.returned": Kind("degraded", "down", _l("The fault came back")),
    "incident.told": Kind("person", "idle", _l("Those on call were told")),
    "incident.acknowledged": Kind("person", "ok", _l("Taken")),
    "incident.assigned": Kind("person", "idle", _l("Given on")),
    "incident.noted": Kind("person", "idle", _l("A note")),
    "incident.resolved": Kind("ok", "ok", _l("Resolved")),
    "incident.reopened": Kind("degraded", "degraded", _l("Opened again by hand")),
}
FILTERS = {
    "faults": _l("Faults"),
    "call": _l("In call"),
    "unknown": _l("Unknown"),
    "mine": _l("Mine"),
    "untaken": _l("Not taken"),
}
MEANINGS: dict[Meaning, Any] = {
    Meaning.DEVICE: _l("faults of its own"),
    Meaning.REGISTERED: _l("registration"),
    Meaning.CAMERA: _l("camera"),
    Meaning.MICROPHONE: _l("microphone"),
    Meaning.CALLS: _l("calls"),
    Meaning.LOSS: _l("loss"),
    Meaning.JITTER: _l("jitter"),
}
QUALITIES = {
    Quality.POOR: ("down", "down", _l("Poor")),
    Quality.WEAK: ("degraded", "degraded", _l("Weak")),
    Quality.GOOD: ("ok", "ok", _l("Good")),
}
_KINDS: dict[OrganisationKind, Any] = {
    OrganisationKind.GP: _l("GP surgeries"),
    OrganisationKind.DENTAL: _l("Dental clinics"),
    OrganisationKind.PHARMACY: _l("Pharmacies"),
    OrganisationKind.SUPPLIER: _l("Suppliers"),
    OrganisationKind.REGIONAL_AUTHORITY: _l("Regional health authority"),
    OrganisationKind.NETWORK_OWNER: _l("The network's owner"),
}
# What is said of a group, the gravest first; who is idle or booked needs no word.
_TOLD = (TileState.DOWN, TileState.CUT, TileState.DEGRADED, TileState.UNKNOWN, TileState.MAINTENANCE, TileState.CALL)
_NEWS_IN_FULL = 3


def capital(text: object) -> str:
    """With a capital first letter, and the others as they are."""
    return str(text)[:1].upper() + str(text)[1:]


def heading(group: Group) -> str:
    if group.kind is OrganisationKind.MUNICIPALITY:
        return str(_("Municipalities in %(county)s", county=group.county))
    return group.site or str(_KINDS[group.kind])


def summary(counts: "Counter[TileState]") -> str:
    """The two gravest things to say of a group of studios: 1 down, 2 degraded."""
    told = [state for state in _TOLD if counts[state]][:2]
    if TileState.CALL in told[1:]:
        told.remove(TileState.CALL)
    return ", ".join(f"{counts[state]} {STATES[state]}" for state in told)


def labels() -> Callable[[Tile], str]:
    """What a screen reader says of a tile, in the language of this request; it is looked up once for hundreds."""
    states = {state: str(word) for state, word in STATES.items()}
    plain, calling = str(_("%(studio)s: %(state)s")), str(_("%(studio)s: %(state)s, in call"))

    def label(tile: Tile) -> str:
        pattern = calling if tile.in_call and tile.state is not TileState.CALL else plain
        return pattern % {"studio": tile.name, "state": states[tile.state]}

    return label


def cause(tile: Tile) -> str:
    """Why, in words; the state itself when nothing more is known."""
    return cause_word(tile.cause) or str(STATES[tile.state])


def change(from_health: Health, to_health: Health, stored: str) -> str:
    """What happened to a studio, to stand behind its name."""
    if to_health is Health.OK:
        return str(RECOVERIES.get(from_health) or _("answers"))
    return cause_word(stored) or str(STATES[TileState(TONES_OF_HEALTH[to_health])])


def news(tiles: list[Tile]) -> str:
    """One short sentence for people who listen to the page."""
    if len(tiles) > _NEWS_IN_FULL:
        return str(_("%(number)s studios changed their state.", number=len(tiles)))
    say = labels()
    return " ".join(f"{say(tile)}." for tile in tiles)


def when(at: datetime, now: datetime) -> str:
    """The time of day, with the date when that is another one."""
    same_day = to_user_timezone(at).date() == to_user_timezone(now).date()
    if same_day:
        return str(format_time(at, "HH:mm"))
    return str(format_datetime(at, "d MMM HH:mm" if language() == "en" else "d. MMM HH:mm"))
