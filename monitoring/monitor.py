"""One monitor process: it leases endpoints, polls them, and keeps the tables true to what it finds.

Polling lives in the event loop, the database in one thread of its own: a locked or absent database holds up no poll.
What can't be stored now stays in memory and is stored later; what a killed monitor hadn't stored the next one finds.
"""

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import Any, TypeVar

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from devices.xapi import XapiClient
from models import database_now, write
from models.heartbeat import beat
from monitoring import leases, measurements, preflights
from monitoring.cadence import Cadence
from monitoring.incidents import keep, outlook
from monitoring.leases import Terms
from monitoring.poller import Poller
from monitoring.preflight_rules import Probe
from monitoring.preflights import Due
from monitoring.roster import (
    Roster,
    Secrets,
    others,
    roster,
    studios_with_moving_calls,
    wanted,
    watched_from,
)
from monitoring.rules import Patience
from monitoring.snmp.engine import SnmpEngine
from monitoring.snmp.traps import Trap
from monitoring.statuses import Finding, Saved, finding, pass_on, save
from monitoring.tally import Sums, Tally, window_of
from monitoring.telling import to_escalate
from monitoring.trap_receiver import TrapReceiver
from monitoring.watched import Equipment, Watched

T = TypeVar("T")

# Legs change in transactions that may commit out of order: look a little further back than the last look.
HINT_OVERLAP = timedelta(seconds=5)
# A wish to have an endpoint polled that is older has been seen to, or came too late.
LONGEST_WISH = timedelta(seconds=30)
# So many times five minutes are kept in memory while the database is away: half a day.
MOST_WINDOWS = 144

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Chores:
    """How often, in seconds, the tables are seen to. `hurry`: how long a visible change waits for others to join it."""

    save: float = 2.0
    beat: float = 2.0
    hints: float = 2.0
    incidents: float = 2.0
    preflights: float = 2.0
    measurements: float = 5.0
    claim: float = 4.0
    refresh: float = 10.0
    hurry: float = 0.2


@dataclass(slots=True)
class _Chore:
    work: Callable[[], Awaitable[None]]
    every: float
    due: float = 0.0


