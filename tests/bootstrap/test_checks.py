"""What this machine must offer, and the sentence when it doesn't."""

import errno
import os
import resource
import socket
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from bootstrap import checks
from bootstrap.refusal import Refusal

NOBODY = 65534


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Root may write everywhere; a test of that as root becomes another for its while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


def test_a_missing_venv_module_names_debians_package(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checks.importlib.util.find_spec

    def without_ensurepip(name: str) -> ModuleSpec | None:
        return None if name == "ensurepip" else found(name)

    monkeypatch.setattr(checks.importlib.util, "find_spec", without_ensurepip)
    with pytest.raises(Refusal, match=r"install Debian's package python3\.\d+-venv"):
        checks.venv_module()


def test_a_whole_python_passes() -> None:
    checks.venv_module()


@pytest.mark.usefixtures("ordinary_user")
def test_an_unwritable_folder_is_named() -> None:
    with pytest.raises(Refusal, match="The folder /etc cannot be written to"):
        checks.writable([Path("/etc")])


def test_a_full_disk_is_told_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(dir: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checks.tempfile, "TemporaryFile", full)
    with pytest.raises(Refusal, match=f"The disk of {tmp_path} is full"):
        checks.writable([tmp_path])


def test_a_writable_folder_passes_and_is_left_as_it_was(tmp_path: Path) -> None:
    checks.writable([tmp_path, tmp_path / "not there yet"])
    assert list(tmp_path.iterdir()) == []


def test_too_little_disk_space_says_how_much_is_needed(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="needs 999999999 MB"):
        checks.disk_space(tmp_path, 999_999_999)


def test_a_low_soft_limit_of_open_files_is_raised() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, before[1]))
    try:
        checks.open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (checks.OPEN_FILES, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_another_program_holds_is_refused_and_a_free_one_passes(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.83.0.2", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        place = checks.Place("127.83.0.2", taken.getsockname()[1], kind, "the fleet", "stop it")
        with pytest.raises(
            Refusal, match=f"Port {place.port} of 127.83.0.2, which the fleet needs, is in use .*: stop it"
        ):
            checks.ports_free([place])
    checks.ports_free([place])


@pytest.mark.usefixtures("ordinary_user")
def test_a_port_for_root_only_is_refused_to_others() -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("this machine gives all ports to all users")
    place = checks.Place("127.83.0.2", 80, socket.SOCK_STREAM, "the web server", "choose another")
    with pytest.raises(Refusal, match="may be opened by root only"):
        checks.ports_free([place])


@pytest.mark.parametrize("name", ["no such host", "two..dots"])
def test_a_name_that_is_no_address_is_refused(name: str) -> None:
    place = checks.Place(name, 8000, socket.SOCK_STREAM, "the web server", "choose another")
    with pytest.raises(Refusal, match=f"{name} is no address: choose another"):
        checks.ports_free([place])
