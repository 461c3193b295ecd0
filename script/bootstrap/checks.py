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
from dataclasses import dataclass
from pathlib import Path

from bootstrap.refusal import Refusal

OPEN_FILES = 4096
"""The fleet opens three sockets for each of 900 studios in one process, and calls come on top."""

MEGABYTE = 1024 * 1024

WHY_CLOSED = {
    errno.EADDRINUSE: "is in use by another program",
    errno.EACCES: "may be opened by root only",
    errno.EADDRNOTAVAIL: "cannot be opened, since this machine has no such address",
}


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


@dataclass(frozen=True)
class Place:
    """An address and port that one of the processes will listen on."""

    host: str
    port: int
    kind: socket.SocketKind
    whose: str
    way_out: str


def ports_free(places: Iterable[Place]) -> None:
    with ExitStack() as held:
        for place in places:
            held.enter_context(_bound(place))


def _bound(place: Place) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(place.host, place.port, type=place.kind)[0]
    except (OSError, UnicodeError):  # the latter for a name that no name server would take
        raise Refusal(_closed(place, f"cannot be opened, since {place.host} is no address")) from None
    bound = socket.socket(family, place.kind)
    if place.kind == socket.SOCK_STREAM:
        # Like the servers themselves: a connection that lately ended does not hold a port.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise Refusal(
            _closed(place, WHY_CLOSED.get(error.errno or 0, f"cannot be opened ({error.strerror})"))
        ) from None
    return bound


def _closed(place: Place, why: str) -> str:
    return f"Port {place.port} of {place.host}, which {place.whose} needs, {why}: {place.way_out}."
