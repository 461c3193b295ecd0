"""Refused requests, and the HTTP answer each becomes: a whole page, a part of one, or JSON.

Below /api/ it is always JSON, whatever the program says it accepts.

The parts raise these; nothing else decides on a status code. A message is a sentence for people, already translated.
Below it the page says what can be done next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

AWAY = 503
DEFECT = 500
API = "/api/"


@dataclass(frozen=True)
class Advice:
    """What stands over a refusal, and what to do next."""

    heading: str
    next: str


NOT_UNDERSTOOD = Advice(_l("The request was not understood"), _l("Go back, check what was typed and try again."))
ADVICE = {
    403: Advice(
        _l("No access"), _l("The menu shows the pages that your role opens. Access is given by an administrator.")
    ),
    404: Advice(_l("Not found"), _l("Check the address, or search for the studio or the conference's reference.")),
    405: Advice(_l("Not possible at this address"), _l("Open the page from the menu and use its own buttons.")),
    409: Advice(
        _l("Something has changed meanwhile"), _l("Go back, reload the page to see how it stands, and try again.")
    ),
    413: Advice(_l("Too much at once"), _l("Go back, shorten what was typed and try again.")),
    422: Advice(_l("Something typed does not fit"), _l("Go back, correct it and try again.")),
    429: Advice(_l("Too many attempts"), _l("Wait a quarter of an hour and try again.")),
    DEFECT: Advice(
        _l("Something failed on our side"),
        _l("Try again. If it fails again, tell those who run Studionett, with the id."),
    ),
    AWAY: Advice(
        _l("Out of order for a moment"),
        _l("Calls that are up go on. Bookings and status are back when the database is; reload this page in a minute."),
    ),
}
EXPIRED = Advice(_l("The page was open for too long"), _l("Open it anew and type again what you had typed."))


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field; of a field within another, the names stand with dots between."""

    field: str
    message: str


class Refused(Exception):
    """A request that cannot be granted, with the reason in a sentence."""

    status = 400
    field_problems: Sequence[FieldProblem] = ()
    headers: Mapping[str, str] = {}

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(Refused):
    """What was typed does not make sense; `field` names where, or `problems` where there are several."""

    status = 422

    def __init__(self, message: str, field: str = "", problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(message)
        self.field = field
        self.field_problems = problems or ([FieldProblem(field, message)] if field else [])


class Unauthorized(Refused):
    """A program that does not show a token that counts. People are led to the sign-in page instead."""

    status = 401

    def __init__(self, message: str, challenge: str) -> None:
        super().__init__(message)
        self.headers = {"WWW-Authenticate": challenge}


class Forbidden(Refused):
    status = 403


class NotFound(Refused):
    status = 404


class Conflict(Refused):
    """It was possible a moment ago, or would be at another time."""

    status = 409


class TooMany(Refused):
    status = 429


class WrongContentType(Refused):
    status = 415


def init_app(app: Flask) -> None:
    app.register_error_handler(Refused, _on_refused)
    app.register_error_handler(CSRFError, _on_csrf_error)
    app.register_error_handler(HTTPException, _on_http_exception)
    for kind in (OperationalError, InterfaceError, TimeoutError):
        app.register_error_handler(kind, _on_database_away)
    app.register_error_handler(DataError, _on_data_error)
    app.register_error_handler(Exception, _on_defect)


def is_without_database() -> bool:
    """Whether this request is past asking the database: that may be what failed."""
    return bool(g.get("without_database"))


def answer(status: int, message: str, advice: Advice | None = None, problems: Sequence[FieldProblem] = ()) -> Response:
    """The refusal in the form that was asked for."""
    request_id = g.get("request_id") if status == DEFECT else None
    if _is_for_a_program():
        more = {"request": request_id} if request_id else {}
        return make_response(jsonify(error=message, problems=[asdict(each) for each in problems], **more), status)
    template = "errors/_refused.html" if request.headers.get("HX-Request") else "errors/refused.html"
    shown = {"message": message, "advice": advice or ADVICE.get(status, NOT_UNDERSTOOD), "request_id": request_id}
    try:
        return make_response(render_template(template, status=status, again=_again(), **shown), status)
    except DBAPIError as error:  # the page names who is signed in, and cannot ask for that
        if status == AWAY:
            raise
        return _on_database_away(error)


def _is_for_a_program() -> bool:
    asked = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return request.path.startswith(API) or asked == "application/json"


def _on_refused(error: Refused) -> Response:
    response = answer(error.status, error.message, problems=error.field_problems)
    response.headers.update(error.headers)
    return response


def _on_csrf_error(_error: CSRFError) -> Response:
    return answer(400, _("The form on it no longer counts, for safety. Nothing was saved."), EXPIRED)


def _again() -> str | None:
    """The page that a form was sent from, where it stands at the form's own address."""
    takes = request.url_rule.methods or () if request.url_rule and request.method == "POST" else ()
    return request.path if "GET" in takes else None


def _on_http_exception(error: HTTPException) -> Response:
    sentences = {
        403: _("You do not have access to this page."),
        404: _("There is nothing at this address."),
        405: _("This address does not take that kind of request."),
        413: _("That was too much text for one request."),
    }
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    response = answer(status, sentences.get(status, _("This request cannot be answered. Go back and try again.")))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _on_data_error(error: DataError) -> Response:
    """A character or a number that no column can hold, such as PostgreSQL and NUL."""
    _log(error)
    return answer(422, _("Something that was typed cannot be stored. Go back and type it again."))


def _on_database_away(error: Exception) -> Response:
    _log(error)
    _ask_the_database_no_more()
    return answer(AWAY, _("The database does not answer just now. Nothing was saved; try again in a minute."))


def _on_defect(error: Exception) -> Response:
    _log(error)
    _ask_the_database_no_more()
    return answer(DEFECT, _("Nothing was saved. The fault has been logged."))


def _ask_the_database_no_more() -> None:
    """Answer as to nobody: a page that names the person would ask the database, which may have caused the fault."""
    g.without_database = True
    g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]  # where Flask-Login looks


def _log(error: Exception) -> None:
    current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
