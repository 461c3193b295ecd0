"""A studio as the booking rules see it, and whether it is one that was asked for. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from studios.booking.wishes import PoolWish, StudioWish

BookableHours = dict[str, list[str]]
"""By day of the week ("mon" to "sun") the hours, such as ["08:00-11:30", "12:00-15:30"], in the studio's zone. A day
that is missing is closed; 24:00 is the end of a day."""


class Unfit(StrEnum):
    """Why a studio can't be had, whatever is booked in it."""

    PRIVATE = "private"
    TOO_SMALL = "too_small"
    LACKS_EQUIPMENT = "lacks_equipment"


class Candidate(NamedTuple):
    """What of a studio decides whether it can be booked, and how well it suits."""

    id: int
    code: str
    name: str
    site_id: int
    site: str
    town: str
    municipality: str
    organisation_id: int
    organisation: str
    health_region: str
    latitude: float
    longitude: float
    zone: str
    capacity: int
    equipment: frozenset[str]
    clinical: bool
    shared: bool
    needs_approval: bool
    setup: timedelta
    clear_down: timedelta
    hours: BookableHours | None
    quality_ok: bool
    """Whether its last quality test was passed, no longer ago than such a test counts."""
    steered: bool
    """Whether its codec takes our orders, so that it can be the host of a conference."""
    is_down: bool
    """Whether its equipment does not work now."""


@dataclass(frozen=True)
class Own:
    """The organisations that somebody may act for; None for all of them."""

    organisation_ids: Collection[int] | None = None
    asks_nobody: bool = False
    """In an emergency: studios that need approval are had without."""

    def covers(self, organisation_id: int) -> bool:
        return self.organisation_ids is None or organisation_id in self.organisation_ids


def unfit(candidate: Candidate, wish: StudioWish | PoolWish, own: Own) -> list[Unfit]:
    """Why this studio is not one for this party; nothing when it is."""
    found = []
    if not candidate.shared and not own.covers(candidate.organisation_id):
        found.append(Unfit.PRIVATE)
    if candidate.capacity < _people(wish):
        found.append(Unfit.TOO_SMALL)
    if not wish.equipment <= candidate.equipment:
        found.append(Unfit.LACKS_EQUIPMENT)
    return found


def is_of(candidate: Candidate, pool: PoolWish) -> bool:
    """Whether the studio stands where the pool is drawn from."""
    return (
        _same(pool.site, candidate.site)
        and _same(pool.organisation, candidate.organisation)
        and (pool.town is None or _same(pool.town, candidate.town) or _same(pool.town, candidate.municipality))
    )


def _people(wish: StudioWish | PoolWish) -> int:
    return wish.capacity if isinstance(wish, PoolWish) else wish.attendees or 1


def _same(wanted: str | None, name: str) -> bool:
    return wanted is None or wanted.casefold() == name.casefold()
