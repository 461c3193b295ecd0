"""What the clock repeats: how often in seconds, and the work."""

from collections.abc import Callable

from studios.booking.waiting.minding import mind_who_waits

REPEATED: list[tuple[float, Callable[[], object]]] = [(10.0, mind_who_waits)]
