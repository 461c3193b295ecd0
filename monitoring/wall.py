"""The order of the wall: by region, then hospitals by name, then the many small sites by county or kind. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from models import OrganisationKind
from monitoring.tiles import Tile, TileState

REGIONS = ("Nord", "Midt", "Vest", "Sør-Øst")
KINDS = (
    OrganisationKind.HEALTH_TRUST,
    OrganisationKind.MUNICIPALITY,
    OrganisationKind.GP,
    OrganisationKind.DENTAL,
    OrganisationKind.PHARMACY,
    OrganisationKind.SUPPLIER,
    OrganisationKind.REGIONAL_AUTHORITY,
    OrganisationKind.NETWORK_OWNER,
)
# Where Unicode's order of these letters is not the alphabet's.
_ALPHABET = str.maketrans("æøåäö", "{|}{|")


@dataclass(frozen=True, slots=True)
class Mark:
    """A tile and the few letters on it."""

    text: str
    tile: Tile


@dataclass(frozen=True, slots=True)
class Group:
    """Tiles under one heading: a hospital's, or those of many small sites of one kind.

    `site` is empty for the latter: then `kind` and, for municipalities, `county` make the heading.
    """

    key: int
    site: str
    kind: OrganisationKind
    county: str
    marks: tuple[Mark, ...]

    @property
    def counts(self) -> Counter[TileState]:
        return Counter(mark.tile.state for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Region:
    name: str
    groups: tuple[Group, ...]

    @property
    def studios(self) -> int:
        return sum(len(group.marks) for group in self.groups)


def region_names(tiles: Iterable[Tile]) -> list[str]:
    """Of all regions that there are, in the order of the wall."""
    return sorted({tile.region for tile in tiles}, key=_region)


def wall(tiles: Iterable[Tile]) -> list[Region]:
    """Every tile in its place, the same place each time."""
    ordered = sorted(tiles, key=_place)
    at_site = Counter(tile.site_id for tile in ordered)
    return [
        Region(name, tuple(_group(list(found), at_site) for _, found in groupby(region, _heading)))
        for name, region in groupby(ordered, lambda tile: tile.region)
    ]


def alphabetical(text: str) -> str:
    return text.casefold().translate(_ALPHABET)


def number(tile: Tile) -> str:
    """The studio's number as people say it: the last one in its name, else in its code."""
    found = re.findall(r"\d+", tile.name) or re.findall(r"\d+", tile.code)
    return (found[-1].lstrip("0") or "0") if found else ""


def _heading(tile: Tile) -> tuple[int, str, int]:
    """What tells one group of a region from another, and orders them."""
    kind = KINDS.index(tile.kind)
    if tile.kind is OrganisationKind.HEALTH_TRUST:
        return kind, alphabetical(tile.site), tile.site_id
    return kind, alphabetical(tile.county) if tile.kind is OrganisationKind.MUNICIPALITY else "", 0


def _place(tile: Tile) -> tuple[object, ...]:
    within = alphabetical(_where(tile)), alphabetical(tile.site), tile.site_id, int(number(tile) or 0), tile.code
    return *_region(tile.region), *_heading(tile), *within


def _region(name: str) -> tuple[int, str]:
    return (REGIONS.index(name) if name in REGIONS else len(REGIONS)), name


def _where(tile: Tile) -> str:
    return tile.municipality if tile.kind is OrganisationKind.MUNICIPALITY else tile.town


def _group(tiles: Sequence[Tile], at_site: Counter[int]) -> Group:
    first = tiles[0]
    is_hospital = first.kind is OrganisationKind.HEALTH_TRUST
    marks = tuple(Mark(_numbered(tile) if is_hospital else _named(tile, at_site), tile) for tile in tiles)
    county = first.county if first.kind is OrganisationKind.MUNICIPALITY else ""
    return Group(first.site_id, first.site if is_hospital else "", first.kind, county, marks)


def _numbered(tile: Tile) -> str:
    return number(tile) or tile.name[:4]


def _named(tile: Tile, at_site: Counter[int]) -> str:
    """Under a county's name a number tells nothing: the place, and the number where it has several studios."""
    return f"{_where(tile)} {number(tile)}".rstrip() if at_site[tile.site_id] > 1 else _where(tile)
