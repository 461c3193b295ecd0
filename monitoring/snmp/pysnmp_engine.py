"""The engine on pysnmp's message codec and sockets of our own: one for each address family, shared by all targets.

Its version 3 keeps what each agent says of its engine and clock, and follows the agent when that changes.
"""

import asyncio
import errno
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address

from monitoring.snmp.engine import BELATED, TIMEOUT, Counters, Outcome, Reading, Refusal, Target, Unreadable
from monitoring.snmp.pysnmp_messages import (
    FIRST_REQUEST_ID,
    LAST_REQUEST_ID,
    NotAResponse,
    Response,
    decode,
    encode_get,
)
from monitoring.snmp.usm_messages import (
    AUTHENTIC,
    UNKNOWN_ENGINE,
    Clock,
    Envelope,
    Keys,
    Report,
    encode_discovery,
    is_version_3,
    keys_at,
    opened,
    unsealed,
)
from monitoring.snmp.usm_messages import encode_get as encode_sealed_get

# At the default size a burst of 900 requests got 332 answers. The kernel may grant less to an ordinary user.
RECEIVE_BUFFER = 4 * 1024 * 1024
PACKET_LIMIT = 8192
# Packets taken in one turn of the loop, so that a flood cannot starve the rest of the monitor.
DRAIN_LIMIT = 100
# A time-out that fires this many seconds after its time tells of our own delay, not of the target's silence.
LATE = 0.25
OUR_SHORTAGE = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
# Silence to our keys, from an agent that answers everybody else's discovery, is a refusal when it comes twice.
SILENT_REFUSALS = 2
# How often one read follows an agent that names another engine or time before it gives up.
RESYNCHRONISATIONS = 3

Address = tuple[str, int]


@dataclass(slots=True, eq=False)
class _Request:
    number: int
    target: Target
    address: Address
    sent_at: float
    deadline: float
    done: asyncio.Future[Reading | Report]
    keys: Keys | None = None
    garbage: bool = False


@dataclass(slots=True, eq=False)
class _Agent:
    """What is known of an agent of version 3. `unanswered`: reads in a row that brought nothing to our keys.

    `clock` is what it said at `told_at`, by our own clock.
    """

    clock: Clock | None = None
    told_at: float = 0.0
    unanswered: int = 0

    def clock_at(self, now: float) -> Clock | None:
        if self.clock is None:
            return None
        return Clock(self.clock.engine_id, self.clock.boots, self.clock.time + int(now - self.told_at))


