"""Reads of what waits, and of who may answer for whom."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from accounts.queries import access_of
from errors import Forbidden, NotFound
from models import Account, RequestState, Reservation, Role, Swap, WaitingRequest, db
from studios.booking.waiting.rules import in_order


def line() -> list[int]:
    """The requests that wait, in the order in which they are served."""
    waiting = db.session.scalars(sa.select(WaitingRequest.id).where(WaitingRequest.state == RequestState.WAITING)).all()
    return in_order(unanswered_offers(waiting)) if waiting else []


def unanswered_offers(request_ids: Collection[int]) -> dict[int, int]:
    """How many offers each of these let pass. The holds of an offer end together, and later than those of the one
    before it; those of an offer that was answered were released before their end."""
    query = (
        sa.select(Reservation.waiting_request_id, sa.func.count(sa.distinct(Reservation.expires_at)))
        .where(
            Reservation.waiting_request_id.in_(request_ids),
            Reservation.expires_at <= datetime.now(UTC),
            sa.or_(Reservation.released_at.is_(None), Reservation.released_at >= Reservation.expires_at),
        )
        .group_by(Reservation.waiting_request_id)
    )
    counted = {request_id: number for request_id, number in db.session.execute(query) if request_id is not None}
    return {request_id: counted.get(request_id, 0) for request_id in request_ids}


def declined_holds(request_id: int) -> Sequence[Reservation]:
    """The holds of offers that were turned down."""
    return db.session.scalars(
        db.select(Reservation).where(
            Reservation.waiting_request_id == request_id, Reservation.released_at < Reservation.expires_at
        )
    ).all()


def standing_holds(request_id: int) -> Sequence[Reservation]:
    """The holds of the present offer in the order of the table; none when it has run out. Read afresh."""
    query = db.select(Reservation).where(
        Reservation.waiting_request_id == request_id,
        Reservation.released_at.is_(None),
        Reservation.expires_at > datetime.now(UTC),
    )
    return db.session.scalars(query.order_by(Reservation.id).execution_options(populate_existing=True)).all()


def expired_studios() -> list[int]:
    """The studios with something held or asked for that has expired and is not released."""
    query = sa.select(Reservation.studio_id).where(*_has_expired(datetime.now(UTC)))
    return list(db.session.scalars(query.distinct()))


def silent_offers() -> list[int]:
    """The requests whose offer has run out."""
    query = sa.select(WaitingRequest.id).where(
        WaitingRequest.state == RequestState.OFFERED, WaitingRequest.offer_expires_at <= datetime.now(UTC)
    )
    return list(db.session.scalars(query.order_by(WaitingRequest.id)))


def silent_swaps() -> list[int]:
    """The swaps that nobody answered in time."""
    query = sa.select(Swap.id).where(Swap.state == RequestState.WAITING, Swap.expires_at <= datetime.now(UTC))
    return list(db.session.scalars(query.order_by(Swap.id)))


def is_anything_due() -> bool:
    """Whether there is anything to be done for those who wait; one query, by indexes."""
    now = datetime.now(UTC)
    due = (
        sa.exists().where(WaitingRequest.state == RequestState.WAITING),
        sa.exists().where(
            WaitingRequest.state == RequestState.OFFERED, WaitingRequest.offer_expires_at <= now
        ),
        sa.exists().where(Swap.state == RequestState.WAITING, Swap.expires_at <= now),
        sa.exists().where(*_has_expired(now)),
    )  # fmt: skip
    return bool(db.session.scalar(sa.select(sa.or_(*due))))


def request_of(request_id: int, person: Account) -> WaitingRequest:
    """The request, locked and fresh, for somebody who may act for its organisation."""
    request = locked_request(request_id)
    if request is None:
        raise NotFound(_("There is no such request on the waiting list."))
    check_acts_for(person, request.organisation_id)
    return request


def locked_request(request_id: int) -> WaitingRequest | None:
    query = (
        db.select(WaitingRequest)
        .where(WaitingRequest.id == request_id)
        .with_for_update(of=WaitingRequest, key_share=True)
    )
    return db.session.scalar(query.execution_options(populate_existing=True))


def locked_swap(swap_id: int) -> Swap:
    """The swap, locked and fresh."""
    query = db.select(Swap).where(Swap.id == swap_id).with_for_update(of=Swap, key_share=True)
    swap = db.session.scalar(query.execution_options(populate_existing=True))
    if swap is None:
        raise NotFound(_("Nobody has asked for such a swap."))
    return swap


def check_acts_for(person: Account, organisation_id: int) -> None:
    """Refuse who is no coordinator of the organisation."""
    if not acts_for(person, organisation_id):
        raise Forbidden(_("Only the coordinators of the organisation itself can do this."))


def acts_for(person: Account, organisation_id: int) -> bool:
    return person.disabled_at is None and access_of(person).covers(
        organisation_id, Role.COORDINATOR, Role.ADMINISTRATOR
    )


def _has_expired(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return Reservation.released_at.is_(None), Reservation.expires_at <= now
