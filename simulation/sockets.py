"""Opening the fleet's sockets, and saying in a sentence why one cannot be opened."""

import errno
import socket

REASONS = {
    errno.EADDRINUSE: "it is in use, perhaps by another fleet",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "ports under 1024 are for root alone",
    errno.EMFILE: "too many files are open",
}
BACKLOG = 128


class FleetError(Exception):
    """The fleet cannot do what was asked; the message is for the person who asked."""


def open_udp(address: str, port: int) -> socket.socket:
    return _bound(socket.SOCK_DGRAM, address, port)


def open_tcp(address: str, port: int) -> socket.socket:
    return _bound(socket.SOCK_STREAM, address, port)


def _bound(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    try:
        # Named outright: asyncio sends an answer's parts without waiting (TCP_NODELAY) only where it is; else each
        # exchange takes the 40 ms until the asker acknowledges the first part.
        protocol = socket.IPPROTO_TCP if kind is socket.SOCK_STREAM else socket.IPPROTO_UDP
        opened = socket.socket(socket.AF_INET, kind, protocol)
    except OSError as error:
        raise FleetError(_sentence(address, port, error)) from None
    opened.setblocking(False)
    if kind is socket.SOCK_STREAM:
        # A fleet that starts again does not wait for the connections of the one before to be forgotten.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((address, port))
    except (OSError, OverflowError) as error:
        opened.close()
        raise FleetError(_sentence(address, port, error)) from None
    return opened


def _sentence(address: str, port: int, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return f"Cannot serve {address}:{port}: {REASONS.get(number or 0, str(error))}."
