"""What a program sent, as a checked model; or the refusal that says which field is wrong and why."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NoReturn, TypeVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import BadRequest

from errors import FieldProblem, Invalid

Model = TypeVar("Model", bound=BaseModel)

MOST_PROBLEMS = 50
LONGEST_FIELD = 200
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,99})")
SENTENCES = {
    "missing": _l("This is required."),
    "extra_forbidden": _l("There is no such field."),
    "string_type": _l("This must be a text."),
    "string_too_long": _l("At most %(max_length)s characters."),
    "string_too_short": _l("At least %(min_length)s characters."),
    "string_pattern_mismatch": _l("This has a character or a form that does not fit here."),
    "int_type": _l("This must be a whole number."),
    "int_parsing": _l("This must be a whole number."),
    "int_parsing_size": _l("This number is too large."),
    "bool_type": _l("This must be true or false."),
    "bool_parsing": _l("This must be true or false."),
    "list_type": _l("This must be a list."),
    "model_type": _l("This must be an object."),
    "model_attributes_type": _l("This must be an object."),
    "enum": _l("This must be one of: %(expected)s."),
    "literal_error": _l("This must be one of: %(expected)s."),
    "greater_than_equal": _l("This must be at least %(ge)s."),
    "less_than_equal": _l("This must be at most %(le)s."),
    "too_long": _l("At most %(max_length)s of these."),
    "too_short": _l("At least %(min_length)s of these."),
}


def body_as(model: type[Model], data: bytes) -> Model:
    """The body of a request. Raises BadRequest if it is no JSON, Invalid if it does not fit the model."""
    unfit = [FieldProblem(field, _("This has a character that cannot be stored.")) for field in unstorable(_json(data))]
    if unfit:
        raise _invalid(unfit)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        if any(one["type"] == "json_invalid" for one in error.errors(include_url=False, include_input=False)):
            raise BadRequest from None  # nested deeper than anything of ours
        _refuse(error)


def query_as(model: type[Model], given: Mapping[str, list[str]]) -> Model:
    """What stands behind the question mark. Raises Invalid if it does not fit the model."""
    fields = query_fields(model)
    doubled = [name for name, texts in given.items() if len(texts) > 1 and not _is_list(fields.get(name, {}))]
    unfit = [FieldProblem(name, _("This was given more than once.")) for name in doubled]
    unfit += [FieldProblem(field, _("This has a character that cannot be stored.")) for field in unstorable(given)]
    if unfit:
        raise _invalid(unfit)
    values = {name: _meant(texts, fields.get(name, {})) for name, texts in given.items()}
    try:
        return model.model_validate_json(json.dumps(values))
    except ValidationError as error:
        _refuse(error)


@cache
def query_fields(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """The schema of each field, by name."""
    found: dict[str, dict[str, Any]] = model.model_json_schema().get("properties", {})
    return found


def _is_list(schema: Mapping[str, Any]) -> bool:
    return "array" in _types(schema)


def _types(schema: Mapping[str, Any]) -> set[str | None]:
    return {schema.get("type"), *(one.get("type") for one in schema.get("anyOf", []))}


def _meant(texts: list[str], schema: Mapping[str, Any]) -> Any:
    """The JSON that was meant by a field's text, or by its texts where there may be several."""
    if _is_list(schema):
        return [_meant([text], schema.get("items", {})) for text in texts]
    text, types = texts[0], _types(schema)
    if "integer" in types and NUMBER.fullmatch(text):
        return int(text)
    return {"true": True, "false": False}.get(text, text) if "boolean" in types else text


def unstorable(value: Any) -> Iterator[str]:
    """The fields whose text, or name, no database or no encoding takes: NUL and halves of surrogate pairs."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, str) and not _is_storable(one):
            yield _dotted(place)
        elif isinstance(one, Mapping):
            yield from (_dotted((*place, name)) for name in one if not _is_storable(name))
            waiting += [((*place, name), inner) for name, inner in one.items()]
        elif isinstance(one, list):
            waiting += [((*place, str(number)), inner) for number, inner in enumerate(one)]


def _json(data: bytes) -> Any:
    """The values of a JSON text, numbers as text: the model reads those, and says so if one is too large."""
    try:
        return json.loads(data.decode(), parse_int=str, parse_float=str, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadRequest from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _refuse(error: ValidationError) -> NoReturn:
    found = error.errors(include_url=False, include_input=False)
    raise _invalid([FieldProblem(_dotted(one["loc"]), _sentence(one)) for one in found])


def _invalid(problems: list[FieldProblem]) -> Invalid:
    return Invalid(_("Something in the request does not fit; see the problems."), problems=problems[:MOST_PROBLEMS])


def _sentence(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    sentence = SENTENCES.get(error["type"])
    return str(sentence) % context if sentence else error["msg"]


def _dotted(place: tuple[str | int, ...]) -> str:
    text = ".".join(str(part) for part in place)[:LONGEST_FIELD]
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
