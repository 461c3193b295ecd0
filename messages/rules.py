"""What may stand in a message, what a mail server's answer means, and when to try again."""

import enum
import hashlib
import re
from datetime import timedelta

SUBJECT_LENGTH = 200  # characters, as the column
RECIPIENT_LENGTH = 254
ERROR_LENGTH = 200
# One mailbox as every mail server knows it: no display name, no list, nothing that could begin another header.
# The part before the @ is ASCII: few servers take other letters (RFC 6531).
MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[\w.-]+")
IN_TEXT = re.compile(r"([^\s<>@\"(),;:])[^\s<>@\"(),;:]*@([^\s<>@\"(),;:]+)")
NOT_IN_FILES = re.compile(r"[<>:\"/\\|?*]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

FIRST_DELAY = timedelta(minutes=1)
# What is drawn by lot on top brings the longest to an hour.
LONGEST_DELAY = timedelta(minutes=48)
JITTER = 0.25


def one_line(text: str, length: int = SUBJECT_LENGTH) -> str:
    """Text without line breaks or control characters, cut to `length`: what a header may hold."""
    return storable(" ".join(CONTROL.sub(" ", text).split()))[:length].rstrip()


def file_name(text: str) -> str:
    """A name that every file system takes, and that mail brings unchanged."""
    return NOT_IN_FILES.sub("_", one_line(text)) or "attachment"


def storable(text: str) -> str:
    """Text that every database takes: without NUL and without halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def mailbox(address: str) -> str | None:
    """The address as it goes to the server, a domain with Norwegian letters in its ASCII form; none if it is no
    address that mail can be sent to."""
    if len(address) > RECIPIENT_LENGTH or not MAILBOX.fullmatch(address):
        return None
    name, _, domain = address.rpartition("@")
    try:
        return f"{name}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None


def masked(text: str) -> str:
    """The text with each mail address cut to its first letter and its domain, for logs."""
    return IN_TEXT.sub(r"\1…@\2", text)


def message_id(key: str, domain: str) -> str:
    """The same for every attempt to send a message, so that a second copy is known as the same mail."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"


class Step(enum.Enum):
    """What a mail server was told when it answered."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


class Verdict(enum.Enum):
    """What a refusal means for the message, and for those after it."""

    NEVER = "this message is refused for good"
    LATER = "this message is to be tried again"
    SERVER = "the server takes nothing now"


CLOSING = 421
TOO_LARGE = 552
# Authentication is wanted or failed (RFC 4954), or encryption is wanted: our settings are wrong, not the message.
OUR_SETTINGS = {530, 534, 535, 538}


def verdict(step: Step, code: int) -> Verdict:
    """What a reply code (RFC 5321) means. All messages have one sender: what refuses it refuses them all."""
    if code == TOO_LARGE and step is not Step.RECIPIENT:
        return Verdict.NEVER
    is_refusal = 400 <= code <= 599  # anything else is no mail server's answer to what was said
    if step is Step.SENDER or code == CLOSING or code in OUR_SETTINGS or not is_refusal:
        return Verdict.SERVER
    return Verdict.NEVER if code >= 500 else Verdict.LATER


def delay(attempts: int, lot: float) -> timedelta:
    """How long to wait after `attempts` failed ones: 1 min, 2, 4, ... 1 h. `lot` (0 to 1) spreads them."""
    doubled = FIRST_DELAY * 2 ** min(attempts - 1, 16)
    return min(doubled, LONGEST_DELAY) * (1 + JITTER * lot)
