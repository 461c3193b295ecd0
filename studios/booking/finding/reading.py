"""What the search has to know of the studios: what is reserved and closed. One query each."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from models import (
    Closure,
    Conference,
    Organisation,
    Reservation,
    Site,
    WaitingRequest,
    db,
)
from models.booking import REFERENCE_BASE, REFERENCE_PREFIX
from models.guards import LONGEST_HOURS
from studios.booking.candidates import Candidate
from studios.booking.finding.question import Taken
from studios.calendars.rules import Span

MOST_LISTED = 300
"""Beyond so many studios it is quicker to read what is reserved in all of them."""


_RESERVED = Reservation.__table__.c
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Holder:
    """Whose a reservation is, and a telephone number of theirs; the reference is empty for time that is held without a
    conference."""

    reference: str = ""
    owner: str = ""
    contact: str = ""
    movable: bool = False


def reserved(studio_ids: Collection[int], window: Span, now: datetime, but: int | None) -> dict[int, list[Taken]]:
    """What is reserved in these studios, by studio; without the reservations of the conference `but`, and without what
    was held or asked for and has expired."""
    begins, ends, instants = _plain(_RESERVED.starts_at), _plain(_RESERVED.ends_at), _Instants()
    query = sa.select(_RESERVED.studio_id, begins, ends, _RESERVED.id).where(
        _RESERVED.released_at.is_(None),
        _RESERVED.starts_at < window.end,
        _RESERVED.starts_at > window.start - timedelta(hours=LONGEST_HOURS),
        _RESERVED.ends_at > window.start,
        sa.or_(_RESERVED.expires_at.is_(None), _RESERVED.expires_at > now),
    )
    if but is not None:
        query = query.where(sa.or_(_RESERVED.conference_id.is_(None), _RESERVED.conference_id != but))
    if len(studio_ids) <= MOST_LISTED:
        query = query.where(_RESERVED.studio_id.in_(studio_ids))
    found: dict[int, list[Taken]] = {studio_id: [] for studio_id in studio_ids}
    for studio_id, start, end, key in db.session.execute(query).all():
        if studio_id in found:
            found[studio_id].append((instants[start], instants[end], key))
    return found


def closures(studios: Iterable[Candidate], window: Span) -> tuple[dict[int, list[Taken]], dict[int, str]]:
    """When these studios are closed, themselves or with their site, by studio; and the reasons by the closure's key."""
    query = sa.select(
        Closure.id, Closure.studio_id, Closure.site_id, Closure.starts_at, Closure.ends_at, Closure.reason
    ).where(Closure.starts_at < window.end, Closure.ends_at > window.start)
    rows = db.session.execute(query).all()
    found = {
        studio.id: [
            (row.starts_at, row.ends_at, row.id)
            for row in rows
            if row.studio_id == studio.id or row.site_id == studio.site_id
        ]
        for studio in studios
        if rows
    }
    return found, {row.id: row.reason for row in rows}


def holders(reservation_ids: Collection[int]) -> Mapping[int, Holder]:
    """Whose these reservations are, by key: their conference's, or that of the request on the waiting list that has an
    offer for this time."""
    phone = sa.select(Site.contact_phone).where(
        Site.organisation_id == Organisation.id, Site.contact_phone.is_not(None)
    )
    query = (
        sa.select(
            Reservation.id,
            Conference.id,
            Organisation.name,
            phone.order_by(Site.id).limit(1).correlate(Organisation).scalar_subquery(),
            Conference.movable,
        )
        .outerjoin(Conference, Reservation.conference_id == Conference.id)
        .outerjoin(WaitingRequest, Reservation.waiting_request_id == WaitingRequest.id)
        .outerjoin(
            Organisation,
            Organisation.id == sa.func.coalesce(Conference.organisation_id, WaitingRequest.organisation_id),
        )
        .where(Reservation.id.in_(reservation_ids))
    )
    return {
        key: Holder(_reference(conference_id), owner or "", contact or "", bool(movable))
        for key, conference_id, owner, contact, movable in db.session.execute(query)
    }


def _reference(conference_id: int | None) -> str:
    return "" if conference_id is None else f"{REFERENCE_PREFIX}{REFERENCE_BASE + conference_id}"


class _Instants(dict[str | int, datetime]):
    """Instants as `_plain` tells them: thousands of reservations begin and end at the same few hundred."""

    def __missing__(self, told: str | int) -> datetime:
        if isinstance(told, str):
            instant = datetime.fromisoformat(told).replace(tzinfo=UTC)
        else:
            instant = _EPOCH + timedelta(microseconds=told)
        self[told] = instant
        return instant


def _plain(column: sa.ColumnElement[datetime]) -> sa.ColumnElement[Any]:
    """An instant as the database tells it fastest: SQLite's own text, PostgreSQL's microseconds since 1970."""
    if db.engine.dialect.name == "sqlite":
        return sa.type_coerce(column, sa.String)
    return sa.cast(sa.extract("epoch", column) * 1_000_000, sa.BigInteger)
