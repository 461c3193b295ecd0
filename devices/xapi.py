"""Client of Cisco codecs: xAPI as XML over HTTP or HTTPS.

A codec has few sessions and never times them out, so every session begun is ended, whatever happened in between.
Source: Cisco "API Reference Guide" of CE9 and RoomOS, chapter "Using HTTP/HTTPS".
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Self, TypeVar
from xml.etree.ElementTree import Element

import httpx
import structlog

from devices.deadline import within
from devices.errors import (
    Ambiguous,
    BadAnswer,
    Busy,
    DeviceError,
    RateLimited,
    Rejected,
    Unauthorised,
    UnknownNumber,
    Unreachable,
)
from devices.exchange import Lost, exchange, new_client
from devices.xapi_panel import (
    MUTED,
    Prompt,
    alert_command,
    feedback_command,
    is_muted,
    mute_commands,
    prompt_command,
)
from devices.xapi_peripherals import (
    CAMERAS,
    MEDIA,
    MICROPHONES,
    REGISTRATION,
    Media,
    Peripherals,
    cameras_of,
    media_of,
    microphones_of,
    registered_of,
)
from devices.xapi_xml import (
    CodecCall,
    call_id_of,
    calls_of,
    cause_of,
    check_disconnected,
    check_done,
    dial_command,
    disconnect_command,
    history_command,
    parse,
)

__all__ = ["Codec", "CodecCall", "CodecStatus", "Media", "Peripherals", "Prompt", "XapiClient"]

BOOKING_ID_LIMIT = 255
DEFAULT_DEADLINE = 10.0
# Of an exchange's time, what is kept for ending the session when the rest is used up.
ENDING_SHARE, ENDING_MOST = 0.2, 1.5

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True)
class Codec:
    """Where a codec's control interface is (`http://` or `https://`) and who we are to it."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class CodecStatus:
    """`peripherals` is None where they were not asked for, or their answer got lost; `registered` where that is not
    known, `media` where there is no call or its channels do not tell."""

    calls: list[CodecCall]
    peripherals: Peripherals | None = None
    registered: bool | None = None
    media: Media | None = None


