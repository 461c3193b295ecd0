"""The outline of Norway for the map: read once from Natural Earth's shapes of countries (public domain), which the npm
package world-atlas gives as TopoJSON."""

import json
from functools import cache
from itertools import accumulate
from pathlib import Path

SHAPES = Path(__file__).parent.parent / "static" / "vendor" / "files" / "countries-50m.json"
NORWAY = "578"  # ISO 3166-1

Ring = tuple[tuple[float, float], ...]


@cache
def norway() -> tuple[Ring, ...]:
    """The outer rings as (longitude, latitude) in degrees, islands included; none where the shapes are not set up."""
    if not SHAPES.exists():
        return ()
    topology = json.loads(SHAPES.read_text())
    countries = topology["objects"]["countries"]["geometries"]
    country = next(each for each in countries if each.get("id") == NORWAY)
    polygons = country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]
    return tuple(_ring(topology, polygon[0]) for polygon in polygons)


def _ring(topology: dict, arcs: list[int]) -> Ring:
    """Arcs one behind the other; a negative number is an arc walked backwards (TopoJSON 2.1.4)."""
    points: list[tuple[float, float]] = []
    for number in arcs:
        arc = _arc(topology, ~number if number < 0 else number)
        walked = arc[::-1] if number < 0 else arc
        points += walked[1:] if points else walked
    return tuple(points)


def _arc(topology: dict, number: int) -> list[tuple[float, float]]:
    """Whole numbers, each the step from the one before (2.1.3), to degrees (2.1.2)."""
    (wide, high), (west, south) = topology["transform"]["scale"], topology["transform"]["translate"]
    steps = topology["arcs"][number]
    across, up = accumulate(step[0] for step in steps), accumulate(step[1] for step in steps)
    return [(x * wide + west, y * high + south) for x, y in zip(across, up, strict=True)]
