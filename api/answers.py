"""What an endpoint answers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

NO_HEADERS: Mapping[str, str] = {}


class Answer(NamedTuple):
    """A status with what is told, as a model or, of an answer kept from before, as the JSON it was."""

    content: BaseModel | Any | None
    status: int = 200
    headers: Mapping[str, str] = NO_HEADERS


class Declined(Exception):
    """A refusal that tells more than a sentence. Raised within a `write`, it takes back what was written."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def as_json(content: BaseModel | Any | None) -> Any:
    """The values that JSON has, of what is told."""
    return content.model_dump(mode="json", by_alias=True) if isinstance(content, BaseModel) else content
