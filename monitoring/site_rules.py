"""When is a whole site out of contact, and not just some of its studios? Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from models.monitoring import Health

FEWEST, SHARE = 3, 0.6
WINDOW = timedelta(seconds=30)

SILENT = (Health.DOWN, Health.UNREACHABLE)
WATCHED = (Health.OK, Health.DEGRADED, *SILENT)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A studio among those of its site, as stored: `since` when it has this health."""

    site_id: int
    health: Health
    since: datetime


def cut_off(neighbours: Iterable[Neighbour], known: Collection[int]) -> set[int]:
    """The sites that are out of contact: at least 3 endpoints and 60 % of those watched fell silent within 30 s.

    A site that is `known` to be out stays so as long as that share is silent, whenever each of them fell.
    """
    of_site = sorted(neighbours, key=lambda one: one.site_id)
    return {
        site_id
        for site_id, found in groupby(of_site, lambda one: one.site_id)
        if _is_cut_off(list(found), site_id in known)
    }


def _is_cut_off(site: list[Neighbour], known: bool) -> bool:
    watched = sum(one.health in WATCHED for one in site)
    needed = max(FEWEST, SHARE * watched)
    if known:
        return sum(one.health in SILENT for one in site) >= needed
    fallen = sorted(one.since for one in site if one.health in SILENT)
    return any(sum(first <= each <= first + WINDOW for each in fallen) >= needed for first in fallen)
