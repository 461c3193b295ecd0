"""The OpenAPI document, and what is promised of all that is declared in it."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from api.document import document
from api.values import RequestModel

LIMITS = {"string": {"maxLength", "enum", "const", "format"}, "integer": {"maximum", "enum"}, "array": {"maxItems"}}


@pytest.fixture
def dialect() -> str:
    return "sqlite"


def parts_of(schema: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each schema within a schema, with where it stands."""
    if isinstance(schema, dict):
        yield name, schema
        for key, inner in schema.items():
            yield from parts_of(inner, f"{name}.{key}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from parts_of(inner, name)


def all_models(model: type[RequestModel]) -> Iterator[type[RequestModel]]:
    for below in model.__subclasses__():
        yield below
        yield from all_models(below)


def test_the_document_is_one(app):
    schemathesis.openapi.from_dict(document(app)).validate()


def test_each_operation_has_a_summary_a_name_of_its_own_and_says_who_may(app):
    operations = [one for path in document(app)["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for one in operations:
        assert one["summary"]
        assert "Scope: " in one["description"]
        assert one["security"][0]["bearer"]


def test_each_operation_says_how_it_refuses(app):
    for path in document(app)["paths"].values():
        for one in path.values():
            assert {"400", "401", "403", "404", "405", "409", "422", "429", "500", "503"} <= set(one["responses"])
            assert {"413", "415"} <= set(one["responses"]) or "requestBody" not in one


def test_whatever_is_sent_has_a_limit(app):
    """A text without one fits no column, a number without one no database, a list without one takes for ever."""
    without = [
        f"{model.__name__}{name}"
        for model in all_models(RequestModel)
        for name, schema in parts_of(model.model_json_schema(), "")
        if isinstance(schema.get("type"), str) and not LIMITS.get(schema["type"], set(schema)) & set(schema)
    ]
    assert not without
