"""Charts of what was measured of one endpoint, as shapes to draw, and the states it was in. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from models.monitoring import Health, Span

WIDTH, HEIGHT = 560.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 552.0, 10.0, 122.0
TICKS = 2
_NICE = (1, 2, 2.5, 5, 10)


class Range(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Scale:
    """What a range is made of: how long it is, of which measurements, and how far apart its lines are."""

    length: timedelta
    span: Span
    every: timedelta
    line: timedelta


SCALES = {
    Range.DAY: Scale(timedelta(days=1), Span.FIVE_MINUTES, timedelta(minutes=5), timedelta(hours=4)),
    Range.WEEK: Scale(timedelta(days=7), Span.HOUR, timedelta(hours=1), timedelta(days=1)),
    Range.MONTH: Scale(timedelta(days=30), Span.HOUR, timedelta(hours=1), timedelta(days=5)),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: milliseconds and percent, none where nothing was measured. `available`: percent of the polls
    that were answered."""

    at: datetime
    round_trip_ms: float | None
    longest_round_trip_ms: float | None
    loss_percent: float | None
    jitter_ms: float | None
    available: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the grid: where it is, and what stands beside it."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`paths`: runs of the line, broken where nothing was measured. The figures are none where there are none."""

    rows: list[Line]
    columns: list[Line]
    paths: list[str]
    dots: list[tuple[float, float]]
    least: float | None
    middle: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in one state, from and to in the drawing's units."""

    x: float
    width: float
    health: Health
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is drawn."""

    start: datetime
    end: datetime
    every: timedelta

    def x(self, at: datetime) -> float:
        return LEFT + (RIGHT - LEFT) * ((at - self.start) / (self.end - self.start))


def window(chosen: Range, now: datetime) -> Window:
    scale = SCALES[chosen]
    return Window(now - scale.length, now, scale.every)


def chart(
    samples: Sequence[Sample],
    value: Callable[[Sample], float | None],
    shown: Window,
    columns: list[Line],
    *,
    full: float | None = None,
) -> Chart:
    """From 0 up to a round number above the greatest value, or to `full`."""
    values = [found for sample in samples if (found := value(sample)) is not None]
    top = full or round_top(max(values, default=0.0))
    rows = [Line(_y(top * step / TICKS, top), _figure(top * step / TICKS)) for step in range(TICKS + 1)]
    runs = _runs(samples, value, shown, top)
    middle = sum(values) / len(values) if values else None
    return Chart(
        rows,
        columns,
        [f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in run)}" for run in runs if len(run) > 1],
        [run[0] for run in runs if len(run) == 1],
        min(values, default=None),
        middle,
        max(values, default=None),
    )


def columns(chosen: Range, shown: Window, zone: ZoneInfo, say: Callable[[datetime], str]) -> list[Line]:
    """Lines at whole hours, or midnights, of wall time."""
    scale = SCALES[chosen]
    wall = shown.start.astimezone(zone)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    # Wall time is added to, so that a line of the night when the clocks move is at midnight all the same.
    while (at := midnight.astimezone(shown.start.tzinfo)) < shown.end:
        if at >= shown.start:
            found.append(Line(shown.x(at), say(at)))
        midnight += scale.line
    return found


def strip(changes: Sequence[tuple[datetime, Health, Health]], present: Health | None, shown: Window) -> list[Stretch]:
    """The states one after another; `changes` are (when, from, to) by time, those before the window left out."""
    inside = [each for each in changes if shown.start < each[0] < shown.end]
    first = inside[0][1] if inside else present
    if first is None:
        return []
    edges = [shown.start, *(each[0] for each in inside), shown.end]
    states = [first, *(each[2] for each in inside)]
    return [
        Stretch(shown.x(start), max(0.5, shown.x(end) - shown.x(start)), health, start, end)
        for start, end, health in zip(edges[:-1], edges[1:], states, strict=True)
    ]


def round_top(most: float) -> float:
    """The first round number that leaves the greatest value below it."""
    if most <= 0:
        return 1.0
    size = 10 ** math.floor(math.log10(most))
    return next(nice * size for nice in _NICE if nice * size >= most)


def _runs(
    samples: Sequence[Sample], value: Callable[[Sample], float | None], shown: Window, top: float
) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = []
    last: datetime | None = None
    for sample in samples:
        found = value(sample)
        if found is None:
            continue
        if last is None or sample.at - last > 2 * shown.every:
            runs.append([])
        runs[-1].append((shown.x(max(sample.at, shown.start)), _y(found, top)))
        last = sample.at
    return runs


def _y(value: float, top: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * min(value, top) / top


def _figure(value: float) -> str:
    return f"{value:.3g}"
