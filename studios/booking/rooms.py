"""The studios that can be booked, as the booking rules see them; and which of them are ones for a party."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from models import Endpoint, Organisation, Purpose, Site, Studio, db
from studios.booking.candidates import Candidate, Own, is_of, unfit
from studios.booking.wishes import GuestWish, PartyWish, PoolWish, StudioWish
from studios.inventory.present import QUALITY_COUNTS

CLINICAL_WORK = frozenset({Purpose.CLINICAL, Purpose.MULTIDISCIPLINARY})


def rooms(studio_ids: Collection[int] | None = None) -> dict[int, Candidate]:
    """The studios in use among these, or all of them, by key and in the order of their codes. One query."""
    query = _ROOMS if studio_ids is None else _ROOMS.where(Studio.id.in_(studio_ids))
    tested_since = datetime.now(UTC).date() - QUALITY_COUNTS
    return {row[0]: _candidate(row, tested_since) for row in db.session.execute(query)}


def candidates_for(wish: PartyWish, rooms: Mapping[int, Candidate], own: Own, purpose: Purpose) -> list[Candidate]:
    """The studios that would do for a party, in the order of `rooms`; none for a guest. Pure."""
    match wish:
        case StudioWish(studio_id):
            found = rooms.get(studio_id)
            return [found] if found and not unfit(found, wish, own) else []
        case PoolWish():
            return [
                room for room in _fit_for(purpose, rooms.values()) if is_of(room, wish) and not unfit(room, wish, own)
            ]
        case GuestWish():
            return []


def _fit_for(purpose: Purpose, rooms: Iterable[Candidate]) -> Iterable[Candidate]:
    """Nobody is sent by chance to a room that is not for clinical work; it can be asked for by name."""
    return (room for room in rooms if room.clinical) if purpose in CLINICAL_WORK else rooms


_ROOMS: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        Studio.id, Studio.code, Studio.name, Site.id, Site.name, Site.town, Site.municipality,
        Organisation.id, Organisation.name, Site.health_region, Site.latitude, Site.longitude, Site.zone,
        Studio.capacity, Studio.equipment, Studio.clinical, Studio.shared, Studio.needs_approval,
        Studio.setup_minutes, Studio.clear_down_minutes, Studio.bookable_hours,
        Studio.quality_tested_on, Studio.quality_test_passed, Endpoint.control_driver,
    )
    .join(Site, Studio.site_id == Site.id)
    .join(Organisation, Site.organisation_id == Organisation.id)
    .outerjoin(Endpoint, Endpoint.studio_id == Studio.id)
    .where(Studio.retired_at.is_(None))
    .order_by(Studio.code)
)  # fmt: skip


def _candidate(row: Sequence[Any], tested_since: date) -> Candidate:
    *plain, equipment, clinical, shared, needs_approval, setup, clear_down, hours, tested_on, passed, driver = row
    return Candidate._make(
        (
            *plain,
            frozenset(equipment),
            clinical,
            shared,
            needs_approval,
            timedelta(minutes=setup),
            timedelta(minutes=clear_down),
            hours,
            bool(passed and tested_on and tested_on >= tested_since),
            driver is not None,
        )
    )
