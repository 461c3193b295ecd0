"""A line of the log for each request of interest, and an id that ties together what is logged on its behalf."""

import re
import time
from secrets import token_hex

import sqlalchemy as sa
import structlog
from flask import Flask, Response, current_app, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from accounts.permissions import is_polled

REQUEST_ID = "X-Request-Id"
SLOW = 1000  # milliseconds
LONGEST_PATH = 200
# Asked for often and by themselves: they are told of only when they are slow or fail.
QUIET = frozenset({"static", "healthz", "readyz"})

_FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger("request")


def init_app(app: Flask) -> None:
    """To be called before any part that may answer instead of the view: those answers are logged too."""
    app.extensions["answered"] = {"requests": 0, "failed": 0}
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(lambda _error: clear_contextvars())


def request_id(given: str) -> str:
    """What the web server in front calls this request, if that can stand in a log; a new one otherwise."""
    return given if _FIT.fullmatch(given) else token_hex(8)


def _begin() -> None:
    clear_contextvars()
    g.began = time.perf_counter()
    g.request_id = request_id(request.headers.get(REQUEST_ID, ""))
    bind_contextvars(request=g.request_id)


def _end(response: Response) -> Response:
    if "began" not in g:
        return response
    response.headers[REQUEST_ID] = g.request_id
    elapsed = (time.perf_counter() - g.began) * 1000
    failed = response.status_code >= 500
    _count(failed)
    if failed or elapsed > SLOW or not (request.endpoint in QUIET or is_polled()):
        told = log.warning if failed else log.info
        told(
            "answered",
            method=request.method[:10],
            path=_path()[:LONGEST_PATH],
            status=response.status_code,
            ms=round(elapsed, 1),
            account=_account_id(),
        )
    return response


def _count(failed: bool) -> None:
    """For the heartbeat. Two threads that count at one instant may count as one: it is a figure to look at."""
    answered = current_app.extensions["answered"]
    answered["requests"] += 1
    answered["failed"] += failed


def _account_id() -> int | None:
    """Who asked, if that was looked up anyway: the log asks the database nothing."""
    account = g.get("_login_user")  # where Flask-Login keeps it
    state = sa.inspect(account, raiseerr=False) if account is not None else None
    return state.identity[0] if state is not None and state.identity else None


def _path() -> str:
    """The address, or its pattern where the address is a secret."""
    view = current_app.view_functions.get(request.endpoint or "")
    hidden = getattr(view, "has_secret_address", False) and request.url_rule
    return str(request.url_rule.rule) if hidden and request.url_rule else request.path
