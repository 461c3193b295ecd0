"""What stands on the status page: put together from the reads, for the templates to write down."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from flask import request, url_for

from models import OnCall
from monitoring import wording
from monitoring.agenda import Call, Meeting, Risk, absent, at_risk, calls, unbooked
from monitoring.attention import NoShow, RedLook, no_shows, red_looks
from monitoring.dashboard import Change, Snapshot, last_changes
from monitoring.incident_reads import Case, Sought, cases
from monitoring.places import Place, places
from monitoring.stirrings import Cursor, Kind, Stirring
from monitoring.telling import on_call_now
from monitoring.threats import Threat
from monitoring.tiles import FAULTS, WELL, Tile, TileState
from monitoring.wall import Region, region_names, wall

RISKS_SHOWN = 12
CALLS_SHOWN = 12
CASES_SHOWN = 6
PLACES_SHOWN = 8
LISTED = 8


@dataclass(frozen=True, slots=True)
class Screen:
    """Where the page is shown, by the endpoints that it leads to and asks."""

    home: str
    changes: str
    beat: str


DESK = Screen("monitoring.status", "monitoring.changes", "monitoring.beat")
WALL = Screen("wallboard.show", "wallboard.changes", "wallboard.pulse")


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the wall is shown: some regions, or all when none is named; one vendor's equipment, or all; studios in
    some states, or in any; those whose incident is the person's, or nobody's yet."""

    screen: Screen
    regions: tuple[str, ...] = ()
    vendor: str = ""
    only: str = ""

    STATES: ClassVar[dict[str, frozenset[TileState]]] = {
        "faults": FAULTS,
        "call": frozenset({TileState.CALL}),
        "unknown": frozenset({TileState.UNKNOWN}),
    }
    OF_INCIDENTS: ClassVar[tuple[str, ...]] = ("mine", "untaken")

    @staticmethod
    def asked(screen: Screen) -> "Filter":
        only = request.args.get("only", "")
        known = only in Filter.STATES or only in Filter.OF_INCIDENTS
        regions, vendor = request.args.getlist("region")[:20], request.args.get("vendor", "")[:100]
        return Filter(screen, tuple(regions), vendor, only if known else "")

    def shows(self, region: str) -> bool:
        return not self.regions or region in self.regions

    def has(self, tile: Tile) -> bool:
        """Whether the tile is on the wall at all; what changes by the minute the stylesheet hides."""
        return self.shows(tile.region) and self.vendor in ("", tile.vendor)

    def with_region(self, region: str) -> str:
        """The address of the page with this region switched on or off."""
        others = tuple(one for one in self.regions if one != region)
        return replace(self, regions=(*others, region) if len(others) == len(self.regions) else others).address()

    def with_vendor(self, vendor: str) -> str:
        return replace(self, vendor="" if vendor == self.vendor else vendor).address()

    def with_only(self, only: str) -> str:
        return replace(self, only="" if only == self.only else only).address()

    def address(self, endpoint: str = "", **more: Any) -> str:
        return url_for(
            endpoint or self.screen.home,
            region=list(self.regions),
            vendor=self.vendor or None,
            only=self.only or None,
            **more,
        )


