"""A monitor running beside the test, with times short enough for tests."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from flask import Flask

from devices.xapi import XapiClient
from models import db
from monitoring.cadence import Cadence
from monitoring.leases import Terms
from monitoring.monitor import Chores, Monitor
from monitoring.rules import Patience
from monitoring.snmp.choice import AUTO, engine_named

CADENCE = Cadence(
    full=0.6, alive=0.2, calls=0.3, calls_busy=0.15, first=0.05, timeout=0.2, patient_timeout=0.2, recheck=0.05
)
PATIENCE = Patience(over=timedelta(seconds=0.3))
TERMS = Terms(lease=timedelta(seconds=3), silence=timedelta(seconds=1.5))
CHORES = Chores(
    save=0.1, beat=0.2, hints=0.1, incidents=0.1, preflights=0.1, measurements=0.1, claim=0.2, refresh=0.2, hurry=0.01
)

T = TypeVar("T")


def a_monitor(app: Flask, xapi: XapiClient, cadence: Cadence = CADENCE, traps_at: tuple[str, int] = ("", 0)) -> Monitor:
    times = {"cadence": cadence, "patience": PATIENCE, "terms": TERMS, "chores": CHORES}
    return Monitor(app, engine_named(AUTO), xapi, **times, traps_at=traps_at)  # type: ignore[arg-type]


@contextmanager
def watching(app: Flask, cadence: Cadence = CADENCE, traps_at: tuple[str, int] = ("", 0)) -> Iterator[Monitor]:
    """A monitor in a thread and event loop of its own; it leaves in good order at the end of the block."""
    loop = asyncio.new_event_loop()
    with XapiClient(connect=0.5, read=0.5) as xapi:
        monitor = a_monitor(app, xapi, cadence, traps_at)
        stop = asyncio.Event()
        thread = threading.Thread(target=lambda: loop.run_until_complete(monitor.run(stop)), daemon=True)
        thread.start()
        try:
            yield monitor
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            assert not thread.is_alive()
            loop.close()


def until(condition: Callable[[], T], within: float = 8.0) -> T:
    """Wait until the tables (seen anew each time) show it; the condition's value."""
    ends_at = time.monotonic() + within
    while True:
        db.session.rollback()
        if found := condition():
            return found
        assert time.monotonic() < ends_at, "it didn't happen in time"
        time.sleep(0.02)


def main(url: str) -> None:
    """A monitor as a process of its own, to be killed: `python -m tests.monitoring.running URL`."""
    from app import create_app
    from tests.conftest import settings_for

    with XapiClient() as xapi:
        asyncio.run(a_monitor(create_app(settings_for(url)), xapi).run(asyncio.Event()))


if __name__ == "__main__":
    main(sys.argv[1])
