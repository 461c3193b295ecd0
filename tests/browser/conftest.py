"""The whole program as people meet it: its own processes, simulated studios on loopback, a real Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

STUDIONETT = Path(sys.executable).with_name("studionett")
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
# Without the networking flags a closed network is asked for updates, many times at a start.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROCESSES = ["fleet", "monitor", "scheduler", "web"]
# Test processes side by side each have a network of their own.
NETWORK = f"127.{230 + int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw'))}.1"
HTTP_PORT, SIP_PORT, SNMP_PORT = 28280, 25260, 21161
PASSWORD = "a password for tests"
HEADER = (
    "code,name,site,organisation,organisation_kind,health_region,county,municipality,town,latitude,longitude,"
    "capacity,equipment,dial_address,control_driver,control_url,control_credential,"
    "snmp_host,snmp_port,snmp_version,snmp_credential"
)
PLACES = [("TROMSO-01", "Tromsø"), ("BODO-01", "Bodø"), ("ALTA-01", "Alta"), ("NARVIK-01", "Narvik")]


@dataclass(frozen=True)
class Running:
    """A running Studionett. `addresses` are the studios' own, by code."""

    address: str
    environment: dict[str, str]
    addresses: dict[str, str]

    def studionett(self, *arguments: str, typed: str = "") -> str:
        done = subprocess.run(
            [STUDIONETT, *arguments], env=self.environment, input=typed, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def calls(self, code: str) -> list[str]:
        """What the codec itself says of its calls: their states."""
        url = f"http://{self.addresses[code]}:{HTTP_PORT}/getxml?location=/Status/Call"
        answer = httpx.get(url, auth=("admin", "hemmelig"), trust_env=False, timeout=5).text
        return [part.split("<")[0] for part in answer.split("<Status>")[1:] if part and part[0].isalpha()]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    port = _free_port()
    made = Running(
        f"http://127.0.0.1:{port}",
        {
            **os.environ,
            "STUDIONETT_DATABASE_URL": f"sqlite:///{folder / 'studionett.db'}",
            "STUDIONETT_SECRET_KEY": "a key for tests",
            "STUDIONETT_PORT": str(port),
            "STUDIONETT_FLEET_CONTROL": f"{NETWORK}.250:28279",
            "STUDIONETT_ALIVE_INTERVAL": "2",
            "STUDIONETT_POLL_INTERVAL": "10",
        },
        {code: f"{NETWORK}.{number}" for number, (code, _town) in enumerate(PLACES, start=1)},
    )
    _fill(made, folder)
    processes = [_start(name, made.environment, folder) for name in PROCESSES]
    try:
        _await_pages(made.address)
        yield made
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(15)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An English page; a complaint on its console (a script's error, a breach of the content policy) fails the test."""
    context = browser.new_context(locale="en-GB", timezone_id="Europe/Oslo", viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert not complaints


def sign_in(page: Page, running: Running, email: str) -> None:
    page.goto(f"{running.address}/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def _fill(running: Running, folder: Path) -> None:
    running.studionett("db", "upgrade")
    running.studionett("credential", "set", "codec", "--user", "admin", typed="hemmelig\n")
    running.studionett("credential", "set", "community", typed="public\n")
    inventory = folder / "inventory.csv"
    inventory.write_text("\n".join([HEADER, *(_line(running, code, town) for code, town in PLACES)]) + "\n")
    running.studionett("inventory", "import", str(inventory))
    for email, role, more in (
        ("coordinator@example.org", "coordinator", ["--organisation", "Helse Test HF"]),
        ("technician@example.org", "technician", []),
    ):
        running.studionett("user", "add", email, "--role", role, *more, typed=PASSWORD + "\n")


def _line(running: Running, code: str, town: str) -> str:
    address = running.addresses[code]
    return (
        f"{code},{town} Studio 1,{town} sykehus,Helse Test HF,health_trust,Nord,Troms,{town},{town},69.6,18.9,"
        f"8,document_camera,sip:{code.lower()}@{address}:{SIP_PORT},cisco-xapi,http://{address}:{HTTP_PORT},codec,"
        f"{address},{SNMP_PORT},2c,community"
    )


def _start(name: str, environment: dict[str, str], folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen([STUDIONETT, name], env=environment, stdout=log, stderr=subprocess.STDOUT)


def _await_pages(address: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{address}/healthz", trust_env=False).text == "ok":
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the pages never came")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
