"""`studionett fleet` as a process of its own, and `studionett fleet fault` beside it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import httpx
import pytest
from flask import Flask

from app import create_app
from models import db
from simulation.commands import parse_address
from simulation.studio import Fault, Timings
from tests import factories
from tests.conftest import settings_for
from tests.simulation.fleets import own_address

ROOT = Path(__file__).parents[2]
PROGRAM = """
from app import create_app
from flask.cli import FlaskGroup
from simulation.commands import fleet
import simulation.commands
simulation.commands.RELOAD_S, simulation.commands.ANSWER_S = 0.2, 1
import simulation.fault_script as script
script.FIRST, script.SHARE = 0.1, 1.0
app = create_app()
app.cli.add_command(fleet)
FlaskGroup(name="studionett", create_app=lambda: app, add_default_commands=False, load_dotenv=False)()
"""


class Installation:
    """A database with studios, the settings that lead to it, and the command."""

    def __init__(self, url: str) -> None:
        self.url, self.control = url, f"{own_address()}:8079"
        self.app = create_app(settings_for(url))
        self.environment = {
            **os.environ,
            "STUDIONETT_DATABASE_URL": url,
            "STUDIONETT_SECRET_KEY": "a key for tests",
            "STUDIONETT_FLEET_CONTROL": self.control,
        }

    def add_studio(self, code: str, credential: str | None = None) -> str:
        address = own_address()
        with self.app.app_context():
            steered = factories.credential(credential).id if credential else None
            factories.endpoint(factories.studio(code=code), address=address, control_credential_id=steered)
            db.session.remove()
        return address

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "fleet"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=20,
        )


@pytest.fixture
def installation(sqlite_template: Path, tmp_path: Path) -> Iterator[Installation]:
    path = tmp_path / "studionett.db"
    path.write_bytes(sqlite_template.read_bytes())
    found = Installation(f"sqlite:///{path}")
    yield found
    with found.app.app_context():
        db.engine.dispose()


def test_the_fleet_serves_takes_faults_follows_the_inventory_and_ends_on_a_signal(installation: Installation):
    address = installation.add_studio("OUS01")
    process = installation.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Fleet: 1 studio on 127.201.")
        assert line.endswith(f"(xAPI 1, SIP 1, SNMP 1), control at {installation.control}.\n")
        url = f"http://{address}:8080/getxml?location=/Status/Call"
        assert httpx.get(url, trust_env=False).status_code == 401

        done = installation.run("fleet", "fault", "OUS01", "dead")
        assert (done.returncode, done.stdout) == (0, "OUS01: dead.\n")
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(url, trust_env=False, timeout=0.3)

        unknown = installation.run("fleet", "fault", "NOWHERE", "dead")
        assert (unknown.returncode, unknown.stderr) == (1, "Error: The fleet serves no studio NOWHERE.\n")
        second = installation.run("fleet")
        assert second.returncode == 1
        assert f"Cannot serve {installation.control}: it is in use, perhaps by another fleet." in second.stderr

        installation.add_studio("OUS02")
        assert process.stdout.readline() == "Fleet: 1 begun, 0 ended; 2 studios now.\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert process.stdout.read() == "Fleet: stopped.\n"
    finally:
        process.kill()
        process.wait()


def test_where_the_demonstration_is_installed_its_script_of_faults_plays(installation: Installation):
    installation.add_studio("OUS01", "demo-codec")
    installation.add_studio("OUS02")
    process = installation.start()
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert re.fullmatch(r"\d\d:\d\d:\d\d OUS01: [a-z ]+, until \d\d:\d\d\n", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_quiet_leaves_the_script_out(app: Flask, monkeypatch: pytest.MonkeyPatch):
    scripts: list[int | None] = []

    async def serve(app: Flask, control: tuple[str, int], timings: Timings, script: int | None) -> None:
        scripts.append(script)

    monkeypatch.setattr("simulation.commands.serve", serve)
    for words in (["fleet"], ["fleet", "--seed", "7"], ["fleet", "--quiet"]):
        assert app.test_cli_runner().invoke(args=words).exit_code == 0
    app.config["STUDIONETT"] = replace(app.config["STUDIONETT"], fleet_quiet=True)
    assert app.test_cli_runner().invoke(args=["fleet"]).exit_code == 0
    assert scripts == [1, 7, None, None]


def test_without_a_fleet_a_fault_is_a_sentence(installation: Installation):
    done = installation.run("fleet", "fault", "OUS01", "dead")
    assert done.returncode == 1
    assert done.stderr == f"Error: No fleet is running at {installation.control}; start it with `studionett fleet`.\n"


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    "words",
    [
        ["OUS01", "bored"],
        ["OUS01"],
        ["dead"],
        ["OUS01", "line"],
        ["OUS01", "dead", "--site", "Oslo"],
        ["--site", "Oslo"],
    ],
)
def test_a_fault_that_is_none_is_a_sentence_with_those_there_are(app: Flask, words: list[str]):
    done = app.test_cli_runner().invoke(args=["fleet", "fault", *words])
    assert done.exit_code == 2
    assert "Error: " in done.output
    assert "Traceback" not in done.output


def test_a_site_s_line_is_cut_by_name_from_the_command_line(app: Flask, monkeypatch: pytest.MonkeyPatch):
    told = {"site": "Oslo", "fault": "line", "studios": 2}
    asked: list[dict[str, str]] = []
    monkeypatch.setattr("simulation.commands._told_to_fleet", lambda content: asked.append(content) or told)
    done = app.test_cli_runner().invoke(args=["fleet", "fault", "--site", "oslo", "line"])
    assert (done.exit_code, done.output, asked) == (0, "Oslo, 2 studios: line.\n", [{"site": "oslo", "fault": "line"}])


def test_a_stranger_at_the_control_address_is_a_sentence(installation: Installation):
    host, port = installation.control.split(":")
    with socket.create_server((host, int(port))):
        started = time.monotonic()
        done = installation.run("fleet", "fault", "OUS01", "dead")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert time.monotonic() - started < 15


def test_a_control_address_that_is_not_loopback_is_a_sentence(installation: Installation):
    installation.environment["STUDIONETT_FLEET_CONTROL"] = "0.0.0.0:8079"
    done = installation.run("fleet")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The fleet's control address 0.0.0.0 is not a loopback address")


@pytest.mark.parametrize("wrong", ["", "127.1.0.1", "127.1.0.1:x", "127.1.0.1:0", "127.1.0.1:70000"])
def test_a_control_address_without_a_port_is_named(wrong: str):
    with pytest.raises(click.ClickException, match="STUDIONETT_FLEET_CONTROL"):
        parse_address(wrong)


def test_the_help_of_fault_names_every_fault(app: Flask) -> None:
    told = app.test_cli_runner().invoke(args=["fleet", "fault", "--help"]).output
    assert [fault for fault in Fault if fault.value not in told] == []
