"""What the clock repeats."""

import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock

from flask import Flask

from models import ConferenceState, write
from models.heartbeat import beat, fall_silent
from scheduler.calls import reconcile
from scheduler.clock import Clock, Lane
from scheduler.equipment import Equipment
from scheduler.queries import Due, due_within, live_conferences, recall_live
from scheduler.rooms import EVERY as CLOSING
from scheduler.rooms import close_rooms

KIND = "scheduler"
SWEEP = 1.0  # seconds
HEARTBEAT = 5.0
AHEAD = timedelta(minutes=1)
SOON = timedelta(seconds=2)

# What the other parts have the clock repeat: how often in seconds, and the work, in an application context.
Repeated = tuple[float, Callable[[], object]]


class Jobs:
    """The scheduler's work, each job in an application context of its own."""

    def __init__(self, app: Flask, clock: Clock, equipment: Equipment, others: Sequence[Repeated] = ()) -> None:
        self._app = app
        self._clock = clock
        self._equipment = equipment
        self._others = others
        self._under_way: set[int] = set()
        self._lock = Lock()
        self._started_at = datetime.now(UTC)
        self.worker = f"{KIND}-{socket.gethostname()[:50]}-{os.getpid()}"

    def hand_over(self) -> None:
        """Give all that is repeated to the clock."""
        self._clock.every(SWEEP, self.sweep)
        self._clock.every(HEARTBEAT, self.heartbeat)
        self._clock.every(CLOSING, partial(self._run, partial(close_rooms, self._equipment)), aside=True)
        for seconds, work in self._others:
            self._clock.every(seconds, partial(self._run, work), aside=True)

    def sweep(self) -> None:
        with self._app.app_context():
            for due in due_within(AHEAD):
                if due.conference_id not in self._under_way:
                    self._clock.at(due.at, self.look_at, due.conference_id, lane_of(due))

    def look_at(self, conference_id: int) -> None:
        """Work on a conference now, and again when it asks for it."""
        with self._lock:
            if conference_id in self._under_way:
                return
            self._under_way.add(conference_id)
        try:
            with self._app.app_context():
                due = reconcile(conference_id, self.worker, self._equipment)
        finally:
            with self._lock:
                self._under_way.discard(conference_id)
        if due is not None and due.at - datetime.now(UTC) < SOON:  # what comes later is left to the sweep
            self._clock.at(due.at, self.look_at, conference_id, lane_of(due))

    def after_step(self) -> None:
        """Look at all that is under way now: when each falls due was said by the clock that was set."""
        with self._app.app_context():
            write(recall_live)

    def _run(self, work: Callable[[], object]) -> None:
        with self._app.app_context():
            work()

    def heartbeat(self) -> None:
        with self._app.app_context():
            write(lambda: beat(self.worker, KIND, self._started_at, {"conferences": live_conferences()}))

    def fall_silent(self) -> None:
        with self._app.app_context():
            write(lambda: fall_silent(self.worker))


LANES = {ConferenceState.PLANNED: Lane.AHEAD, ConferenceState.DEGRADED: Lane.TROUBLED}


def lane_of(due: Due) -> Lane:
    if due.starts or due.calm:
        return Lane.STARTS if due.starts else Lane.CALM
    return LANES.get(due.state, Lane.CALLS)