class PysnmpEngine:
    """Belongs to the event loop it was opened in."""

    name = "pysnmp"

    def __init__(self) -> None:
        self.counters = Counters()
        self.on_belated: Callable[[Target, Reading], None] = lambda target, reading: None
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[int, socket.socket] = {}
        self._waiting: dict[int, _Request] = {}
        self._asked: dict[Address, set[int]] = {}
        self._agents: dict[Address, _Agent] = {}

    async def read(self, target: Target, oids: tuple[str, ...], timeout: float = TIMEOUT) -> Reading:
        if target.version not in ("2c", "3"):
            return _reading(target, Outcome.NOT_ASKED, Unreadable.VERSION)
        address = _numeric(target.host)
        if address is None:
            return _reading(target, Outcome.NOT_ASKED, Unreadable.ADDRESS)
        if target.version == "3" and not (target.user and target.auth and target.priv):
            return _reading(target, Outcome.NOT_ASKED, Unreadable.CREDENTIAL)
        deadline = self._loop.time() + timeout
        if target.version == "3":
            return await self._read_sealed(target, address, oids, deadline)
        number = self._free_request_id()
        heard = await self._ask(target, address, number, encode_get(target.community, oids, number), deadline)
        assert isinstance(heard, Reading)  # version 2c knows no reports
        return heard

    def doubts(self, target: Target) -> bool:
        """Whether this agent of version 3 has lately left our keys without an answer."""
        agent = self._agents.get((target.host, target.port))
        return agent is not None and agent.unanswered > 0

    def close(self) -> None:
        for udp in self._sockets.values():
            self._loop.remove_reader(udp)
            udp.close()
        self._sockets.clear()

    async def _read_sealed(
        self, target: Target, address: IPv4Address | IPv6Address, oids: tuple[str, ...], deadline: float
    ) -> Reading:
        """Version 3: learn who the agent is where that isn't known or in doubt, then ask with the user's keys."""
        agent = self._agents.setdefault((target.host, target.port), _Agent())
        in_doubt = agent.clock is None or agent.unanswered > 0
        if in_doubt:
            number = self._free_request_id()
            discovered = await self._ask(target, address, number, encode_discovery(number), deadline)
            if isinstance(discovered, Reading):
                return discovered
        reason = ""
        for _ in range(RESYNCHRONISATIONS):
            heard = await self._ask_sealed(target, address, agent, oids, deadline)
            if isinstance(heard, Reading):
                return self._weighed(heard, agent, target, in_doubt)
            reason = heard.reason
            if reason not in (UNKNOWN_ENGINE, Refusal.NOT_IN_TIME):
                break
        return self._refusal(target, reason)

    async def _ask_sealed(
        self,
        target: Target,
        address: IPv4Address | IPv6Address,
        agent: _Agent,
        oids: tuple[str, ...],
        deadline: float,
    ) -> Reading | Report:
        clock, number = agent.clock_at(self._loop.time()), self._free_request_id()
        if clock is None:
            return _reading(target, Outcome.BAD_ANSWER)
        keys = keys_at(target.user, target.auth, target.priv, clock.engine_id)
        return await self._ask(
            target, address, number, encode_sealed_get(keys, clock, oids, number), deadline, keys=keys
        )

    def _weighed(self, heard: Reading, agent: _Agent, target: Target, discovered: bool) -> Reading:
        """Silence may be the answer to a wrong privacy key: many agents drop what they can't decrypt."""
        if heard.outcome is not Outcome.TIMEOUT:
            return heard
        agent.unanswered += 1
        if discovered and agent.unanswered >= SILENT_REFUSALS:
            return self._refusal(target, Refusal.WRONG_KEYS)
        return heard

    def _refusal(self, target: Target, reason: str) -> Reading:
        self.counters.refused += 1
        return _reading(target, Outcome.REFUSED, reason)

    async def _ask(
        self,
        target: Target,
        address: IPv4Address | IPv6Address,
        number: int,
        packet: bytes,
        deadline: float,
        keys: Keys | None = None,
    ) -> Reading | Report:
        """One packet and what comes of it."""
        now = self._loop.time()
        request = _Request(number, target, (str(address), target.port), now, deadline, self._loop.create_future(), keys)
        self._waiting[number] = request
        self._asked.setdefault(request.address, set()).add(number)
        timer = self._loop.call_at(deadline, self._expire, request)
        self._loop.call_at(max(now + BELATED, deadline + BELATED / 4), self._forget, request)
        try:
            refusal = self._send(address, target.port, packet)
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
        try:
            if len(packet) > PACKET_LIMIT:
                self.counters.huge += 1
                raise NotAResponse("huge")
            self._take(packet, sender)
        except NotAResponse:
            self.counters.unreadable += len(packet) <= PACKET_LIMIT
            for request_id in asked:
                self._waiting[request_id].garbage = True

    def _take(self, packet: bytes, sender: Address) -> None:
        # 3. It must answer a request that was sent to just this address.
        sealed = opened(packet) if is_version_3(packet) else None
        plain = decode(packet) if sealed is None else None
        number = sealed.number if sealed else plain.request_id if plain else 0
        request = self._waiting.get(number)
        if request is None or request.address != sender or (request.target.version == "3") is (sealed is None):
            self.counters.foreign += 1
            return
        # 4. With version 3, only what is signed with the user's key is an answer.
        content = unsealed(sealed, request.keys) if sealed else plain
        if isinstance(content, Response) and content.request_id != number:
            raise NotAResponse("an answer to something else")
        if sealed:
            self._learn(request, sealed, content)
        self._forget(request)
        self._answer(request, content)

    def _learn(self, request: _Request, sealed: Envelope, content: Response | Report | None) -> None:
        """Who the agent is and what its clock shows.

        A fresh random number in each of our messages keeps old answers from being played again, so an agent's own
        word counts although its clock went back: a box that was replaced, or forgot how often it had started.
        """
        agent = self._agents.setdefault((request.target.host, request.target.port), _Agent())
        signed = bool(sealed.flags & AUTHENTIC)
        names_engine = isinstance(content, Report) and content.reason == UNKNOWN_ENGINE
        if (signed or names_engine) and sealed.clock.engine_id:
            agent.clock, agent.told_at = sealed.clock, self._loop.time()
        if isinstance(content, Response):
            agent.unanswered = 0

    def _answer(self, request: _Request, content: Response | Report | None) -> None:
        if isinstance(content, Report):
            if not request.done.done():
                request.done.set_result(content)
            return
        assert content is not None
        now, round_trip = datetime.now(UTC), self._loop.time() - request.sent_at
        reading = Reading(
            request.target.key, Outcome.ANSWERED, now, round_trip, values=content.values, detail=content.error
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
    """What a failed send says: a full buffer or no file left is our own delay, no route is as good as silence."""
    outcome = Outcome.LATE if error.errno in OUR_SHORTAGE else Outcome.TIMEOUT
    return _reading(target, outcome, error.strerror or str(error))


def _reading(target: Target, outcome: Outcome, detail: str = "") -> Reading:
    return Reading(target.key, outcome, datetime.now(UTC), detail=detail)


def _numeric(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
