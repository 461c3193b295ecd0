"""APScheduler, and nothing else of the program knows it.

Its job store is memory: what is due lives in the conference table. It holds a one-shot job for each conference that
falls due in the next minute, so that starts are exact, and a sweep every second that catches the rest.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

# The database judges what is due and its clock may have a coarser grain: never ask a moment too early.
GRAIN = timedelta(milliseconds=5)

log = structlog.get_logger()
# It warns of each job that is asked for while it still runs; the sweep asks again.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


class Clock:
    """`at_once` conferences are worked on at the same time; what is repeated has threads of its own, and what may
    take long has others still, so that nothing holds up a call."""

    def __init__(self, at_once: int) -> None:
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={
                "default": ThreadPoolExecutor(2),
                "conferences": ThreadPoolExecutor(at_once),
                "aside": ThreadPoolExecutor(3),
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(_log_failure, EVENT_JOB_ERROR)

    def every(self, seconds: float, job: Callable[[], None], aside: bool = False) -> None:
        """Repeat a job; one that still runs when it is due again is skipped that time. `aside`: it may take long."""
        self._scheduler.add_job(job, IntervalTrigger(seconds=seconds), executor="aside" if aside else "default")

    def at(self, instant: datetime, job: Callable[[int], None], conference_id: int) -> None:
        """Run a job for a conference at an instant, at once when that is past; the latest word counts."""
        name, when = str(conference_id), instant + GRAIN
        planned = self._scheduler.get_job(name)
        if planned is None:
            trigger = DateTrigger(when)
            again = {"id": name, "replace_existing": True}  # another thread may have added it since it was looked for
            self._scheduler.add_job(job, trigger, [conference_id], executor="conferences", **again)
        elif planned.next_run_time != when:
            self._move(name, when)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Begin nothing more and wait for what has begun."""
        self._scheduler.shutdown(wait=True)

    def _move(self, name: str, when: datetime) -> None:
        try:
            self._scheduler.reschedule_job(name, trigger=DateTrigger(when))
        except JobLookupError:
            log.debug("the job ran meanwhile", job=name)


def _log_failure(event: JobExecutionEvent) -> None:
    log.error("job failed", job=event.job_id, error=repr(event.exception), traceback=event.traceback)
