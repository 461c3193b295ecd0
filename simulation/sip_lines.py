"""The two sides of a call on the wire: the line of the device that calls, and of the one that is called."""

import asyncio
import random
from typing import TYPE_CHECKING

from simulation import sip_sdp
from simulation.sip_dialog import Dialog
from simulation.sip_messages import (
    SipRequest,
    SipResponse,
    address_of,
    display_name_of,
    read_uri,
    response_to,
    to_bytes,
)
from simulation.sip_transactions import ServerTransaction
from simulation.studio import Call, CallState, Cause

if TYPE_CHECKING:
    from simulation.sip_phone import SipPhone

FAULT = 'Q.850;cause=41;text="Temporary failure"'
CAUSES = {
    404: Cause.UNKNOWN_REMOTE_SITE,
    408: Cause.REMOTE_NO_ANSWER,
    480: Cause.REMOTE_NO_ANSWER,
    484: Cause.UNKNOWN_REMOTE_SITE,
    486: Cause.REMOTE_BUSY,
    600: Cause.REMOTE_BUSY,
    603: Cause.REMOTE_REJECTED,
    604: Cause.UNKNOWN_REMOTE_SITE,
}


class WireLine:
    """What both sides do alike: say BYE, hear BYE, be listed with the phone while they live."""

    def __init__(self, phone: "SipPhone", dialog: Dialog) -> None:
        self.phone, self.dialog = phone, dialog
        self.call: Call | None = None
        self.given_up = False
        self.reason = ""
        self._renewal: ServerTransaction | None = None
        phone.lines[(dialog.call_id, dialog.local_tag)] = self

    def hang_up(self) -> None:
        raise NotImplementedError

    def break_off(self) -> None:
        """As a fault ends it: the BYE says that it was none of the people (RFC 3326)."""
        self.reason = FAULT
        self.hang_up()

    def far_end_left(self, bye: SipRequest) -> None:
        """BYE came."""
        self.finish(Cause.OTHER_REMOTE if bye.get("reason") == FAULT else Cause.REMOTE_DISCONNECT)

    def awaits_ack(self, renewal: ServerTransaction) -> None:
        """We answered a re-INVITE; the next ACK is for that."""
        self._renewal = renewal

    def acknowledged(self) -> None:
        """An ACK came in this dialog."""
        if self._renewal:
            self._renewal.acknowledged()
            self._renewal = None

    def finish(self, cause: Cause) -> None:
        """Off the list, and the call off the codec."""
        self.phone.lines.pop((self.dialog.call_id, self.dialog.local_tag), None)
        if self.call is not None:
            self.phone.owner.ended(self.call, cause)

    def say_goodbye(self) -> None:
        """BYE; whatever answers or does not, the call is over here."""
        bye = self.dialog.request("BYE")
        if self.reason:
            bye.headers.append(("reason", self.reason))
        self.phone.transactions.request(bye, self.dialog.destination, lambda _: None)
        self.finish(Cause.LOCAL_DISCONNECT)


