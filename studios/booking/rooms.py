"""The studios in use, as the booking rules see them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from models import Endpoint, Organisation, Purpose, Site, Studio, db
from studios.booking.candidates import Candidate, Own, is_of, unfit
from studios.booking.wishes import PoolWish

CLINICAL = (Purpose.CLINICAL, Purpose.MULTIDISCIPLINARY)
# A quality test counts for so long.
QUALITY_TEST_COUNTS = timedelta(days=183)


def rooms(studio_ids: Collection[int] | None = None) -> dict[int, Candidate]:
    """Those of these studios (of all, without any) that are not retired, by key; one query."""
    query = (
        sa.select(
            Studio.id, Studio.code, Studio.name, Site.id, Site.name, Site.town, Site.municipality, Organisation.id,
            Organisation.name, Site.health_region, Site.latitude, Site.longitude, Site.zone, Studio.capacity,
            Studio.equipment, Studio.clinical, Studio.shared, Studio.needs_approval, Studio.setup_minutes,
            Studio.clear_down_minutes, Studio.bookable_hours, Studio.quality_tested_on, Studio.quality_test_passed,
            Endpoint.control_driver,
        )
        .join(Site, Studio.site_id == Site.id)
        .join(Organisation, Site.organisation_id == Organisation.id)
        .outerjoin(Endpoint, Endpoint.studio_id == Studio.id)
        .where(Studio.retired_at.is_(None))
    )  # fmt: skip
    if studio_ids is not None:
        query = query.where(Studio.id.in_(studio_ids))
    tested_since = datetime.now(UTC).date() - QUALITY_TEST_COUNTS
    return {row[0]: _candidate(tuple(row), tested_since) for row in db.session.execute(query)}


def candidates_for(wish: PoolWish, known: Iterable[Candidate], own: Own, purpose: Purpose) -> list[Candidate]:
    """The studios that a pool is drawn from; for patients' matters only rooms that are suited for them."""
    return [
        studio
        for studio in known
        if is_of(studio, wish) and (studio.clinical or purpose not in CLINICAL) and not unfit(studio, wish, own)
    ]


def _candidate(row: Sequence[Any], tested_since: date) -> Candidate:
    *plain, equipment, clinical, shared, approval, setup, clear_down, hours, tested_on, passed, driver = row
    return Candidate(
        *plain,  # type: ignore[misc]  # fourteen columns, in the order of the fields
        equipment=frozenset(equipment or ()),
        clinical=clinical,
        shared=shared,
        needs_approval=approval,
        setup=timedelta(minutes=setup),
        clear_down=timedelta(minutes=clear_down),
        hours=hours,
        quality_ok=bool(passed and tested_on and tested_on >= tested_since),
        steered=driver is not None,
    )