@dataclass(frozen=True, slots=True)
class Danger:
    """A studio at risk with the incident that people work on, where there is one yet, and its place at the table."""

    risk: Risk
    case: Case | None
    threat: Threat | None


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of fault of equipment: how many studios have it, and since when the first of them has."""

    cause: str
    studios: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class StatusPage:
    """`shown` are the regions that the filter lets through. `label` says a tile in words. `flags` are
    classes of the tiles whose incident is the person's or nobody's yet."""

    seen: Snapshot
    filter: Filter
    cursor: Cursor
    counts: "Counter[TileState]"
    dangers: list[Danger]
    risks_by_state: "Counter[TileState]"
    cases: list[Case]
    calls: list[Call]
    red_looks: list[RedLook]
    no_shows: list[NoShow]
    absent: list[Meeting]
    unbooked: list[Tile]
    parts: list[Part]
    changes: list[Change]
    places: list[Place]
    region_names: list[str]
    shown: list[Region]
    vendors: list[str]
    on_call: Sequence[OnCall]
    flags: dict[int, str]
    label: Callable[[Tile], str]

    @property
    def well(self) -> int:
        return sum(self.counts[state] for state in WELL)

    @property
    def never_polled(self) -> int:
        unknown = (tile for tile in self.seen.tiles.values() if tile.state is TileState.UNKNOWN)
        return sum(tile.polled_at is None for tile in unknown)

    @property
    def shown_studios(self) -> int:
        return sum(self._is_shown(tile) for tile in self.seen.tiles.values() if self.filter.has(tile))

    def _is_shown(self, tile: Tile) -> bool:
        if self.filter.only in Filter.OF_INCIDENTS:
            return f"is-{self.filter.only}" in self.flags.get(tile.studio_id, "")
        return tile.state in Filter.STATES.get(self.filter.only, frozenset(TileState))

    @property
    def changes_address(self) -> str:
        """Where the page asks next for what changed."""
        return self.filter.address(
            self.filter.screen.changes,
            since=str(self.cursor),
            seen=".".join(sorted(self.cursor.marks)) or None,
            studios=len(self.seen.tiles),
        )


def status_page(seen: Snapshot, cursor: Cursor, screen: Screen, me: int = 0) -> StatusPage:
    """`me`: the account of whoever looks, 0 for a wallboard."""
    wanted, tiles = Filter.asked(screen), seen.tiles.values()
    found = cases(Sought(), seen.now)
    risks = at_risk(seen.tiles, seen.agenda, seen.now)
    return StatusPage(
        seen=seen,
        filter=wanted,
        cursor=cursor,
        counts=Counter(tile.state for tile in tiles),
        dangers=[_danger(risk, found) for risk in risks],
        risks_by_state=Counter(risk.tile.state for risk in risks),
        cases=found,
        calls=calls(seen.tiles, seen.agenda),
        red_looks=red_looks(seen.now),
        no_shows=no_shows(seen.now),
        absent=absent(seen.agenda, seen.now),
        unbooked=unbooked(seen.tiles, seen.agenda),
        parts=_parts(tiles),
        changes=last_changes(),
        places=places(seen.tiles, seen.agenda, seen.now)[:PLACES_SHOWN],
        region_names=region_names(tiles),
        shown=wall(tile for tile in tiles if wanted.has(tile)),
        vendors=sorted({tile.vendor for tile in tiles if tile.vendor}),
        on_call=on_call_now(seen.now),
        flags=_flags(tiles, found, me),
        label=wording.labels(),
    )


def _danger(risk: Risk, found: Iterable[Case]) -> Danger:
    tile = risk.tile
    case = next((one for one in found if _is_at(one, tile)), None)
    hit = case.hit if case else ()
    threat = next(
        (each for each in hit if (each.conference_id, each.studio_id) == (risk.meeting.conference_id, tile.studio_id)),
        None,
    )
    return Danger(risk, case, threat)


def _is_at(case: Case, tile: Tile) -> bool:
    incident = case.incident
    return incident.studio_id == tile.studio_id or incident.site_id == tile.site_id


def _parts(tiles: Iterable[Tile]) -> list[Part]:
    """The most frequent first."""
    by_cause: dict[str, list[Tile]] = {}
    for tile in tiles:
        if tile.state is TileState.DEGRADED:
            by_cause.setdefault(tile.cause, []).append(tile)
    found = [
        Part(cause, len(ill), min((tile.since for tile in ill if tile.since), default=None))
        for cause, ill in by_cause.items()
    ]
    return sorted(found, key=lambda part: (-part.studios, part.cause))


def _flags(tiles: Iterable[Tile], found: Sequence[Case], me: int) -> dict[int, str]:
    by_studio = {one.incident.studio_id: one.incident for one in found if one.incident.studio_id}
    by_site = {one.incident.site_id: one.incident for one in found if one.incident.site_id}
    flags = {}
    for tile in tiles:
        incident = by_studio.get(tile.studio_id) or by_site.get(tile.site_id)
        if incident is None:
            continue
        words = [" is-mine"] if me and incident.assigned_to_id == me else []
        words += [" is-untaken"] if incident.acknowledged_at is None else []
        flags[tile.studio_id] = "".join(words)
    return flags


def news(fresh: Iterable[Stirring], touched: Collection[Tile], since: Cursor) -> str:
    """A sentence about the studios whose health is another since then; calls that come and go are no news."""
    stale = {one.studio_id for one in fresh if one.kind is Kind.STALE}
    moved = {one.studio_id for one in fresh if one.kind is Kind.STATUS}
    told = [tile for tile in touched if tile.studio_id in stale or (tile.studio_id in moved and _is_new(tile, since))]
    return wording.news(sorted(told, key=lambda tile: tile.name))


def _is_new(tile: Tile, since: Cursor) -> bool:
    return tile.since is not None and tile.since > since.reach
