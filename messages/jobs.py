"""What the clock repeats: how often in seconds, and the work."""

from collections.abc import Callable

from messages.posting import post_due
from messages.retention import delete_old
from messages.sending import send_due

REPEATED: list[tuple[float, Callable[[], object]]] = [
    (5.0, send_due),
    (5.0, post_due),
    # So often because a process that is restarted daily would otherwise never get to it.
    (3600.0, delete_old),
]
