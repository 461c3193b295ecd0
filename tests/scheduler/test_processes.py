"""Schedulers as real processes: several at once, and a database that goes away under them."""

import os
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from models import Conference, ConferenceState, Event, db
from simulation.studio import CallState
from tests import factories
from tests.conftest import DIALECTS
from tests.scheduler.conftest import STUDIONETT, wait_for

# Seconds: a minute of what a server in another room does to us; a locked file is told from that by nobody.
AWAY = {"sqlite": 7, "postgresql": 61}
PAIRS = [(f"HOST-{n}", f"FAR-{n}") for n in range(20)]


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def states() -> Counter[ConferenceState]:
    return Counter(db.session.scalars(db.select(Conference.state)))


@pytest.mark.parametrize("network", [[code for pair in PAIRS for code in pair]], indirect=True)
def test_two_schedulers_dial_each_of_twenty_calls_once(network, studios, start_scheduler):
    start = datetime.now(UTC) + timedelta(seconds=5)
    for host, far in PAIRS:
        factories.conference(studios[host], studios[far], start=start, end=start + timedelta(seconds=6))
    db.session.rollback()
    for _ in range(2):
        start_scheduler()
    wait_for(lambda: states() == {ConferenceState.RUNNING: 20}, 25)
    for code, studio in network.fleet.studios.items():
        assert [(code, call.state) for call in studio.calls.values()] == [(code, CallState.CONNECTED)]
    assert len({call.call_id for host, _far in PAIRS for call in network.calls(host)}) == 1, "each host's first call"
    wait_for(lambda: states() == {ConferenceState.ENDED: 20}, 60)
    assert not any(studio.calls for studio in network.fleet.studios.values())
    told = Counter(db.session.scalars(db.select(Event.kind)))
    assert (told["leg.dialled"], told["leg.connected"], told["leg.stopped"]) == (20, 20, 20)


@contextmanager
def database_away(url: str, dialect: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """SQLite: somebody holds its lock. PostgreSQL: every connection is cut, and no other is let in."""
    db.session.remove()
    db.engine.dispose()
    if dialect == "sqlite":
        blocker = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        yield
        blocker.execute("ROLLBACK")
        blocker.close()
        return
    admin, name = request.getfixturevalue("postgres")._admin, db.engine.url.database
    admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    yield
    admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_scheduler_outlives_its_database_and_carries_on(
    network,
    running_now,
    studios,
    database_url,
    dialect,
    start_scheduler,
    request,
):
    conference = running_now("TROMSO", "BODO")
    start = datetime.now(UTC) + timedelta(seconds=AWAY[dialect])
    factories.conference(studios["ALTA"], studios["NARVIK"], start=start)
    db.session.rollback()
    process = start_scheduler()
    wait_for(lambda: states()[ConferenceState.RUNNING] == 1, 20)
    conference_id = conference.id
    with database_away(database_url, dialect, request):
        time.sleep(AWAY[dialect])
        assert process.poll() is None
        assert [[call.state for call in network.calls(code)] for code in ("TROMSO", "BODO")] == [
            [CallState.CONNECTED]
        ] * 2
    wait_for(lambda: states()[ConferenceState.RUNNING] == 2, 25)
    for code in network.specs:
        assert [call.state for call in network.calls(code)] == [CallState.CONNECTED]
    assert db.session.get_one(Conference, conference_id).state is ConferenceState.RUNNING


def test_without_tables_the_scheduler_ends_with_a_sentence(tmp_path):
    environment = {
        **os.environ,
        "STUDIONETT_DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}",
        "STUDIONETT_SECRET_KEY": "a key for tests",
    }
    ended = subprocess.run(
        [STUDIONETT, "scheduler"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert "studionett db upgrade" in ended.stderr
    assert "Traceback" not in ended.stderr
