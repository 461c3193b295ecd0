"""Addresses for programs with one of everything, to try what holds for all of them."""

import enum
from typing import Annotated

from flask import Blueprint, Flask
from pydantic import Field

from accounts.audit import record
from accounts.permissions import EVERY_ROLE
from accounts.rules import Scope
from api.answers import Answer, Declined
from api.endpoint import PREFIX, endpoint
from api.idempotency import once
from api.values import AnswerModel, Day, Instant, PlainText, Refusal, RequestModel, Whole
from errors import Conflict, NotFound
from models import AuditEntry, Role, db

BOOKERS = (Role.COORDINATOR, Role.ADMINISTRATOR)


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(RequestModel):
    number: Whole


class SampleRequest(RequestModel):
    title: Annotated[PlainText, Field(min_length=1, max_length=20)]
    at: Instant
    colour: Colour = Colour.RED
    day: Day | None = None
    inner: list[Inner] = Field(default=[], max_length=3)
    urgent: bool = False


class SampleQuery(RequestModel):
    limit: Annotated[int, Field(ge=1, le=50)] = 10
    colour: list[Colour] = Field(default=[], max_length=5)
    since: Instant | None = None
    urgent: bool = False


class SampleAnswer(AnswerModel):
    id: int
    title: str
    at: Instant


class SamplesAnswer(AnswerModel):
    limit: int
    since: Instant | None
    colours: list[Colour]


class TakenAnswer(Refusal):
    next_free: str


def add_samples(app: Flask) -> None:
    """To be called before the first request."""
    blueprint = Blueprint("samples", __name__, url_prefix=f"{PREFIX}/samples")

    @endpoint(
        blueprint, "POST", "", summary="Make a sample", scope=Scope.BOOK, roles=BOOKERS, body=SampleRequest,
        answers={201: SampleAnswer, 409: TakenAnswer}, idempotent=True,
    )  # fmt: skip
    def make(body: SampleRequest) -> Answer:
        def work() -> Answer:
            record("sample", body.title)
            db.session.flush()
            number = db.session.scalar(db.select(db.func.max(AuditEntry.id)))
            if body.title == "taken":
                raise Declined(Answer(TakenAnswer(error="Taken.", next_free="tomorrow"), 409))
            if body.title == "gone":
                return Answer(TakenAnswer(error="Gone.", next_free="never"), 409)
            if body.title == "refused":
                raise Conflict("Refused.")
            told = SampleAnswer(id=number, title=body.title, at=body.at)
            return Answer(told, 201, {"Location": f"{PREFIX}/samples/{number}"})

        return once(work)

    @endpoint(
        blueprint, "GET", "", summary="List samples", scope=Scope.READ, roles=EVERY_ROLE, query=SampleQuery,
        answers={200: SamplesAnswer},
    )  # fmt: skip
    def listed(query: SampleQuery) -> Answer:
        return Answer(SamplesAnswer(limit=query.limit, since=query.since, colours=query.colour))

    @endpoint(
        blueprint, "GET", "/<int:number>", summary="One sample", scope=Scope.READ, roles=EVERY_ROLE,
        answers={200: SampleAnswer},
    )  # fmt: skip
    def one(number: int) -> Answer:
        found = db.session.get(AuditEntry, number)
        if found is None:
            raise NotFound("There is no such sample.")
        return Answer(SampleAnswer(id=found.id, title=found.object, at=found.at))

    @endpoint(
        blueprint, "DELETE", "/of/<title>", summary="Forget samples", scope=Scope.OPERATE, roles=EVERY_ROLE,
        answers={204: None}, idempotent=True,
    )  # fmt: skip
    def forget(title: str) -> Answer:
        return once(lambda: (record("forgotten", title[:100]), Answer(None, 204))[1])

    @endpoint(
        blueprint, "GET", "/fault", summary="A fault", scope=Scope.OPERATE, roles=EVERY_ROLE,
        answers={200: SampleAnswer},
    )  # fmt: skip
    def fault() -> Answer:
        return Answer(TakenAnswer(error="Not what was declared.", next_free=""))

    app.register_blueprint(blueprint)
    for endpoint_name, view in app.view_functions.items():
        if endpoint_name.startswith("samples."):
            app.extensions["csrf"].exempt(view)
