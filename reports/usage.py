"""Makes the facts of local days and keeps them; what a day had before is replaced, so making it twice is harmless."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from config import settings
from models import ConferenceUsage, HourUsage, Report, StudioUsage, database_now, db, write
from progress import ReportProgress
from reports.days import DayFacts, facts_of
from reports.mails import queue_mails
from reports.queries import UNSETTLED_FOR, first_conference_at, made_reports, past, unsettled_days
from reports.rules import MADE_UP, MAILED, days_between, due_nights, night_after

AT_ONCE = 14  # days whose facts are held in memory together

log = structlog.get_logger()


def today_of(now: datetime) -> date:
    """The day that the network's zone has now; it is not over."""
    return now.astimezone(ZoneInfo(settings().zone)).date()


def make_due_reports() -> list[date]:
    """Make what the nights so far should have made and did not, the oldest first; the days that were made here.

    A day that cannot be made does not stand in the way of the others; the next sweep tries it again.
    """
    made = []
    for day in due_days(database_now()):
        try:
            if make_report(day):
                made.append(day)
        except Exception:
            db.session.rollback()  # PostgreSQL answers nothing more in a transaction in which something failed
            log.exception("report failed", day=str(day))
    return made


def due_days(now: datetime) -> list[date]:
    """Days without a report made in the night after them or later, and those with conferences that ended since."""
    begun = first_conference_at()
    if begun is None:
        return []
    today = today_of(now)
    made = made_reports(today - MADE_UP, today)
    due = due_nights(today_of(begun), made, now, settings().zone)
    return sorted({*due, *unsettled_days(today - UNSETTLED_FOR, today, now)})


def make_report(day: date) -> bool:
    """Make the report of a day that is over, and its mails if its night has passed and not long ago.

    False where somebody else made it meanwhile: then nothing is done.
    """
    now = database_now()
    seen = made_reports(day, day).get(day)
    facts = facts_of(day, settings().zone, past(day, day, now))
    mailed = timedelta() <= now - night_after(day, settings().zone) <= MAILED
    return write(partial(_keep_first, facts, seen, now, queue_mails if mailed else None))


def make_missing(first: date, last: date, progress: ReportProgress) -> None:
    """Make the reports of these days, all over, that are not there or not final.

    Recent ones as their nights would have, with mails: whoever comes before the night's work does it.
    """
    now = database_now()
    begun = first_conference_at()
    if begun is None or today_of(begun) > last:
        return
    needed = _not_final(max(first, today_of(begun)), last, now)
    recent = [day for day in needed if now - night_after(day, settings().zone) <= MAILED]
    older = needed[: len(needed) - len(recent)]
    keep_days(older, lambda done, _all: progress(done, len(needed)))
    for done, day in enumerate(recent, 1):
        make_report(day)
        progress(len(older) + done, len(needed))


def _not_final(first: date, last: date, now: datetime) -> list[date]:
    made = made_reports(first, last)
    unsettled = set(unsettled_days(first, last, now))
    return [
        day
        for day in days_between(first, last)
        if day not in made or day in unsettled or made[day] < night_after(day, settings().zone)
    ]


def keep_days(days: Sequence[date], progress: ReportProgress | None = None) -> None:
    """Make the reports of many days that are over, whatever there was, without mails."""
    now = database_now()
    for start in range(0, len(days), AT_ONCE):
        some = sorted(days)[start : start + AT_ONCE]
        known = past(some[0], some[-1], now)
        facts = [facts_of(day, settings().zone, known) for day in some]
        write(partial(_keep, facts, now))
        if progress:
            progress(start + len(some), len(days))


def _keep_first(facts: DayFacts, seen: datetime | None, now: datetime, then: Callable[[date], None] | None) -> bool:
    """Keep the facts if the report is still the one that was seen, or still none."""
    if not _claim(facts.day, now, seen):
        return False
    _replace([facts])
    if then:
        then(facts.day)
    return True


def _keep(facts: Sequence[DayFacts], now: datetime) -> None:
    for each in facts:
        _put(each.day, now)
    _replace(facts)


def _claim(day: date, now: datetime, seen: datetime | None) -> bool:
    """Set when the day's report was made, if it still says `seen`. The row then keeps others out until the commit."""
    table: Any = Report.__table__
    if seen is None:
        statement = _insert(Report).values(day=day, made_at=now).on_conflict_do_nothing()
    else:
        statement = sa.update(table).where(table.c.day == day, table.c.made_at == seen).values(made_at=now)
    return db.session.scalar(statement.returning(table.c.day)) is not None


def _put(day: date, now: datetime) -> None:
    row = _insert(Report).values(day=day, made_at=now)
    db.session.execute(row.on_conflict_do_update(index_elements=["day"], set_={"made_at": now}))


def _replace(facts: Sequence[DayFacts]) -> None:
    """A conference that was moved after its first day was reported leaves that day."""
    days = [each.day for each in facts]
    for each in facts:
        here = ConferenceUsage.conference_id.in_([row["conference_id"] for row in each.conferences])
        db.session.execute(sa.delete(ConferenceUsage).where(sa.or_(ConferenceUsage.day == each.day, here)))
    for table in (StudioUsage, HourUsage):
        db.session.execute(sa.delete(table).where(table.day.in_(days)))
    _insert_all(ConferenceUsage, [row for each in facts for row in each.conferences])
    _insert_all(StudioUsage, [row for each in facts for row in each.studios])
    _insert_all(HourUsage, [row for each in facts for row in each.hours])


def _insert_all(model: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.execute(sa.insert(model.__table__), rows)


def _insert(model: Any) -> Any:
    return (postgresql if db.engine.dialect.name == "postgresql" else sqlite).insert(model.__table__)
