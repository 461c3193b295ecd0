"""What a studio's agent sends unasked: a notification of version 2c (RFC 3416, 4.2.6), for version 3 to be sealed."""

from itertools import count

from pyasn1.codec.ber import encoder

from simulation.snmp_ber import integer, octets, sequence
from simulation.snmp_objects import V2, uptime_ticks
from simulation.studio import SimulatedStudio

V2C = 1
UPTIME, TRAP_OID = "1.3.6.1.2.1.1.3.0", "1.3.6.1.6.3.1.1.4.1.0"

_numbers = count(1)


def notification(studio: SimulatedStudio, kind: str) -> bytes:
    """The PDU: when it happened by the agent's own clock, and what."""
    pdu = V2.SNMPv2TrapPDU()
    V2.apiTrapPDU.set_defaults(pdu)
    V2.apiTrapPDU.set_request_id(pdu, next(_numbers) % 2**31)
    varbinds = [(UPTIME, V2.TimeTicks(uptime_ticks(studio))), (TRAP_OID, V2.ObjectIdentifier(kind))]
    V2.apiTrapPDU.set_varbinds(pdu, varbinds)
    encoded: bytes = encoder.encode(pdu)
    return encoded


def in_clear(studio: SimulatedStudio, pdu: bytes) -> bytes:
    """As a message of version 2c."""
    return sequence(integer(V2C), octets(studio.spec.community.encode()), pdu)
