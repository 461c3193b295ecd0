"""The values that programs send and get: what every request and answer is built from.

Instants are ISO 8601 with an offset, of the years 2000 to 2099, with or without seconds; all are answered in UTC,
ending in Z.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

# Written so that a whole text must fit: the document gives it to others, whose expressions search within a text.
_YEAR_TO_DAY = r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_OFFSET = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
DAY_FORM = f"^{_YEAR_TO_DAY}$"
INSTANT_FORM = rf"^{_YEAR_TO_DAY}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{{1,6}})?)?{_OFFSET}$"


LONGEST_INSTANT = len("2026-11-26T09:00:00.000000+01:00")


class RequestModel(BaseModel):
    """What a program sends. Fields that are not named are refused, and "5" is no number: a typing error is told."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AnswerModel(BaseModel):
    """What a program gets."""


class ProblemAnswer(AnswerModel):
    """What is wrong with one field. Of a field within another, the names stand with dots between."""

    field: str
    message: str


class Refusal(AnswerModel):
    """Why a request was refused, in a sentence; models of refusals that tell more inherit from it."""

    error: str
    problems: list[ProblemAnswer] = []


class Defect(Refusal):
    """A fault on our side; `request` is the id that the log has."""

    request: str


def _instant(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value
    try:
        if isinstance(value, str) and re.fullmatch(INSTANT_FORM, value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        pass
    raise PydanticCustomError("instant", "An instant is written as 2026-11-26T09:00:00+01:00, in the years 2000-2099.")


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(DAY_FORM, value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PydanticCustomError("day", "A day is written as 2026-11-26, in the years 2000-2099.")


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_instant),
    # RFC 3339, which `date-time` stands for, asks for seconds; what is sent may leave them out.
    WithJsonSchema({"type": "string", "pattern": INSTANT_FORM, "maxLength": LONGEST_INSTANT}, mode="validation"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": INSTANT_FORM}, mode="serialization"),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "pattern": DAY_FORM})]
# To be given a length with it: `Annotated[PlainText, Field(max_length=80)]`. PostgreSQL takes no NUL in a text.
PlainText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
# As much as a column of the model holds.
Whole = Annotated[int, Field(ge=0, le=2**31 - 1)]
