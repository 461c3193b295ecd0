"""What the clock repeats: how often in seconds, and the work."""

from collections.abc import Callable

from api.idempotency import delete_old

REPEATED: list[tuple[float, Callable[[], object]]] = [
    (3600.0, delete_old),
]
