"""Accounts, their grants and their sessions. The caller commits."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _

from accounts.audit import record
from accounts.queries import account_by_email, failed_sign_ins
from accounts.rules import may_try_to_sign_in
from config import Settings
from errors import Conflict, Invalid, TooMany
from models import Account, Organisation, Role, RoleGrant, Session, SignInAttempt, db

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

_hasher = PasswordHasher()


def add_account(
    email: str, name: str, password: str, grants: Iterable[tuple[Role, Organisation | None]] = ()
) -> Account:
    """A new account; a grant without an organisation reaches all of them."""
    address = email.strip().lower()
    if "@" not in address[1:-1] or len(address) > 254 or any(character.isspace() for character in address):
        raise Invalid(_("%(email)s is not an e-mail address.", email=email), "email")
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(_("A password has at least %(length)s characters.", length=SHORTEST_PASSWORD), "password")
    if account_by_email(address):
        raise Conflict(_("There is already an account for %(email)s.", email=address))
    account = Account(email=address, name=name, password_hash=_hasher.hash(password), created_at=datetime.now(UTC))
    db.session.add(account)
    db.session.flush()
    for role, organisation in grants:
        add_grant(account, role, organisation)
    record("account.added", f"account {account.id}", after={"email": address})
    return account


def add_grant(account: Account, role: Role, organisation: Organisation | None, reason: str = "") -> RoleGrant:
    grant = RoleGrant(
        account_id=account.id,
        role=role,
        organisation_id=organisation.id if organisation else None,
        reason=reason,
        granted_at=datetime.now(UTC),
    )
    db.session.add(grant)
    return grant


def password_fits(email: str, password: str, address: str, settings: Settings) -> bool:
    """Whether this is the account's password; `attempt_sign_in` is told, and has the last word.

    Takes a tenth of a second on purpose: never within a writing transaction, which would hold up everybody else's.
    Raises TooMany when too many attempts have failed lately; those are not tried at all.
    """
    _check_may_try(email, address, settings)
    return password_is_right(account_by_email(email), password[:LONGEST_PASSWORD])


def attempt_sign_in(email: str, fits: bool, address: str, settings: Settings) -> Account | None:
    """The account if the password fitted, None if not; either way the attempt is counted.

    Raises TooMany when others have failed meanwhile: guesses made side by side learn no more than those in a row.
    """
    _check_may_try(email, address, settings)
    account = account_by_email(email)
    right = fits and account is not None and account.disabled_at is None
    attempt = SignInAttempt(email=_typed(email), address=address, at=datetime.now(UTC), succeeded=right)
    db.session.add(attempt)
    record(
        "sign-in",
        f"account {account.id}" if account else "no account",
        account_id=account.id if account else None,
        outcome="done" if right else "refused",
    )
    return account if right else None


def begin_session(account: Account) -> str:
    """A new session; returns the token for the cookie. Only a hash of it is kept."""
    token = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    db.session.add(Session(token_hash=hash_of(token), account_id=account.id, created_at=now, seen_at=now))
    return token


def end_session(token: str) -> None:
    record("sign-out", "session")
    db.session.execute(
        db.update(Session).where(Session.token_hash == hash_of(token)).values(ended_at=datetime.now(UTC))
    )


def mark_seen(token: str, now: datetime) -> None:
    db.session.execute(db.update(Session).where(Session.token_hash == hash_of(token)).values(seen_at=now))


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _typed(email: str) -> str:
    return email.strip().lower()[:254]


def _check_may_try(email: str, address: str, settings: Settings) -> None:
    failures = failed_sign_ins(_typed(email), address, settings.sign_in_window)
    if not may_try_to_sign_in(*failures, settings.sign_in_failures, settings.sign_in_failures_by_address):
        minutes = round(settings.sign_in_window / 60)
        raise TooMany(_("Too many failed attempts. Wait %(minutes)s minutes and try again.", minutes=minutes))


@cache
def _nobodys_hash() -> str:
    """Checked when there is no such account, so that a guess takes as long as for one that exists."""
    return _hasher.hash(secrets.token_hex())


def password_is_right(account: Account | None, password: str) -> bool:
    known = account is not None and account.disabled_at is None
    try:
        _hasher.verify(account.password_hash if account and known else _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return known
