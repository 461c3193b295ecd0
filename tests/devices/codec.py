"""A codec of our own for the tests: a real HTTP server that keeps to the protocol until a test tells it otherwise."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from devices.xapi import Codec

HOST = "127.202.0.1"
BASIC_GUEST = "Basic c3R1ZGlvOmhlbW1lbGln"  # studio:hemmelig
ACCEPTED = b'<Command><DialResult status="OK"><CallId>3</CallId><ConferenceId>2</ConferenceId></DialResult></Command>'
DISCONNECTED = b'<Command><CallDisconnectResult status="OK"/></Command>'
ONE_CALL = (
    b'<Status product="Cisco Codec"><Call item="3" maxOccurrence="n"><Status>Connected</Status>'
    b"<Direction>Outgoing</Direction><RemoteNumber>oslo@nhn.example</RemoteNumber><Duration>42</Duration>"
    b"<BookingId>C-1001/2</BookingId></Call></Status>"
)

Behaviour = Callable[["Handler"], None]


class PlayedCodec:
    """What it was asked, how many sessions it has open, and how each path behaves."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.begun = 0
        self.asked: list[tuple[str, bytes]] = []
        self.released = threading.Event()
        self.paths: dict[str, Behaviour] = {
            "/xmlapi/session/begin": begin,
            "/xmlapi/session/end": end,
            "/putxml": answering(ACCEPTED),
            "/getxml": answering(ONE_CALL),
        }
        self.codec = Codec("", "studio", "hemmelig")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    played: PlayedCodec

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._play(self.rfile.read(length))

    def do_GET(self) -> None:
        self._play(b"")

    def _play(self, body: bytes) -> None:
        self.played.asked.append((self.path, body))
        path = self.path.partition("?")[0]
        if not path.startswith("/xmlapi/session/begin") and self.session() not in self.played.sessions:
            return self.give(401, b"")
        return self.played.paths[path](self)

    def session(self) -> str:
        return (self.headers.get("Cookie") or "").removeprefix("SessionId=")

    def give(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def begin(handler: Handler) -> None:
    played = handler.played
    if handler.headers.get("Authorization") != BASIC_GUEST:
        return handler.give(401, b"")
    played.begun += 1
    session = f"s{played.begun}"
    played.sessions.add(session)
    return handler.give(204, b"", Set_Cookie=f"SessionId={session}; Path=/; HttpOnly")


def end(handler: Handler) -> None:
    handler.played.sessions.discard(handler.session())
    handler.give(204, b"")


def answering(body: bytes, status: int = 200) -> Behaviour:
    return lambda handler: handler.give(status, body, Content_Type="text/xml")


def silent(handler: Handler) -> None:
    """Takes the request and never answers."""
    handler.played.released.wait(20)
    handler.close_connection = True


def hanging_up(handler: Handler) -> None:
    """Breaks the connection instead of an answer."""
    handler.close_connection = True


def cut(handler: Handler) -> None:
    """Promises more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "4000")
    handler.end_headers()
    handler.wfile.write(ACCEPTED[:40])
    handler.close_connection = True


def dripping(handler: Handler) -> None:
    """One byte at a time for ever, headers first: no single read ever takes long."""
    handler.close_connection = True
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(100):
            if handler.played.released.wait(0.05):
                break
            handler.wfile.write(b"a")
    except OSError:
        pass


def endless(handler: Handler) -> None:
    """An answer of a gigabyte."""
    handler.close_connection = True
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 30))
    handler.end_headers()
    try:
        while not handler.played.released.is_set():
            handler.wfile.write(b" " * 65536)
    except OSError:
        pass


def no_http(handler: Handler) -> None:
    handler.close_connection = True
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


@contextmanager
def playing(tls: ssl.SSLContext | None = None) -> Iterator[PlayedCodec]:
    played = PlayedCodec()
    handler = type("BoundHandler", (Handler,), {"played": played})
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign,misc]
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "https" if tls else "http"
        played.codec = Codec(f"{scheme}://{HOST}:{server.server_port}/", "studio", "hemmelig")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield played
        finally:
            played.released.set()
            server.shutdown()
            thread.join(5)
