"""What the clock repeats: how often in seconds, and the work."""

from collections.abc import Callable

REPEATED: list[tuple[float, Callable[[], object]]] = []
