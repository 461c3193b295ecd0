import os
import signal
import socket
import subprocess
import sys

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Settings
from models import EndpointStatus, Worker, db
from monitoring.cadence import Cadence
from monitoring.commands import cadence_of
from monitoring.snmp import gufo_engine
from monitoring.snmp.choice import EngineMissing, engine_named
from tests import factories
from tests.monitoring.running import until


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_command_watches_until_it_is_told_to_stop(app: Flask, database_url: str) -> None:
    key = factories.endpoint(factories.studio(), "127.202.8.1", control_driver=None, control_url=None).id
    settings = {"STUDIONETT_DATABASE_URL": database_url, "STUDIONETT_SECRET_KEY": "a key for tests"}
    command = [sys.executable, "-c", "import app; app.main()", "monitor"]
    running = subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True)
    until(lambda: db.session.get_one(EndpointStatus, key).lease_owner, within=30)
    running.send_signal(signal.SIGTERM)
    said, _ = running.communicate(timeout=20)
    assert running.returncode == 0
    assert "watches with gufo: a sign of life every 10 s" in said
    assert "has stopped" in said
    db.session.rollback()
    assert db.session.get_one(EndpointStatus, key).lease_owner is None
    assert db.session.scalars(sa.select(Worker)).all() == []


def test_gufo_is_the_engine_unless_it_is_missing_or_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [engine_named(name).name for name in ("auto", "gufo", "pysnmp")] == ["gufo", "gufo", "pysnmp"]
    monkeypatch.setitem(sys.modules, "monitoring.snmp.gufo_engine", None)
    assert [engine_named(name).name for name in ("auto", "pysnmp")] == ["pysnmp", "pysnmp"]
    with pytest.raises(EngineMissing, match="gufo-snmp cannot be used"):
        engine_named("gufo")


class AnotherSocket:
    """As of a gufo-snmp that wants something else; its sockets are no public part of it."""

    def __init__(self, address: str) -> None: ...


class LesserSocket:
    def __init__(self, *arguments: object) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def get_fd(self) -> int:
        return self._socket.fileno()


@pytest.mark.parametrize("other", [AnotherSocket, LesserSocket])
@pytest.mark.parametrize("name", ["SnmpV2cClientSocket", "SnmpV3ClientSocket"])
def test_a_gufo_with_other_sockets_counts_as_missing(monkeypatch: pytest.MonkeyPatch, name: str, other: type) -> None:
    monkeypatch.setattr(gufo_engine, name, other)
    assert engine_named("auto").name == "pysnmp"
    with pytest.raises(EngineMissing, match="gufo-snmp cannot be used"):
        engine_named("gufo")


def test_settings_that_contradict_give_a_cadence_that_holds() -> None:
    assert cadence_of(Settings(poll_interval=30, alive_interval=90, calls_interval=10, calls_interval_busy=15)) == (
        Cadence(full=30, alive=30, calls=10, calls_busy=10)
    )
