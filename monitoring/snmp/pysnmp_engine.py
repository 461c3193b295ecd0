"""The engine on pysnmp's message codec and sockets of our own: one for each address family, shared by all targets."""

import asyncio
import errno
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address

from monitoring.snmp.engine import BELATED, TIMEOUT, Counters, Outcome, Reading, Target, Unreadable
from monitoring.snmp.pysnmp_messages import (
    FIRST_REQUEST_ID,
    LAST_REQUEST_ID,
    NotAResponse,
    Response,
    decode,
    encode_get,
)

# At the default size a burst of 900 requests got 332 answers. The kernel may grant less to an ordinary user.
RECEIVE_BUFFER = 4 * 1024 * 1024
PACKET_LIMIT = 8192
# Packets taken in one turn of the loop, so that a flood cannot starve the rest of the monitor.
DRAIN_LIMIT = 100
# A time-out that fires this many seconds after its time tells of our own delay, not of the target's silence.
LATE = 0.25
FULL_BUFFER = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM}

Address = tuple[str, int]


@dataclass(slots=True, eq=False)
class _Request:
    number: int
    target: Target
    address: Address
    sent_at: float
    deadline: float
    done: asyncio.Future[Reading]
    garbage: bool = False


class PysnmpEngine:
    """Belongs to the event loop it was opened in."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.on_belated: Callable[[Target, Reading], None] = lambda target, reading: None
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[int, socket.socket] = {}
        self._waiting: dict[int, _Request] = {}
        self._asked: dict[Address, set[int]] = {}

    async def read(self, target: Target, oids: tuple[str, ...], timeout: float = TIMEOUT) -> Reading:
        if target.version != "2c":
            return _reading(target, Outcome.NOT_ASKED, Unreadable.VERSION)
        address = _numeric(target.host)
        if address is None:
            return _reading(target, Outcome.NOT_ASKED, Unreadable.ADDRESS)
        return await self._ask(target, address, oids, timeout)

    def close(self) -> None:
        for udp in self._sockets.values():
            self._loop.remove_reader(udp)
            udp.close()
        self._sockets.clear()

    async def _ask(
        self, target: Target, address: IPv4Address | IPv6Address, oids: tuple[str, ...], timeout: float
    ) -> Reading:
        request_id = self._free_request_id()
        now = self._loop.time()
        request = _Request(
            request_id, target, (str(address), target.port), now, now + timeout, self._loop.create_future()
        )
        self._waiting[request_id] = request
        self._asked.setdefault(request.address, set()).add(request_id)
        timer = self._loop.call_at(request.deadline, self._expire, request)
        self._loop.call_at(max(now + BELATED, request.deadline + BELATED / 4), self._forget, request)
        try:
            refusal = self._send(address, target.port, encode_get(target.community, oids, request_id))
            if refusal:
                return _refused(target, refusal)
            return await request.done
        finally:
            timer.cancel()

    def _send(self, address: IPv4Address | IPv6Address, port: int, packet: bytes) -> OSError | None:
        try:
            self._socket(address.version).sendto(packet, (str(address), port))
        except OSError as error:
            return error
        self.counters.sent += 1
        return None

    def _socket(self, version: int) -> socket.socket:
        if version not in self._sockets:
            udp = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
            udp.setblocking(False)
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            self._loop.add_reader(udp, self._drain, udp, DRAIN_LIMIT)
            self._sockets[version] = udp
        return self._sockets[version]

    def _drain(self, udp: socket.socket, limit: int) -> None:
        for _ in range(limit):
            try:
                packet, sender = udp.recvfrom(PACKET_LIMIT + 1)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier packet: the target's own time-out tells the same
            self._receive(packet, (sender[0], sender[1]))

    def _receive(self, packet: bytes, sender: Address) -> None:
        # 1. Nobody asked that address: not worth a millisecond of decoding.
        asked = self._asked.get(sender)
        if not asked:
            self.counters.foreign += 1
            return
        # 2. It must be a response, whole and of sane size. What isn't may have been cut on the way: keep waiting.
        response = None
        if len(packet) > PACKET_LIMIT:
            self.counters.huge += 1
        else:
            try:
                response = decode(packet)
            except NotAResponse:
                self.counters.unreadable += 1
        if response is None:
            for request_id in asked:
                self._waiting[request_id].garbage = True
            return
        # 3. It must answer a request that was sent to just this address.
        request = self._waiting.get(response.request_id)
        if request is None or request.address != sender:
            self.counters.foreign += 1
            return
        self._forget(request)
        self._answer(request, response)

    def _answer(self, request: _Request, response: Response) -> None:
        round_trip = self._loop.time() - request.sent_at
        now = datetime.now(UTC)
        reading = Reading(
            request.target.key, Outcome.ANSWERED, now, round_trip, values=response.values, detail=response.error
        )
        if request.done.done():
            self.counters.belated += 1
            self.on_belated(request.target, reading)
        else:
            self.counters.answered += 1
            request.done.set_result(reading)

    def _expire(self, request: _Request) -> None:
        late = self._loop.time() - request.deadline > LATE
        # The answer may lie in the socket unread because we were busy: look before calling it missing.
        for udp in self._sockets.values():
            self._drain(udp, 100 * DRAIN_LIMIT if late else DRAIN_LIMIT)
        if request.done.done():
            return
        if late:
            self.counters.late += 1
            request.done.set_result(_reading(request.target, Outcome.LATE))
            return
        self.counters.timed_out += 1
        outcome = Outcome.BAD_ANSWER if request.garbage else Outcome.TIMEOUT
        request.done.set_result(_reading(request.target, outcome))

    def _forget(self, request: _Request) -> None:
        """Answered, or too old for any answer to tell of the present."""
        if self._waiting.pop(request.number, None) is None:
            return
        asked = self._asked[request.address]
        asked.discard(request.number)
        if not asked:
            del self._asked[request.address]

    def _free_request_id(self) -> int:
        # Random, so that nobody off the path can answer in a target's name.
        span = LAST_REQUEST_ID - FIRST_REQUEST_ID
        while (request_id := FIRST_REQUEST_ID + secrets.randbelow(span)) in self._waiting:
            pass
        return request_id


def _refused(target: Target, error: OSError) -> Reading:
    """What a failed send says: a full buffer is our own delay, no route is as good as silence."""
    outcome = Outcome.LATE if error.errno in FULL_BUFFER else Outcome.TIMEOUT
    return _reading(target, outcome, error.strerror or str(error))


def _reading(target: Target, outcome: Outcome, detail: str = "") -> Reading:
    return Reading(target.key, outcome, datetime.now(UTC), detail=detail)


def _numeric(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
