"""A SIP dialog: what both ends must remember to speak of the same call (RFC 3261, section 12)."""

import ipaddress
import secrets
from dataclasses import dataclass, field

from simulation.sip_messages import Headers, SipRequest, SipResponse, address_of, read_uri
from simulation.sip_sdp import CONTENT_TYPE
from simulation.sip_transactions import Address

MAGIC_COOKIE = "z9hG4bK"


def token() -> str:
    return secrets.token_hex(8)


@dataclass(slots=True)
class Dialog:
    """`local` and `remote` are From/To values with their tags; `target` is the far end's Request-URI."""

    call_id: str
    own: Address
    local_tag: str
    local: str
    remote: str
    target: str
    destination: Address
    cseq: int = 0
    remote_cseq: int = 0
    route: list[str] = field(default_factory=list)

    @classmethod
    def outgoing(cls, own: Address, own_uri: str, name: str, target: str, destination: Address) -> "Dialog":
        tag = token()
        quoted = name.replace("\\", "").replace('"', "")
        local = f'"{quoted}" <{own_uri}>;tag={tag}'
        return cls(f"{token()}@{own[0]}", own, tag, local, f"<{target}>", target, destination)

    @classmethod
    def incoming(cls, own: Address, invite: SipRequest, source: Address) -> "Dialog":
        tag = token()
        dialog = cls(
            invite.call_id,
            own,
            tag,
            f"{invite.get('to')};tag={tag}",
            invite.get("from"),
            address_of(invite.get("contact")) or address_of(invite.get("from")),
            source,
            remote_cseq=invite.cseq[0],
            route=invite.all("record-route"),
        )
        dialog._aim(source)
        return dialog

    @property
    def contact(self) -> tuple[str, str]:
        return ("contact", f"<sip:{self.own[0]}:{self.own[1]}>")

    def confirm(self, response: SipResponse) -> None:
        """Learn from the 2xx who answered and which way to go (12.1.2)."""
        self.remote = response.get("to")
        self.route = response.all("record-route")[::-1]
        contact = address_of(response.get("contact"))
        if contact:
            self.target = contact
        self._aim(self.destination)

    def request(self, method: str, body: bytes = b"", cseq: int | None = None) -> SipRequest:
        """A request with a new branch. ACK carries the number of the INVITE it acknowledges."""
        if cseq is None:
            self.cseq += 1
        headers: Headers = [
            ("via", f"SIP/2.0/UDP {self.own[0]}:{self.own[1]};branch={MAGIC_COOKIE}{token()};rport"),
            ("max-forwards", "70"),
            ("from", self.local),
            ("to", self.remote),
            ("call-id", self.call_id),
            ("cseq", f"{self.cseq if cseq is None else cseq} {method}"),
            self.contact,
            *(("route", hop) for hop in self.route),
        ]
        if body:
            headers.append(("content-type", CONTENT_TYPE))
        return SipRequest(headers, body, method, self.target)

    def takes(self, request: SipRequest) -> bool:
        """Whether this request comes in order; an older number than the last is out of it (12.2.2)."""
        if request.cseq[0] < self.remote_cseq:
            return False
        self.remote_cseq = request.cseq[0]
        return True

    def _aim(self, otherwise: Address) -> None:
        next_hop = address_of(self.route[0]) if self.route else self.target
        self.destination = address_in(next_hop) or otherwise


def address_in(uri: str) -> Address | None:
    """Where a URI's host is, if it is written as an IPv4 address; the studios use no name service."""
    found = read_uri(uri)
    if found is None:
        return None
    try:
        return (str(ipaddress.IPv4Address(found.host)), found.port)
    except ValueError:
        return None
