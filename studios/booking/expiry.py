"""Pending requests and holds whose time has run out: their studios come free. The caller commits."""

from collections.abc import Collection
from datetime import UTC, datetime

import sqlalchemy as sa

from accounts.audit import record
from models import Answer, Event, Party, Reservation, ReservationKind, db
from studios.booking.hosts import choose_host
from studios.booking.mails import not_taking_part
from studios.booking.versions import mark_changed_unlocked
from studios.booking.waiting.lapses import follow


def release_expired(studio_ids: Collection[int] | None = None) -> int:
    """Release what has expired in these studios (in all, without any); how many there were.

    A request for approval that nobody answered in time counts as declined, by nobody; who was offered the time from
    the waiting list goes on waiting, or is done with. Of two processes that find the same only one gets it.
    """
    now = datetime.now(UTC)
    keys = _expired(studio_ids, now)
    if not keys:
        return 0
    query = db.select(Reservation).where(Reservation.id.in_(keys), Reservation.released_at.is_(None))
    found = db.session.scalars(query.order_by(Reservation.id).with_for_update(of=Reservation)).all()
    for reservation in found:
        reservation.released_at = now
        if reservation.kind is ReservationKind.PENDING_REQUEST:
            _decline(reservation, now)
    if offered := {row.waiting_request_id for row in found if row.waiting_request_id is not None}:
        follow(offered)
    return len(found)


def _expired(studio_ids: Collection[int] | None, now: datetime) -> list[int]:
    """Few have run out at any time, and an index knows them; a studio's other reservations are many."""
    query = sa.select(Reservation.id, Reservation.studio_id).where(
        Reservation.released_at.is_(None), Reservation.expires_at <= now, Reservation.expires_at.is_not(None)
    )
    return [key for key, studio_id in db.session.execute(query) if studio_ids is None or studio_id in studio_ids]


def _decline(reservation: Reservation, now: datetime) -> None:
    party = db.session.scalars(db.select(Party).where(Party.reservation_id == reservation.id)).one_or_none()
    if party is None:
        return
    party.answer, party.answered_at = Answer.DECLINED, now
    db.session.add(
        Event(
            at=now,
            kind="party.expired",
            conference_id=party.conference_id,
            studio_id=reservation.studio_id,
            details={},
        )
    )
    choose_host(party.conference)
    mark_changed_unlocked(party.conference)
    not_taking_part(party)
    record("party.expired", party.conference.reference, after={"party": party.position}, outcome="ran out")