class OutgoingLine(WireLine):
    """Calls: INVITE, and what follows."""

    def __init__(self, phone: "SipPhone", call: Call, dialog: Dialog) -> None:
        super().__init__(phone, dialog)
        self.call = call
        self._early = False
        self._ack: bytes = b""
        invite = dialog.request("INVITE", sip_sdp.offer(dialog.own[0]))
        self._invite = invite
        self._transaction = phone.transactions.request(invite, dialog.destination, self._answered)

    def hang_up(self) -> None:
        """A call that nobody has answered is cancelled, but not before the far end has said anything (9.1)."""
        self.given_up = True
        if self._ack:
            self.say_goodbye()
        elif self._early:
            self._cancel()

    def _answered(self, response: SipResponse | None) -> None:
        if response is None:
            self.finish(Cause.REMOTE_NO_ANSWER)
        elif response.status < 200:
            self._heard(response)
        elif response.status < 300:
            self._accepted(response)
        else:
            self.finish(CAUSES.get(response.status, Cause.OTHER_REMOTE))

    def _heard(self, response: SipResponse) -> None:
        if self.given_up and not self._early:
            self._cancel()
        self._early = True
        if self.call and response.status == 180 and not self.given_up:
            self.call.change(CallState.RINGING)

    def _accepted(self, response: SipResponse) -> None:
        if self._ack:
            self.phone.transmit(self._ack, self.dialog.destination)
            return
        self.dialog.confirm(response)
        self._ack = to_bytes(self.dialog.request("ACK", cseq=self._invite.cseq[0]))
        self.phone.transmit(self._ack, self.dialog.destination)
        if self.given_up:
            self.say_goodbye()
        elif self.call:
            self.phone.owner.connected(self.call)

    def _cancel(self) -> None:
        """CANCEL goes the way of its INVITE, with the same branch and number."""
        same = {"via", "from", "to", "call-id", "max-forwards"}
        headers = [pair for pair in self._invite.headers if pair[0] in same]
        headers.append(("cseq", f"{self._invite.cseq[0]} CANCEL"))
        cancel = SipRequest(headers, b"", "CANCEL", self._invite.uri)
        self.phone.transactions.request(cancel, self.dialog.destination, lambda _: None)
        self._transaction.abandon_later()


class IncomingLine(WireLine):
    """Is called: rings, and answers by itself."""

    def __init__(self, phone: "SipPhone", invite: SipRequest, transaction: ServerTransaction, dialog: Dialog) -> None:
        super().__init__(phone, dialog)
        self._invite, self._transaction = invite, transaction
        self._connected = False
        caller = invite.get("from")
        called = read_uri(invite.uri)
        user = called.user if called else ""
        self.call = phone.owner.receive(address_of(caller), display_name_of(caller), user, self)
        transaction.on_cancel = self._cancelled
        transaction.on_unacknowledged = self.say_goodbye
        self._answer(100)
        self._answer(180)
        ring = random.uniform(*phone.owner.timings.ring)
        self._ringing = asyncio.get_running_loop().call_later(ring, self._pick_up)

    def hang_up(self) -> None:
        """Between our answer and its ACK there is no BYE yet (15): it follows the ACK."""
        self.given_up = True
        if self._connected:
            self.say_goodbye()
        elif not self._transaction.final_status:
            self._ringing.cancel()
            self._answer(603)
            self.finish(Cause.LOCAL_DISCONNECT)

    def acknowledged(self) -> None:
        super().acknowledged()
        self._transaction.acknowledged()
        if self._connected or not self._transaction.final_status:
            return
        self._connected = True
        if self.given_up:
            self.say_goodbye()
        elif self.call:
            self.phone.owner.connected(self.call)

    def far_end_left(self, bye: SipRequest) -> None:
        self._transaction.acknowledged()
        self._ringing.cancel()
        self._answer(487)
        super().far_end_left(bye)

    def _cancelled(self) -> None:
        self._ringing.cancel()
        self._answer(487)
        self.finish(Cause.REMOTE_DISCONNECT)

    def _pick_up(self) -> None:
        address = self.dialog.own[0]
        body = sip_sdp.answer(self._invite.body, address) if self._invite.body else sip_sdp.offer(address)
        if body is None:
            self._answer(488)
            self.finish(Cause.OTHER_REMOTE)
            return
        if self.call:
            self.call.change(CallState.CONNECTING)
        self._answer(200, body)

    def _answer(self, status: int, body: bytes = b"") -> None:
        tag = "" if status == 100 else self.dialog.local_tag
        response = response_to(self._invite, status, tag)
        if 100 < status < 300:
            response.headers += [self.dialog.contact, *(("record-route", hop) for hop in self.dialog.route)]
        if body:
            response.headers.append(("content-type", sip_sdp.CONTENT_TYPE))
            response.body = body
        self._transaction.answer(response)
