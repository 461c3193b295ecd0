"""One deadline over a whole HTTP exchange, however slowly its bytes come.

httpx bounds each read; a codec that sends a byte every four seconds would hold a worker for ever. Here every socket
operation gets what is left of the exchange's time. The deadline is the thread's own: one exchange, one thread.
"""

import ssl
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

_current = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Everything sent or read by this thread inside the block ends within `seconds`."""
    before = getattr(_current, "ends_at", None)
    _current.ends_at = time.monotonic() + seconds
    try:
        yield
    finally:
        _current.ends_at = before


def _left(timeout: float | None, expired: type[Exception]) -> float | None:
    """What one socket operation may take: its own timeout, or less when the exchange's time is nearly up."""
    ends_at = getattr(_current, "ends_at", None)
    if ends_at is None:
        return timeout
    left = ends_at - time.monotonic()
    if left <= 0:
        raise expired("the exchange took too long")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport over sockets that heed `within`, a small pool of them for each thread.

    httpcore's pool looks through all its connections at each request, under a lock; one for dozens of threads takes a
    third of the time of a burst of calls. httpx takes no network backend, so its pool is replaced: the test with a
    dripping codec fails should an update of httpx stop using it.
    """

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        self._context = httpx.create_ssl_context(verify=verify, trust_env=False)
        self._own = threading.local()
        self._all: weakref.WeakSet[httpcore.ConnectionPool] = weakref.WeakSet()
        super().__init__(verify=self._context, trust_env=False)

    @property
    def _pool(self) -> httpcore.ConnectionPool:
        """This thread's own."""
        found: httpcore.ConnectionPool | None = getattr(self._own, "pool", None)
        if found is None:
            found = self._own.pool = httpcore.ConnectionPool(
                ssl_context=self._context,
                max_connections=None,
                max_keepalive_connections=4,
                keepalive_expiry=2.0,
                network_backend=_Backend(),
            )
            self._all.add(found)
        return found

    @_pool.setter
    def _pool(self, pool: httpcore.ConnectionPool) -> None:
        """httpx's own is not wanted."""
        pool.close()

    def close(self) -> None:
        for pool in list(self._all):
            pool.close()
