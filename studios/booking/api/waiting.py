"""Wait for time to come free, and answer what is offered."""

from datetime import timedelta
from typing import Annotated, Any

from flask import Blueprint
from flask_babel import gettext as _
from pydantic import Field
from sqlalchemy.orm import joinedload, selectinload

from accounts.permissions import access
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.values import Instant, RequestModel
from errors import NotFound
from models import Conference, Purpose, RequestState, WaitingRequest, db
from studios.booking.api.asked import Address, Code, ConferenceRequest, Name, Parties, Title
from studios.booking.api.cursors import Cursor, cursor_at, is_after
from studios.booking.api.listing import Limit
from studios.booking.api.reading import BOOKERS, read_booking
from studios.booking.api.refusing import done
from studios.booking.api.rights import own_conference, person
from studios.booking.api.telling import told
from studios.booking.api.times import LONGEST_MEETING
from studios.booking.api.told import ConferenceAnswer, ConflictAnswer
from studios.booking.api.waiting_told import WaitingAnswer, WaitingListAnswer, waiting_answers
from studios.booking.waiting import offers
from studios.booking.waiting.queries import check_acts_for
from studios.booking.waiting.requests import ask_to_wait
from studios.booking.wishes import Booking

blueprint = Blueprint("waiting", __name__, url_prefix=f"{PREFIX}/waiting-requests")


class WaitRequest(RequestModel):
    """A conference of `duration_minutes` that may lie anywhere between `earliest` and `latest`; over several days these
    mean their hours of each day. `preferred`: the start to which it shall be near, else the earliest. `conference`: the
    reference of one's own planned or cancelled conference that shall get the time; without it a new one is booked when
    an offer is accepted."""

    title: Title
    purpose: Purpose
    parties: Parties
    duration_minutes: Annotated[int, Field(ge=1, le=LONGEST_MEETING)]
    earliest: Instant
    latest: Instant
    preferred: Instant | None = None
    conference: Code | None = None
    organisation: Name | None = None
    on_behalf_of: Address | None = None
    movable: bool = False
    video: bool = True


class WaitingQuery(RequestModel):
    state: Annotated[list[RequestState], Field(max_length=8)] = Field(default=[])
    limit: Limit = 50
    cursor: Cursor | None = None


class DeclineOfferRequest(RequestModel):
    """`wait_on`: keep the place in the line, but never be offered this time again."""

    wait_on: bool = False


@endpoint(
    blueprint, "POST", "", summary="Wait for time to come free", scope=Scope.BOOK, roles=BOOKERS, body=WaitRequest,
    answers={201: WaitingAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def ask(body: WaitRequest) -> Answer:
    """As soon as all parties can have a studio it is held and offered; who asked first is served first."""

    def work() -> Answer:
        own = own_conference(body.conference) if body.conference else None
        wanted = _booking(body, own)
        request = ask_to_wait(wanted, body.earliest, body.latest, person(), own.id if own else None)
        return _told(request, 201)

    return done(work)


@endpoint(
    blueprint, "GET", "", summary="List the waiting requests", scope=Scope.READ, roles=BOOKERS, query=WaitingQuery,
    answers={200: WaitingListAnswer},
)  # fmt: skip
def listed(query: WaitingQuery) -> Answer:
    """Those of the organisations that the account books for."""
    wanted = db.select(WaitingRequest)
    if not access().everywhere(*BOOKERS):
        wanted = wanted.where(WaitingRequest.organisation_id.in_(access().organisation_ids(*BOOKERS)))
    if query.state:
        wanted = wanted.where(WaitingRequest.state.in_(query.state))
    if query.cursor:
        wanted = wanted.where(is_after(query.cursor, WaitingRequest.created_at, WaitingRequest.id))
    ordered = wanted.order_by(WaitingRequest.created_at, WaitingRequest.id).limit(query.limit + 1)
    rows = db.session.scalars(ordered.options(*_WHOLE)).all()
    shown = rows[: query.limit]
    goes_on = cursor_at(shown[-1].created_at, shown[-1].id) if len(rows) > query.limit else None
    return Answer(WaitingListAnswer(requests=waiting_answers(shown), next=goes_on))


@endpoint(
    blueprint, "GET", "/<int:number>", summary="One waiting request", scope=Scope.READ, roles=BOOKERS,
    answers={200: WaitingAnswer},
)  # fmt: skip
def one(number: int) -> Answer:
    """With what is offered to it now."""
    found = db.session.scalar(db.select(WaitingRequest).where(WaitingRequest.id == number).options(*_WHOLE))
    if found is None:
        raise NotFound(_("There is no such request on the waiting list."))
    check_acts_for(person(), found.organisation_id)
    return Answer(waiting_answers([found])[0])


@endpoint(
    blueprint, "POST", "/<int:number>/accept", summary="Accept an offer", scope=Scope.BOOK, roles=BOOKERS,
    answers={201: ConferenceAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def accept(number: int) -> Answer:
    """What is held is booked, or the conference of the request is moved there."""
    return done(lambda: told(offers.accept_offer(number, person()), 201))


@endpoint(
    blueprint, "POST", "/<int:number>/decline", summary="Decline an offer", scope=Scope.BOOK, roles=BOOKERS,
    body=DeclineOfferRequest, answers={200: WaitingAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def decline(number: int, body: DeclineOfferRequest) -> Answer:
    """The time goes to the next in line. That ends the request, unless it is to wait on."""

    def work() -> Answer:
        offers.decline_offer(number, person(), body.wait_on)
        return _told(db.session.get_one(WaitingRequest, number))

    return done(work)


@endpoint(
    blueprint, "DELETE", "/<int:number>", summary="Wait no longer", scope=Scope.BOOK, roles=BOOKERS,
    answers={200: WaitingAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def withdraw(number: int) -> Answer:
    """What is held for it comes free."""

    def work() -> Answer:
        offers.withdraw(number, person())
        return _told(db.session.get_one(WaitingRequest, number))

    return done(work)


def _booking(body: WaitRequest, own: Conference | None) -> Booking:
    start = body.preferred or body.earliest
    organisation = body.organisation or (own.organisation.name if own else None)
    fields: dict[str, Any] = {
        name: getattr(body, name) for name in ("title", "purpose", "parties", "on_behalf_of", "movable", "video")
    }
    end = start + timedelta(minutes=body.duration_minutes)
    return read_booking(ConferenceRequest(start=start, end=end, organisation=organisation, **fields))


def _told(request: WaitingRequest, status: int = 200) -> Answer:
    db.session.flush()
    db.session.expire(request)
    headers = {"Location": f"{PREFIX}/waiting-requests/{request.id}"} if status == 201 else {}
    return Answer(waiting_answers([request])[0], status, headers)


_WHOLE = (
    joinedload(WaitingRequest.organisation),
    joinedload(WaitingRequest.conference),
    selectinload(WaitingRequest.holds),
)
