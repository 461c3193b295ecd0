"""Whose time studios are, read for many of them at once; never a title."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from models import Conference, Organisation, Reservation, ReservationKind, WaitingRequest, db
from models.booking import REFERENCE_BASE, REFERENCE_PREFIX
from studios.booking.queries import held
from studios.calendars.rules import Span


@dataclass(frozen=True)
class Held:
    """A reservation, buffers included; without a conference the reference is empty."""

    start: datetime
    end: datetime
    kind: ReservationKind
    reference: str
    owner: str


def held_between(studio_ids: Collection[int], window: Span) -> dict[int, list[Held]]:
    """What is reserved in these studios within the window, by studio and start. One query."""
    owner_id = sa.func.coalesce(Conference.organisation_id, WaitingRequest.organisation_id)
    query = (
        sa.select(
            Reservation.studio_id,
            Reservation.starts_at,
            Reservation.ends_at,
            Reservation.kind,
            Reservation.conference_id,
            Organisation.name,
        )
        .outerjoin(Conference, Reservation.conference_id == Conference.id)
        .outerjoin(WaitingRequest, Reservation.waiting_request_id == WaitingRequest.id)
        .outerjoin(Organisation, Organisation.id == owner_id)
        .where(*held(studio_ids, window.start, window.end))
        .order_by(Reservation.starts_at)
    )
    found: dict[int, list[Held]] = {}
    for studio_id, start, end, kind, conference_id, owner in db.session.execute(query):
        reference = f"{REFERENCE_PREFIX}{REFERENCE_BASE + conference_id}" if conference_id else ""
        found.setdefault(studio_id, []).append(Held(start, end, kind, reference, owner or ""))
    return found
