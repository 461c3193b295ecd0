"""One uvicorn server over many sockets that come and go while it runs."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import uvicorn

from simulation.sockets import BACKLOG

GRACE_S = 1


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the fleet's business, not the web server's."""
        yield


class HttpServer:
    def __init__(self, app: Any) -> None:
        self._config = uvicorn.Config(
            app,
            interface="asgi3",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server = _Server(self._config)
        self._running: asyncio.Task[None] | None = None

    async def listen(self, opened: socket.socket, tls: ssl.SSLContext | None = None) -> asyncio.Server:
        """Serve one more socket; the first starts the server."""
        if self._running is None:
            await self._start()
        listening = await asyncio.get_running_loop().create_server(
            self._protocol, sock=opened, backlog=BACKLOG, ssl=tls
        )
        self._server.servers.append(listening)
        return listening

    def quit(self, listening: asyncio.Server) -> None:
        listening.close()
        if listening in self._server.servers:
            self._server.servers.remove(listening)

    async def stop(self) -> None:
        """Answers under way get a second; who hangs on a dead studio does not hold up the end."""
        if self._running:
            self._server.should_exit = True
            await self._running

    async def _start(self) -> None:
        self._running = asyncio.create_task(self._server.serve(sockets=[]))
        while not self._server.started:
            await asyncio.sleep(0)

    def _protocol(self) -> asyncio.Protocol:
        # What uvicorn itself does for the sockets that it is given at its start.
        kind: Any = self._config.http_protocol_class
        return kind(config=self._config, server_state=self._server.server_state, app_state={})
