"""SIP transactions over UDP: what is sent again, until when, and what answers what (RFC 3261, section 17)."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from simulation.sip_messages import SipMessage, SipRequest, SipResponse, has_parameter, read_uri, to_bytes

T2_IN_T1 = 8
TIMEOUT_IN_T1 = 64

Address = tuple[str, int]
Key = tuple[str, str, str]


class Wire(Protocol):
    def transmit(self, data: bytes, destination: Address) -> None: ...


class Repeater:
    """Sends bytes now and again: after T1, then at doubling intervals, until stopped or 64 T1 have passed."""

    def __init__(self, wire: Wire, t1: float, data: bytes, destination: Address, gave_up: Callable[[], None]) -> None:
        self._wire, self._t1, self._data, self._destination, self._gave_up = wire, t1, data, destination, gave_up
        self._interval = t1
        self.longest = t1 * TIMEOUT_IN_T1
        loop = asyncio.get_running_loop()
        self._deadline: asyncio.TimerHandle | None = loop.call_later(t1 * TIMEOUT_IN_T1, self._expire)
        self._again: asyncio.TimerHandle | None = loop.call_later(t1, self._repeat)
        wire.transmit(data, destination)

    def stop_repeating(self) -> None:
        """Keep the deadline, send no more."""
        if self._again:
            self._again.cancel()
            self._again = None

    def stop(self) -> None:
        self.stop_repeating()
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _repeat(self) -> None:
        self._wire.transmit(self._data, self._destination)
        self._interval = min(self._interval * 2, self.longest)
        self._again = asyncio.get_running_loop().call_later(self._interval, self._repeat)

    def _expire(self) -> None:
        self.stop()
        self._gave_up()


class ClientTransaction:
    """One request of ours. `answered` gets each provisional response and one final one; None means none came."""

    def __init__(
        self,
        table: "Transactions",
        request: SipRequest,
        destination: Address,
        answered: Callable[[SipResponse | None], None],
    ) -> None:
        self.request, self.destination = request, destination
        self._table, self._answered = table, answered
        self._final: SipResponse | None = None
        self._key = client_key(request)
        table.clients[self._key] = self
        self._repeater = Repeater(table.wire, table.t1, to_bytes(request), destination, self._give_up)
        if request.method != "INVITE":
            self._repeater.longest = table.t1 * T2_IN_T1

    def receive(self, response: SipResponse) -> None:
        if self._final is not None:
            self._receive_final_again(response)
            return
        if response.status < 200:
            self._proceed()
            self._answered(response)
            return
        self._final = response
        self._repeater.stop()
        self._acknowledge_refusal(response)
        self._table.forget_later(self._table.clients, self._key)
        self._answered(response)

    def abandon_later(self) -> None:
        """A cancelled INVITE whose answer never comes is forgotten after 64 T1 (9.1)."""
        self._table.forget_later(self._table.clients, self._key)

    def _receive_final_again(self, response: SipResponse) -> None:
        """Our ACK was lost. That of a refusal is ours to give again, that of a 2xx the call's."""
        if response.status >= 300:
            self._acknowledge_refusal(response)
        elif self.request.method == "INVITE":
            self._answered(response)

    def _proceed(self) -> None:
        """An INVITE that got any answer is not sent again, and its caller decides how long it may ring."""
        if self.request.method == "INVITE":
            self._repeater.stop()

    def _acknowledge_refusal(self, response: SipResponse) -> None:
        """The ACK of a refusal belongs to the transaction itself (17.1.1.3); that of a 2xx to the call."""
        if self.request.method != "INVITE" or response.status < 300:
            return
        kept = [pair for pair in self.request.headers if pair[0] in {"from", "call-id", "max-forwards", "route"}]
        headers = [("via", self.request.top_via), *kept, ("to", response.get("to"))]
        headers.append(("cseq", f"{self.request.cseq[0]} ACK"))
        self._table.wire.transmit(to_bytes(SipRequest(headers, b"", "ACK", self.request.uri)), self.destination)

    def _give_up(self) -> None:
        self._table.clients.pop(self._key, None)
        self._answered(None)


