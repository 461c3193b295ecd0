"""The OpenAPI 3.1 document, made from the declarations of the endpoints and the models that they read and answer."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Literal

from apispec import APISpec
from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import IntegerConverter, Rule

from api.endpoint import JSON, LARGEST_NUMBER, LONGEST_PART, Declaration, declaration_of
from api.idempotency import HEADER, KEY_FORM, REPLAYED
from api.values import Defect, Refusal

TITLE = "Studionett"
ABOUT = (
    "Books, runs and watches the video conferences of a health network. Instants are ISO 8601 with an offset and are "
    "answered in UTC. Every refusal is JSON with a sentence, and with the fields that are wrong where there are some."
)
BEARER = {"type": "http", "scheme": "bearer", "description": "A personal access token, made on the page of them."}
SESSION = {"type": "apiKey", "in": "cookie", "name": "studionett", "description": "A signed-in browser."}
TEXT = {"schema": {"type": "string"}}
# What can happen to every request; 405 is of other methods than those named here.
REFUSALS = {
    400: "The request could not be read, for example because the body is no JSON.",
    401: "There is no token, or it is not known, has run out or was revoked.",
    403: "The token lacks the scope, or its account the role or the right to this object.",
    404: "There is nothing at this address, or nothing that this account may see.",
    405: "The address does not take this method; the header Allow names those it takes.",
    409: "It was possible a moment ago, or would be at another time.",
    413: "The request is larger than a megabyte.",
    415: "The body must be sent as application/json.",
    422: "A field does not fit; `problems` names each.",
    429: "Too many failed attempts from this address.",
    500: "A fault on our side.",
    503: "The database does not answer; try again in a minute.",
}
HEADERS = {401: "WWW-Authenticate", 405: "Allow"}
OF_BODIES = {413, 415}

Mode = Literal["validation", "serialization"]
Operation = tuple[Rule, Declaration]


def document(app: Flask) -> dict[str, Any]:
    """The document of all that is declared, made once: it hangs on nobody's rights and no language."""
    if "api_document" not in app.extensions:
        app.extensions["api_document"] = _made(operations(app))
    found: dict[str, Any] = app.extensions["api_document"]
    return found


def operations(app: Flask) -> list[Operation]:
    """Each declared endpoint with its address, by address and method."""
    found = ((rule, declaration_of(app.view_functions[rule.endpoint])) for rule in app.url_map.iter_rules())
    named = [(rule, declared) for rule, declared in found if declared]
    return sorted(named, key=lambda one: (one[0].rule, one[1].method))


def address_of(rule: Rule) -> str:
    """The rule as OpenAPI writes it: `/conferences/{reference}`."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)


def _made(declared: list[Operation]) -> dict[str, Any]:
    spec = APISpec(TITLE, version("studionett"), "3.1.0", info={"description": ABOUT})
    spec.components.security_scheme("bearer", BEARER)
    spec.components.security_scheme("session", SESSION)
    references, definitions = _schemas([one for _rule, one in declared])
    for name, schema in definitions.items():
        spec.components.schema(name, schema)
    for rule, one in declared:
        spec.path(address_of(rule), operations={one.method.lower(): _operation(rule, one, references, definitions)})
    return spec.to_dict()


def _schemas(declared: list[Declaration]) -> tuple[dict[tuple[type[BaseModel], Mode], Any], dict[str, Any]]:
    """A reference to each model in each use, and the schemas that they lead to."""
    wanted = dict.fromkeys(pair for one in declared for pair in _models(one))
    references, found = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    return references, found.get("$defs", {})  # type: ignore[return-value]


def _models(declared: Declaration) -> Iterator[tuple[type[BaseModel], Mode]]:
    yield from ((model, "validation") for model in (declared.body, declared.query) if model)
    yield from ((model, "serialization") for model in {**declared.answers, 4: Refusal, 5: Defect}.values() if model)


def _operation(rule: Rule, declared: Declaration, references: dict[Any, Any], definitions: dict[str, Any]) -> Any:
    parameters = [*_path_parameters(rule), *_query_parameters(declared, references, definitions)]
    if declared.idempotent:
        parameters.append(_key_parameter())
    operation = {
        "operationId": rule.endpoint,
        "summary": declared.summary,
        "description": f"{declared.description}\n\n{_who(declared)}".strip(),
        "security": [{"bearer": [declared.scope.value]}, *([{"session": []}] if declared.sessions else [])],
        "parameters": parameters,
        "responses": dict(_responses(rule, declared, references)),
    }
    if declared.body:
        content = {JSON: {"schema": references[declared.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _who(declared: Declaration) -> str:
    roles = ", ".join(role.value for role in declared.roles)
    return f"Scope: {declared.scope.value}. Roles: {roles}."


def _path_parameters(rule: Rule) -> Iterator[dict[str, Any]]:
    text = {"type": "string", "minLength": 1, "maxLength": LONGEST_PART, "pattern": r"^[^/\x00]+$"}
    number = {"type": "integer", "minimum": 0, "maximum": LARGEST_NUMBER}
    for name, converter in rule._converters.items():
        schema = number if isinstance(converter, IntegerConverter) else text
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(
    declared: Declaration, references: dict[Any, Any], definitions: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    if declared.query is None:
        return
    model = definitions[references[declared.query, "validation"]["$ref"].rpartition("/")[2]]
    for name, schema in model.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": name in model.get("required", []), "schema": schema}


def _key_parameter() -> dict[str, Any]:
    told = "The same key with the same request within a day is done once and answered the same; see the header there."
    schema = {"type": "string", "pattern": KEY_FORM, "minLength": 1, "maxLength": 200}
    return {"name": HEADER, "in": "header", "required": False, "description": told, "schema": schema}


def _responses(rule: Rule, declared: Declaration, references: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    told = {status: declared.answers.get(status, Refusal) for status in _possible(rule, declared)}
    for status, model in sorted({**told, **declared.answers, 500: Defect}.items()):
        response: dict[str, Any] = {"description": REFUSALS.get(status, HTTPStatus(status).phrase)}
        if model:
            response["content"] = {JSON: {"schema": references[model, "serialization"]}}
        if status in HEADERS:
            response["headers"] = {HEADERS[status]: {**TEXT, "required": True}}
        if declared.idempotent and status < 400:
            response["headers"] = {REPLAYED: {**TEXT, "description": "“true” where this was answered before."}}
        yield str(status), response


def _possible(rule: Rule, declared: Declaration) -> set[int]:
    left = set() if declared.body else OF_BODIES
    return set(REFUSALS) - left
