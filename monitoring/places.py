"""The places of the map and of its table: each site with how its studios are, the worst first. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitoring.agenda import Agenda
from monitoring.tiles import FAULTS, WELL, Tile, TileState

# What a site shows of its studios: the worst of them.
ORDER = (
    TileState.CUT,
    TileState.DOWN,
    TileState.DEGRADED,
    TileState.UNKNOWN,
    TileState.MAINTENANCE,
    TileState.CALL,
    TileState.SOON,
    TileState.IDLE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """`tone`: ok when all its studios are well; `conferences`: those that run or start there within the hour."""

    site_id: int
    site: str
    town: str
    region: str
    latitude: float
    longitude: float
    state: TileState
    studios: int
    well: int
    in_call: int
    conferences: int

    @property
    def tone(self) -> str:
        return "ok" if self.state in WELL else str(self.state)


def places(tiles: Mapping[int, Tile], agenda: Agenda, now: datetime) -> list[Place]:
    """The worst first: by the share of studios that fail, then by how many conferences are there."""
    by_site: dict[int, list[Tile]] = {}
    for tile in tiles.values():
        by_site.setdefault(tile.site_id, []).append(tile)
    meetings: dict[int, set[int]] = {}
    for meeting in agenda.meetings:
        for studio_id in meeting.studios:
            if studio_id in tiles and meeting.ends_at > now:
                meetings.setdefault(tiles[studio_id].site_id, set()).add(meeting.conference_id)
    found = [_place(there, len(meetings.get(site_id, ()))) for site_id, there in by_site.items()]
    return sorted(found, key=_worst_first)


def _place(tiles: list[Tile], conferences: int) -> Place:
    counts, first = Counter(tile.state for tile in tiles), tiles[0]
    return Place(
        first.site_id,
        first.site,
        first.town,
        first.region,
        first.latitude,
        first.longitude,
        next(state for state in ORDER if counts[state]),
        len(tiles),
        sum(counts[state] for state in WELL),
        sum(tile.in_call for tile in tiles),
        conferences,
    )


def _worst_first(place: Place) -> tuple[object, ...]:
    fails = place.state in FAULTS
    return (
        not fails,
        place.well / place.studios,
        -place.conferences,
        ORDER.index(place.state),
        place.site,
        place.site_id,
    )
