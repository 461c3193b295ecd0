"""APScheduler, and nothing else of the program knows it.

Its job store is memory: what is due lives in the conference table. It holds a one-shot job for each conference that
falls due in the next minute, so that starts are exact, and a sweep every second that catches the rest.

APScheduler waits for times of the wall clock. Where that is set back by an hour nothing would happen for an hour, so it
is watched beside the clock that nobody sets, and after a step all that waits begins anew.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Condition, Event, Thread

import structlog
from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

# The database judges what is due and its clock may have a coarser grain: never ask a moment too early.
GRAIN = timedelta(milliseconds=5)

# Clocks that are kept by NTP are moved by less.
STEP = 2.0  # seconds


class Lane(StrEnum):
    """What kind of work on a conference it is: each has threads of its own, so that a start waits for nothing else.

    AHEAD: rooms that are made ready; STARTS: the first pass when calls are due; CALLS: all further passes while they
    come or go; TROUBLED: passes over conferences that miss somebody, which wait for equipment that may not answer;
    CALM: looks at calls that are up.
    """

    AHEAD = "ahead"
    STARTS = "starts"
    CALLS = "calls"
    TROUBLED = "troubled"
    CALM = "calm"


# More threads would only take turns on one processor.
CALLS, CALM = 8, 2
# So long, in seconds, all other work waits for those that start while there are more of them than threads.
YIELD = 2.0

log = structlog.get_logger()
# It warns of each job that is asked for while it still runs; the sweep asks again.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


class Clock:
    """`at_once` conferences start at the same time; others that are made ready or miss somebody have as many threads of
    their own, so that nothing holds up a start: neither much work nor equipment that does not answer. In a burst all
    others let those that start go first."""

    def __init__(self, at_once: int) -> None:
        self._executors = {
            "default": ThreadPoolExecutor(2),
            Lane.AHEAD: ThreadPoolExecutor(at_once),
            Lane.STARTS: ThreadPoolExecutor(at_once),
            Lane.CALLS: ThreadPoolExecutor(min(CALLS, at_once)),
            Lane.TROUBLED: ThreadPoolExecutor(at_once),
            Lane.CALM: ThreadPoolExecutor(min(CALM, at_once)),
            "aside": ThreadPoolExecutor(3),
        }
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors=self._executors,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(_log_failure, EVENT_JOB_ERROR)
        self._at_once = at_once
        self._starting = 0
        self._less_starting = Condition()
        self._stopped = Event()
        self._after_step: Callable[[], object] = lambda: None

    def every(self, seconds: float, job: Callable[[], None], aside: bool = False) -> None:
        """Repeat a job; one that still runs when it is due again is skipped that time. `aside`: it may take long."""
        self._scheduler.add_job(job, IntervalTrigger(seconds=seconds), executor="aside" if aside else "default")

    def at(self, instant: datetime, job: Callable[[int], None], conference_id: int, lane: Lane) -> None:
        """Run a job for a conference at an instant, at once when that is past; the latest word counts."""
        name, when = str(conference_id), instant + GRAIN
        planned = self._scheduler.get_job(name)
        if planned is None or (planned.next_run_time, planned.executor) != (when, lane):
            again = {"id": name, "replace_existing": True}
            self._scheduler.add_job(self._run, DateTrigger(when), [job, conference_id, lane], executor=lane, **again)

    def start(self, after_step: Callable[[], object]) -> None:
        """`after_step` is called when the wall clock was set to another time."""
        self._after_step = after_step
        self._scheduler.start()
        Thread(target=self._watch, name="clock", daemon=True).start()

    def stop(self) -> None:
        """Begin nothing more and wait for what has begun."""
        self._stopped.set()
        self._scheduler.pause()
        self._scheduler.get_jobs()  # waits for a round that hands out jobs: it stumbles where they are gone
        # What has begun may ask for another look, which takes the lock that `shutdown` holds while it waits.
        self._scheduler.shutdown(wait=False)
        for executor in self._executors.values():
            executor.shutdown(wait=True)

    def _run(self, job: Callable[[int], None], conference_id: int, lane: Lane) -> None:
        with self._turn_of(lane):
            if not self._stopped.is_set():
                job(conference_id)

    @contextmanager
    def _turn_of(self, lane: Lane) -> Iterator[None]:
        if lane is not Lane.STARTS:
            with self._less_starting:
                self._less_starting.wait_for(lambda: self._starting < self._at_once, YIELD)
            yield
            return
        with self._less_starting:
            self._starting += 1
        try:
            yield
        finally:
            with self._less_starting:
                self._starting -= 1
                self._less_starting.notify_all()

    def _watch(self) -> None:
        ahead = time.time() - time.monotonic()
        while not self._stopped.wait(1.0):
            step = time.time() - time.monotonic() - ahead
            if abs(step) > STEP:
                ahead += step
                log.warning("the clock was set", seconds=round(step))
                self._begin_anew()

    def _begin_anew(self) -> None:
        """What is repeated goes on from now; what waits for a conference is found again by the sweep."""
        for job in self._scheduler.get_jobs():
            if isinstance(job.trigger, DateTrigger):
                self._forget(job.id)
            else:
                # Its old trigger would wait for the time at which it was made.
                again = IntervalTrigger(seconds=job.trigger.interval.total_seconds())
                self._scheduler.reschedule_job(job.id, trigger=again)
        try:
            self._after_step()
        except Exception:
            log.exception("after the clock was set")  # the next sweep goes on all the same

    def _forget(self, name: str) -> None:
        try:
            self._scheduler.remove_job(name)
        except JobLookupError:
            log.debug("the job ran meanwhile", job=name)


def _log_failure(event: JobExecutionEvent) -> None:
    log.error("job failed", job=event.job_id, error=repr(event.exception), traceback=event.traceback)