class ServerTransaction:
    """One request from another. Keeps the last answer, to give it again to a request that comes again."""

    def __init__(self, table: "Transactions", request: SipRequest, source: Address) -> None:
        self.request = request
        self._table = table
        self._destination = reply_address(request, source)
        self._key = server_key(request)
        self._last: bytes = b""
        self._repeater: Repeater | None = None
        self.final_status = 0
        self.on_cancel: Callable[[], None] = _nothing
        self.on_unacknowledged: Callable[[], None] = _nothing
        table.servers[self._key] = self

    def answer(self, response: SipResponse) -> None:
        if self.final_status:
            return
        self._last = to_bytes(response)
        if response.status < 200:
            self._table.wire.transmit(self._last, self._destination)
            return
        self.final_status = response.status
        self._table.forget_later(self._table.servers, self._key)
        if self.request.method == "INVITE":
            self._repeat_until_acknowledged()
        else:
            self._table.wire.transmit(self._last, self._destination)

    def receive_again(self) -> None:
        if self._last:
            self._table.wire.transmit(self._last, self._destination)

    def acknowledged(self) -> None:
        if self._repeater:
            self._repeater.stop()

    def _repeat_until_acknowledged(self) -> None:
        self._repeater = Repeater(
            self._table.wire, self._table.t1, self._last, self._destination, lambda: self.on_unacknowledged()
        )
        self._repeater.longest = self._table.t1 * T2_IN_T1


class Transactions:
    """The transactions of one user agent."""

    def __init__(self, wire: Wire, t1: float) -> None:
        self.wire, self.t1 = wire, t1
        self.clients: dict[Key, ClientTransaction] = {}
        self.servers: dict[Key, ServerTransaction] = {}

    def request(
        self, request: SipRequest, destination: Address, answered: Callable[[SipResponse | None], None]
    ) -> ClientTransaction:
        return ClientTransaction(self, request, destination, answered)

    def forget_later(self, table: dict[Key, Any], key: Key) -> None:
        """What is over still absorbs repetitions for 64 T1 (timers D, J and, by RFC 6026, L and M)."""
        asyncio.get_running_loop().call_later(self.t1 * TIMEOUT_IN_T1, table.pop, key, None)


def _nothing() -> None:
    """What a transaction does when nobody listens."""


def client_key(message: SipMessage) -> Key:
    return (message.branch, "", message.cseq[1])


def server_key(request: SipRequest, method: str = "") -> Key:
    """ACK is matched to its INVITE; `method` asks for another request on the same branch (CANCEL's INVITE)."""
    matched = "INVITE" if request.method == "ACK" else request.method
    return (request.branch, _sent_by(request.top_via), method or matched)


def reply_address(request: SipRequest, source: Address) -> Address:
    """To where the request came from; the port is the one in Via unless it asks for the source port (RFC 3581)."""
    via = request.top_via
    if has_parameter(via, "rport"):
        return source
    sent_by = read_uri(_sent_by(via))
    return (source[0], sent_by.port if sent_by else source[1])


def mark_received(request: SipRequest, source: Address) -> None:
    """Write the source into the topmost Via, for the way back (section 18.2.1)."""
    for index, (name, value) in enumerate(request.headers):
        if name == "via":
            first, comma, rest = value.partition(",")
            request.headers[index] = ("via", _marked(first, source) + comma + rest)
            return


def _marked(via: str, source: Address) -> str:
    parts = [part for part in via.split(";") if part.partition("=")[0].strip().lower() != "received"]
    parts = [f"rport={source[1]}" if part.strip().lower() == "rport" else part for part in parts]
    return ";".join([*parts, f"received={source[0]}"])


def _sent_by(via: str) -> str:
    return via.partition(";")[0].strip().rpartition(" ")[2].lower()
