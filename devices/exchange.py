"""One HTTP request to a piece of equipment and its whole answer, with what can go wrong told apart."""

import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from devices.deadline import DeadlineTransport
from devices.errors import BadAnswer, RateLimited, Unauthorised, Unreachable

ANSWER_LIMIT = 256 * 1024


class Lost(Unreachable):
    """The connection broke, or its time ran out, after the request had left."""


def new_client(verify: ssl.SSLContext | bool, connect: float, read: float) -> httpx.Client:
    """For any number of devices and threads: one pool, one TLS context (77 ms each). Heeds `devices.deadline.within`.

    A shared jar would hand one device's session to another on the same address; cookies travel by hand.
    """
    return httpx.Client(
        transport=DeadlineTransport(verify),
        timeout=httpx.Timeout(read, connect=connect),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"Accept-Encoding": "identity", "User-Agent": "Studionett"},
        trust_env=False,
    )


def exchange(
    client: httpx.Client,
    method: str,
    url: str,
    *,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    auth: httpx.BasicAuth | None = None,
) -> tuple[int, httpx.Headers, bytes]:
    """Status, headers and body. `Lost` only when the request may have arrived, else Unreachable; Unauthorised and
    RateLimited by their status."""
    try:
        with client.stream(method, url, content=content, headers=headers, auth=auth) as response:
            _check_status(response.status_code)
            return response.status_code, response.headers, _read(response)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unreachable(_said(error)) from error
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
        raise Unreachable(f"the control address is not usable: {error}") from error
    except httpx.RemoteProtocolError as error:
        raise (Lost if "disconnected" in str(error) or "closed" in str(error) else BadAnswer)(_said(error)) from error
    except httpx.TransportError as error:
        raise Lost(_said(error)) from error


def _check_status(status: int) -> None:
    if status in (401, 403):
        raise Unauthorised(f"HTTP {status}")
    if status in (429, 503):
        raise RateLimited(f"HTTP {status}")


def _read(response: httpx.Response) -> bytes:
    """The body as sent, never more than the limit: the rest of a huge answer is not even read."""
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > ANSWER_LIMIT:
            raise BadAnswer(f"more than {ANSWER_LIMIT} bytes")
    return bytes(body)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
