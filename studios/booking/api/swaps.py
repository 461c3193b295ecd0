"""Ask the owner of a movable conference to move it, and answer when one is asked."""

from typing import Annotated

import sqlalchemy as sa
from flask import Blueprint
from flask_babel import gettext as _
from pydantic import Field, model_validator
from sqlalchemy.orm import joinedload, selectinload

from accounts.permissions import access
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.values import RequestModel, Whole
from errors import Forbidden, NotFound
from models import Conference, Party, RequestState, Reservation, Swap, db
from studios.booking.api.asked import Code, ConferenceRequest, DeclineRequest, Reason
from studios.booking.api.cursors import Cursor, cursor_at, is_after
from studios.booking.api.listing import Limit
from studios.booking.api.reading import BOOKERS, read_booking
from studios.booking.api.refusing import done
from studios.booking.api.rights import conference_at, own_conference, person
from studios.booking.api.swaps_told import Direction, SwapAnswer, SwapsAnswer, swap_answers
from studios.booking.api.told import ConflictAnswer
from studios.booking.conferences import copy_of
from studios.booking.waiting import swaps as writes
from studios.booking.wishes import Booking

blueprint = Blueprint("swaps", __name__, url_prefix=f"{PREFIX}/swaps")


class SwapRequest(RequestModel):
    """`conference`: the reference of the movable conference of others, which shall give way; its owner reads the
    reason. `own`: the reference of one's own conference that shall have the time: as `booking` says, or without it as
    it is, at the start of the other. `booking` alone: a conference that is booked when they agree. `version`: that of
    the other conference when it was looked at."""

    conference: Code
    reason: Reason
    own: Code | None = None
    booking: ConferenceRequest | None = None
    version: Whole | None = None

    @model_validator(mode="after")
    def _wants_something(self) -> "SwapRequest":
        if self.own is None and self.booking is None:
            raise ValueError(_("Say what shall have the time: an own conference or a booking."))
        return self


class SwapsQuery(RequestModel):
    direction: Direction | None = None
    state: Annotated[list[RequestState], Field(max_length=8)] = Field(default=[])
    limit: Limit = 50
    cursor: Cursor | None = None


@endpoint(
    blueprint, "POST", "", summary="Ask for a swap", scope=Scope.BOOK, roles=BOOKERS, body=SwapRequest,
    answers={201: SwapAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def ask(body: SwapRequest) -> Answer:
    """A place is sought for the other conference and proposed to its owner. Nothing is held: when they accept, both
    get their new places, or neither does."""

    def work() -> Answer:
        other = conference_at(body.conference)
        own = own_conference(body.own) if body.own else None
        version = other.version if body.version is None else body.version
        wanted = _wanted(body, other, own)
        return _told(writes.ask_to_swap(other.id, version, wanted, own.id if own else None, body.reason, person()), 201)

    return done(work)


@endpoint(
    blueprint, "GET", "", summary="List swaps", scope=Scope.READ, roles=BOOKERS, query=SwapsQuery,
    answers={200: SwapsAnswer},
)  # fmt: skip
def listed(query: SwapsQuery) -> Answer:
    """Those that the organisations that the account books for have asked for or received."""
    wanted = db.select(Swap).join(Swap.conference).where(_of_own(query.direction))
    if query.state:
        wanted = wanted.where(Swap.state.in_(query.state))
    if query.cursor:
        wanted = wanted.where(is_after(query.cursor, Swap.created_at, Swap.id))
    ordered = wanted.order_by(Swap.created_at, Swap.id).limit(query.limit + 1)
    rows = db.session.scalars(ordered.options(*_WHOLE)).all()
    shown = rows[: query.limit]
    goes_on = cursor_at(shown[-1].created_at, shown[-1].id) if len(rows) > query.limit else None
    return Answer(SwapsAnswer(swaps=swap_answers(shown), next=goes_on))


@endpoint(
    blueprint, "GET", "/<int:number>", summary="One swap", scope=Scope.READ, roles=BOOKERS,
    answers={200: SwapAnswer},
)  # fmt: skip
def one(number: int) -> Answer:
    """For who asked and for who is asked."""
    found = db.session.scalar(db.select(Swap).where(Swap.id == number).options(*_WHOLE))
    if found is None:
        raise NotFound(_("Nobody has asked for such a swap."))
    both = found.organisation_id, found.conference.organisation_id
    if not any(access().covers(each, *BOOKERS) for each in both):
        raise Forbidden(_("Only the coordinators of the two organisations can see this."))
    return Answer(swap_answers([found])[0])


@endpoint(
    blueprint, "POST", "/<int:number>/accept", summary="Accept a swap", scope=Scope.BOOK, roles=BOOKERS,
    answers={200: SwapAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def accept(number: int) -> Answer:
    """The conference moves to where was proposed, and the other gets its time: both, or neither."""

    def work() -> Answer:
        writes.accept_swap(number, person())
        return _told(db.session.get_one(Swap, number))

    return done(work)


@endpoint(
    blueprint, "POST", "/<int:number>/decline", summary="Decline a swap", scope=Scope.BOOK, roles=BOOKERS,
    body=DeclineRequest, answers={200: SwapAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def decline(number: int, body: DeclineRequest) -> Answer:
    """The conference stays where it is; who asked reads the reason."""

    def work() -> Answer:
        writes.decline_swap(number, body.reason, person())
        return _told(db.session.get_one(Swap, number))

    return done(work)


@endpoint(
    blueprint, "DELETE", "/<int:number>", summary="Withdraw a swap", scope=Scope.BOOK, roles=BOOKERS,
    answers={200: SwapAnswer, 409: ConflictAnswer}, idempotent=True,
)  # fmt: skip
def withdraw(number: int) -> Answer:
    """One that was asked for and is not answered yet."""

    def work() -> Answer:
        writes.withdraw_swap(number, person())
        return _told(db.session.get_one(Swap, number))

    return done(work)


def _wanted(body: SwapRequest, other: Conference, own: Conference | None) -> Booking:
    if body.booking is not None:
        return read_booking(body.booking)
    assert own is not None
    return copy_of(own, other.starts_at)


def _of_own(direction: Direction | None) -> sa.ColumnElement[bool]:
    """Who books for all organisations has asked for all of them, and received all."""
    if access().everywhere(*BOOKERS):
        return sa.true()
    own = access().organisation_ids(*BOOKERS)
    asked, received = Swap.organisation_id.in_(own), Conference.organisation_id.in_(own)
    if direction is None:
        return sa.or_(asked, received)
    return asked if direction == "asked" else received


def _told(swap: Swap, status: int = 200) -> Answer:
    db.session.flush()
    db.session.expire(swap)
    headers = {"Location": f"{PREFIX}/swaps/{swap.id}"} if status == 201 else {}
    return Answer(swap_answers([swap])[0], status, headers)


_PARTIES = selectinload(Conference.parties).joinedload(Party.reservation).joinedload(Reservation.studio)
_WHOLE = (
    joinedload(Swap.conference).options(joinedload(Conference.organisation), _PARTIES),
    joinedload(Swap.organisation),
)
