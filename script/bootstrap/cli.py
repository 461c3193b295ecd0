"""The commands behind script/setup, script/server and script/test, and `keep` behind each line of the Procfile."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FrameType
from typing import NoReturn, TextIO

from bootstrap import assets, checks, data, debian, environment, keeping, serving, translations
from bootstrap.checkout import Checkout, this_checkout
from bootstrap.console import StepLine
from bootstrap.refusal import Refusal
from bootstrap.step import Step, carry_out

PROGRAM_MEGABYTES = 700
TEST_MEGABYTES = 1100
OTHER_SETUP_WITHIN = 300.0
"""Seconds that a second set-up of the same checkout waits for the first."""

FLEET_CONTROL = "127.1.0.1:8079"
FLEET_ADDRESS = "127.1.0.1"
FLEET_PORTS = [(8080, socket.SOCK_STREAM), (5060, socket.SOCK_DGRAM), (1161, socket.SOCK_DGRAM)]
"""xAPI, SIP and SNMP. All studios have the same, each on an address of its own."""


def setup(checkout: Checkout, _arguments: Sequence[str]) -> int:
    set_up(checkout, _program_steps(checkout))
    return 0


def server(checkout: Checkout, _arguments: Sequence[str]) -> int:
    host, port = web_address()
    checks.open_files()
    checks.ports_free(_ports(host, port))
    set_up(checkout, _program_steps(checkout, living=True))
    reached = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    address = f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
    print("Starting web, scheduler, monitor and fleet", flush=True)
    command = [checkout.tool("honcho"), "start", "--env", os.devnull]
    announcement = partial(_announcement, checkout, address)
    return serving.serve(command, checkout.root, address, announcement, data.history(checkout))


def test(checkout: Checkout, arguments: Sequence[str]) -> int:
    steps = environment.steps(checkout, "requirements-test.txt", TEST_MEGABYTES)
    steps += [*assets.steps(checkout), *translations.steps(checkout)]
    set_up(checkout, steps)
    carry_out(debian.steps(checkout))
    os.chdir(checkout.root)
    if not arguments:
        if subprocess.run(["script/lint"], check=False).returncode != 0:
            return 1
        # One more than there are processors: many tests wait for a process, a call or a clock. Tests of one group share
        # what is slow to start.
        arguments = ["-n", str(len(os.sched_getaffinity(0)) + 1), "--dist", "loadgroup"]
    return _become([str(checkout.python), "-m", "pytest", *arguments])


def _become(command: list[str]) -> NoReturn:
    """pytest has the last word, and Ctrl-C is its own."""
    sys.stdout.flush()
    os.execv(command[0], command)


def keep(_checkout: Checkout, arguments: Sequence[str]) -> int:
    return keeping.keep(arguments)


COMMANDS: dict[str, Callable[[Checkout, Sequence[str]], int]] = {
    "setup": setup,
    "server": server,
    "test": test,
    "keep": keep,
}


def main(arguments: Sequence[str]) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup says otherwise
            signal.signal(number, _terminated)
    try:
        return COMMANDS[arguments[0]](this_checkout(), arguments[1:])
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'The set-up'}: {error.strerror or error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the next run carries on from here.", file=sys.stderr)
        return 130


def set_up(checkout: Checkout, steps: Sequence[Step]) -> None:
    """Asks first what would stop it later, then carries the steps out, one set-up at a time."""
    checks.writable([checkout.var] if checkout.var.exists() else [checkout.root])
    with _alone(checkout):
        due = [step for step in steps if not step.ready()]
        checks.writable(folder for step in due for folder in step.writes)
        checks.disk_space(checkout.root, sum(step.megabytes for step in due))
        if any(step.name == "Virtual environment" for step in due):
            checks.venv_module()
        checkout.log.unlink(missing_ok=True)
        carry_out(steps)


def web_address() -> tuple[str, int]:
    host = os.environ.get("STUDIONETT_HOST", "").strip() or "127.0.0.1"
    port = os.environ.get("STUDIONETT_PORT", "").strip() or "8000"
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise Refusal(f"STUDIONETT_PORT is a port from 1 to 65535, not {port!r}.")
    return host, int(port)


def _program_steps(checkout: Checkout, living: bool = False) -> list[Step]:
    return [
        *environment.steps(checkout, "requirements.txt", PROGRAM_MEGABYTES),
        *assets.steps(checkout),
        *translations.steps(checkout),
        *data.steps(checkout, living),
    ]


def _ports(host: str, port: int) -> Iterator[checks.Place]:
    """The pages', the fleet's control, and those of one studio."""
    yield checks.Place(
        host, port, socket.SOCK_STREAM, "the web server", "set STUDIONETT_HOST and STUDIONETT_PORT to a free one"
    )
    stop_it = "stop that program (perhaps another script/server)"
    control, _, control_port = os.environ.get("STUDIONETT_FLEET_CONTROL", FLEET_CONTROL).rpartition(":")
    if control_port.isdecimal():  # the fleet itself says what is wrong with another
        yield checks.Place(control, int(control_port), socket.SOCK_STREAM, "the fleet", stop_it)
    for number, kind in FLEET_PORTS:
        yield checks.Place(FLEET_ADDRESS, number, kind, "the fleet", stop_it)


def _announcement(checkout: Checkout, address: str) -> str:
    told = f"\nStudionett is at {address}/ (Ctrl-C stops it).\n"
    accounts = data.accounts(checkout)
    return f"{told}\nAccounts to try it with (e-mail, password, role, organisation):\n{accounts}" if accounts else told


@contextlib.contextmanager
def _alone(checkout: Checkout) -> Iterator[None]:
    """The programs of the set-up inherit the lock: what a killed set-up left running is waited for as well."""
    checkout.var.mkdir(mode=0o700, exist_ok=True)
    with open(checkout.var / "setup.lock", "w") as lock:
        os.set_inheritable(lock.fileno(), True)
        deadline = time.monotonic() + OTHER_SETUP_WITHIN
        line = StepLine("Another set-up")
        while not _locked(lock):
            if time.monotonic() > deadline:
                line.failed()
                raise Refusal("Another set-up of this checkout is running: wait for it, or stop it.")
            line.progress(None)
            time.sleep(0.2)
        if line.seconds >= 1:
            line.done("waited for")
        yield


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _terminated(number: int, _frame: FrameType | None) -> None:
    """As on Ctrl-C: what was started is stopped first."""
    sys.exit(128 + number)
