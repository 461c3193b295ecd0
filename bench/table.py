"""Figures as a table for people, and as one line of JSON for programs. No member: it measures nothing itself."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured. A ratio to something measured in the same run tells more than a time on some machine:
    `ratio` is `value` over what `against` names, which was measured in the same unit."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""


def show(figures: Sequence[Figure]) -> None:
    """Print the table, and as the last line a JSON list of {name, value, unit, ratio, against}."""
    rows = [("what", "value", "unit", "ratio", "against"), *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(json.dumps([asdict(figure) for figure in figures]))


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return figure.name, f"{figure.value:.4g}", figure.unit, ratio, figure.against
