"""The page /wallboard: the status page for a screen on the wall, which stays on for weeks without anybody signed in.

The screen shows a token of its own, which may only read and can be revoked like any other; it is kept in a cookie that
goes nowhere but here. Whoever is signed in sees the wallboard as well.
"""

from datetime import UTC, datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from accounts import bearer
from accounts.permissions import access, polled, public
from accounts.rules import Scope
from config import settings
from errors import Refused
from models import database_now
from monitoring.dashboard import heartbeat, snapshot
from monitoring.page import WALL, status_page
from monitoring.stirrings import Cursor
from monitoring.views import stale_after, vocabulary, what_changed

blueprint = Blueprint("wallboard", __name__, url_prefix="/wallboard")
COOKIE = "wallboard"

blueprint.context_processor(vocabulary)


@blueprint.get("")
@public
def show() -> ResponseReturnValue:
    """The wallboard, or the question for the screen's token."""
    if not _may_look():
        return render_template("monitoring/wallboard_token.html", refusal="")
    now = database_now()
    page = status_page(snapshot(now, stale_after()), Cursor(now), WALL)
    beat = heartbeat(now, stale_after())
    return render_template("monitoring/wallboard.html", page=page, now=now, beat=beat, screen=WALL)


@blueprint.post("")
@public
def let_in() -> ResponseReturnValue:
    """Take the screen's token, and keep it for as long as it lasts."""
    secret = request.form.get("token", "").strip()
    try:
        token = bearer.token_that_counts(secret)
    except Refused as refused:
        return render_template("monitoring/wallboard_token.html", refusal=refused.message), refused.status
    if list(token.scopes) != [Scope.READ]:
        refusal = _("A screen on the wall takes a token that may only read, and nothing else.")
        return render_template("monitoring/wallboard_token.html", refusal=refusal), 422
    answer = make_response(redirect(url_for(".show"), 303))
    lasts = token.expires_at - datetime.now(UTC)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=round(lasts.total_seconds()),
        path=url_for(".show"),
        httponly=True,
        secure=settings().secure_cookies,
        samesite="Strict",
    )
    return answer


@blueprint.get("/changes")
@public
@polled
def changes() -> ResponseReturnValue:
    """What changed, as for the status page."""
    return what_changed(WALL, 0) if _may_look() else _whole_page()


@blueprint.get("/heartbeat")
@public
@polled
def pulse() -> ResponseReturnValue:
    """How alive the monitor is and how old the data."""
    if not _may_look():
        return _whole_page()
    now = database_now()
    beat = heartbeat(now, stale_after())
    return render_template("monitoring/_beat.html", now=now, beat=beat, screen=WALL)


def _may_look() -> bool:
    if current_user.is_authenticated and access().roles:
        return True
    secret = request.cookies.get(COOKIE)
    if not secret:
        return False
    try:
        return list(bearer.token_that_counts(secret).scopes) == [Scope.READ]
    except Refused:
        return False


def _whole_page() -> Response:
    """It was revoked or has run out: the open page asks for itself anew, and meets the question."""
    return Response(status=204, headers={"HX-Refresh": "true"})
