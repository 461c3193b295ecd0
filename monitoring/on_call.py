"""Who is on call: told of incidents by mail, or as programs by a signed post. The caller commits."""

from datetime import datetime

import sqlalchemy as sa

from accounts.audit import record
from accounts.queries import account_by_email
from errors import Invalid, NotFound
from models import Credential, OnCall, db

MOST_LEVELS = 9


def put_on_call(
    who: str, level: int, starts_at: datetime, ends_at: datetime | None, region: str = "", credential: str = ""
) -> OnCall:
    """`who`: the address of an account, or a web address, which needs a credential to sign with. Raises Invalid."""
    if not 1 <= level <= MOST_LEVELS:
        raise Invalid(f"A level is 1 to {MOST_LEVELS}.", "level")
    if ends_at is not None and ends_at <= starts_at:
        raise Invalid("The end must come after the start.", "until")
    times = {"level": level, "starts_at": starts_at, "ends_at": ends_at, "health_region": region}
    row = OnCall(**times, **(_program(who, credential) if "://" in who else _person(who)))
    db.session.add(row)
    db.session.flush()
    record("on_call.added", f"on call {row.id}", after={"who": who, "level": level, "region": region})
    return row


def take_off_call(number: int) -> OnCall:
    row = db.session.get(OnCall, number)
    if row is None:
        raise NotFound(f"Nobody is on call under the number {number}.")
    record("on_call.removed", f"on call {number}")
    db.session.delete(row)
    return row


def _person(email: str) -> dict[str, int]:
    account = account_by_email(email)
    if account is None or account.disabled_at is not None:
        raise Invalid(f"There is no account {email}.", "who")
    return {"account_id": account.id}


def _program(url: str, credential: str) -> dict[str, object]:
    if not url.startswith(("https://", "http://")):
        raise Invalid("A web address begins with https:// or http://.", "who")
    key = db.session.scalar(sa.select(Credential.id).where(Credential.name == credential))
    if key is None:
        raise Invalid("Say with --credential which credential's secret signs what is posted.", "credential")
    return {"url": url, "credential_id": key}
