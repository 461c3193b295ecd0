"""What this machine must offer, each with its sentence when it doesn't. Cheap: asked before anything is changed."""

import errno
import importlib.util
import os
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from bootstrap.refusal import Refusal

OPEN_FILES = 4096
"""The fleet opens three sockets for each of 900 studios in one process, and calls come on top."""

MEGABYTE = 1024 * 1024


def venv_module() -> None:
    """Debian keeps ensurepip, without which venv fails half-way, in a package of its own."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    raise Refusal(
        f"Python's venv module is missing or incomplete: install Debian's package python{version}-venv "
        "(apt install python3-venv)."
    )


def writable(folders: Iterable[Path]) -> None:
    """Tried, not asked: root may write where the file system says no, and the other way round."""
    for folder in folders:
        if not folder.exists():
            continue
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise Refusal(_unwritable(folder, error)) from None


def _unwritable(folder: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"The disk of {folder} is full: make room and run this again."
    owner = "" if os.geteuid() == 0 else "; it may belong to another user, for example root"
    return f"The folder {folder} cannot be written to ({error.strerror}{owner})."


def disk_space(folder: Path, megabytes: int) -> None:
    free = shutil.disk_usage(folder).free // MEGABYTE
    if free < megabytes:
        raise Refusal(f"The set-up needs {megabytes} MB of disk space in {folder}, and {free} MB are free.")


def open_files() -> None:
    """Raises the soft limit, which the processes inherit; only the hard one can stand in the way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        raise Refusal(
            f"The fleet needs {OPEN_FILES} open files, and this session's hard limit is {hard}: "
            "raise nofile in /etc/security/limits.conf, or have root run `ulimit -Hn`, and sign in again."
        )
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))


def ports_free(places: Iterable[tuple[str, int, socket.SocketKind, str]]) -> None:
    """Each place is an address, a port, TCP or UDP, and the way out when it is taken."""
    with ExitStack() as held:
        for host, port, kind, way_out in places:
            held.enter_context(_bound(host, port, kind, way_out))


def _bound(host: str, port: int, kind: socket.SocketKind, way_out: str) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
    except OSError:
        raise Refusal(f"{host} is not an address of this machine: {way_out}.") from None
    place = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        # Like the servers themselves: a connection that lately ended does not hold a port.
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind(address)
    except OSError as error:
        place.close()
        raise Refusal(_refused_port(host, port, error, way_out)) from None
    return place


def _refused_port(host: str, port: int, error: OSError, way_out: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use by another program: {way_out}."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} may not be opened by this user: {way_out}."
    return f"Port {port} of {host} cannot be opened ({error.strerror}): {way_out}."
