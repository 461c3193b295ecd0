"""What the processes do, their figures and their silence, in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import format_date, format_decimal, format_time, to_user_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from operation.rules import Kind, Silence

NAMES = {
    Kind.WEB: _l("Pages"),
    Kind.SCHEDULER: _l("Scheduler"),
    Kind.MONITOR: _l("Monitor"),
    Kind.FLEET: _l("Simulated studios"),
}

DUTIES = {
    Kind.WEB: _l("Serves the pages. When all are silent, nobody can book or look."),
    Kind.SCHEDULER: _l(
        "Starts and stops the calls, writes the night report, sends mail. When all are silent, none of that happens."
    ),
    Kind.MONITOR: _l("Watches the studios. When all are silent, faults go unseen and states turn unknown."),
    Kind.FLEET: _l("Plays the studios of the demonstration. When it is silent, they all fall away."),
}

# The figures that are shown, in this order; what a process of another version tells besides is left out.
FIGURES = {
    "requests": _l("requests"),
    "failed": _l("failed"),
    "conferences": _l("conferences under way"),
    "studios": _l("studios"),
    "calls": _l("calls"),
    "endpoints": _l("endpoints"),
    "polls": _l("polls"),
    "missed": _l("without an answer"),
    "sweep_seconds": _l("s for a round"),
    "lag_ms": _l("ms of lag"),
    "cpu_seconds": _l("s of processor time"),
}


def figures(told: Mapping[str, Any]) -> str:
    known = ((name, told.get(key)) for key, name in FIGURES.items())
    return ", ".join(f"{format_decimal(value)} {name}" for name, value in known if isinstance(value, int | float))


def alarm(silence: Silence, now: datetime) -> str:
    """What everybody must know: what does not work, and since when."""
    if silence.since is None:
        return (
            _("No scheduler is running: calls do not start or stop.")
            if silence.kind is Kind.SCHEDULER
            else _("No monitor is running: the studios are not being watched.")
        )
    since = moment(silence.since, now)
    if silence.kind is Kind.SCHEDULER:
        return _("No scheduler has given a sign of life since %(time)s: calls do not start or stop.", time=since)
    return _("The studios have not been watched since %(time)s.", time=since)


def moment(instant: datetime, now: datetime) -> str:
    """The time of day, with the day before it when that is not today's."""
    time = format_time(instant, "HH:mm")
    if to_user_timezone(instant).date() == to_user_timezone(now).date():
        return str(time)
    return f"{format_date(instant, 'd. MMMM')} {time}"


def size(number: int) -> str:
    return f"{format_decimal(round(number / 1_000_000, 1))} MB"
