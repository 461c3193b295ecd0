"""Real processes: what they leave in the table while they run, when they stop, and when they are killed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from models import Worker, db
from tests.conftest import settings_for
from tests.scheduler.conftest import wait_for

STUDIONETT = Path(sys.executable).with_name("studionett")
NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(app, database_url):
    """Start a process of ours on the test's database."""
    started = []
    environment = {
        **os.environ,
        "STUDIONETT_DATABASE_URL": database_url,
        "STUDIONETT_SECRET_KEY": settings_for(database_url).secret_key,
        "STUDIONETT_PORT": str(free_port()),
        "STUDIONETT_FLEET_CONTROL": f"127.{150 + NUMBER}.7.1:28379",
    }

    def run(kind: str) -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen([STUDIONETT, kind], env=environment, stdout=subprocess.DEVNULL))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait(5)


def kinds() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(db.select(Worker.kind)))


def test_each_process_is_seen_while_it_runs_not_after_a_stop_and_still_after_a_kill(start):
    web, fleet, killed = start("web"), start("fleet"), start("scheduler")
    wait_for(lambda: kinds() == ["fleet", "scheduler", "web"], 30)
    for process in (web, fleet):
        process.send_signal(signal.SIGTERM)
    killed.kill()
    for process in (web, fleet):
        assert process.wait(20) == 0
    assert kinds() == ["scheduler"], "silence is what a kill leaves"
