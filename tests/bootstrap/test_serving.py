"""Starting and stopping all processes of a Procfile: whatever ends, however it ends, nothing stays behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bootstrap import serving
from bootstrap.refusal import Refusal

ROOT = Path(__file__).resolve().parents[2]
HONCHO = str(Path(sys.prefix) / "bin" / "honcho")

WEB = """
import http.server, sys
class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Pages).serve_forever()
"""

SERVE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bootstrap.serving import serve
sys.exit(serve([sys.argv[2], "start"], Path(sys.argv[3]), sys.argv[4], lambda: "Here are the pages.", sys.argv[5:]))
"""


class Server:
    """`serve` in a process of its own, over a Procfile of stand-ins that all carry `mark` in their command lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = f"mark-{folder.name}-{os.getpid()}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "web.py").write_text(WEB)
        self.process: subprocess.Popen[str] | None = None

    def start(self, **others: str) -> None:
        web = f"exec {sys.executable} web.py {self.port} {self.mark}"
        lines = [f"{name}: {command}" for name, command in {"web": web, **others}.items()]
        (self.folder / "Procfile").write_text("\n".join(lines) + "\n")
        command = [sys.executable, "-c", SERVE, str(ROOT / "script"), HONCHO, str(self.folder)]
        self.process = subprocess.Popen(
            [*command, f"http://127.0.0.1:{self.port}", *self.afterwards()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def afterwards(self) -> list[str]:
        return ["sh", "-c", f"nice > begun; sleep 62; : {self.mark}"]

    def wait_until_ready(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        assert any("Here are the pages." in line for line in self.process.stdout), "it ended before it was ready"

    def stop(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(15)

    def left(self) -> list[str]:
        """Command lines of what still runs, after a moment to end."""
        deadline = time.monotonic() + 6
        while (running := self._running()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return running

    def _running(self) -> list[str]:
        found = []
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = place.read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if self.mark in command:
                found.append(command)
        return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    if server.process and server.process.poll() is None:
        server.process.kill()
        server.process.wait()
    assert server.left() == []


@pytest.fixture
def idle(server: Server) -> Callable[[str], str]:
    """A command of a process that does nothing for a minute, with `before` run first."""
    return lambda before="": f'{before} exec sh -c "sleep 60; : {server.mark}"'


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_stops_every_process(
    server: Server, idle: Callable[[str], str], number: signal.Signals, code: int
) -> None:
    server.start(scheduler=idle(""))
    server.wait_until_ready()
    began = time.monotonic()
    assert server.stop(number) == code
    assert time.monotonic() - began < 5
    assert server._running() == []


def test_what_is_to_follow_the_start_begins_then_and_ends_with_the_others(
    server: Server, idle: Callable[[str], str]
) -> None:
    server.start(scheduler=idle(""))
    server.wait_until_ready()
    deadline = time.monotonic() + 5
    while not (server.folder / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.stop(signal.SIGTERM) == 143
    assert server._running() == []
    assert int((server.folder / "begun").read_text()) >= os.nice(0) + 10, "the pages and the calls come before it"


def test_what_detached_itself_is_stopped_as_well(server: Server, idle: Callable[[str], str]) -> None:
    server.start(scheduler=idle(f'setsid sh -c "trap : TERM; sleep 61; : {server.mark}" >/dev/null 2>&1 &'))
    server.wait_until_ready()
    assert server.stop(signal.SIGINT) == 130
    assert server._running() == []


def test_a_process_that_will_not_stop_is_killed(server: Server) -> None:
    server.start(scheduler=f'trap "" TERM; while :; do sleep 0.2; done; : {server.mark}')
    server.wait_until_ready()
    assert server.stop(signal.SIGINT) == 130
    assert server._running() == []


def test_a_kill_of_the_server_itself_stops_the_others(server: Server, idle: Callable[[str], str]) -> None:
    server.start(scheduler=idle(""))
    server.wait_until_ready()
    server.stop(signal.SIGKILL)
    assert server.left() == []


def test_a_process_that_ends_by_itself_stops_all_with_its_code(server: Server, idle: Callable[[str], str]) -> None:
    server.start(scheduler=f"while ! [ -e {server.folder}/end ]; do sleep 0.1; done; exit 7", monitor=idle(""))
    server.wait_until_ready()
    (server.folder / "end").touch()
    assert server.process is not None
    assert server.process.wait(15) == 7
    assert server._running() == []


def test_a_process_that_ends_while_starting_is_told_at_once(tmp_path: Path) -> None:
    ended = subprocess.Popen(["false"])
    ended.wait()
    with pytest.raises(Refusal, match="ended while starting"):
        serving.await_pages(ended, "http://127.0.0.1:1")


def test_pages_that_never_answer_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "READY_WITHIN", 0.0)
    with subprocess.Popen(["sleep", "60"]) as running:
        with pytest.raises(Refusal, match=r"did not answer at http://127\.0\.0\.1:1 within"):
            serving.await_pages(running, "http://127.0.0.1:1")
        running.kill()
