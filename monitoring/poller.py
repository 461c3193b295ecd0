"""The polling itself: one timer an endpoint for SNMP, one for its codec's calls. Knows no database.

A dead endpoint costs nothing but its own time-out. The loop measures how late its timers fire, and what it asked late
counts against nobody.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from devices.errors import DeviceError
from devices.xapi import Codec, XapiClient
from monitoring.cadence import Cadence, calls_interval, first_turn, is_full, next_turn, refused_interval
from monitoring.profiles import ALIVE, FULL
from monitoring.rules import is_doubtful
from monitoring.snmp.engine import Outcome, Reading, SnmpEngine, Target
from monitoring.watched import Equipment, Watched

CODECS_AT_ONCE = 8
# Of one exchange with a codec, in seconds. What takes longer isn't worth a thread, nor a stop that waits for it.
CALLS_DEADLINE = 4.0
# Of a codec's calls interval: turns come a little early or late, and each ordinary one is to tell of the peripherals.
PERIPHERALS_SHARE = 0.9

log = structlog.get_logger()


@dataclass(slots=True)
class Figures:
    """Since the start; `lag` (seconds) is the worst since it was last told."""

    polls: int = 0
    missed: int = 0
    late: int = 0
    belated: int = 0
    refused: int = 0
    call_reads: int = 0
    lag: float = 0.0


class Poller:
    """Belongs to the running event loop. `on_change` is called when something was found that people should see soon."""

    def __init__(
        self, engine: SnmpEngine, xapi: XapiClient, cadence: Cadence, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self.watched: dict[int, Watched] = {}
        self.figures = Figures()
        self._engine = engine
        self._xapi = xapi
        self._cadence = cadence
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(CODECS_AT_ONCE, thread_name_prefix="codec")
        self._poll_timers: dict[int, asyncio.TimerHandle] = {}
        self._calls_timers: dict[int, asyncio.TimerHandle] = {}
        self._asking: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        engine.on_belated = self._hear_belated

    def watch(self, watched: Watched) -> None:
        key = watched.equipment.endpoint_id
        self.watched[key] = watched
        now = self._loop.time()
        if watched.equipment.target is not None:
            # Signs of life first, so that the whole picture is there within seconds; the rest comes in its turn.
            self._plan_poll(watched, first_turn(key, now, self._cadence.first), full=False)
        if watched.equipment.codec is not None:
            self._plan_calls(watched, first_turn(key, now, self._calls_interval(watched)))

    def forget(self, key: int) -> None:
        """Stop asking; what is still on its way is thrown away when it comes."""
        self.watched.pop(key, None)
        for timers in (self._poll_timers, self._calls_timers):
            if timer := timers.pop(key, None):
                timer.cancel()

    def change_equipment(self, watched: Watched, equipment: Equipment) -> None:
        """The inventory says something else now: begin anew at once."""
        self.forget(watched.equipment.endpoint_id)
        watched.become(equipment)
        self.watched[equipment.endpoint_id] = watched
        self.poll_soon(watched)
        self.read_calls_soon(watched)

    def poll_soon(self, watched: Watched) -> None:
        if watched.equipment.target is not None:
            self._plan_poll(watched, self._loop.time(), full=True)

    def read_calls_soon(self, watched: Watched) -> None:
        if watched.equipment.codec is not None:
            self._plan_calls(watched, self._loop.time())

    def set_booked(self, watched: Watched, booked: bool) -> None:
        """A conference that runs or starts soon makes its studios' calls worth asking for more often."""
        if booked and not watched.booked and watched.equipment.codec is not None:
            at = first_turn(watched.equipment.endpoint_id, self._loop.time(), self._cadence.calls_busy)
            self._plan_calls(watched, at)
        watched.booked = booked

    async def close(self) -> None:
        for key in list(self.watched):
            self.forget(key)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._engine.close()
        # A codec's session that was begun must be ended: wait for the exchanges under way, but for no others.
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    # SNMP

    def _plan_poll(self, watched: Watched, at: float, *, full: bool, timeout: float | None = None) -> None:
        key = watched.equipment.endpoint_id
        if timer := self._poll_timers.get(key):
            timer.cancel()
        self._poll_timers[key] = self._loop.call_at(at, self._begin_poll, watched, at, full, timeout)
        watched.due_at = datetime.now(UTC) + timedelta(seconds=max(0.0, at - self._loop.time()))

    def _begin_poll(self, watched: Watched, due: float, full: bool, timeout: float | None) -> None:
        self.figures.lag = max(self.figures.lag, self._loop.time() - due)
        self._spawn(self._poll(watched, FULL if full else ALIVE, timeout or self._cadence.timeout))

    async def _poll(self, watched: Watched, oids: tuple[str, ...], timeout: float) -> None:
        equipment, was_down, asked_at = watched.equipment, watched.is_down, datetime.now(UTC)
        if equipment.target is None:
            return
        outcome = Outcome.NOT_ASKED
        try:
            if equipment.trouble:
                watched.cannot_ask(asked_at)
                return
            reading = await self._engine.read(equipment.target, oids, timeout)
            if not self._is_current(watched, equipment):
                return
            outcome = reading.outcome
            self._count(reading)
            was_well = watched.pulse.misses == 0
            watched.heard(reading, asked_at=asked_at)
            if was_well and is_doubtful(watched.pulse):
                self.read_calls_soon(watched)  # where only SNMP is lost, as by a wrong community, it is not down
        finally:
            if self._is_current(watched, equipment):
                self._plan_next_poll(watched, outcome)
                if was_down and not watched.is_down:
                    self.read_calls_soon(watched)
                self._tell(watched)

    def _hear_belated(self, target: Target, reading: Reading) -> None:
        """Its poll has been counted as missed, and may be asked again by now; that it answers at all ends the doubt."""
        watched = self.watched.get(target.key)
        if watched is None or watched.equipment.target != target:
            return
        self.figures.belated += 1
        was_down = watched.is_down
        watched.heard(reading, asked_at=reading.at)
        if was_down and not watched.is_down:
            self.read_calls_soon(watched)
        self._tell(watched)

    def _plan_next_poll(self, watched: Watched, outcome: Outcome) -> None:
        """One that missed and isn't yet confirmed down is asked again at once; the others at their next turn."""
        now, key = self._loop.time(), watched.equipment.endpoint_id
        if outcome is Outcome.REFUSED:
            wait = refused_interval(self._cadence, watched.refusals)
            self._plan_poll(watched, now + wait, full=False)
            return
        if is_doubtful(watched.pulse):
            wait = self._cadence.recheck if outcome is Outcome.LATE else 0.0
            self._plan_poll(watched, now + wait, full=False, timeout=self._cadence.patient_timeout)
            return
        turn = next_turn(key, now, self._cadence.alive)
        self._plan_poll(watched, turn, full=is_full(key, turn, self._cadence))

    def _count(self, reading: Reading) -> None:
        self.figures.polls += 1
        self.figures.late += reading.outcome is Outcome.LATE
        self.figures.refused += reading.outcome is Outcome.REFUSED
        self.figures.missed += reading.outcome in (Outcome.TIMEOUT, Outcome.BAD_ANSWER)

    # Calls, by xAPI

    def _plan_calls(self, watched: Watched, at: float) -> None:
        key = watched.equipment.endpoint_id
        if timer := self._calls_timers.get(key):
            timer.cancel()
        self._calls_timers[key] = self._loop.call_at(at, self._begin_calls, watched)

    def _begin_calls(self, watched: Watched) -> None:
        key, codec = watched.equipment.endpoint_id, watched.equipment.codec
        if codec is None or key in self._asking:
            self._plan_next_calls(watched)
            return
        self._asking.add(key)
        self._spawn(self._ask_calls(watched, codec))

    async def _ask_calls(self, watched: Watched, codec: Codec) -> None:
        equipment, asked_at = watched.equipment, datetime.now(UTC)
        self._plan_next_calls(watched)
        try:
            all_of_it = watched.wants_peripherals(asked_at, timedelta(seconds=self._cadence.calls * PERIPHERALS_SHARE))
            ask = partial(self._xapi.status, codec, peripherals=all_of_it, deadline=CALLS_DEADLINE)
            seen = await self._loop.run_in_executor(self._threads, ask)
        except DeviceError as error:
            if self._is_current(watched, equipment):
                watched.control_failed(error, asked_at=asked_at, now=datetime.now(UTC))
                self._plan_next_calls(watched)
        else:
            if self._is_current(watched, equipment):
                self.figures.call_reads += 1
                watched.saw(seen, asked_at=asked_at, now=datetime.now(UTC))
        finally:
            self._asking.discard(equipment.endpoint_id)
        self._tell(watched)

    def _plan_next_calls(self, watched: Watched) -> None:
        self._plan_calls(watched, self._loop.time() + self._calls_interval(watched))

    def _calls_interval(self, watched: Watched) -> float:
        if watched.equipment.target is None and is_doubtful(watched.pulse):
            return self._cadence.recheck
        busy = watched.in_call or watched.booked
        return calls_interval(self._cadence, busy=busy, failures=watched.control_failures)

    # Both

    def _is_current(self, watched: Watched, equipment: Equipment) -> bool:
        """Still ours, and still what was asked."""
        return self.watched.get(equipment.endpoint_id) is watched and watched.equipment == equipment

    def _tell(self, watched: Watched) -> None:
        if watched.tile_changed:
            self._on_change()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a poll failed", exc_info=error)
