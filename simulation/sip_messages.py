"""SIP messages: read from a datagram, written to one (RFC 3261, sections 7, 8 and 25)."""

import re
from dataclasses import dataclass, field

COMPACT_NAMES = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "k": "supported",
    "s": "subject",
    "e": "content-encoding",
}
MANDATORY = ("via", "from", "to", "call-id", "cseq")
REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    603: "Decline",
}

_REQUEST_LINE = re.compile(r"([A-Z][A-Za-z0-9.!%*_+`'~-]*) (\S+) SIP/2\.0")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ?(.*)")
_CSEQ = re.compile(r"([0-9]{1,10})\s+([A-Za-z0-9.!%*_+`'~-]+)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_URI = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?(?:([^@\s;>]*)@)?([^:;?@\s>]+)(?::([0-9]{1,5}))?(?:[;?].*)?", re.IGNORECASE)

Headers = list[tuple[str, str]]


class MalformedMessage(ValueError):
    """These bytes are no SIP message that anyone could answer."""


@dataclass(slots=True)
class SipMessage:
    """Header names are in lower case and in full; values as received. One pair for each line."""

    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def get(self, name: str) -> str:
        """The first value, or an empty text."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value, lists on one line taken apart."""
        return [part for key, value in self.headers if key == name for part in split_list(value)]

    @property
    def call_id(self) -> str:
        return self.get("call-id")

    @property
    def cseq(self) -> tuple[int, str]:
        found = _CSEQ.fullmatch(self.get("cseq"))
        return (int(found[1]), found[2]) if found else (0, "")

    @property
    def branch(self) -> str:
        return parameter(self.top_via, "branch")

    @property
    def top_via(self) -> str:
        return (split_list(self.get("via")) or [""])[0]

    @property
    def from_tag(self) -> str:
        return parameter(self.get("from"), "tag")

    @property
    def to_tag(self) -> str:
        return parameter(self.get("to"), "tag")


@dataclass(slots=True)
class SipRequest(SipMessage):
    method: str = ""
    uri: str = ""

    @property
    def start_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"


@dataclass(slots=True)
class SipResponse(SipMessage):
    status: int = 0
    reason: str = ""

    @property
    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"


@dataclass(frozen=True, slots=True)
class SipUri:
    user: str
    host: str
    port: int


def parse(data: bytes) -> SipRequest | SipResponse:
    """Read one datagram. Raises `MalformedMessage` for whatever is not a whole message."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = _unfolded(head.decode("utf-8", "replace").lstrip("\r\n"))
    headers = [_header(line) for line in lines[1:]]
    message = _started(lines[0], headers, body)
    _check(message)
    length = message.get("content-length")
    if length:
        # A datagram may carry more than its message, never less (section 18.3).
        if not length.isascii() or not length.isdigit() or len(length) > 6 or int(length) > len(body):
            raise MalformedMessage("the body is cut, or its length is no number")
        message.body = body[: int(length)]
    return message


def to_bytes(message: SipRequest | SipResponse) -> bytes:
    lines = [message.start_line]
    lines += [f"{_spelt(name)}: {value}" for name, value in message.headers if name != "content-length"]
    lines.append(f"Content-Length: {len(message.body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + message.body


def response_to(request: SipRequest, status: int, local_tag: str = "", extra: Headers | None = None) -> SipResponse:
    """Echo what a response must (section 8.2.6) and add our tag."""
    headers = [pair for pair in request.headers if pair[0] in {"via", "from", "call-id", "cseq"}]
    to = request.get("to")
    if local_tag and not request.to_tag:
        to += f";tag={local_tag}"
    headers += [("to", to), *(extra or [])]
    return SipResponse(headers, b"", status, REASONS.get(status, "Unknown"))


def parameter(value: str, name: str) -> str:
    """A parameter behind the address of a header's value, or an empty text."""
    outside = _QUOTED.sub("", value).rpartition(">")[2]
    for part in outside.split(";")[1:] if ">" not in value else outside.split(";"):
        key, _, found = part.partition("=")
        if key.strip().lower() == name:
            return found.strip()
    return ""


def has_parameter(value: str, name: str) -> bool:
    return any(part.partition("=")[0].strip().lower() == name for part in value.split(";")[1:])


def address_of(value: str) -> str:
    """The URI in a From, To, Contact or Route value."""
    bare = _QUOTED.sub("", value)
    inside = re.search(r"<([^<>]*)>", bare)
    return inside[1].strip() if inside else bare.partition(";")[0].strip()


def display_name_of(value: str) -> str:
    quoted = _QUOTED.match(value.strip())
    if quoted:
        return quoted[0][1:-1]
    return value.partition("<")[0].strip() if "<" in value else ""


def read_uri(text: str) -> SipUri | None:
    """Take `sip:user@host:port;parameters`, with or without scheme and user, apart. None: it is no such thing."""
    found = _URI.fullmatch(text.strip())
    if found is None or int(found[3] or 5060) not in range(1, 65_536):
        return None
    user = (found[1] or "").partition(":")[0].partition(";")[0]
    return SipUri(user, found[2], int(found[3] or 5060))


def split_list(value: str) -> list[str]:
    """Comma-separated values; commas inside quotes and angle brackets do not part them."""
    if "," not in value:
        return [value.strip()] if value.strip() else []
    return [part.strip() for part in re.findall(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,])+', value) if part.strip()]


def _unfolded(head: str) -> list[str]:
    """Lines; one that begins with white space belongs to the one before."""
    return re.sub(r"\r?\n[ \t]+", " ", head).replace("\r\n", "\n").split("\n")


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name = name.strip().lower()
    if not colon or not name or "\r" in value:
        raise MalformedMessage("a header line without a name")
    return COMPACT_NAMES.get(name, name), value.strip()


def _started(line: str, headers: Headers, body: bytes) -> SipRequest | SipResponse:
    if found := _STATUS_LINE.fullmatch(line):
        return SipResponse(headers, body, int(found[1]), found[2])
    if found := _REQUEST_LINE.fullmatch(line):
        return SipRequest(headers, body, found[1], found[2])
    raise MalformedMessage("no request line and no status line")


def _check(message: SipRequest | SipResponse) -> None:
    missing = [name for name in MANDATORY if not message.get(name)]
    if missing:
        raise MalformedMessage(f"without {missing[0]}")
    number, method = message.cseq
    if not method or number >= 2**31 or (isinstance(message, SipRequest) and method != message.method):
        raise MalformedMessage("its CSeq is wrong")
    if not message.branch or not message.from_tag:
        raise MalformedMessage("without branch or tag")


def _spelt(name: str) -> str:
    return {"call-id": "Call-ID", "cseq": "CSeq"}.get(name, name.title())
