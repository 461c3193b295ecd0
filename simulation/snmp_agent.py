"""The SNMP v2c agent of one studio: GET, GETNEXT and GETBULK over UDP (RFC 3416). Whatever else comes is silence."""

import asyncio
import logging
from typing import Any, cast

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pysnmp.proto import api
from pysnmp.proto.error import ProtocolError

from simulation.snmp_objects import V2, exact, following
from simulation.studio import SimulatedStudio

log = logging.getLogger(__name__)

# A request that is honest fits in a few hundred octets; decoding more would let one sender hold up all studios.
LONGEST_REQUEST = 4096
LONGEST_RESPONSE = 8192
# A GETBULK answer ends early rather than not fit one Ethernet frame; about this many objects do.
LONGEST_BULK = 40
TOO_BIG = 1
NO_ACCESS = 6

Varbinds = list[tuple[Any, Any]]


class SnmpAgent(asyncio.DatagramProtocol):
    def __init__(self, studio: SimulatedStudio) -> None:
        self.studio = studio
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        if self.studio.dead or self._transport is None:
            return
        response = respond(self.studio, data)
        if response:
            self._transport.sendto(response, source)

    def error_received(self, error: Exception) -> None:
        """The asker is gone."""


def respond(studio: SimulatedStudio, data: bytes) -> bytes:
    """The answer to one datagram; empty for what an agent keeps silent to."""
    if len(data) > LONGEST_REQUEST:
        return b""
    try:
        return _answer(studio, data)
    except (PyAsn1Error, ProtocolError, ValueError, RecursionError):
        return b""
    except Exception:
        # Others wrote this packet: whatever is in it, the fleet goes on.
        log.exception("An SNMP packet could not be handled")
        return b""


def _answer(studio: SimulatedStudio, data: bytes) -> bytes:
    if api.decodeMessageVersion(data) != api.SNMP_VERSION_2C:
        return b""
    request, _ = decoder.decode(data, asn1Spec=V2.Message())
    if bytes(V2.apiMessage.get_community(request)) != studio.spec.community.encode():
        return b""
    pdu = V2.apiMessage.get_pdu(request)
    if not pdu.isSameTypeWith(V2.SetRequestPDU()) and not _is_read(pdu):
        return b""
    response = V2.apiMessage.get_response(request)
    answer = V2.apiMessage.get_pdu(response)
    if pdu.isSameTypeWith(V2.SetRequestPDU()):
        _refuse(answer, pdu, NO_ACCESS, 1)
        return encoder.encode(response)
    V2.apiPDU.set_varbinds(answer, _read(studio, pdu))
    encoded = encoder.encode(response)
    if len(encoded) <= LONGEST_RESPONSE:
        return encoded
    _refuse(answer, None, TOO_BIG, 0)
    return encoder.encode(response)


def _is_read(pdu: Any) -> bool:
    return any(pdu.isSameTypeWith(kind()) for kind in (V2.GetRequestPDU, V2.GetNextRequestPDU, V2.GetBulkRequestPDU))


def _refuse(answer: Any, pdu: Any, status: int, index: int) -> None:
    V2.apiPDU.set_varbinds(answer, V2.apiPDU.get_varbinds(pdu) if pdu is not None else [])
    V2.apiPDU.set_error_status(answer, status)
    V2.apiPDU.set_error_index(answer, index)


def _read(studio: SimulatedStudio, pdu: Any) -> Varbinds:
    asked = [tuple(oid) for oid, _ in V2.apiPDU.get_varbinds(pdu)]
    if pdu.isSameTypeWith(V2.GetRequestPDU()):
        return [(oid, exact(oid, studio)) for oid in asked]
    if pdu.isSameTypeWith(V2.GetNextRequestPDU()):
        return [following(oid, studio) for oid in asked]
    non_repeaters = max(0, int(V2.apiBulkPDU.get_non_repeaters(pdu)))
    repetitions = max(0, int(V2.apiBulkPDU.get_max_repetitions(pdu)))
    once, repeated = asked[:non_repeaters], asked[non_repeaters:]
    return [following(oid, studio) for oid in once] + _repeat(studio, repeated, repetitions)


def _repeat(studio: SimulatedStudio, oids: list[tuple[int, ...]], repetitions: int) -> Varbinds:
    found: Varbinds = []
    for _ in range(repetitions):
        row = [following(oid, studio) for oid in oids]
        found += row
        oids = [oid for oid, _ in row]
        if len(found) + len(row) > LONGEST_BULK or all(value.isSameTypeWith(V2.EndOfMibView()) for _, value in row):
            break
    return found
