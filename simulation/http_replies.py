"""Plain HTTP over ASGI, as little as the codecs and the control address need."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LONGEST_BODY = 65_536


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    body: bytes = b""
    content_type: str = "text/xml; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


async def read_request(scope: Scope, receive: Receive) -> HttpRequest | HttpReply:
    """The whole request, or the reply that refuses it."""
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if len(body) > LONGEST_BODY:
            return HttpReply(413, b"The request is too big.\n", "text/plain")
        if not event.get("more_body"):
            break
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return HttpRequest(scope["method"], scope["path"], query, headers, body)


async def send_reply(reply: HttpReply, send: Send) -> None:
    headers = [(b"content-length", str(len(reply.body)).encode())] if reply.status != 204 else []
    if reply.body:
        headers.append((b"content-type", reply.content_type.encode()))
    headers += [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def wait_for_hang_up(receive: Receive) -> None:
    """Hold the connection and say nothing, as a dead codec does, until the other end is tired of it."""
    while (await receive())["type"] != "http.disconnect":
        await asyncio.sleep(0)
