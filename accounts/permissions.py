"""Deny by default: a route is open only to those it names, and every route names them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from flask import Flask, Response, current_app, flash, g, has_request_context, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from accounts import bearer
from accounts.audit import record
from accounts.people import mark_seen
from accounts.queries import access_of
from accounts.reloading import reload_address, reloads
from accounts.rules import Access, Scope
from errors import Forbidden
from models import Account, Role, write

View = TypeVar("View", bound=Callable[..., Any])
EVERY_ROLE = tuple(Role)
SEEN_AT_MOST_EVERY = timedelta(minutes=1)


def allow(*roles: Role) -> Callable[[View], View]:
    """Open a view to people who hold one of the roles for anything; what they may touch is the view's own check."""

    def mark(view: View) -> View:
        view.allowed_roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def allow_token(scope: Scope, *roles: Role, sessions: bool = False) -> Callable[[View], View]:
    """Open a view to programs whose token has the scope and whose account holds one of the roles.

    A signed-in browser does not count, so that no page of others can act through it; with `sessions` it does, which is
    for what only reads.
    """

    def mark(view: View) -> View:
        view.token_scope, view.takes_sessions = scope, sessions  # type: ignore[attr-defined]
        return allow(*roles)(view)

    return mark


def public(view: View) -> View:
    """Open a view to anyone, signed in or not."""
    view.allowed_roles = None  # type: ignore[attr-defined]
    return view


def with_secret_address(view: View) -> View:
    """A view whose address is a secret: it is not written to the log."""
    view.has_secret_address = True  # type: ignore[attr-defined]
    return view


def polled(view: View) -> View:
    """A view that pages ask for by themselves: it does not count as a person's activity."""
    view.polled = True  # type: ignore[attr-defined]
    return view


def access() -> Access:
    """What the person behind this request holds; nothing when nobody is signed in."""
    if "access" not in g:
        g.access = access_of(current_user) if current_user.is_authenticated else Access()
    found = g.access
    assert isinstance(found, Access)
    return found


def access_held_by(account: Account) -> Access:
    """What an account holds; for the one behind this request it was read when the request came."""
    is_behind_request = has_request_context() and current_user.is_authenticated and current_user.id == account.id
    return access() if is_behind_request else access_of(account)


def init_app(app: Flask) -> None:
    public(app.view_functions["static"])
    app.before_request(_check)
    app.jinja_env.globals.update(access=access, reloads=reloads, reload_address=reload_address)


def is_polled() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return reloads() or getattr(view, "polled", False)


def _check() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no such address: the router's own 404
    view: Any = current_app.view_functions[request.endpoint]
    roles: frozenset[Role] | None = getattr(view, "allowed_roles", frozenset())
    if roles is None:
        return None
    if is_for_tokens(view) and not _comes_by_session(view):
        _check_token(view.token_scope, roles)
        return None
    if not current_user.is_authenticated:
        return _to_sign_in()
    _check_roles(roles)
    _mark_seen(datetime.now(UTC))
    return None


def is_for_tokens(view: Callable[..., Any]) -> bool:
    return hasattr(view, "token_scope")


def _comes_by_session(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, "takes_sessions", False)) and not bearer.is_shown() and current_user.is_authenticated


def _check_token(scope: Scope, roles: frozenset[Role]) -> None:
    token = bearer.act_for_token_account()
    try:
        bearer.check_scope(token, scope)
    except Forbidden:
        _record_refusal()
        raise
    _check_roles(roles)


def _check_roles(roles: frozenset[Role]) -> None:
    if not access().has(*roles):
        _record_refusal()
        raise Forbidden(_("Your role does not give access to this page. Ask an administrator of your organisation."))


def _record_refusal() -> None:
    path = request.path.replace("\0", "")[:120]  # PostgreSQL does not take it in a text
    write(lambda: record("refused", path, outcome="refused"))


def _mark_seen(now: datetime) -> None:
    """Note that the person is still there, at most once a minute; what pages ask by themselves tells nothing of it."""
    token, seen_at = current_user.get_id(), current_user.session_seen_at
    if seen_at and now - seen_at > SEEN_AT_MOST_EVERY and not is_polled():
        write(lambda: mark_seen(token, now))


def _to_sign_in() -> ResponseReturnValue:
    if request.headers.get("HX-Request"):
        # A redirect would put the sign-in page inside the one that is open; this leaves it as a whole.
        return Response(status=401, headers={"HX-Redirect": url_for("accounts.sign_in")})
    if request.method == "POST":
        flash(_("You were signed out after a time without activity. What you had typed was not saved."))
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("accounts.sign_in", next=wanted))
