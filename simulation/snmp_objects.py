"""What a studio's SNMP agent can tell: the system group and one network interface (RFC 3418, RFC 2863), and what its
kind has beyond that, written from the vendors' MIBs.

Studios of a kind have the same objects, so the table is one for all; a value is computed when it is asked for.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pysnmp.proto import api
from pysnmp.proto.rfc1902 import Counter64

from simulation.studio import Fault, Kind, SimulatedStudio

V2 = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]

Oid = tuple[int, ...]
Value = Callable[[SimulatedStudio], Any]

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
IF_NUMBER: Oid = (1, 3, 6, 1, 2, 1, 2, 1, 0)
IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IF_X_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
CISCO_CODEC: Oid = (1, 3, 6, 1, 4, 1, 5596, 150, 6, 4, 1)

SOFTWARE = "ce9.15.3.26e8daf"
MODEL = "Cisco TelePresence SX80"
IDLE_OCTETS_A_SECOND = 900
CALL_OCTETS_A_SECOND = 500_000
OCTETS_A_PACKET = 700
SPEED_MEGABITS = 1000


def description(studio: SimulatedStudio) -> str:
    """sysDescr in the form of a Cisco codec, lines and all."""
    return f"Cisco Codec\nSoftW: {SOFTWARE}\nMCU: {MODEL}\nDate: 2021-05-26\nS/N: {studio.spec.serial}"


def uptime_ticks(studio: SimulatedStudio) -> int:
    """sysUpTime in hundredths of a second; it wraps after 497 days."""
    return int((datetime.now(UTC) - studio.started).total_seconds() * 100) % 2**32


def octets(studio: SimulatedStudio) -> int:
    """Traffic grows with time, and much faster in calls."""
    now = datetime.now(UTC)
    in_calls = sum(call.seconds_connected(now) for call in (*studio.calls.values(), *studio.history))
    return int((now - studio.started).total_seconds()) * IDLE_OCTETS_A_SECOND + in_calls * CALL_OCTETS_A_SECOND


def _packets(studio: SimulatedStudio) -> int:
    return octets(studio) // OCTETS_A_PACKET


def _hardware_address(studio: SimulatedStudio) -> bytes:
    """A locally administered address made of the studio's own."""
    return bytes([2, 0, *(int(part) for part in studio.spec.address.split("."))])


def _text(value: str) -> Value:
    fixed = V2.OctetString(value)
    return lambda studio: fixed


def _number(kind: type, value: int) -> Value:
    fixed = kind(value)
    return lambda studio: fixed


def _counter(kind: type, count: Callable[[SimulatedStudio], int]) -> Value:
    bits = 64 if kind is Counter64 else 32
    return lambda studio: kind(count(studio) % 2**bits)


def _octets_of(text: Callable[[SimulatedStudio], str]) -> Value:
    return lambda studio: V2.OctetString(text(studio).encode())


SYSTEM_GROUP: dict[Oid, Value] = {
    (1, 0): _octets_of(description),
    (2, 0): lambda studio: V2.ObjectIdentifier(CISCO_CODEC),
    (3, 0): lambda studio: V2.TimeTicks(uptime_ticks(studio)),
    (4, 0): _text(""),
    (5, 0): _octets_of(lambda studio: studio.spec.code),
    (6, 0): _octets_of(lambda studio: studio.spec.location or studio.spec.name),
    (7, 0): _number(V2.Integer, 72),
}
INTERFACE: dict[int, Value] = {
    1: _number(V2.Integer, 1),
    2: _text("eth0"),
    3: _number(V2.Integer, 6),
    4: _number(V2.Integer, 1500),
    5: _number(V2.Gauge32, SPEED_MEGABITS * 1_000_000),
    6: lambda studio: V2.OctetString(_hardware_address(studio)),
    7: _number(V2.Integer, 1),
    8: _number(V2.Integer, 1),
    9: _number(V2.TimeTicks, 0),
    10: _counter(V2.Counter32, octets),
    11: _counter(V2.Counter32, _packets),
    13: _number(V2.Counter32, 0),
    14: _number(V2.Counter32, 0),
    15: _number(V2.Counter32, 0),
    16: _counter(V2.Counter32, octets),
    17: _counter(V2.Counter32, _packets),
    19: _number(V2.Counter32, 0),
    20: _number(V2.Counter32, 0),
}
INTERFACE_X: dict[int, Value] = {
    1: _text("eth0"),
    6: _counter(Counter64, octets),
    7: _counter(Counter64, _packets),
    10: _counter(Counter64, octets),
    11: _counter(Counter64, _packets),
    14: _number(V2.Integer, 1),
    15: _number(V2.Gauge32, SPEED_MEGABITS),
    17: _number(V2.Integer, 1),
    18: _text(""),
}
COMMON: dict[Oid, Value] = {
    **{SYSTEM + suffix: value for suffix, value in SYSTEM_GROUP.items()},
    IF_NUMBER: _number(V2.Integer, 1),
    **{(*IF_ENTRY, column, 1): value for column, value in INTERFACE.items()},
    **{(*IF_X_ENTRY, column, 1): value for column, value in INTERFACE_X.items()},
}

# Cisco CTS (CISCO-TELEPRESENCE-MIB): a row for each peripheral, how it is and what it is.
CTS: Oid = (1, 3, 6, 1, 4, 1, 9, 9, 643, 1, 2, 1, 1)
FINE, CABLE = 0, 2
CAMERA_KIND, DISPLAY_KIND, MICROPHONE_KIND = 4, 5, 13
# Poly Group: states are 1 disabled, 2 ok, 3 failed.
GROUP: Oid = (1, 3, 6, 1, 4, 1, 13885, 101, 1)
OK, FAILED = 2, 3
# Poly HDX: loss and jitter of the call that is up, as text.
HDX: Oid = (1, 3, 6, 1, 4, 1, 2684, 1, 1)
LOST_PERCENT, LOSSY_JITTER = "12.0", "90"
# The same as whole numbers, and the loss in millionths of a percent, as a CTS tells it for each stream.
LOST_WHOLE, LOST_MILLIONTHS, LATE_MS = 12, 12_000_000, 90
CTS_CALLS: Oid = (1, 3, 6, 1, 4, 1, 9, 9, 644, 1, 4)
IN_PROGRESS = 8


