"""Where the lines, dots and bars of the charts go, in the units of their drawings; pure.

The templates draw them as SVG of the page itself, so that they follow its colours: docs/decisions/010 says why.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.periods import DAYS_IN_WEEK
from reports.trends import Week

LEFT, RIGHT, TOP, BOTTOM = 66.0, 560.0, 30.0, 246.0
STEPS = 4  # lines above the axis, at most
NICE = (1, 2, 2.5, 3, 4, 5, 10)
LABEL_ABOVE, LABEL_BELOW = -12.0, 22.0
HEATS = 5


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    number: int


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    number: int


@dataclass(frozen=True)
class Trend:
    """Twelve weeks as a drawing of 600 by 280. `line` and `past` are runs of points, broken where no report is or not
    all days of a week are reported: such weeks would look like a fall and stand in `so_far`, alone."""

    ticks: list[Label]
    places: list[float]
    line: list[list[Point]]
    so_far: list[Point]
    past: list[list[Point]]
    lead: Label | None
    past_lead: Label | None

    @property
    def dots(self) -> list[Point]:
        """The end of the line, and points that no line leads to."""
        return [run[-1] for run in self.line if len(run) == 1 or run is self.line[-1]]


def trend(weeks: Sequence[Week]) -> Trend:
    """The axis starts at 0, so that a small change looks small."""
    now = [week.conferences if week.days == DAYS_IN_WEEK else None for week in weeks]
    part = [week.conferences if week.days < DAYS_IN_WEEK else None for week in weeks]
    past = [week.year_before if week.days_before == DAYS_IN_WEEK else None for week in weeks]
    most = max([number for number in now + part + past if number is not None], default=0)
    step = step_for(most)
    steps = max(1, math.ceil(most / step))
    places = [LEFT + (RIGHT - LEFT) * index / max(1, len(weeks) - 1) for index in range(len(weeks))]
    top = step * steps
    ticks = [Label(LEFT - 8, _height(step * index, top) + 4, step * index) for index in range(steps + 1)]
    line = _runs(places, now, top)
    so_far = [point for run in _runs(places, part, top) for point in run]
    before = [run for run in _runs(places, past, top) if len(run) > 1]
    last = max((point for run in [*line, so_far] for point in run), key=lambda point: point.x, default=None)
    leads = _leads(last, before[-1][-1] if before else None)
    return Trend(ticks, places, line, so_far, before, *leads)


def step_for(most: int) -> int:
    """The smallest round step of which four reach the greatest number, or fewer."""
    least = max(1.0, most / STEPS)
    size = 10 ** math.floor(math.log10(least))
    return next(math.ceil(nice * size) for nice in NICE if nice * size >= least and nice * size == int(nice * size))


def heat(number: int | None, most: int) -> int:
    """0 for nothing, then 1 to 5 by fifths of the greatest number."""
    return math.ceil(HEATS * number / most) if number and most else 0


def bar(part: float, whole: float) -> float:
    """How long a bar is, of 100."""
    return round(min(100.0, 100 * part / whole), 1) if whole > 0 else 0.0


def path(run: Sequence[Point]) -> str:
    return "M" + "L".join(f"{point.x:.1f} {point.y:.1f}" for point in run)


def _height(number: float, top: int) -> float:
    return BOTTOM - (BOTTOM - TOP) * number / top


def _runs(places: Sequence[float], numbers: Sequence[int | None], top: int) -> list[list[Point]]:
    runs: list[list[Point]] = []
    joined = False
    for x, number in zip(places, numbers, strict=True):
        if number is not None:
            point = Point(x, _height(number, top), number)
            runs[-1].append(point) if joined else runs.append([point])
        joined = number is not None
    return runs


def _leads(now: Point | None, before: Point | None) -> tuple[Label | None, Label | None]:
    """The last numbers, written on the far sides of their lines so that they never cover each other."""
    above = now is None or before is None or now.y <= before.y
    over, under = (now, before) if above else (before, now)
    labels = (
        Label(over.x, over.y + LABEL_ABOVE, over.number) if over else None,
        Label(under.x, under.y + LABEL_BELOW, under.number) if under else None,
    )
    return labels if above else (labels[1], labels[0])
