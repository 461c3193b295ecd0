"""Keys with which programs act for an account. The caller commits."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _

from accounts.audit import record
from accounts.people import hash_of
from accounts.queries import BY_TOKEN, failed_tokens, token_by_hash
from accounts.rules import Scope, TokenState, token_state
from errors import Invalid
from models import Account, ApiToken, SignInAttempt, db

PREFIX = "sn_"  # by which people, and programs that look for leaked secrets, know one when they see it
LONGEST_NAME = 100
LONGEST_LIFETIME = timedelta(days=366)
USED_AT_MOST_EVERY = timedelta(minutes=1)


def create_token(
    account: Account, name: str, scopes: Collection[Scope], lifetime: timedelta, now: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is told this once: only a hash of it is kept."""
    _check(name, scopes, lifetime)
    secret = PREFIX + secrets.token_urlsafe(32)
    created_at = now or datetime.now(UTC)
    token = ApiToken(
        account_id=account.id,
        name=name.strip(),
        token_hash=hash_of(secret),
        scopes=sorted(scopes),
        created_at=created_at,
        expires_at=created_at + lifetime,
    )
    db.session.add(token)
    db.session.flush()
    told = {"account": account.id, "name": token.name, "scopes": token.scopes, "until": token.expires_at.isoformat()}
    record("token.created", f"token {token.id}", after=told)
    return token, secret


def revoke(token: ApiToken) -> None:
    """End a token for good; one that is revoked already stays as it was."""
    if token.revoked_at is None:
        token.revoked_at = datetime.now(UTC)
        record("token.revoked", f"token {token.id}", after={"account": token.account_id, "name": token.name})


def token_by_secret(secret: str, now: datetime) -> ApiToken | None:
    """The token with its account, if both count now."""
    token = token_by_hash(hash_of(secret)) if secret.startswith(PREFIX) else None
    if token is None or token.account.disabled_at is not None:
        return None
    is_live = token_state(token.expires_at, token.revoked_at, now) is TokenState.LIVE
    return token if is_live else None


def mark_used(token_id: int, now: datetime) -> None:
    db.session.execute(db.update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))


def too_many_refused(address: str, window: float, limit: int) -> bool:
    return failed_tokens(address, window) >= limit


def note_refused(address: str) -> None:
    """Count a request with a token that does not count; those that follow are answered without being written down."""
    db.session.add(SignInAttempt(email=BY_TOKEN, address=address, at=datetime.now(UTC), succeeded=False))


def _check(name: str, scopes: Collection[Scope], lifetime: timedelta) -> None:
    if not 1 <= len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(_("Give the token a name of at most %(length)s characters.", length=LONGEST_NAME), "name")
    if not scopes:
        raise Invalid(_("Choose what the token may be used for."), "scopes")
    if not timedelta() < lifetime <= LONGEST_LIFETIME:
        days = LONGEST_LIFETIME.days
        raise Invalid(_("A token lasts at least a day and at most %(days)s days.", days=days), "days")
