"""What stands on the status page: put together from the reads, for the templates to write down."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import ClassVar

from flask import request, url_for

from monitoring import wording
from monitoring.agenda import Meeting, Risk, at_risk
from monitoring.dashboard import Change, Snapshot, last_changes
from monitoring.stirrings import Cursor, Kind, Stirring
from monitoring.tiles import FAULTS, WELL, Tile, TileState
from monitoring.wall import Region, wall

RISKS_SHOWN = 12
CALLS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the wall is shown: some regions, or all when none is named; studios in some states, or in any."""

    regions: tuple[str, ...] = ()
    only: str = ""

    STATES: ClassVar[dict[str, frozenset[TileState]]] = {
        "faults": FAULTS,
        "call": frozenset({TileState.CALL}),
        "unknown": frozenset({TileState.UNKNOWN}),
    }

    @staticmethod
    def asked() -> "Filter":
        only = request.args.get("only", "")
        return Filter(tuple(request.args.getlist("region")[:20]), only if only in Filter.STATES else "")

    def shows(self, region: str) -> bool:
        return not self.regions or region in self.regions

    def with_region(self, region: str) -> str:
        """The address of the page with this region switched on or off."""
        others = [one for one in self.regions if one != region]
        return self._address([*others, region] if len(others) == len(self.regions) else others, self.only)

    def with_only(self, only: str) -> str:
        return self._address(self.regions, "" if only == self.only else only)

    @staticmethod
    def _address(regions: Iterable[str], only: str) -> str:
        return url_for("monitoring.status", region=list(regions), only=only or None)


@dataclass(frozen=True, slots=True)
class StatusPage:
    """`regions` are all of them; `shown` those that the filter lets through. `label` says a tile in words."""

    seen: Snapshot
    filter: Filter
    cursor: Cursor
    counts: "Counter[TileState]"
    risks: list[Risk]
    risks_by_state: "Counter[TileState]"
    calls: list[Meeting]
    changes: list[Change]
    regions: list[Region]
    label: Callable[[Tile], str]

    @property
    def well(self) -> int:
        return sum(self.counts[state] for state in WELL)

    @property
    def never_polled(self) -> int:
        unknown = (tile for tile in self.seen.tiles.values() if tile.state is TileState.UNKNOWN)
        return sum(tile.polled_at is None for tile in unknown)

    @property
    def shown(self) -> list[Region]:
        return [region for region in self.regions if self.filter.shows(region.name)]

    @property
    def shown_studios(self) -> int:
        states = self.filter.STATES.get(self.filter.only, frozenset(TileState))
        shown = {region.name for region in self.shown}
        return sum(tile.region in shown and tile.state in states for tile in self.seen.tiles.values())

    @property
    def changes_address(self) -> str:
        """Where the page asks next for what changed."""
        return url_for(
            "monitoring.changes",
            since=str(self.cursor),
            seen=".".join(sorted(self.cursor.marks)) or None,
            studios=len(self.seen.tiles),
            region=list(self.filter.regions),
            only=self.filter.only or None,
        )


def status_page(seen: Snapshot, cursor: Cursor) -> StatusPage:
    risks = at_risk(seen.tiles, seen.agenda, seen.now)
    return StatusPage(
        seen=seen,
        filter=Filter.asked(),
        cursor=cursor,
        counts=Counter(tile.state for tile in seen.tiles.values()),
        risks=risks,
        risks_by_state=Counter(risk.tile.state for risk in risks),
        calls=seen.agenda.calls,
        changes=last_changes(),
        regions=wall(seen.tiles.values()),
        label=wording.labels(),
    )


def news(fresh: Iterable[Stirring], touched: Collection[Tile], since: Cursor) -> str:
    """A sentence about the studios whose health is another since then; calls that come and go are no news."""
    stale = {one.studio_id for one in fresh if one.kind is Kind.STALE}
    moved = {one.studio_id for one in fresh if one.kind is Kind.STATUS}
    told = [tile for tile in touched if tile.studio_id in stale or (tile.studio_id in moved and _is_new(tile, since))]
    return wording.news(sorted(told, key=lambda tile: tile.name))


def _is_new(tile: Tile, since: Cursor) -> bool:
    return tile.since is not None and tile.since > since.reach
