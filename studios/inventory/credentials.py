"""Credentials: a name, a user and a secret that is sealed on its way into the table. The caller commits."""

from collections.abc import Sequence
from datetime import datetime

from accounts.audit import record
from models import Credential, db
from studios.inventory.cells import Unfit, clean, text

LONGEST_SECRET = 1_000
# RFC 3414: a user name has at most 32 octets (5), a pass phrase at least 8 characters (11.2).
LONGEST_SNMP_USER, SHORTEST_PASS_PHRASE = 32, 8


def secret_of(content: bytes) -> str:
    """The secret that standard input held, without the line end behind it. No message repeats any of it."""
    try:
        secret = content.decode()
    except UnicodeDecodeError:
        raise Unfit("is not UTF-8") from None
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise Unfit("is empty")
    if len(secret) > LONGEST_SECRET:
        raise Unfit(f"is longer than {LONGEST_SECRET} characters")
    if not secret.isprintable():
        raise Unfit("holds a line break or another control character")
    return secret


def pass_phrases_of(content: bytes, number: int) -> list[str]:
    """The SNMPv3 pass phrases that standard input held, one a line."""
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    if len(lines) != number:
        wanted = "two lines, the authentication key and the privacy key" if number == 2 else "one line"
        raise Unfit(f"standard input holds {len(lines)} lines and not {wanted}")
    return [secret_of(line) for line in lines]


def set_credential(name: str, username: str | None, secret: str, now: datetime, privacy: str | None = None) -> bool:
    """Create the credential or change it; whether it is new. Without a user name, the one it has stays.

    With `privacy` it is SNMPv3's: `secret` authenticates and `privacy` encrypts. Without, it is no longer SNMPv3's.
    """
    name = text(100, required=True)(clean(name))
    found = db.session.scalar(db.select(Credential).filter_by(name=name))
    row = found or Credential(name=name, username="")
    if username is not None:
        row.username = text(100)(clean(username))
    if privacy is not None:
        _check_snmp_3(row.username, secret, privacy)
    row.seal(secret)
    row.seal_privacy(privacy)
    row.changed_at = now
    db.session.add(row)
    record("credential.set", f"credential {name}")
    return found is None


def _check_snmp_3(username: str, *pass_phrases: str) -> None:
    if not 1 <= len(username.encode()) <= LONGEST_SNMP_USER:
        raise Unfit(f"SNMPv3 needs --user with a name of 1 to {LONGEST_SNMP_USER} octets")
    for key, phrase in zip(("authentication", "privacy"), pass_phrases, strict=True):
        if len(phrase) < SHORTEST_PASS_PHRASE:
            raise Unfit(f"the {key} key is shorter than {SHORTEST_PASS_PHRASE} characters")


def credentials() -> Sequence[Credential]:
    return db.session.scalars(db.select(Credential).order_by(Credential.name)).all()
