"""How a part declares an address for programs.

From one declaration come both the view (who may, what is read, what is answered) and its place in the OpenAPI
document, so that they cannot differ. The decorated function gets checked values and returns an `Answer`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import getdoc
from typing import Any, TypeVar

from flask import Blueprint, Response, make_response, request
from flask_babel import gettext as _
from pydantic import BaseModel

from accounts.permissions import allow_token
from accounts.rules import Scope
from api.answers import Answer, Declined, as_json
from api.idempotency import read_key
from api.reading import body_as, query_as
from api.values import Refusal, RequestModel
from errors import NotFound, WrongContentType
from models import Role

PREFIX = "/api/v1"
JSON = "application/json"
LARGEST_NUMBER = 2**31 - 1  # that a key of the model can have
LONGEST_PART = 200

Work = TypeVar("Work", bound=Callable[..., tuple[Any, ...]])


@dataclass(frozen=True)
class Declaration:
    """What there is at an address. `answers` names the model of each status; None for one without content."""

    method: str
    summary: str
    description: str
    scope: Scope
    roles: tuple[Role, ...]
    answers: Mapping[int, type[BaseModel] | None]
    body: type[RequestModel] | None = None
    query: type[RequestModel] | None = None
    idempotent: bool = False
    sessions: bool = False

    def __post_init__(self) -> None:
        for status, model in self.answers.items():
            if status >= 400 and not (model and issubclass(model, Refusal)):
                raise TypeError(f"{self.summary}: the model of {status} is no Refusal")


def endpoint(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    summary: str,
    scope: Scope,
    roles: tuple[Role, ...],
    answers: Mapping[int, type[BaseModel] | None],
    body: type[RequestModel] | None = None,
    query: type[RequestModel] | None = None,
    idempotent: bool = False,
    sessions: bool = False,
) -> Callable[[Work], Work]:
    """Answer `method` at `path` of a blueprint below PREFIX with the decorated function.

    It is called with the parts of the path by name and, where declared, `body` and `query`; it returns
    `Answer(content, status, headers)` with a status of `answers`, or raises what errors.py knows. `idempotent`: an
    Idempotency-Key counts; the function then does its writing through `api.idempotency.once`. `sessions`: signed-in
    browsers may read it too. The docstring is the operation's description.
    """

    def declare(work: Work) -> Work:
        declared = Declaration(
            method, summary, getdoc(work) or "", scope, roles, answers, body, query, idempotent, sessions
        )
        view: Any = allow_token(scope, *roles, sessions=sessions)(_view(declared, work))
        view.declared = declared
        blueprint.add_url_rule(path, view_func=view, methods=[method], provide_automatic_options=False)
        return work

    return declare


def declaration_of(view: Callable[..., Any]) -> Declaration | None:
    return getattr(view, "declared", None)


def _view(declared: Declaration, work: Callable[..., tuple[Any, ...]]) -> Callable[..., Response]:
    @wraps(work)
    def view(**path: Any) -> Response:
        try:
            answer = Answer(*work(**_checked_path(path), **_read(declared)))
        except Declined as declined:
            answer = declined.answer
        return _response(declared, answer)

    return view


def _checked_path(path: dict[str, Any]) -> dict[str, Any]:
    """Nothing has a name or a number that the database could not even be asked for."""
    for part in path.values():
        is_text = isinstance(part, str)
        if (is_text and ("\0" in part or len(part) > LONGEST_PART)) or (not is_text and part > LARGEST_NUMBER):
            raise NotFound(_("There is nothing at this address."))
    return path


def _read(declared: Declaration) -> dict[str, BaseModel]:
    given: dict[str, BaseModel] = {}
    if declared.idempotent:
        read_key()
    if declared.query:
        given["query"] = query_as(declared.query, dict(request.args.lists()))
    if declared.body:
        if request.mimetype != JSON:
            raise WrongContentType(_("The body must be JSON, sent with “Content-Type: application/json”."))
        given["body"] = body_as(declared.body, request.get_data())
    return given


def _response(declared: Declaration, answer: Answer) -> Response:
    """The answer as JSON; one that was not declared is a fault of ours, which tests find."""
    if answer.status not in declared.answers:
        raise TypeError(f"{declared.summary}: {answer.status} is not declared")
    model = declared.answers[answer.status]
    if isinstance(answer.content, BaseModel) and not (model and isinstance(answer.content, model)):
        raise TypeError(f"{declared.summary}: {answer.status} tells a {type(answer.content).__name__}")
    if answer.content is None:
        return make_response("", answer.status, dict(answer.headers))
    response = Response(json.dumps(as_json(answer.content)), answer.status, mimetype=JSON)
    response.headers.update(answer.headers)
    return response
