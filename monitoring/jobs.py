"""What the clock repeats: how often in seconds, and the work."""

from collections.abc import Callable

from monitoring.measurements import roll_up
from monitoring.retention import delete_old

REPEATED: list[tuple[float, Callable[[], object]]] = [
    (300.0, roll_up),
    (3600.0, delete_old),
]
