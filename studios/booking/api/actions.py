"""What is done with a conference beside changing it: taken back, copied, answered, told."""

from flask import Blueprint
from pydantic import BaseModel

from accounts.permissions import EVERY_ROLE, access
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from studios.booking import answers, queries
from studios.booking import conferences as writes
from studios.booking.api.asked import CopyRequest, DeclineRequest
from studios.booking.api.reading import BOOKERS
from studios.booking.api.refusing import Wished, done
from studios.booking.api.rights import (
    conference_at,
    conference_with_own_party,
    own_conference,
    person,
    version_seen,
)
from studios.booking.api.telling import at_version, told
from studios.booking.api.told import ConferenceAnswer, ConflictAnswer, EventAnswer, EventsAnswer
from studios.booking.conferences import booking_of, copy_of
from studios.booking.story import tell

blueprint = Blueprint("conference_actions", __name__, url_prefix=f"{PREFIX}/conferences/<reference>")

CHANGED: dict[int, type[BaseModel] | None] = {200: ConferenceAnswer, 409: ConflictAnswer}


@endpoint(
    blueprint, "POST", "/restore", summary="Take a cancellation back", scope=Scope.BOOK, roles=BOOKERS,
    answers=CHANGED, idempotent=True,
)  # fmt: skip
def restore(reference: str) -> Answer:
    """Planned again as it was, while its studios are still free. If-Match counts."""
    return done(
        lambda: at_version(reference, writes.take_back_cancellation),
        lambda: Wished(booking_of(found := own_conference(reference)), found.id),
    )


@endpoint(
    blueprint, "POST", "/copy", summary="Book the same for another time", scope=Scope.BOOK, roles=BOOKERS,
    body=CopyRequest, answers={201: ConferenceAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def copy(reference: str, body: CopyRequest) -> Answer:
    """A new conference as long as this one, for the same parties; pools are drawn from anew."""
    return done(
        lambda: told(writes.book(copy_of(own_conference(reference), body.start), person()), 201),
        lambda: Wished(copy_of(own_conference(reference), body.start)),
    )


@endpoint(
    blueprint, "POST", "/parties/<int:number>/accept", summary="Take part", scope=Scope.BOOK, roles=BOOKERS,
    answers=CHANGED, idempotent=True,
)  # fmt: skip
def accept(reference: str, number: int) -> Answer:
    """The word of the invited organisation for its party, counted from 1; a studio that needs approval is reserved for
    good with it. If-Match counts."""

    def work() -> Answer:
        found = conference_with_own_party(reference, number)
        return told(answers.accept(found.id, number - 1, person(), version_seen()))

    return done(work)


@endpoint(
    blueprint, "POST", "/parties/<int:number>/decline", summary="Do not take part", scope=Scope.BOOK, roles=BOOKERS,
    body=DeclineRequest, answers=CHANGED, idempotent=True,
)  # fmt: skip
def decline(reference: str, number: int, body: DeclineRequest) -> Answer:
    """The word of the invited organisation for its party, counted from 1: its studio comes free, the others go on.
    If-Match counts."""

    def work() -> Answer:
        found = conference_with_own_party(reference, number)
        return told(answers.decline(found.id, number - 1, body.reason, person(), version_seen()))

    return done(work)


@endpoint(
    blueprint, "GET", "/events", summary="What happened to a conference", scope=Scope.READ, roles=EVERY_ROLE,
    answers={200: EventsAnswer},
)  # fmt: skip
def events(reference: str) -> Answer:
    """The last two hundred events in plain words, in the language that is asked for. Who did it is told to those around
    the table."""
    found = conference_at(reference)
    chapters = tell(queries.events_of(found), found.starts_at, queries.may_see_title(access(), found))
    lines = [
        EventAnswer(at=line.at, heading=chapter.heading, what=line.what, more=line.more, notable=line.loud)
        for chapter in chapters
        for line in chapter.lines
    ]
    return Answer(EventsAnswer(events=lines))
