"""Conferences that somebody has begun to ask for and put aside. They hold no studio, and nobody else sees them."""

import json
from typing import Any

from flask import Blueprint

from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.idempotency import once
from api.reading import body_as
from api.values import AnswerModel, Instant
from models import Draft
from studios.booking import conferences as writes
from studios.booking.api.asked import ConferenceRequest, DraftRequest
from studios.booking.api.reading import BOOKERS, read_booking
from studios.booking.api.refusing import Wished, done
from studios.booking.api.rights import person
from studios.booking.api.telling import told
from studios.booking.api.told import ConferenceAnswer, ConflictAnswer
from studios.booking.drafts import delete_draft, drafts_of, own_draft, save_draft

blueprint = Blueprint("drafts", __name__, url_prefix=f"{PREFIX}/drafts")


class DraftAnswer(AnswerModel):
    """`content`: the request as far as it goes, in the words of booking a conference."""

    id: int
    saved_at: Instant
    content: dict[str, Any]


class DraftsAnswer(AnswerModel):
    """Newest first."""

    drafts: list[DraftAnswer]


@endpoint(
    blueprint, "GET", "", summary="List one's drafts", scope=Scope.READ, roles=BOOKERS, answers={200: DraftsAnswer},
)  # fmt: skip
def listed() -> Answer:
    """At most a hundred."""
    return Answer(DraftsAnswer(drafts=[_answer(each) for each in drafts_of(person())]))


@endpoint(
    blueprint, "POST", "", summary="Keep a draft", scope=Scope.BOOK, roles=BOOKERS, body=DraftRequest,
    answers={201: DraftAnswer}, idempotent=True,
)  # fmt: skip
def keep(body: DraftRequest) -> Answer:
    """As it is, complete or not."""

    def work() -> Answer:
        draft = save_draft(body.as_content(), person())
        return Answer(_answer(draft), 201, {"Location": f"{PREFIX}/drafts/{draft.id}"})

    return once(work)


@endpoint(
    blueprint, "GET", "/<int:number>", summary="One draft", scope=Scope.READ, roles=BOOKERS,
    answers={200: DraftAnswer},
)  # fmt: skip
def one(number: int) -> Answer:
    """One's own."""
    return Answer(_answer(own_draft(number, person())))


@endpoint(
    blueprint, "PUT", "/<int:number>", summary="Write a draft anew", scope=Scope.BOOK, roles=BOOKERS,
    body=DraftRequest, answers={200: DraftAnswer}, idempotent=True,
)  # fmt: skip
def write_anew(number: int, body: DraftRequest) -> Answer:
    """What is sent replaces what there was."""
    return once(lambda: Answer(_answer(save_draft(body.as_content(), person(), number))))


@endpoint(
    blueprint, "DELETE", "/<int:number>", summary="Throw a draft away", scope=Scope.BOOK, roles=BOOKERS,
    answers={204: None}, idempotent=True,
)  # fmt: skip
def throw_away(number: int) -> Answer:
    """One's own."""

    def work() -> Answer:
        delete_draft(number, person())
        return Answer(None, 204)

    return once(work)


@endpoint(
    blueprint, "POST", "/<int:number>/book", summary="Book what a draft asks for", scope=Scope.BOOK, roles=BOOKERS,
    answers={201: ConferenceAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def book(number: int) -> Answer:
    """It must ask for all that a conference needs. When it is booked the draft is gone; when it is refused it stays."""

    def work() -> Answer:
        conference = writes.book(read_booking(_request(number)), person())
        delete_draft(number, person())
        return told(conference, 201)

    return done(work, lambda: Wished(read_booking(_request(number))))


def _request(number: int) -> ConferenceRequest:
    """The draft as a request that is complete. Raises Invalid where it is not."""
    return body_as(ConferenceRequest, json.dumps(own_draft(number, person()).content).encode())


def _answer(draft: Draft) -> DraftAnswer:
    return DraftAnswer(id=draft.id, saved_at=draft.saved_at, content=draft.content)
