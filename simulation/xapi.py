"""The HTTP side of all codecs: one ASGI application that tells the studios apart by the address that was asked."""

import asyncio
import base64
import binascii
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

from simulation.http_replies import (
    HttpReply,
    HttpRequest,
    Receive,
    Scope,
    Send,
    read_request,
    send_reply,
    wait_for_hang_up,
)
from simulation.studio import Fault, SimulatedStudio
from simulation.xapi_commands import carry_out
from simulation.xapi_documents import status, to_bytes

# Real codecs have few and never time them out: a client that does not end its sessions locks itself out.
MOST_SESSIONS = 3
NOT_FOUND = HttpReply(404, b"Not found\n", "text/plain")
UNAUTHORISED = HttpReply(401, headers={"www-authenticate": 'Basic realm="xAPI"'})


class Xapi:
    def __init__(self, studios: dict[tuple[str, int], SimulatedStudio]) -> None:
        self._studios = studios

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        studio = self._studios.get(tuple(scope["server"]))
        if studio is None:
            await send_reply(NOT_FOUND, send)
            return
        request = await read_request(scope, receive)
        if studio.dead:
            await wait_for_hang_up(receive)
            return
        reply = request if isinstance(request, HttpReply) else answer(studio, request)
        if studio.fault is Fault.SLOW:
            await asyncio.sleep(studio.timings.slow)
        await send_reply(reply, send)


def answer(studio: SimulatedStudio, request: HttpRequest) -> HttpReply:
    if (request.method, request.path) == ("POST", "/xmlapi/session/begin"):
        return _begin(studio, request)
    session = _session(request)
    if session not in studio.sessions and not _authorised(studio, request):
        return UNAUTHORISED
    if (request.method, request.path) == ("POST", "/xmlapi/session/end"):
        studio.sessions.discard(session)
        return HttpReply(204)
    if (request.method, request.path) == ("POST", "/putxml"):
        return _putxml(studio, request)
    if (request.method, request.path) == ("GET", "/getxml"):
        return _getxml(studio, request)
    return NOT_FOUND


def _begin(studio: SimulatedStudio, request: HttpRequest) -> HttpReply:
    if not _authorised(studio, request):
        return UNAUTHORISED
    if len(studio.sessions) >= MOST_SESSIONS:
        return HttpReply(503, b"Maximum number of sessions reached\n", "text/plain")
    session = secrets.token_hex(32)
    studio.sessions.add(session)
    return HttpReply(204, headers={"set-cookie": f"SessionId={session}; Path=/; HttpOnly"})


def _session(request: HttpRequest) -> str:
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get("SessionId")
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def _authorised(studio: SimulatedStudio, request: HttpRequest) -> bool:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, f"{studio.spec.username}:{studio.spec.password}".encode())


def _putxml(studio: SimulatedStudio, request: HttpRequest) -> HttpReply:
    document = carry_out(studio, request.body)
    if document is None:
        return HttpReply(400, b"Bad request\n", "text/plain")
    return HttpReply(200, to_bytes(document))


def _getxml(studio: SimulatedStudio, request: HttpRequest) -> HttpReply:
    document = status(studio, request.query.get("location", [""])[0])
    if document is None:
        return HttpReply(400, b"Invalid location\n", "text/plain")
    return HttpReply(200, to_bytes(document))
