"""What the clock repeats: how often in seconds, and the work."""

from collections.abc import Callable

from monitoring.measurements import roll_up

REPEATED: list[tuple[float, Callable[[], object]]] = [
    (300.0, roll_up),
]
