"""What pages about studios call states, causes and kinds of organisations."""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from models import Health, OrganisationKind
from studios.inventory.present import Quality


@dataclass(frozen=True)
class Face:
    """How a state shows itself: the tone of the stylesheet, which is the name of its icon too, and the word."""

    tone: str
    word: LazyString


FACES = {
    Health.OK: Face("ok", _l("OK")),
    Health.DEGRADED: Face("degraded", _l("Degraded")),
    Health.DOWN: Face("down", _l("Down")),
    Health.UNREACHABLE: Face("cut", _l("Out of contact")),
    Health.MAINTENANCE: Face("maint", _l("Maintenance")),
    Health.UNKNOWN: Face("unknown", _l("Unknown")),
}
KINDS = {
    OrganisationKind.HEALTH_TRUST: _l("Health trust"),
    OrganisationKind.MUNICIPALITY: _l("Municipality"),
    OrganisationKind.GP: _l("GP surgery"),
    OrganisationKind.DENTAL: _l("Dental clinic"),
    OrganisationKind.PHARMACY: _l("Pharmacy"),
    OrganisationKind.SUPPLIER: _l("Supplier"),
    OrganisationKind.NETWORK_OWNER: _l("The network's owner"),
    OrganisationKind.REGIONAL_AUTHORITY: _l("Regional health authority"),
}
QUALITIES = {
    Quality.PASSED: ("ok", _l("Passed")),
    Quality.FAILED: ("down", _l("Not passed")),
    Quality.EXPIRED: ("degraded", _l("Too long ago")),
    Quality.NONE: ("unknown", _l("Never tested")),
}
# By the words that monitoring stores.
CAUSES = {
    "closure": _l("out of use"),
    "site-outage": _l("the whole site is silent"),
    "no-answer": _l("does not answer"),
    "bad-answer": _l("answers what cannot be read"),
    "never-polled": _l("has never answered"),
    "stale": _l("no fresh data"),
    "control-silent": _l("control interface does not answer"),
    "control-refused": _l("control interface refuses the password"),
    "camera": _l("camera unplugged"),
    "microphone": _l("microphone unplugged"),
    "device": _l("the equipment itself says that it has a fault"),
    "unregistered": _l("not registered: nobody can call it by its name"),
    "loss": _l("loses more of picture and sound than people bear"),
    "flapping": _l("comes and goes"),
    "snmp-silent": _l("steered as always, but does not answer to SNMP"),
    "bad-address": _l("the address cannot be used"),
    "snmp-version": _l("this version of SNMP is not supported"),
    "credential": _l("the credential cannot be opened"),
    "snmp-credential": _l("the credential does not fit the version of SNMP"),
    "snmp-keys": _l("does not accept the SNMPv3 user or keys"),
}
# What equipment reports unasked, by the words that monitoring stores.
TRAPS = {
    "cold-start": _l("it has started"),
    "warm-start": _l("it has started anew"),
    "link-down": _l("a line of it is down"),
    "link-up": _l("a line of it is up"),
    "authentication-failure": _l("somebody asked it with wrong keys"),
    "gatekeeper-lost": _l("its gatekeeper is lost"),
    "gatekeeper-back": _l("its gatekeeper is back"),
    "registration-lost": _l("its registration is lost"),
    "registration-back": _l("it is registered again"),
    "camera-lost": _l("a camera is lost"),
    "camera-back": _l("a camera is back"),
    "call-up": _l("a call is up"),
    "call-down": _l("a call has ended"),
    "call-failed": _l("a call has failed"),
    "quality": _l("the quality of a call has changed"),
    "help-wanted": _l("somebody in the room asks for help"),
    "peripheral": _l("something was plugged in or out"),
}


def trap_word(stored: str) -> str:
    """What we have no word for is told by its number."""
    return str(TRAPS.get(stored, stored))


def cause_word(stored: str) -> str:
    return str(CAUSES.get(stored, ""))