def _state(well: Callable[[SimulatedStudio], bool], yes: int, no: int) -> Value:
    return lambda studio: V2.Integer(yes if well(studio) else no)


def _camera(studio: SimulatedStudio) -> bool:
    return studio.camera_connected


def _microphone(studio: SimulatedStudio) -> bool:
    return studio.microphone_connected


def _registered(studio: SimulatedStudio) -> bool:
    return studio.fault is not Fault.UNREGISTERED


def _lossy(studio: SimulatedStudio) -> bool:
    return bool(studio.calls) and studio.fault is Fault.LOSSY


def _in_call(value: Value) -> Value:
    """A row that is there while a call is up."""
    return lambda studio: value(studio) if studio.calls else None


def _object_id(oid: Oid) -> dict[Oid, Value]:
    return {(*SYSTEM, 2, 0): lambda studio: V2.ObjectIdentifier(oid)}


def _described(words: str) -> dict[Oid, Value]:
    return {(*SYSTEM, 1, 0): _text(words)}


OF_KIND: dict[Kind, dict[Oid, Value]] = {
    Kind.CISCO_ROOM: {},
    Kind.CISCO_CTS: {
        **_described("Cisco TelePresence System CTS 500"),
        **_object_id((1, 3, 6, 1, 4, 1, 9, 1, 1003)),
        (*CTS, 3, 1): _state(_camera, FINE, CABLE),
        (*CTS, 3, 2): _number(V2.Integer, FINE),
        (*CTS, 3, 3): _state(_microphone, FINE, CABLE),
        (*CTS, 4, 1): _number(V2.Integer, CAMERA_KIND),
        (*CTS, 4, 2): _number(V2.Integer, DISPLAY_KIND),
        (*CTS, 4, 3): _number(V2.Integer, MICROPHONE_KIND),
        (*CTS_CALLS, 8, 1, 11, 1): _in_call(lambda studio: V2.Integer(IN_PROGRESS)),
        (*CTS_CALLS, 10, 1, 12, 1): _in_call(lambda studio: V2.Gauge32(LOST_MILLIONTHS if _lossy(studio) else 0)),
        (*CTS_CALLS, 10, 1, 22, 1): _in_call(lambda studio: V2.Gauge32(LATE_MS if _lossy(studio) else 2)),
    },
    Kind.POLY_GROUP: {
        **_described("Polycom RealPresence Group 500"),
        **_object_id((1, 3, 6, 1, 4, 1, 13885, 101)),
        (*GROUP, 6, 0): _number(V2.Integer, OK),
        (*GROUP, 2, 7, 2, 0): _state(_registered, OK, FAILED),
        (*GROUP, 3, 5, 1, 0): _state(_microphone, OK, FAILED),
        (*GROUP, 3, 6, 1, 0): _state(_camera, OK, FAILED),
        (*GROUP, 5, 1, 0): lambda studio: V2.Gauge32(len(studio.calls)),
        (*GROUP, 4, 1, 1, 16, 1): _in_call(lambda studio: V2.Integer(0)),
        (*GROUP, 4, 1, 1, 17, 1): _in_call(lambda studio: V2.Integer(LOST_WHOLE if _lossy(studio) else 0)),
        (*GROUP, 4, 1, 1, 20, 1): _in_call(lambda studio: V2.Integer(2)),
        (*GROUP, 4, 1, 1, 21, 1): _in_call(lambda studio: V2.Integer(LATE_MS if _lossy(studio) else 2)),
    },
    Kind.POLY_HDX: {
        **_described("Polycom HDX 8000"),
        **_object_id((1, 3, 6, 1, 4, 1, 2684)),
        (*HDX, 21, 0): _octets_of(lambda studio: LOST_PERCENT if _lossy(studio) else "0"),
        (*HDX, 22, 0): _octets_of(lambda studio: LOSSY_JITTER if _lossy(studio) else "2"),
    },
}


class _View:
    """All objects of a kind, in their order."""

    def __init__(self, own: dict[Oid, Value]) -> None:
        self.objects = {**COMMON, **own}
        self.order = sorted(self.objects)
        # The object types themselves, to tell "no such row" from "no such object" (RFC 3416, 4.2.1).
        self.columns = {oid[:-1] for oid in self.objects}


VIEWS = {kind: _View(own) for kind, own in OF_KIND.items()}


def exact(oid: Oid, studio: SimulatedStudio) -> Any:
    """The value at an OID, or the exception that RFC 3416 has for its absence."""
    view = VIEWS[studio.spec.kind]
    value = view.objects.get(oid)
    if value is not None and (found := value(studio)) is not None:
        return found
    known = any(oid[:length] in view.columns for length in range(len(SYSTEM), len(oid) + 1))
    return V2.NoSuchInstance("") if known else V2.NoSuchObject("")


def following(oid: Oid, studio: SimulatedStudio) -> tuple[Oid, Any]:
    """The first object behind an OID and its value, or the same OID at the end of the view."""
    view = VIEWS[studio.spec.kind]
    for found in view.order[bisect_right(view.order, oid) :]:
        if (value := view.objects[found](studio)) is not None:
            return found, value
    return oid, V2.EndOfMibView("")
