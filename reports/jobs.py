"""What the clock repeats: how often in seconds, and the work."""

from collections.abc import Callable

from reports.usage import make_due_reports

SWEEP = 30.0  # what is due is asked of the tables, so that a night that was slept through is made up
REPEATED: list[tuple[float, Callable[[], object]]] = [(SWEEP, make_due_reports)]
