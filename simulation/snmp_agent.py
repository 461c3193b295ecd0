"""The SNMP v2c agent of one studio: GET, GETNEXT and GETBULK over UDP (RFC 3416). Whatever else comes is silence."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, cast

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import api

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

KINDS = {
    "get": V2.GetRequestPDU.tagSet,
    "getnext": V2.GetNextRequestPDU.tagSet,
    "getbulk": V2.GetBulkRequestPDU.tagSet,
    "set": V2.SetRequestPDU.tagSet,
}

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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a packet asks. `message` is kept as the frame of the answer."""

    kind: str
    message: Any
    community: bytes
    oids: list[tuple[int, ...]]
    non_repeaters: int = 0
    repetitions: int = 0


def respond(studio: SimulatedStudio, data: bytes) -> bytes:
    """The answer to one datagram; empty for what an agent keeps silent to."""
    asked = _decoded(data)
    if asked is None or asked.community != studio.spec.community.encode():
        return b""
    try:
        return _answer(studio, asked)
    except Exception:
        # Others wrote this packet: whatever is in it, the fleet goes on.
        log.exception("An SNMP request could not be answered")
        return b""


def _decoded(data: bytes) -> _Asked | None:
    """Take a v2c request apart. None for everything else, however broken."""
    if len(data) > LONGEST_REQUEST:
        return None
    try:
        if api.decodeMessageVersion(data) != api.SNMP_VERSION_2C:
            return None
        return _asked(decoder.decode(data, asn1Spec=V2.Message())[0])
    except Exception:
        # Of a damaged packet the decoder raises its own errors, but TypeError, IndexError and others as well.
        return None


def _asked(message: Any) -> _Asked | None:
    pdu = V2.apiMessage.get_pdu(message)
    kind = next((name for name, tags in KINDS.items() if pdu.tagSet == tags), None)
    if kind is None:
        return None
    bulk = kind == "getbulk"
    return _Asked(
        kind,
        message,
        bytes(V2.apiMessage.get_community(message)),
        [tuple(oid) for oid, _ in V2.apiPDU.get_varbinds(pdu)],
        max(0, int(V2.apiBulkPDU.get_non_repeaters(pdu))) if bulk else 0,
        max(0, int(V2.apiBulkPDU.get_max_repetitions(pdu))) if bulk else 0,
    )


def _answer(studio: SimulatedStudio, asked: _Asked) -> bytes:
    response = V2.apiMessage.get_response(asked.message)
    pdu = V2.apiMessage.get_pdu(response)
    if asked.kind == "set":
        return _refusal(response, pdu, [(oid, V2.Null("")) for oid in asked.oids], NO_ACCESS)
    V2.apiPDU.set_varbinds(pdu, _read(studio, asked))
    encoded: bytes = encoder.encode(response)
    return encoded if len(encoded) <= LONGEST_RESPONSE else _refusal(response, pdu, [], TOO_BIG)


def _refusal(response: Any, pdu: Any, varbinds: Varbinds, status: int) -> bytes:
    V2.apiPDU.set_varbinds(pdu, varbinds)
    V2.apiPDU.set_error_status(pdu, status)
    V2.apiPDU.set_error_index(pdu, 1 if varbinds else 0)
    encoded: bytes = encoder.encode(response)
    return encoded


def _read(studio: SimulatedStudio, asked: _Asked) -> Varbinds:
    if asked.kind == "get":
        return [(oid, exact(oid, studio)) for oid in asked.oids]
    if asked.kind == "getnext":
        return [following(oid, studio) for oid in asked.oids]
    once, repeated = asked.oids[: asked.non_repeaters], asked.oids[asked.non_repeaters :]
    return [following(oid, studio) for oid in once] + _repeat(studio, repeated, asked.repetitions)


def _repeat(studio: SimulatedStudio, oids: list[tuple[int, ...]], repetitions: int) -> Varbinds:
    found: Varbinds = []
    for _ in range(repetitions):
        row = [following(oid, studio) for oid in oids]
        found += row
        oids = [oid for oid, _ in row]
        if len(found) + len(row) > LONGEST_BULK or all(value.isSameTypeWith(V2.EndOfMibView()) for _, value in row):
            break
    return found
