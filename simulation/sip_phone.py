"""The SIP user agent of one device (RFC 3261 over UDP): calls others, and answers by itself after a short ring."""

import asyncio
import logging
from typing import Protocol, cast

from simulation import sip_sdp
from simulation.sip_dialog import Dialog, address_in, token
from simulation.sip_lines import IncomingLine, OutgoingLine, WireLine
from simulation.sip_messages import (
    MalformedMessage,
    SipRequest,
    SipResponse,
    parse,
    read_uri,
    response_to,
)
from simulation.sip_transactions import (
    Address,
    ServerTransaction,
    Transactions,
    client_key,
    mark_received,
    server_key,
)
from simulation.studio import Call, Cause, Line, RefusedCommand, Timings

log = logging.getLogger(__name__)

ALLOW = ("allow", "INVITE, ACK, CANCEL, BYE, OPTIONS")


class Owner(Protocol):
    """Whose phone it is: a codec, or a bridge."""

    timings: Timings

    @property
    def sip_address(self) -> Address: ...

    @property
    def dead(self) -> bool:
        """Whether nothing that is sent to it is answered."""
        ...

    def answers_to(self, user: str) -> bool:
        """Whether the user part of a called number means it."""
        ...

    def refusal(self) -> int:
        """The SIP status with which it takes no more calls now, or 0."""
        ...

    def receive(self, remote: str, display_name: str, called: str, line: Line) -> Call:
        """Show an incoming call that rings, to the user part `called`."""
        ...

    def connected(self, call: Call) -> None: ...

    def ended(self, call: Call, cause: Cause) -> None: ...


class SipPhone(asyncio.DatagramProtocol):
    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.lines: dict[tuple[str, str], WireLine] = {}
        self.transactions = Transactions(self, owner.timings.sip_t1)
        self._transport: asyncio.DatagramTransport | None = None
        self._handlers = {"INVITE": self._invited, "BYE": self._bye, "CANCEL": self._cancel, "OPTIONS": self._options}

    @property
    def own(self) -> Address:
        return self.owner.sip_address

    def place(self, call: Call, number: str, caller: str, name: str) -> OutgoingLine:
        target = number if number.lower().startswith("sip:") else f"sip:{number}"
        destination = address_in(target)
        if destination is None:
            raise RefusedCommand("Invalid number")
        call.remote = target
        dialog = Dialog.outgoing(self.own, caller, name, target, destination)
        return OutgoingLine(self, call, dialog)

    def transmit(self, data: bytes, destination: Address) -> None:
        """A dead device's words do not reach the network; it does not know."""
        if self._transport and not self._transport.is_closing() and not self.owner.dead:
            self._transport.sendto(data, destination)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: Address) -> None:
        if self.owner.dead:
            return
        try:
            message = parse(data)
        except MalformedMessage:
            return
        try:
            self._received(message, source)
        except Exception:
            # Others wrote this message: whatever is in it, the fleet goes on.
            log.exception("A SIP message from %s:%s could not be handled", *source)

    def error_received(self, error: Exception) -> None:
        """Nobody listens at the far end; the transaction's own timers notice."""

    def _received(self, message: SipRequest | SipResponse, source: Address) -> None:
        if isinstance(message, SipResponse):
            ours = self.transactions.clients.get(client_key(message))
            if ours:
                ours.receive(message)
            return
        if message.method == "ACK":
            self._acknowledged(message)
            return
        known = self.transactions.servers.get(server_key(message))
        if known:
            known.receive_again()
            return
        mark_received(message, source)
        transaction = ServerTransaction(self.transactions, message, source)
        self._handlers.get(message.method, self._not_allowed)(message, transaction, source)

    def _acknowledged(self, ack: SipRequest) -> None:
        """An ACK of a refusal comes on the INVITE's branch, that of a 200 in its dialog."""
        transaction = self.transactions.servers.get(server_key(ack))
        if transaction and transaction.final_status >= 300:
            transaction.acknowledged()
            return
        line = self._line_of(ack)
        if line:
            line.acknowledged()

    def _invited(self, invite: SipRequest, transaction: ServerTransaction, source: Address) -> None:
        if invite.to_tag:
            self._invited_again(invite, transaction)
            return
        refusal = self._refusal(invite)
        if refusal:
            extra = [("unsupported", invite.get("require"))] if refusal == 420 else []
            transaction.answer(response_to(invite, refusal, token(), extra))
            return
        IncomingLine(self, invite, transaction, Dialog.incoming(self.own, invite, source))

    def _refusal(self, invite: SipRequest) -> int:
        """The status to refuse with, or 0."""
        called = read_uri(invite.uri)
        if called is None or not invite.uri.lower().startswith("sip:"):
            return 416
        if not self.owner.answers_to(called.user):
            return 404
        if invite.get("require"):
            return 420
        if invite.body and invite.get("content-type").partition(";")[0].strip().lower() != sip_sdp.CONTENT_TYPE:
            return 415
        return self.owner.refusal()

    def _invited_again(self, invite: SipRequest, transaction: ServerTransaction) -> None:
        """A re-INVITE in a call changes nothing here: the same inactive streams (14.2)."""
        line = self._line_of(invite)
        status = self._in_dialog_status(line, invite)
        body = sip_sdp.answer(invite.body, self.own[0]) if invite.body else sip_sdp.offer(self.own[0])
        if line is None or status != 200 or body is None:
            transaction.answer(response_to(invite, 488 if status == 200 else status))
            return
        extra = [line.dialog.contact, ("content-type", sip_sdp.CONTENT_TYPE)]
        response = response_to(invite, 200, extra=extra)
        response.body = body
        transaction.answer(response)
        line.awaits_ack(transaction)

    def _bye(self, bye: SipRequest, transaction: ServerTransaction, source: Address) -> None:
        line = self._line_of(bye)
        status = self._in_dialog_status(line, bye)
        transaction.answer(response_to(bye, status))
        if line and status == 200:
            line.far_end_left(bye)

    def _cancel(self, cancel: SipRequest, transaction: ServerTransaction, source: Address) -> None:
        invited = self.transactions.servers.get(server_key(cancel, "INVITE"))
        transaction.answer(response_to(cancel, 200 if invited else 481, token()))
        if invited and not invited.final_status:
            invited.on_cancel()

    def _options(self, options: SipRequest, transaction: ServerTransaction, source: Address) -> None:
        extra = [ALLOW, ("accept", sip_sdp.CONTENT_TYPE)]
        transaction.answer(response_to(options, 200, token(), extra))

    def _not_allowed(self, request: SipRequest, transaction: ServerTransaction, source: Address) -> None:
        transaction.answer(response_to(request, 405, token(), [ALLOW]))

    def _line_of(self, request: SipRequest) -> WireLine | None:
        return self.lines.get((request.call_id, request.to_tag))

    @staticmethod
    def _in_dialog_status(line: WireLine | None, request: SipRequest) -> int:
        if line is None:
            return 481
        return 200 if line.dialog.takes(request) else 500
