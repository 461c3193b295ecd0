"""Notifications that endpoints send unasked, versions 2c and 3: bytes in, what happened out. No sockets here.

A trap is a hint and nothing more: whoever sent it is polled, and the poll decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pyasn1.codec.ber import decoder
from pysnmp.proto.api import v2c

from monitoring.snmp.engine import Target, Value
from monitoring.snmp.pysnmp_messages import NotAResponse, plain
from monitoring.snmp.usm_messages import Keys, is_version_3, keys_at, opened, unsealed_notification

LONGEST_PACKET = 8192
# Which notification it is (SNMPv2-MIB::snmpTrapOID.0).
TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
_MESSAGE, _TRAP = v2c.Message(), v2c.SNMPv2TrapPDU()


class NotATrap(ValueError):
    """Bytes that are no trap of version 2c or 3."""


class TrapRefused(ValueError):
    """A trap that cannot prove to be of this endpoint: another community, user or key."""


@dataclass(frozen=True, slots=True)
class Trap:
    """`kind` is the notification's object identifier."""

    kind: str
    values: Mapping[str, Value]


def read_trap(packet: bytes, target: Target) -> Trap:
    """What the endpoint says, if it is the endpoint: by its community, or signed and encrypted with its keys."""
    if len(packet) > LONGEST_PACKET:
        raise NotATrap("too long")
    if is_version_3(packet):
        return _decoded(_opened(packet, target))
    try:
        message, rest = decoder.decode(packet, asn1Spec=_MESSAGE)
        community = bytes(v2c.apiMessage.get_community(message)).decode("utf-8", "replace")
        pdu = v2c.apiMessage.get_pdu(message)
        is_trap = not rest and pdu.tagSet == _TRAP.tagSet and int(v2c.apiMessage.get_version(message)) == 1
    except Exception as error:  # hostile bytes make the decoder raise nearly anything
        raise NotATrap(str(error)) from error
    if not is_trap:
        raise NotATrap("another kind of message")
    if target.version != "2c" or community != target.community:
        raise TrapRefused("another version or community")
    return _told(pdu)


def _opened(packet: bytes, target: Target) -> bytes:
    try:
        envelope = opened(packet)
        if target.version != "3" or envelope.user != target.user.encode():
            raise TrapRefused("another version or user")
        return unsealed_notification(envelope, _keys(target.user, target.auth, target.priv, envelope.clock.engine_id))
    except NotAResponse as error:
        raise TrapRefused(str(error)) from None


def _decoded(pdu: bytes) -> Trap:
    try:
        return _told(decoder.decode(pdu, asn1Spec=_TRAP)[0])
    except Exception as error:  # as above
        raise NotATrap(str(error)) from error


def _told(pdu: object) -> Trap:
    try:
        values = {str(oid): plain(value) for oid, value in v2c.apiPDU.get_varbinds(pdu)}
    except Exception as error:  # as above
        raise NotATrap(str(error)) from error
    kind = values.get(TRAP_OID)
    if not isinstance(kind, str):
        raise NotATrap("it does not say what happened")
    return Trap(kind, values)


@lru_cache(maxsize=4096)
def _keys(user: str, auth: str, priv: str, engine_id: bytes) -> Keys:
    return keys_at(user, auth, priv, engine_id)
