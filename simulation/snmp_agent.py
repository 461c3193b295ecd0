"""The SNMP agent of one studio, over UDP: version 3 where the studio has a user, else 2c. Other packets: silence."""

import asyncio
from typing import cast

from simulation.snmp_ber import INTEGER, OCTETS, SEQUENCE, BrokenError, first, integer, number, octets, sequence, whole
from simulation.snmp_requests import LONGEST_REQUEST, LONGEST_RESPONSE, answer
from simulation.snmp_traps import in_clear, notification
from simulation.snmp_v3 import V3Engine
from simulation.studio import SimulatedStudio

V2C = 1


class SnmpAgent(asyncio.DatagramProtocol):
    """`traps_to`: where the studio sends what it tells unasked; none: nowhere."""

    def __init__(self, studio: SimulatedStudio, traps_to: tuple[str, int] | None = None) -> None:
        self.studio = studio
        self._traps_to = traps_to
        self._engine = V3Engine(studio) if studio.spec.snmp_user else None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        if self._traps_to:
            self.studio.on_news = self.tell

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        if self.studio.dead or self._transport is None:
            return
        response = self._engine.respond(data) if self._engine else respond(self.studio, data)
        if response:
            self._transport.sendto(response, source)

    def tell(self, kind: str) -> None:
        """Send a trap; lost like any other packet while the studio is cut off."""
        if self._transport is None or self._traps_to is None or self.studio.dead:
            return
        pdu = notification(self.studio, kind)
        self._transport.sendto(self._engine.sealed(pdu) if self._engine else in_clear(self.studio, pdu), self._traps_to)

    def error_received(self, error: Exception) -> None:
        """The asker is gone."""


def respond(studio: SimulatedStudio, data: bytes) -> bytes:
    """The answer to one datagram of version 2c; empty for what an agent keeps silent to."""
    if len(data) > LONGEST_REQUEST:
        return b""
    try:
        version, rest = first(whole(data, SEQUENCE), INTEGER)
        community, request = first(rest, OCTETS)
        if number(version) != V2C or community != studio.spec.community.encode():
            return b""
    except BrokenError:
        return b""
    response = answer(studio, request, LONGEST_RESPONSE)
    return sequence(integer(V2C), octets(community), response) if response else b""
