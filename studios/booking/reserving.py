"""The rows of conferences that are seated: reservations and places at the table, in bulk. The caller commits."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from config import settings
from models import Answer, Conference, Party, PartyKind, Reservation, ReservationKind, db
from models.guards import is_closed, is_overlap
from studios.booking.candidates import Candidate, Own
from studios.booking.diaries import span_of
from studios.booking.drawing import Seat, Seats
from studios.booking.mails import Request, approval_asked
from studios.booking.obstacles import StudioClosed, StudioTaken
from studios.booking.rules import host_position
from studios.booking.wishes import GuestWish, PoolWish, StudioWish, to_json

Seated = tuple[Conference, Seats]


def reserve(seated: Sequence[Seated], own: Own) -> None:
    """A reservation and a place at the table for each party, in order.

    Raises StudioTaken or StudioClosed, without saying by what, where the database's guards refuse.
    """
    now = datetime.now(UTC)
    rows = [
        _reservation(conference, each, each.studio, own, now)
        for conference, seats in seated
        for each in seats
        if each.studio is not None
    ]
    keys = _stored(rows) if rows else {}
    db.session.execute(sa.insert(Party), [row for some in seated for row in _parties(*some, keys, own)])
    for conference, _ in seated:
        db.session.expire(conference, ["parties", "reservations"])
    approval_asked(_requests(seated, rows, keys))


def reserve_one_more(conference: Conference, seat: Seat, start: datetime, own: Own) -> Party:
    """A place at the end of the table of a conference that was seated before, from `start` on. Raises as `reserve`."""
    keys = {}
    if seat.studio is not None:
        row = {
            "studio_id": seat.studio.id,
            "conference_id": conference.id,
            "starts_at": start,
            "ends_at": conference.ends_at + seat.studio.clear_down,
            "kind": ReservationKind.CONFERENCE,
            "expires_at": None,
        }
        keys = _stored([row])
    position = 1 + max(party.position for party in conference.parties)
    place = _party(conference, position, seat, keys, own) | {"host": False}
    party = db.session.scalars(sa.insert(Party).returning(Party), [place]).one()
    db.session.expire(conference, ["parties", "reservations"])
    return party


def _stored(rows: Sequence[dict[str, Any]]) -> dict[tuple[int, int], int]:
    """The new reservations' keys, by conference and studio: a conference has each studio once."""
    new = sa.insert(Reservation).returning(Reservation.conference_id, Reservation.studio_id, Reservation.id)
    try:
        stored = db.session.execute(new, rows, execution_options={"render_nulls": True}).all()
    except sa.exc.DBAPIError as error:
        # Only a writer that does not take the studios' locks can get us here; the guards have still kept them whole.
        if is_overlap(error):
            raise StudioTaken([]) from None
        if is_closed(error):
            raise StudioClosed([]) from None
        raise
    return {(conference_id or 0, studio_id): key for conference_id, studio_id, key in stored}


def _reservation(conference: Conference, seat: Seat, studio: Candidate, own: Own, now: datetime) -> dict[str, Any]:
    """A studio whose owner has to approve is only asked for; the request expires at the start at the latest."""
    span = span_of(studio, conference.starts_at, conference.ends_at)
    asks = _has_to_be_asked_for(seat, own)
    patience = timedelta(hours=settings().approval_hours)
    return {
        "studio_id": studio.id,
        "conference_id": conference.id,
        "starts_at": span.start,
        "ends_at": span.end,
        "kind": ReservationKind.PENDING_REQUEST if asks else ReservationKind.CONFERENCE,
        "expires_at": max(min(now + patience, conference.starts_at), now) if asks else None,
    }


def _requests(
    seated: Sequence[Seated], rows: Sequence[dict[str, Any]], keys: dict[tuple[int, int], int]
) -> list[Request]:
    """What the owners have to approve."""
    expiries = {(row["conference_id"], row["studio_id"]): row["expires_at"] for row in rows}
    return [
        Request(keys[place], conference, each.studio.name, each.studio.organisation_id, expiry)
        for conference, seats in seated
        for each in seats
        if each.studio and (expiry := expiries[place := (conference.id, each.studio.id)])
    ]


def _has_to_be_asked_for(seat: Seat, own: Own) -> bool:
    """Not who was asked before, and for whom nothing changes; and nobody in an emergency."""
    studio = seat.studio
    if studio is None or seat.said is not None or own.asks_nobody:
        return False
    return studio.needs_approval and not own.covers(studio.organisation_id)


def _parties(conference: Conference, seats: Seats, keys: dict[tuple[int, int], int], own: Own) -> list[dict[str, Any]]:
    """As `hosts.choose_host` a studio that is only asked for is not seated yet, and is no host."""
    host = host_position(
        each.studio is not None and each.studio.steered and not _has_to_be_asked_for(each, own) for each in seats
    )
    return [
        _party(conference, position, each, keys, own) | {"host": position == host}
        for position, each in enumerate(seats)
    ]


def _party(
    conference: Conference, position: int, each: Seat, keys: dict[tuple[int, int], int], own: Own
) -> dict[str, Any]:
    studio, wish, said = each.studio, each.wish, each.said
    asks = studio is not None and not own.covers(studio.organisation_id)
    answer = Answer.WAITING if asks else Answer.NOT_ASKED
    absent = said if studio is None else None
    return {
        "conference_id": conference.id,
        "position": position,
        "kind": _KINDS[type(wish)],
        "studio_id": studio.id if studio else absent.studio_id if absent else None,
        "pool": to_json([wish])[0] if isinstance(wish, PoolWish) else None,
        "guest_address": wish.address if isinstance(wish, GuestWish) else None,
        "attendees": wish.attendees if isinstance(wish, StudioWish) else None,
        "organisation_id": studio.organisation_id if studio else absent.organisation_id if absent else None,
        "answer": said.answer if said else answer,
        "answer_reason": said.reason if said else None,
        "answered_at": said.at if said else None,
        "answered_by_id": said.by_id if said else None,
        "reservation_id": keys[conference.id, studio.id] if studio else absent.reservation_id if absent else None,
    }


_KINDS = {StudioWish: PartyKind.STUDIO, PoolWish: PartyKind.POOL, GuestWish: PartyKind.GUEST}
