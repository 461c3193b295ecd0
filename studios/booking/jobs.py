"""What the clock repeats: how often in seconds, and the work."""

from collections.abc import Callable

from studios.booking.invitations import tell_due
from studios.booking.reminders import remind_due
from studios.booking.standing_in import stand_in_due
from studios.booking.waiting.minding import mind_who_waits

REPEATED: list[tuple[float, Callable[[], object]]] = [
    (10.0, mind_who_waits),
    (5.0, tell_due),
    (600.0, remind_due),
    (5.0, stand_in_due),
]
