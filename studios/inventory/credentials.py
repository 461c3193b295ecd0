"""Credentials: a name, a user and a secret that is sealed on its way into the table. The caller commits."""

from collections.abc import Sequence
from datetime import datetime

from accounts.audit import record
from models import Credential, db
from studios.inventory.cells import Unfit, clean, text

LONGEST_SECRET = 1_000


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


def set_credential(name: str, username: str | None, secret: str, now: datetime) -> bool:
    """Create the credential or change it; whether it is new. Without a user name, the one it has stays."""
    name = text(100, required=True)(clean(name))
    found = db.session.scalar(db.select(Credential).filter_by(name=name))
    row = found or Credential(name=name, username="")
    if username is not None:
        row.username = text(100)(clean(username))
    row.seal(secret)
    row.changed_at = now
    db.session.add(row)
    record("credential.set", f"credential {name}")
    return found is None


def credentials() -> Sequence[Credential]:
    return db.session.scalars(db.select(Credential).order_by(Credential.name)).all()
