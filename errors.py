"""Refused requests, and the HTTP answer each becomes: a whole page, a part of one, or JSON.

The parts raise these; nothing else decides on a status code. A message is a sentence for people, already translated.
"""

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException

AWAY = 503


class Refused(Exception):
    """A request that cannot be granted, with the reason in a sentence."""

    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(Refused):
    """What was typed does not make sense; `field` names where."""

    status = 422

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Forbidden(Refused):
    status = 403


class NotFound(Refused):
    status = 404


class Conflict(Refused):
    """It was possible a moment ago, or would be at another time."""

    status = 409


class TooMany(Refused):
    status = 429


def init_app(app: Flask) -> None:
    app.register_error_handler(Refused, lambda error: answer(error.status, error.message))
    app.register_error_handler(CSRFError, _on_csrf_error)
    app.register_error_handler(HTTPException, _on_http_exception)
    for kind in (OperationalError, InterfaceError, TimeoutError):
        app.register_error_handler(kind, _on_database_away)
    app.register_error_handler(DataError, _on_data_error)
    app.register_error_handler(Exception, _on_defect)


def answer(status: int, message: str) -> Response:
    """The refusal in the form that was asked for."""
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return make_response(jsonify(error=message), status)
    template = "errors/_refused.html" if request.headers.get("HX-Request") else "errors/refused.html"
    try:
        return make_response(render_template(template, status=status, message=message), status)
    except DBAPIError as error:  # the page names who is signed in, and cannot ask for that
        if status == AWAY:
            raise
        return _on_database_away(error)


def _on_csrf_error(_error: CSRFError) -> Response:
    return answer(400, _("The page had been open for too long. Go back, reload it and try again; nothing was saved."))


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
    return answer(status, sentences.get(status, _("This request cannot be answered. Go back and try again.")))


def _on_data_error(error: DataError) -> Response:
    """A character or a number that no column can hold, such as PostgreSQL and NUL."""
    _log(error)
    return answer(422, _("Something that was typed cannot be stored. Go back and type it again."))


def _on_database_away(error: Exception) -> Response:
    _log(error)
    _forget_who_it_is()
    return answer(AWAY, _("The database does not answer just now. Nothing was saved; try again in a minute."))


def _on_defect(error: Exception) -> Response:
    _log(error)
    _forget_who_it_is()
    return answer(500, _("Something failed on our side. Nothing was saved; the fault has been logged."))


def _forget_who_it_is() -> None:
    """Answer as to nobody: a page that names the person would ask the database, which may have caused the fault."""
    g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]  # where Flask-Login looks


def _log(error: Exception) -> None:
    current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