class Monitor:
    """`engine` is opened inside the running loop; `traps_at` is where traps are listened for, port 0 for nowhere;
    `profiles` a folder with the installation's own. `run` returns when `stop` is set, its leases given up."""

    def __init__(
        self,
        app: Flask,
        engine: Callable[[], SnmpEngine],
        xapi: XapiClient,
        *,
        cadence: Cadence | None = None,
        patience: Patience | None = None,
        terms: Terms | None = None,
        chores: Chores | None = None,
        traps_at: tuple[str, int] = ("", 0),
        profiles: str = "",
    ) -> None:
        self.worker = f"monitor-{socket.gethostname()[:50]}-{os.getpid()}-{token_hex(2)}"
        self._app = app
        self._open_engine = engine
        self._xapi = xapi
        self._cadence = cadence or Cadence()
        self._patience = patience or Patience()
        self._terms = terms or Terms()
        self._chores = chores or Chores()
        self._traps_at = traps_at
        self._profiles = profiles
        self._started_at = datetime.now(UTC)
        self._secrets = Secrets()
        self._hinted: set[tuple[int, int, datetime]] = set()
        self._hints_since = self._started_at
        self._failing = False
        self._window = window_of(self._started_at)
        self._measured: deque[tuple[datetime, list[tuple[int, Sums]]]] = deque(maxlen=MOST_WINDOWS)
        self._looking: dict[tuple[int, int, int], asyncio.Task[None]] = {}
        self._looked: list[tuple[Due, Probe]] = []
        self._heard_for_others: set[int] = set()
        self._hurry = asyncio.Event()
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def run(self, stop: asyncio.Event) -> None:
        self._engine = self._open_engine()
        self._poller = Poller(self._engine, self._xapi, self._cadence, on_change=self._hurry.set)
        self._traps = TrapReceiver(self._heard_of)
        if self._traps_at[1]:
            await self._traps.listen(*self._traps_at)
        try:
            await self._keep_books(stop)
        finally:
            await self._leave()

    async def _keep_books(self, stop: asyncio.Event) -> None:
        chores = [
            _Chore(self._beat, self._chores.beat),
            _Chore(self._claim, self._chores.claim),
            _Chore(self._refresh, self._chores.refresh),
            _Chore(self._take_hints, self._chores.hints),
            _Chore(self._save, self._chores.save),
            _Chore(self._keep_incidents, self._chores.incidents),
            _Chore(self._look_ahead, self._chores.preflights),
            _Chore(self._store_measurements, self._chores.measurements),
        ]
        while not stop.is_set():
            for chore in chores:
                hurried = chore.work == self._save and self._hurry.is_set()
                if hurried or time.monotonic() >= chore.due:
                    chore.due = time.monotonic() + chore.every
                    await self._attempt(chore.work)
            soonest = min(chore.due for chore in chores) - time.monotonic()
            await self._wait(stop, soonest)

    async def _wait(self, stop: asyncio.Event, seconds: float) -> None:
        """Until the next chore is due, a visible change wants storing, or it's time to go."""
        waits = [asyncio.ensure_future(event.wait()) for event in (stop, self._hurry)]
        await asyncio.wait(waits, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if self._hurry.is_set() and not stop.is_set():
            await asyncio.sleep(self._chores.hurry)

    async def _attempt(self, work: Callable[[], Awaitable[None]]) -> None:
        """Whatever fails is tried again at its next turn; said once, not at every turn."""
        try:
            await work()
        except SQLAlchemyError as error:
            if not self._failing:
                log.error("the database can't be used; polling goes on, storing is tried again", error=str(error))
            self._failing = True
        except Exception:
            log.exception("a chore of the monitor failed")
        else:
            if self._failing:
                log.info("the database can be used again")
            self._failing = False

    async def _leave(self) -> None:
        self._traps.close()
        for task in self._looking.values():
            task.cancel()
        await asyncio.gather(*self._looking.values(), return_exceptions=True)
        await self._attempt(self._save)
        await self._attempt(lambda: self._in_database(lambda: write(lambda: leases.release(self.worker))))
        await self._poller.close()
        self._database.shutdown()

    # The chores

    async def _save(self) -> None:
        self._hurry.clear()
        watched = [one for one in self._poller.watched.values() if one.unsaved]
        findings = [finding(one) for one in watched]
        await self._pass_on_traps()
        if not findings:
            return
        for one in watched:
            one.unsaved = one.tile_changed = False
        try:
            saved = await self._in_database(lambda: write(lambda: save(self.worker, findings, self._terms.lease)))
        except BaseException:
            for one, found in zip(watched, findings, strict=True):
                one.unsaved, one.tile_changed = True, one.tile_changed or found.tile_changed
            raise
        for one, found in zip(watched, findings, strict=True):
            self._settle(one, found, saved)

    def _heard_of(self, sender: Equipment, trap: Trap) -> None:
        watched = self._poller.watched.get(sender.endpoint_id)
        if watched is not None:
            self._poller.heard_of(watched, trap)
        else:
            self._heard_for_others.add(sender.endpoint_id)
            self._hurry.set()

    async def _pass_on_traps(self) -> None:
        """What was heard, for the timelines; of endpoints that others watch also the wish to poll, for those others."""
        told, heard = list(self._traps.to_tell), frozenset(self._heard_for_others)
        if told or heard:
            await self._in_database(lambda: write(lambda: pass_on(told, heard)))
            del self._traps.to_tell[: len(told)]  # more may have come meanwhile
            self._heard_for_others -= heard

    def _settle(self, watched: Watched, found: Finding, saved: Saved) -> None:
        changed_at = saved.at if found.tile_changed else watched.changed_at
        watched.stored(len(found.changes), found.learned, changed_at)
        if found.endpoint_id in saved.lost and self._poller.watched.get(found.endpoint_id) is watched:
            self._poller.forget(found.endpoint_id)

    async def _beat(self) -> None:
        details = self._figures()
        await self._in_database(lambda: write(lambda: beat(self.worker, leases.KIND, self._started_at, details)))

    async def _claim(self) -> None:
        """Share the endpoints with the other monitors."""
        await self._save()  # what is given up now must not be lost
        if await self._in_database(lambda: write(lambda: leases.claim(self.worker, self._terms))):
            await self._refresh()

    async def _refresh(self) -> None:
        """Take in what changed about the endpoints that are ours, and which these are."""
        await self._save()  # else what we found would look like a wish of somebody else's
        now = datetime.now(UTC)
        self._take_over(await self._in_database(lambda: roster(self.worker, self._secrets, now)))
        if self._traps.is_listening:
            not_ours = await self._in_database(lambda: others(self.worker, self._secrets))
            self._traps.know([*(one.equipment for one in self._poller.watched.values()), *not_ours])

    def _take_over(self, found: Roster) -> None:
        now = datetime.now(UTC)
        listed = {one.equipment.endpoint_id: one for one in found.listed}
        for key in self._poller.watched.keys() - listed.keys():
            self._poller.forget(key)
        for key, one in listed.items():
            watched = self._poller.watched.get(key)
            if watched is None:
                watched = watched_from(one, now, self._patience)
                watched.profiles = self._profiles
                self._poller.watch(watched)
            elif one.equipment != watched.equipment:
                self._poller.change_equipment(watched, one.equipment)
            equipment = watched.equipment
            watched.closed = equipment.studio_id in found.closed_studios or equipment.site_id in found.closed_sites
            self._poller.set_booked(watched, equipment.studio_id in found.booked_studios)
            watched.judge(now)

    async def _take_hints(self) -> None:
        """Whom to ask now, and not at their turn."""
        await self._take_wishes()
        await self._follow_calls()

    async def _take_wishes(self) -> None:
        """A person, or a monitor that heard its trap, wants an endpoint polled."""
        found = await self._in_database(lambda: wanted(self.worker, database_now() - LONGEST_WISH))
        for key, at in found.items():
            watched = self._poller.watched.get(key)
            if watched is not None and watched.wanted_at != at:
                watched.wanted_at = at
                watched.ask_anew()
                self._poller.read_calls_soon(watched)
                self._poller.poll_soon(watched)

    async def _follow_calls(self) -> None:
        """A leg that changed tells that its studios' calls did."""
        since = self._hints_since - HINT_OVERLAP
        found = set(await self._in_database(lambda: studios_with_moving_calls(since)))
        studios = {studio_id for _, studio_id, _ in found - self._hinted}
        self._hinted = found
        self._hints_since = max((at for _, _, at in found), default=self._hints_since)
        for watched in self._poller.watched.values():
            if watched.equipment.studio_id in studios:
                self._poller.read_calls_soon(watched)

    async def _keep_incidents(self) -> None:
        """Whole sites that fell silent shadow their studios; faults that last become incidents."""
        out = await self._in_database(_seen_to)
        now = datetime.now(UTC)
        for watched in self._poller.watched.values():
            watched.shadow(watched.equipment.site_id in out, now)

    async def _look_ahead(self) -> None:
        """Studios whose conference comes near are looked at freshly, all at once; what was found is stored together."""
        found, self._looked = self._looked, []
        if found:
            try:
                await self._in_database(lambda: write(lambda: preflights.keep(found, database_now())))
            except BaseException:
                self._looked = [*found, *self._looked]
                raise
        for due, _ in found:
            self._looking.pop(due.key, None)
        for due in await self._in_database(lambda: preflights.due_looks(self.worker, database_now())):
            watched = self._poller.watched.get(due.endpoint_id)
            if watched is not None and due.key not in self._looking:
                self._looking[due.key] = asyncio.create_task(self._look_at(due, watched))

    async def _look_at(self, due: Due, watched: Watched) -> None:
        probe = await self._poller.probe(watched)
        self._looked.append((due, probe))  # meanwhile it is another list

    async def _store_measurements(self) -> None:
        """What was measured in the five minutes that are over; what cannot be stored waits for the next turn."""
        window = window_of(datetime.now(UTC))
        if window != self._window:
            self._measured.append((self._window, self._take_tallies()))
            self._window = window
        while self._measured:
            await self._in_database(partial(write, partial(measurements.store, *self._measured[0])))
            self._measured.popleft()

    def _take_tallies(self) -> list[tuple[int, Sums]]:
        measured = [one for one in self._poller.watched.values() if one.tally.polls or one.tally.media]
        found = [(one.equipment.endpoint_id, one.tally.sums()) for one in measured]
        for one in measured:
            one.tally = Tally()
        return found

    def _figures(self) -> dict[str, Any]:
        """What the heartbeat tells: `sweep_seconds` is the age of the oldest poll among our endpoints."""
        figures, counters = self._poller.figures, self._engine.counters
        now = datetime.now(UTC)
        polled = [one.pulse.polled_at for one in self._poller.watched.values() if one.pulse.polled_at]
        lag, figures.lag = figures.lag, 0.0
        return {
            "engine": self._engine.name,
            "endpoints": len(self._poller.watched),
            "polls": figures.polls,
            "missed": figures.missed,
            "late": figures.late,
            "belated": figures.belated,
            "refused": figures.refused,
            "call_reads": figures.call_reads,
            "ignored_packets": counters.foreign + counters.unreadable + counters.huge,
            "lag_ms": round(lag * 1000, 1),
            "sweep_seconds": round((now - min(polled, default=now)).total_seconds(), 1),
            **self._traps.shown(),
            "cpu_seconds": round(time.process_time(), 2),
        }

    async def _in_database(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._database, self._in_context, work)

    def _in_context(self, work: Callable[[], T]) -> T:
        with self._app.app_context():
            return work()


def _seen_to() -> set[int]:
    """The sites that are out of contact, once incidents are in line. Where there is nothing to do nothing is locked."""
    now = database_now()
    found = outlook(now)
    if found.decisions or to_escalate(now):
        write(lambda: keep(database_now()))
    return found.cut_off