class XapiClient:
    """Speaks to any number of codecs from any number of threads.

    Each method is one exchange: session begun, one to three requests, session ended, all within `deadline` seconds;
    inside `keep` a thread's exchanges with one codec share a session. All raise DeviceError. `verify` is a TLS context,
    True for the system's authorities, or False for codecs that have only their factory certificate.
    """

    def __init__(self, *, verify: ssl.SSLContext | bool = True, connect: float = 3.0, read: float = 5.0) -> None:
        self._client = new_client(verify, connect, read)
        self._kept = threading.local()

    @contextmanager
    def keep(self, codec: Codec) -> Iterator[None]:
        """What this thread asks of the codec inside the block shares one session, which is begun by the first."""
        before, kept = getattr(self._kept, "now", None), _Kept(codec)
        self._kept.now = kept
        try:
            yield
        finally:
            self._kept.now = before
            if kept.session is not None:
                with within(ENDING_MOST):
                    kept.session.end()

    def calls(self, codec: Codec, *, deadline: float = DEFAULT_DEADLINE) -> list[CodecCall]:
        """The codec's present calls; none when idle."""
        with self._session(codec, deadline) as session:
            return session.calls()

    def status(self, codec: Codec, *, peripherals: bool, deadline: float = DEFAULT_DEADLINE) -> CodecStatus:
        """The present calls with what they lose and, if asked for, what is plugged in and whether it is registered.
        Only calls that can't be read raise."""
        with self._session(codec, deadline) as session:
            calls = session.calls()
            return CodecStatus(
                calls,
                session.peripherals() if peripherals else None,
                session.told(REGISTRATION, registered_of) if peripherals else None,
                session.told(MEDIA, media_of) if calls else None,
            )

    def dial(self, codec: Codec, number: str, booking_id: str, *, deadline: float = DEFAULT_DEADLINE) -> str:
        """Dial by SIP; the codec's CallId once it accepted, which is before anybody answers.

        Ambiguous when the order left and no readable answer came: the call may be under way. Any other error: it isn't.
        """
        if not number.strip() or not number.isprintable():
            raise UnknownNumber("empty or unprintable")
        if len(booking_id) > BOOKING_ID_LIMIT or not booking_id.isprintable():
            raise ValueError("a booking id is at most 255 printable characters")
        with self._session(codec, deadline) as session:
            return session.order(dial_command(number.strip(), booking_id), call_id_of)

    def disconnect(self, codec: Codec, call_id: str, *, deadline: float = DEFAULT_DEADLINE) -> None:
        """End one call. A call that isn't there any more has been ended: no error."""
        with self._session(codec, deadline) as session:
            try:
                session.command(disconnect_command(call_id), check_disconnected)
            except (Unreachable, Unauthorised, BadAnswer, RateLimited):
                raise
            except DeviceError:
                # The words of the refusal differ between versions; whether the call is there doesn't.
                if any(call.call_id == call_id for call in session.calls()):
                    raise

    def ending(self, codec: Codec, call_id: str, *, deadline: float = DEFAULT_DEADLINE) -> str:
        """The DisconnectCauseType of a call that is gone; nothing where the history doesn't have it."""
        with self._session(codec, deadline) as session:
            return session.command(history_command(), lambda root: cause_of(root, call_id))

    def mute(self, codec: Codec, muted: bool, *, in_call: bool, deadline: float = DEFAULT_DEADLINE) -> None:
        """Switch microphones and camera off, or on again. Done only when the codec's status says so, else Rejected;
        without `in_call` only while there is no call, else Busy."""
        with self._session(codec, deadline) as session:
            if not in_call and session.calls():
                raise Busy("in a call")
            for command in mute_commands(muted):
                session.command(command, check_done)
            if session.muted() is not muted:
                raise Rejected("microphones and camera do not follow")

    def muted(self, codec: Codec, *, deadline: float = DEFAULT_DEADLINE) -> bool | None:
        """Whether both microphones and camera are off; None where one is and the other not."""
        with self._session(codec, deadline) as session:
            return session.muted()

    def prompt(self, codec: Codec, prompt: Prompt, answers_to: str, *, deadline: float = DEFAULT_DEADLINE) -> None:
        """Ask those in the room something on the panel. What they press is posted to the web address `answers_to`."""
        with self._session(codec, deadline) as session:
            session.command(feedback_command(answers_to), check_done)
            session.command(prompt_command(prompt), check_done)

    def alert(self, codec: Codec, title: str, text: str, seconds: int, *, deadline: float = DEFAULT_DEADLINE) -> None:
        """Show a message on the screens for so long."""
        with self._session(codec, deadline) as session:
            session.command(alert_command(title, text, seconds), check_done)

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _session(self, codec: Codec, seconds: float) -> Iterator["_Session"]:
        kept: _Kept | None = getattr(self._kept, "now", None)
        if kept is not None and kept.codec == codec:
            with within(seconds):
                kept.session = kept.session or _Session.begin(self._client, codec)
                yield kept.session
            return
        ending = min(seconds * ENDING_SHARE, ENDING_MOST)
        started = time.monotonic()
        with within(seconds - ending):
            session = _Session.begin(self._client, codec)
            try:
                yield session
            finally:
                with within(max(ending, seconds - (time.monotonic() - started))):
                    session.end()


