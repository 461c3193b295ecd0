"""The scripts as a newcomer meets them: what stands in the way is told in one sentence, before anything is changed."""

import ast
import json
import os
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ["requirements.txt", "requirements-test.txt", "package-lock.json"]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.83.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def run(*command: str, before: Callable[[], None] | None = None, **setting: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env=os.environ | setting,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        preexec_fn=before,
        check=False,
    )


def assert_one_sentence(ended: "subprocess.CompletedProcess[str]", *parts: str) -> None:
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.rstrip().endswith(".")
    for part in parts:
        assert part in ended.stderr


def test_an_old_python_is_told_which_one_is_needed() -> None:
    pretend = f"import sys, runpy; sys.version_info = (3, 9, 2); runpy.run_path({str(ROOT / 'script/bootstrap')!r})"
    assert_one_sentence(run(sys.executable, "-c", pretend), "needs Python 3.11 or newer", "is 3.9:")


def test_an_old_python_can_read_the_file_that_says_so() -> None:
    ast.parse((ROOT / "script/bootstrap/__main__.py").read_text(), feature_version=(3, 6))


def test_a_machine_without_python_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    assert_one_sentence(run("/bin/sh", str(ROOT / "script/setup"), PATH=str(tmp_path)), "python3 and python3-venv")


def test_the_first_python_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (tmp_path / "python3.12").symlink_to(sys.executable)
    path = f"{tmp_path}:/usr/bin:/bin"
    ended = run(str(ROOT / "script/server"), PATH=path, STUDIONETT_PORT="none")
    assert_one_sentence(ended, "STUDIONETT_PORT")


def test_a_port_in_use_is_named_with_the_way_out(taken_port: int) -> None:
    ended = run(str(ROOT / "script/server"), STUDIONETT_HOST="127.83.0.1", STUDIONETT_PORT=str(taken_port))
    assert_one_sentence(ended, f"Port {taken_port} of 127.83.0.1", "in use by another program", "STUDIONETT_PORT")


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "80,81"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    assert_one_sentence(run(str(ROOT / "script/server"), STUDIONETT_PORT=port), repr(port), "1 to 65535")


def test_an_address_of_another_machine_is_refused() -> None:
    ended = run(str(ROOT / "script/server"), STUDIONETT_HOST="192.0.2.1")
    assert_one_sentence(ended, "192.0.2.1", "no such address")


def test_a_hard_limit_below_what_the_fleet_opens_is_named() -> None:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))

    assert_one_sentence(run(str(ROOT / "script/server"), before=lower), "4096 open files", "hard limit is 1024")


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_record_no_addresses(lock: str) -> None:
    content = (ROOT / lock).read_text()
    assert "://" not in content
    assert "resolved" not in content
    assert "--index" not in content
    assert "--find-links" not in content


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-test.txt"])
def test_every_python_package_is_pinned_with_a_hash(lock: str) -> None:
    for entry in re.split(r"\n(?=[A-Za-z0-9])", (ROOT / lock).read_text())[1:]:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_tests_run_with_the_versions_that_the_program_runs_with() -> None:
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (ROOT / lock).read_text(), re.MULTILINE))

    assert pins("requirements.txt") <= pins("requirements-test.txt")


def test_every_front_end_package_is_pinned_with_a_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in package for place, package in packages.items() if place)


@pytest.mark.parametrize("script", ["setup", "server", "test", "lint", "lock"])
def test_scripts_can_be_started_from_anywhere(script: str) -> None:
    place = ROOT / "script" / script
    assert os.access(place, os.X_OK)
    assert run("/bin/sh", "-n", str(place)).returncode == 0


def test_the_procfile_names_each_process_once() -> None:
    started = dict(
        re.findall(r"^(\w+): exec .* keep \.venv/bin/studionett (\w+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    )
    assert started == {name: name for name in ("web", "scheduler", "monitor", "fleet")}


def test_a_measurement_is_found_by_its_name_with_dashes_too():
    shown = run(str(ROOT / "script" / "bench"), "find-time", "--help")
    assert shown.returncode == 0
    assert "usage: script/bench find_time" in shown.stdout
    assert run(str(ROOT / "script" / "bench"), "no-such-thing").returncode == 2
