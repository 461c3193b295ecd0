"""The map as shapes to draw: the outline, and a mark for each place, what fails last and so on top. Pure but for the
outline, which is read once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, radians, sin, sqrt

from monitoring.outline import norway
from monitoring.places import ORDER, Place

WIDTH, HEIGHT = 400.0, 470.0
# Equal areas around the middle of the mainland; what lies north of this is drawn into the box at the top left.
CENTRE = radians(15.0), radians(65.0)
MAINLAND_NORTH = 72.0
BOX = (6.0, 6.0, 110.0, 70.0)
MARGIN = 8.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the map, in the drawing's units; `size` is its half width."""

    place: Place
    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """`land`: an SVG path. `north`: marks of places off the map, drawn in the box."""

    land: str
    marks: list[Mark]
    north: list[Mark]


def drawing(places: Sequence[Place]) -> Drawing:
    frame, land = _land()
    on_top = sorted(places, key=lambda place: -ORDER.index(place.state))
    mainland, north = ([place for place in on_top if _is_off(place) is off] for off in (False, True))
    apart = BOX[2] / (1 + len(north))
    return Drawing(
        land,
        [_mark(place, *frame.fit(*projected(place.longitude, place.latitude))) for place in mainland],
        [_mark(place, BOX[0] + apart * number, BOX[1] + 28) for number, place in enumerate(north, start=1)],
    )


@cache
def _land() -> "tuple[_Frame, str]":
    """Thousands of points that are the same each time."""
    rings = [ring for ring in norway() if all(_is_mainland(*point) for point in ring)]
    frame = _Frame([projected(*point) for ring in rings for point in ring])
    return frame, "".join(_path(frame.fit(*projected(*point)) for point in ring) for ring in rings)


def projected(longitude: float, latitude: float) -> tuple[float, float]:
    """Lambert's azimuthal equal-area projection on a sphere of radius 1 (Snyder 1987, equations 24-2 to 24-4)."""
    (middle, parallel), east, north = CENTRE, radians(longitude), radians(latitude)
    k = sqrt(2 / (1 + sin(parallel) * sin(north) + cos(parallel) * cos(north) * cos(east - middle)))
    x = k * cos(north) * sin(east - middle)
    return x, k * (cos(parallel) * sin(north) - sin(parallel) * cos(north) * cos(east - middle))


class _Frame:
    """Fits projected points into the drawing, without stretching them."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        # Without shapes: the mainland's corners, so that places have their positions all the same.
        across, up = zip(*(points or [projected(4.5, 58.0), projected(31.2, 71.2)]), strict=True)
        self._left, self._top = min(across), max(up)
        wide, high = max(across) - self._left, self._top - min(up)
        self._scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)

    def fit(self, x: float, y: float) -> tuple[float, float]:
        return MARGIN + (x - self._left) * self._scale, MARGIN + (self._top - y) * self._scale


def _path(points: Iterable[tuple[float, float]]) -> str:
    """In tenths, leaving out what lies on the point before."""
    steps = list(dict.fromkeys(f"{x:.0f} {y:.0f}" for x, y in points))
    return f"M{'L'.join(steps)}Z"


def _mark(place: Place, x: float, y: float) -> Mark:
    return Mark(place, round(x, 1), round(y, 1), 3.0 if place.tone == "ok" else 5.5)


def _is_mainland(longitude: float, latitude: float) -> bool:
    """And not Svalbard, Jan Mayen or islands of the south."""
    return longitude > 0.0 and 57.0 < latitude < MAINLAND_NORTH


def _is_off(place: Place) -> bool:
    return place.latitude > MAINLAND_NORTH
