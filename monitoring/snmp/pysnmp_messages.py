"""SNMP v2c messages, and the PDUs of both versions, through pysnmp: bytes in, values out (RFC 3416, RFC 1901).

No sockets here.
"""

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
_SAMPLES = (0x5A5A_5A5A, 0x25A5_A5A5)
_MESSAGE = v2c.Message()
_RESPONSE = v2c.ResponsePDU.tagSet
_RESPONSE_PDU = v2c.ResponsePDU()


@dataclass(frozen=True, slots=True)
class Response:
    """An agent's answer; `error` names the error status, with no values then."""

    request_id: int
    error: str
    values: Mapping[str, Value]


class NotAResponse(ValueError):
    """Bytes that are no SNMP response."""


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


def encode_pdu(oids: tuple[str, ...], request_id: int) -> bytes:
    """A GetRequest-PDU by itself, as version 3 wraps it."""
    template, at = _pdu_template(oids)
    return template[:at] + request_id.to_bytes(4, "big") + template[at + 4 :]


def decode_pdu(pdu: bytes) -> Response:
    """Read a Response-PDU; NotAResponse for everything else."""
    try:
        return _response(decoder.decode(pdu, asn1Spec=_RESPONSE_PDU)[0])
    except Exception as error:  # as above
        raise NotAResponse(str(error)) from error


def _response(pdu: Any) -> Response:
    status = v2c.apiPDU.get_error_status(pdu)
    values = {} if int(status) else {str(oid): plain(value) for oid, value in v2c.apiPDU.get_varbinds(pdu)}
    return Response(
        request_id=int(v2c.apiPDU.get_request_id(pdu)),
        error=status.prettyPrint() if int(status) else "",
        values=values,
    )


def plain(value: Any) -> Value:
    """A decoded value as engines tell it."""
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
    return _differing(*(_encode(community, oids, number) for number in _SAMPLES))


@lru_cache(maxsize=64)
def _pdu_template(oids: tuple[str, ...]) -> tuple[bytes, int]:
    return _differing(*(encoder.encode(_get_request(oids, number)) for number in _SAMPLES))


def _differing(one: bytes, other: bytes) -> tuple[bytes, int]:
    """An encoded request and where its number stands: at the first byte in which two requests differ."""
    return one, next(index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)


def _encode(community: str, oids: tuple[str, ...], request_id: int) -> bytes:
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, _get_request(oids, request_id))
    encoded: bytes = encoder.encode(message)
    return encoded


def _get_request(oids: tuple[str, ...], request_id: int) -> Any:
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, request_id)
    v2c.apiPDU.set_varbinds(pdu, [(oid, v2c.null) for oid in oids])
    return pdu
