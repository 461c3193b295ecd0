"""What may stand in a message."""

import re

SUBJECT_LENGTH = 200  # characters, as the column
RECIPIENT_LENGTH = 254
# One mailbox as mail servers know it: no display name, no list, nothing that could begin another header.
MAILBOX = re.compile(r"[^\s@<>(),;:\"\\\[\]\x00-\x1f\x7f]{1,64}@[^\s@<>(),;:\"\\\[\]\x00-\x1f\x7f]{1,189}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def one_line(text: str, length: int = SUBJECT_LENGTH) -> str:
    """Text without line breaks or control characters, cut to `length`: what a header may hold."""
    return storable(" ".join(CONTROL.sub(" ", text).split()))[:length]


def storable(text: str) -> str:
    """Text that every database takes: without NUL and without halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def is_mailbox(address: str) -> bool:
    return MAILBOX.fullmatch(address) is not None
