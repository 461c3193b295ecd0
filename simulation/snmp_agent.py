"""The SNMP agent of one studio, over UDP: version 3 where the studio has a user, else 2c. Other packets: silence."""

import asyncio
from typing import cast

from simulation.snmp_ber import INTEGER, OCTETS, SEQUENCE, BrokenError, first, integer, number, octets, sequence, whole
from simulation.snmp_requests import LONGEST_REQUEST, LONGEST_RESPONSE, answer
from simulation.snmp_v3 import V3Engine
from simulation.studio import SimulatedStudio

V2C = 1


class SnmpAgent(asyncio.DatagramProtocol):
    def __init__(self, studio: SimulatedStudio) -> None:
        self.studio = studio
        self._engine = V3Engine(studio) if studio.spec.snmp_user else None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        if self.studio.dead or self._transport is None:
            return
        response = self._engine.respond(data) if self._engine else respond(self.studio, data)
        if response:
            self._transport.sendto(response, source)

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
