"""The polling itself: one timer an endpoint for SNMP, one for its codec's calls. Knows no database.

A dead endpoint costs nothing but its own time-out. The loop measures how late its timers fire, and what it asked late
counts against nobody.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from devices.errors import DeviceError
from devices.xapi import Codec, CodecStatus, Peripherals, XapiClient
from monitoring.cadence import Cadence, calls_interval, first_turn, is_full, next_turn, refused_interval
from monitoring.preflight_rules import Probe
from monitoring.profiles import ALIVE
from monitoring.rules import is_doubtful
from monitoring.snmp.engine import Outcome, Reading, SnmpEngine, Target, Value
from monitoring.snmp.traps import Trap
from monitoring.trap_rules import LAST_WORDS
from monitoring.watched import Equipment, Watched

CODECS_AT_ONCE = 8
# Tries of a probe that must be sure; as many as make an endpoint down.
PROBES = 3
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

    def heard_of(self, watched: Watched, trap: Trap) -> None:
        """A trap came: the poll decides. After last words it is asked in quick succession, and its codec too."""
        if watched.equipment.target is None:
            return
        watched.last_words = watched.last_words or trap.kind in LAST_WORDS
        timeout = self._cadence.quick_timeout if watched.last_words else None
        self._plan_poll(watched, self._loop.time(), full=False, timeout=timeout)
        self.read_calls_soon(watched)

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
        oids = watched.all_oids() if full else ALIVE
        self._spawn(self._poll(watched, oids, timeout or self._cadence.timeout))

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
            if reading.answered and not reading.values and len(oids) > 1:
                reading = await self._read_singly(equipment.target, oids, timeout)
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

    async def _read_singly(self, target: Target, oids: tuple[str, ...], timeout: float) -> Reading:
        """From an agent that answers a question about many objects with an error: one that it cannot tell must not
        cost all others. What it has no answer to counts as not supported."""
        values: dict[str, Value] = {}
        for oid in oids:
            reading = await self._engine.read(target, (oid,), timeout)
            if not reading.answered:
                return reading
            values[oid] = reading.values.get(oid)
        return replace(reading, values=values)

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
            timeout = self._cadence.quick_timeout if watched.last_words else self._cadence.patient_timeout
            self._plan_poll(watched, now + wait, full=False, timeout=timeout)
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
        key = watched.equipment.endpoint_id
        self._plan_next_calls(watched)
        every = timedelta(seconds=self._cadence.calls * PERIPHERALS_SHARE)
        try:
            await self._read_codec(watched, codec, watched.wants_peripherals(datetime.now(UTC), every))
        finally:
            self._asking.discard(key)
        self._tell(watched)

    async def _read_codec(self, watched: Watched, codec: Codec, all_of_it: bool) -> CodecStatus | None:
        """What it says now; none where it does not answer."""
        equipment, asked_at = watched.equipment, datetime.now(UTC)
        try:
            ask = partial(self._xapi.status, codec, peripherals=all_of_it, deadline=CALLS_DEADLINE)
            seen = await self._loop.run_in_executor(self._threads, ask)
        except DeviceError as error:
            if self._is_current(watched, equipment):
                watched.control_failed(error, asked_at=asked_at, now=datetime.now(UTC))
                self._plan_next_calls(watched)
            return None
        if self._is_current(watched, equipment):
            self.figures.call_reads += 1
            watched.saw(seen, asked_at=asked_at, now=datetime.now(UTC))
        return seen

    async def probe(self, watched: Watched) -> Probe:
        """A fresh look by all ways there are, each tried as often as it takes to be sure."""
        equipment = watched.equipment
        answered, seen = await asyncio.gather(self._answers(watched), self._probe_codec(watched))
        self._tell(watched)
        if seen is None:
            return Probe(answered, None if equipment.codec is None else False)
        plugged = seen.peripherals or Peripherals()
        return Probe(
            answered,
            True,
            seen.registered,
            tuple(plugged.cameras.values()),
            tuple(plugged.microphones.values()),
            len(seen.calls),
        )

    async def _probe_codec(self, watched: Watched) -> CodecStatus | None:
        codec = watched.equipment.codec
        if codec is None:
            return None
        return await self._read_codec(watched, codec, True) or await self._read_codec(watched, codec, True)

    async def _answers(self, watched: Watched) -> bool | None:
        """None where it is not watched by SNMP, or cannot be asked."""
        equipment = watched.equipment
        if equipment.target is None or equipment.trouble:
            return None
        for _ in range(PROBES):
            asked_at = datetime.now(UTC)
            reading = await self._engine.read(equipment.target, ALIVE, self._cadence.patient_timeout)
            if self._is_current(watched, equipment):
                watched.heard(reading, asked_at=asked_at)
            if reading.answered or reading.outcome is Outcome.REFUSED:
                return True
        return False

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
