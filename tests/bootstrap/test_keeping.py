"""A process that is killed is started again; one that ends, and one that is stopped, is not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).resolve().parents[2] / "script" / "bootstrap"
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Keeps a shell's script, which notes its process number in `begun`."""
    started: list[subprocess.Popen[str]] = []

    def keep(script: str) -> "subprocess.Popen[str]":
        command = [sys.executable, str(BOOTSTRAP), "keep", "sh", "-c", f"echo $$ >> begun; {script}"]
        started.append(subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield keep
    for process in started:
        process.kill()
        process.communicate()


def begun(folder: Path, times: int) -> list[int]:
    """The process numbers, once so many have begun."""
    deadline = time.monotonic() + 10
    while len(found := (folder / "begun").read_text().split() if (folder / "begun").exists() else []) < times:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(number) for number in found]


def is_gone(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


def test_what_is_killed_is_started_again_and_a_stop_ends_it(tmp_path: Path, start: Start) -> None:
    keeper = start("exec sleep 60")
    (first,) = begun(tmp_path, 1)
    os.kill(first, signal.SIGKILL)
    second = begun(tmp_path, 2)[1]
    keeper.terminate()
    assert keeper.wait(10) == 128 + signal.SIGTERM
    assert is_gone(second)
    assert keeper.stdout is not None
    assert "SIGKILL, and is started again" in keeper.stdout.read()


@pytest.mark.parametrize("code", [0, 3])
def test_what_ends_by_itself_is_not_started_again(tmp_path: Path, start: Start, code: int) -> None:
    assert start(f"exit {code}").wait(10) == code
    assert len(begun(tmp_path, 1)) == 1


def test_what_is_killed_again_and_again_is_given_up(tmp_path: Path, start: Start) -> None:
    assert start("kill -9 $$").wait(10) == 128 + signal.SIGKILL
    assert len(begun(tmp_path, 1)) == 3


def test_a_kill_of_the_keeper_ends_what_it_keeps(tmp_path: Path, start: Start) -> None:
    keeper = start("exec sleep 60")
    (kept,) = begun(tmp_path, 1)
    keeper.kill()
    keeper.wait(10)
    deadline = time.monotonic() + 5
    while not is_gone(kept):
        assert time.monotonic() < deadline
        time.sleep(0.02)
