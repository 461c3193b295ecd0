"""A clinical emergency takes the time of conferences that are marked movable."""

import sqlalchemy as sa
from flask import Blueprint

from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.values import AnswerModel
from models import Conference, Event, Role, WaitingRequest, db
from studios.booking.acute import take_over
from studios.booking.api.asked import ConferenceRequest, Reason
from studios.booking.api.reading import read_booking
from studios.booking.api.refusing import Wished, done
from studios.booking.api.rights import person
from studios.booking.api.telling import told
from studios.booking.api.told import ConferenceAnswer, ConflictAnswer
from studios.booking.api.waiting_told import OfferAnswer, offer_answer

blueprint = Blueprint("emergencies", __name__, url_prefix=f"{PREFIX}/conferences/emergency")

WHO = (Role.EMERGENCY,)


class EmergencyRequest(ConferenceRequest):
    """A clinical conference. The displaced read the reason."""

    reason: Reason


class DisplacedAnswer(AnswerModel):
    """`offer`: what is held for it instead; null where nothing was free, and it is served like all who wait."""

    reference: str
    offer: OfferAnswer | None


class EmergencyAnswer(AnswerModel):
    conference: ConferenceAnswer
    displaced: list[DisplacedAnswer]


@endpoint(
    blueprint, "POST", "", summary="Book an emergency", scope=Scope.BOOK, roles=WHO, body=EmergencyRequest,
    answers={201: EmergencyAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def book(body: EmergencyRequest) -> Answer:
    """Booked as any other where nothing is in its way. In the studios that it names it takes the time of conferences
    that are movable, have not begun and are no emergencies; those are offered the best that is free. For who holds the
    emergency right for the responsible organisation."""
    return done(
        lambda: _told(take_over(read_booking(body, WHO), body.reason, person())),
        lambda: Wished(read_booking(body, WHO)),
    )


def _told(acute: Conference) -> Answer:
    answer = told(acute, 201)
    assert isinstance(answer.content, ConferenceAnswer)
    found = [DisplacedAnswer(reference=each, offer=offer_answer(request)) for each, request in _displaced(acute)]
    return Answer(EmergencyAnswer(conference=answer.content, displaced=found), 201, answer.headers)


def _displaced(acute: Conference) -> list[tuple[str, WaitingRequest]]:
    """The conferences that gave way to this one, and their requests on the waiting list."""
    events = db.session.scalars(
        db.select(Event).where(Event.kind == "conference.displaced", Event.at >= acute.created_at)
    )
    displaced = [each.conference_id for each in events if each.details["acute"] == acute.reference]
    query = (
        sa.select(Conference, WaitingRequest)
        .join(WaitingRequest, WaitingRequest.conference_id == Conference.id)
        .where(Conference.id.in_(displaced), WaitingRequest.created_at >= acute.created_at)
        .order_by(Conference.id)
    )
    return [(conference.reference, request) for conference, request in db.session.execute(query)]
