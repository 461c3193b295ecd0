"""Which account a program acts for: told by a bearer token with each request (RFC 6750), never by a cookie."""

from datetime import UTC, datetime
from typing import NoReturn

from flask import current_app, g, request
from flask_babel import gettext as _

from accounts.rules import Scope, scope_suffices
from accounts.tokens import USED_AT_MOST_EVERY, mark_used, note_refused, token_by_secret, too_many_refused
from config import settings
from errors import Forbidden, TooMany, Unauthorized
from models import Account, ApiToken, db, write

CHALLENGE = 'Bearer realm="Studionett"'


def act_for_token_account() -> ApiToken:
    """Make the account behind the request's token the one that acts; no session counts from here on.

    Raises Unauthorized where there is no such token, TooMany where an address has shown too many of those.
    """
    _become(None)
    secret = _secret()
    if secret is None:
        raise Unauthorized(_("This address is for programs: send a token as “Authorization: Bearer …”."), CHALLENGE)
    token = token_that_counts(secret)
    _become(token.account)
    g.api_token = token
    return token


def token_that_counts(secret: str) -> ApiToken:
    """The token with this secret, noted as used. Raises Unauthorized or TooMany."""
    now = datetime.now(UTC)
    token = token_by_secret(secret, now)
    if token is None:
        _refuse()
    db.session.expunge(token.account)  # a write begins with a rollback, after which it would be read again
    if token.last_used_at is None or now - token.last_used_at > USED_AT_MOST_EVERY:
        write(lambda: mark_used(token.id, now))
    return token


def check_scope(token: ApiToken, asked: Scope) -> None:
    if not scope_suffices(token.scopes, asked):
        refusal = Forbidden(
            _("This token may not be used for that: it lacks the scope “%(scope)s”.", scope=asked.value)
        )
        refusal.headers = {"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{asked}"'}
        raise refusal


def shown_token() -> ApiToken:
    """The token behind this request, which came by one."""
    found = g.api_token
    assert isinstance(found, ApiToken)
    return found


def is_shown() -> bool:
    return "Authorization" in request.headers


def _secret() -> str | None:
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


def _become(account: Account | None) -> None:
    # Where Flask-Login keeps the person of a request, and looks before it looks into the cookie.
    g._login_user = account or current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]


def _refuse() -> NoReturn:
    address, found = request.remote_addr or "", settings()
    if too_many_refused(address, found.sign_in_window, found.sign_in_failures_by_address):
        minutes = round(found.sign_in_window / 60)
        refusal = TooMany(_("Too many failed attempts. Wait %(minutes)s minutes and try again.", minutes=minutes))
        refusal.headers = {"Retry-After": str(round(found.sign_in_window))}
        raise refusal
    write(lambda: note_refused(address))
    raise Unauthorized(_("The token is not known, has run out or was revoked."), f'{CHALLENGE}, error="invalid_token"')
