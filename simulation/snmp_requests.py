"""What an agent answers to a request, whatever version of SNMP carries it: GET, GETNEXT and GETBULK (RFC 3416)."""

import logging
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import rfc1905

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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request asks. `pdu` is kept as the frame of the answer."""

    kind: str
    pdu: Any
    oids: list[tuple[int, ...]]
    non_repeaters: int = 0
    repetitions: int = 0


def answer(studio: SimulatedStudio, request: bytes, longest: int) -> bytes:
    """The response PDU to a request PDU, of `longest` octets at most; empty for what an agent keeps silent to."""
    asked = _decoded(request)
    if asked is None:
        return b""
    try:
        return _answer(studio, asked, longest)
    except Exception:
        # Others wrote this packet: whatever is in it, the fleet goes on.
        log.exception("An SNMP request could not be answered")
        return b""


def _decoded(request: bytes) -> _Asked | None:
    """Take a request apart. None for everything else, however broken."""
    try:
        pdu, rest = decoder.decode(request, asn1Spec=rfc1905.PDUs())
        return None if rest else _asked(pdu.getComponent())
    except Exception:
        # Of a damaged packet the decoder raises its own errors, but TypeError, IndexError and others as well.
        return None


def _asked(pdu: Any) -> _Asked | None:
    kind = next((name for name, tags in KINDS.items() if pdu.tagSet == tags), None)
    if kind is None:
        return None
    bulk = kind == "getbulk"
    return _Asked(
        kind,
        pdu,
        [tuple(oid) for oid, _ in V2.apiPDU.get_varbinds(pdu)],
        max(0, int(V2.apiBulkPDU.get_non_repeaters(pdu))) if bulk else 0,
        max(0, int(V2.apiBulkPDU.get_max_repetitions(pdu))) if bulk else 0,
    )


def _answer(studio: SimulatedStudio, asked: _Asked, longest: int) -> bytes:
    response = V2.apiPDU.get_response(asked.pdu)
    if asked.kind == "set":
        return _refusal(response, [(oid, V2.Null("")) for oid in asked.oids], NO_ACCESS)
    V2.apiPDU.set_varbinds(response, _read(studio, asked))
    encoded: bytes = encoder.encode(response)
    return encoded if len(encoded) <= longest else _refusal(response, [], TOO_BIG)


def _refusal(response: Any, varbinds: Varbinds, status: int) -> bytes:
    V2.apiPDU.set_varbinds(response, varbinds)
    V2.apiPDU.set_error_status(response, status)
    V2.apiPDU.set_error_index(response, 1 if varbinds else 0)
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