class _Session:
    def __init__(self, client: httpx.Client, codec: Codec, cookie: str) -> None:
        self._client = client
        self._codec = codec
        self._cookie = cookie
        self._has_worked = False

    @classmethod
    def begin(cls, client: httpx.Client, codec: Codec) -> Self:
        """Processes that were killed may have left the codec no session to give: then each request says who we are."""
        try:
            return cls(client, codec, _begun(client, codec))
        except RateLimited:
            log.warning("xapi session not begun", codec=codec.url)
            return cls(client, codec, "")

    def calls(self) -> list[CodecCall]:
        return calls_of(parse(self._send("GET", "/getxml?location=/Status/Call")))

    def peripherals(self) -> Peripherals | None:
        try:
            return Peripherals(self._known(CAMERAS, cameras_of) or {}, self._known(MICROPHONES, microphones_of) or {})
        except DeviceError:
            return None

    def told(self, location: str, understand: Callable[[Element], T]) -> T | None:
        try:
            return self._known(location, understand)
        except DeviceError:
            return None

    def _known(self, location: str, understand: Callable[[Element], T]) -> T | None:
        """Software that knows no such location tells nothing of it, in one form or another."""
        try:
            return understand(parse(self._send("GET", f"/getxml?location={location}")))
        except BadAnswer:
            return None

    def muted(self) -> bool | None:
        return is_muted([parse(self._send("GET", f"/getxml?location={location}")) for location in MUTED])

    def command(self, command: bytes, understand: Callable[[Element], T]) -> T:
        return understand(parse(self._send("POST", "/putxml", content=command)))

    def order(self, command: bytes, understand: Callable[[Element], T]) -> T:
        """A command that must not be repeated: once it left, an answer that is lost or unreadable is Ambiguous."""
        try:
            return self.command(command, understand)
        except (Lost, BadAnswer) as error:
            raise Ambiguous(error.detail) from error

    def end(self) -> None:
        """Never raises: what the session was for has already succeeded or failed."""
        if not self._cookie:
            return
        try:
            self._send_once("POST", "/xmlapi/session/end")
        except DeviceError as error:
            log.warning("xapi session not ended", codec=self._codec.url, error=str(error))

    def _send(self, method: str, path: str, content: bytes | None = None) -> bytes:
        """A session that has worked and is unknown now, as after a restart, is begun anew: nothing was carried out."""
        try:
            answer = self._send_once(method, path, content)
        except Unauthorised as error:
            if not self._cookie:
                raise RateLimited("no session is left, and nothing is done without one") from error
            if not self._has_worked:
                raise
            self._cookie = _begun(self._client, self._codec)
            answer = self._send_once(method, path, content)
        self._has_worked = True
        return answer

    def _send_once(self, method: str, path: str, content: bytes | None = None) -> bytes:
        said = {"cookie": self._cookie} if self._cookie else {"auth": _auth(self._codec)}
        return _send(self._client, self._codec, method, path, content=content, **said)[1]


@dataclass
class _Kept:
    codec: Codec
    session: _Session | None = None


def _auth(codec: Codec) -> httpx.BasicAuth:
    return httpx.BasicAuth(codec.username, codec.password)


def _begun(client: httpx.Client, codec: Codec) -> str:
    """The cookie of a new session."""
    headers, _ = _send(client, codec, "POST", "/xmlapi/session/begin", auth=_auth(codec))
    cookie = _session_cookie(headers)
    if not cookie:
        raise BadAnswer("no session cookie")
    return cookie


def _send(
    client: httpx.Client,
    codec: Codec,
    method: str,
    path: str,
    *,
    content: bytes | None = None,
    cookie: str = "",
    auth: httpx.BasicAuth | None = None,
) -> tuple[httpx.Headers, bytes]:
    """One request and its whole answer."""
    headers = {"Cookie": cookie} if cookie else {}
    if content is not None:
        headers["Content-Type"] = "text/xml"
    url = codec.url.rstrip("/") + path
    status, given, body = exchange(client, method, url, content=content, headers=headers, auth=auth)
    if status not in (200, 204):
        raise BadAnswer(f"HTTP {status}")
    return given, body


def _session_cookie(headers: httpx.Headers) -> str:
    """The `Cookie` header to send back: SessionId, or SecureSessionId over HTTPS, whichever were given."""
    cookies: SimpleCookie = SimpleCookie()
    for given in headers.get_list("set-cookie"):
        try:
            cookies.load(given)
        except CookieError:
            continue
    return "; ".join(f"{name}={morsel.coded_value}" for name, morsel in cookies.items())
