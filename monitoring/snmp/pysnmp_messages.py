"""SNMP v2c messages through pysnmp: bytes in, values out (RFC 3416, RFC 1901). No sockets here."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ
from pysnmp.proto.api import v2c

from monitoring.snmp.engine import Value

# All numbers between are four bytes long in BER, so one can be patched over another.
FIRST_REQUEST_ID, LAST_REQUEST_ID = 0x0100_0000, 0x7FFF_FFFF
_MESSAGE = v2c.Message()
_RESPONSE = v2c.ResponsePDU.tagSet


@dataclass(frozen=True, slots=True)
class Response:
    """An agent's answer; `error` names the error status, with no values then."""

    request_id: int
    error: str
    values: Mapping[str, Value]


class NotAResponse(Exception):
    """Bytes that are no SNMP v2c response."""


def encode_get(community: str, oids: tuple[str, ...], request_id: int) -> bytes:
    """A GetRequest. Encoding costs a millisecond, so it is done once and only the request number patched in."""
    template, at = _template(community, oids)
    return template[:at] + request_id.to_bytes(4, "big") + template[at + 4 :]


def decode(packet: bytes) -> Response:
    """Read a response; NotAResponse for everything else."""
    try:
        message, _ = decoder.decode(packet, asn1Spec=_MESSAGE)
        pdu = v2c.apiMessage.get_pdu(message)
        version = int(v2c.apiMessage.get_version(message))
        if pdu.tagSet != _RESPONSE or version != 1:
            raise NotAResponse(f"another kind of message, version {version}")
        return _response(pdu)
    except NotAResponse:
        raise
    except Exception as error:  # hostile bytes make the decoder raise nearly anything, far beyond PyAsn1Error
        raise NotAResponse(str(error)) from error


def _response(pdu: Any) -> Response:
    status = v2c.apiPDU.get_error_status(pdu)
    values = {} if int(status) else {str(oid): _plain(value) for oid, value in v2c.apiPDU.get_varbinds(pdu)}
    return Response(
        request_id=int(v2c.apiPDU.get_request_id(pdu)),
        error=status.prettyPrint() if int(status) else "",
        values=values,
    )


def _plain(value: Any) -> Value:
    # noSuchObject, noSuchInstance and endOfMibView derive from Null (which pysnmp derives from OctetString).
    if isinstance(value, univ.Null):
        return None
    if isinstance(value, v2c.IpAddress):
        return str(value.prettyPrint())
    if isinstance(value, univ.OctetString):
        return bytes(value)
    return str(value) if isinstance(value, univ.ObjectIdentifier) else int(value)


@lru_cache(maxsize=4096)
def _template(community: str, oids: tuple[str, ...]) -> tuple[bytes, int]:
    """An encoded request and where its number stands: at the first byte in which two requests differ."""
    one = _encode(community, oids, 0x5A5A_5A5A)
    other = _encode(community, oids, 0x25A5_A5A5)
    at = next(index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    return one, at


def _encode(community: str, oids: tuple[str, ...], request_id: int) -> bytes:
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, request_id)
    v2c.apiPDU.set_varbinds(pdu, [(oid, v2c.null) for oid in oids])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    encoded: bytes = encoder.encode(message)
    return encoded
