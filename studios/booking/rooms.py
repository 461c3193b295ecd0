"""The studios that can be booked, as the booking rules see them; and which of them are ones for a party."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from models import Endpoint, EndpointStatus, Health, Organisation, Purpose, Site, Studio, db
from studios.booking.candidates import Candidate, Own, is_of, unfit
from studios.booking.wishes import GuestWish, PartyWish, PoolWish, StudioWish
from studios.inventory.present import QUALITY_COUNTS

OUT_OF_ORDER = frozenset({Health.DOWN, Health.UNREACHABLE, Health.MAINTENANCE})
CLINICAL_WORK = frozenset({Purpose.CLINICAL, Purpose.MULTIDISCIPLINARY})


def rooms(studio_ids: Collection[int] | None = None) -> dict[int, Candidate]:
    """The studios in use among these, or all of them, by key and in the order of their codes. One query."""
    query = _ROOMS if studio_ids is None else _ROOMS.where(_STUDIO.c.id.in_(studio_ids))
    return _candidates(query.order_by(_STUDIO.c.code))


def locked_rooms(studio_ids: Collection[int]) -> dict[int, Candidate]:
    """The studios in use among these by key, locked in the order of the keys as `seating.lock_studios` does it."""
    query = _ROOMS.where(_STUDIO.c.id.in_(studio_ids)).order_by(_STUDIO.c.id)
    return _candidates(query.with_for_update(of=_STUDIO, key_share=True))


def _candidates(query: sa.Select[*tuple[Any, ...]]) -> dict[int, Candidate]:
    tested_since = datetime.now(UTC).date() - QUALITY_COUNTS
    return {row[0]: _candidate(row, tested_since) for row in db.session.execute(query).all()}


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


_STUDIO, _SITE, _ORGANISATION, _ENDPOINT, _STATUS = (
    model.__table__ for model in (Studio, Site, Organisation, Endpoint, EndpointStatus)
)  # plain rows of tables: nine hundred take half the time that they take by way of the models
_ROOMS: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        _STUDIO.c.id, _STUDIO.c.code, _STUDIO.c.name, _SITE.c.id, _SITE.c.name, _SITE.c.town, _SITE.c.municipality,
        _ORGANISATION.c.id, _ORGANISATION.c.name, _SITE.c.health_region, _SITE.c.latitude, _SITE.c.longitude,
        _SITE.c.zone, _STUDIO.c.capacity, sa.cast(_STUDIO.c.equipment, sa.Text), _STUDIO.c.clinical, _STUDIO.c.shared,
        _STUDIO.c.needs_approval, _STUDIO.c.setup_minutes, _STUDIO.c.clear_down_minutes,
        sa.cast(_STUDIO.c.bookable_hours, sa.Text), _STUDIO.c.quality_tested_on, _STUDIO.c.quality_test_passed,
        _ENDPOINT.c.control_driver, _STATUS.c.health,
    )
    .select_from(_STUDIO)
    .join(_SITE, _STUDIO.c.site_id == _SITE.c.id)
    .join(_ORGANISATION, _SITE.c.organisation_id == _ORGANISATION.c.id)
    .outerjoin(_ENDPOINT, _ENDPOINT.c.studio_id == _STUDIO.c.id)
    .outerjoin(_STATUS, _STATUS.c.endpoint_id == _ENDPOINT.c.id)
    .where(_STUDIO.c.retired_at.is_(None))
)  # fmt: skip


def _candidate(row: Sequence[Any], tested_since: date) -> Candidate:
    *plain, equipment, clinical, shared, needs_approval, setup, clear_down, hours, tested_on, passed, driver, health = (
        row
    )
    return Candidate._make(
        (
            *plain,
            _pieces(equipment),
            clinical,
            shared,
            needs_approval,
            _minutes(setup),
            _minutes(clear_down),
            hours and json.loads(hours),
            bool(passed and tested_on and tested_on >= tested_since),
            driver is not None,
            health in OUT_OF_ORDER,
        )
    )


# Many studios have the same of these.
@lru_cache(4096)
def _pieces(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


@lru_cache(256)
def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)
