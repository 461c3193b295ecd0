"""Client of Pexip Infinity: the management API of one node, as JSON over HTTPS.

Every address ends in `/`. A DELETE without a number in its address would wipe the whole collection, so the one place
that deletes builds its address from a number and nothing else.
Source: Pexip Infinity, "Management API": configuration, status and command resources.
"""

import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from devices.deadline import within
from devices.errors import (
    Ambiguous,
    BadAnswer,
    Busy,
    CapacityFull,
    DeviceError,
    NotReady,
    RateLimited,
    Rejected,
    UnknownNumber,
)
from devices.exchange import Lost, exchange, new_client

__all__ = ["Participant", "PexipClient", "PexipNode"]

DEFAULT_DEADLINE = 10.0
MOST_PARTICIPANTS = 200
# Of a node's rate limit (1000 requests a minute by default) others must get some, too.
REQUESTS_A_SECOND = 8.0

CONFERENCE = "/api/admin/configuration/v1/conference/"
STATUS = "/api/admin/status/v1/participant/"
HISTORY = "/api/admin/history/v1/participant/"
COMMAND = "/api/admin/command/v1/participant/"

# Looked for in what an error says, in this order, without regard to case.
ERROR_WORDS: tuple[tuple[str, type[DeviceError]], ...] = (
    ("capacity", CapacityFull),
    ("resource", CapacityFull),
    ("port license", CapacityFull),
    ("conference not found", NotReady),
    ("invalid conference", NotReady),
    ("could not be found", NotReady),
    ("busy", Busy),
    ("invalid destination", UnknownNumber),
    ("unknown destination", UnknownNumber),
)


@dataclass(frozen=True)
class PexipNode:
    """Where a management node is and who we are to it. `system_location`: from where it dials; none: it chooses."""

    url: str
    username: str
    password: str = field(repr=False)
    system_location: str = ""


@dataclass(frozen=True)
class Participant:
    """One who is in a room, or on the way into it (`connected` is false until then). `tag` comes back where we dialled
    with one and the software keeps it; `addresses` are those that the node knows the far end by."""

    participant_id: str
    addresses: tuple[str, ...]
    tag: str | None
    connected: bool
    outgoing: bool


class PexipClient:
    """Speaks to any number of nodes from any number of threads, to each no faster than it allows.

    Each method is one exchange within `deadline` seconds and raises DeviceError. `verify` as for `XapiClient`.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | bool = True,
        connect: float = 3.0,
        read: float = 5.0,
        per_second: float = REQUESTS_A_SECOND,
    ) -> None:
        self._client = new_client(verify, connect, read)
        self._per_second = per_second
        self._paces: dict[str, _Pace] = {}
        self._lock = threading.Lock()

    def open_room(self, node: PexipNode, name: str, alias: str, *, deadline: float = DEFAULT_DEADLINE) -> None:
        """Create a room under this name; one that is there already is left as it is.

        It takes its calls only when the node has told the others of it, which takes about a minute.
        """
        room = {"name": name, "service_type": "conference", "aliases": [{"alias": alias}], "tag": "studionett"}
        with within(deadline):
            try:
                self._send(node, "POST", CONFERENCE, room)
            except Rejected:
                if not self._room_ids(node, name):
                    raise

    def close_room(self, node: PexipNode, name: str, *, deadline: float = DEFAULT_DEADLINE) -> None:
        """Take a room of this name away, and whoever is in it out. One that is not there has been closed."""
        with within(deadline):
            for number in self._room_ids(node, name):
                self._send(node, "DELETE", f"{CONFERENCE}{int(number)}/", missing_is_well=True)

    def participants(self, node: PexipNode, room: str, *, deadline: float = DEFAULT_DEADLINE) -> list[Participant]:
        """Who is in the room or on the way into it. Nobody is in a room that does not exist."""
        query = urlencode({"conference": room, "limit": MOST_PARTICIPANTS})
        with within(deadline):
            return [_participant(found) for found in _objects(self._send(node, "GET", f"{STATUS}?{query}"))]

    def dial(self, node: PexipNode, alias: str, address: str, tag: str, *, deadline: float = DEFAULT_DEADLINE) -> str:
        """Call an address into the room with this alias; the participant's id once accepted, which is before anybody
        answers. Ambiguous when the order left and no readable answer came."""
        if not address.strip() or not address.isprintable():
            raise UnknownNumber("empty or unprintable")
        order = {
            "conference_alias": alias,
            "destination": address.strip(),
            "protocol": "sip",
            "role": "chair",
            "routing": "manual",
            "call_type": "video",
            "call_tag": tag,
        }
        if node.system_location:
            order["system_location"] = node.system_location
        with within(deadline):
            try:
                return _participant_id(self._send(node, "POST", f"{COMMAND}dial/", order))
            except (Lost, BadAnswer) as error:
                raise Ambiguous(error.detail) from error

    def disconnect(self, node: PexipNode, participant_id: str, *, deadline: float = DEFAULT_DEADLINE) -> None:
        """Take one out of a room. Who isn't there any more is out: no error."""
        with within(deadline):
            try:
                self._send(node, "POST", f"{COMMAND}disconnect/", {"participant_id": participant_id})
            except NotReady:
                return

    def ending(self, node: PexipNode, participant_id: str, *, deadline: float = DEFAULT_DEADLINE) -> str:
        """Why a participant is gone, in the node's words; nothing where the history doesn't know yet."""
        with within(deadline):
            found = _objects(self._send(node, "GET", f"{HISTORY}?{urlencode({'id': participant_id})}"))
        return next(
            (str(each.get("disconnect_reason") or "") for each in found if each.get("id") == participant_id), ""
        )

    def close(self) -> None:
        self._client.close()

    def _room_ids(self, node: PexipNode, name: str) -> list[int]:
        found = _objects(self._send(node, "GET", f"{CONFERENCE}?{urlencode({'name': name})}"))
        return [room["id"] for room in found if room.get("name") == name and isinstance(room.get("id"), int)]

    def _send(
        self,
        node: PexipNode,
        method: str,
        path: str,
        content: Mapping[str, object] | None = None,
        missing_is_well: bool = False,
    ) -> Any:
        self._pace(node).wait()
        body = None if content is None else json.dumps(content).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        auth = httpx.BasicAuth(node.username, node.password)
        url = node.url.rstrip("/") + path
        status, _, answer = exchange(self._client, method, url, content=body, headers=headers, auth=auth)
        if status == 404 and missing_is_well:
            return None
        if status in (400, 404, 409):
            raise _refusal(answer, status)
        if status not in (200, 201, 202, 204):
            raise BadAnswer(f"HTTP {status}")
        return _parsed(answer)

    def _pace(self, node: PexipNode) -> "_Pace":
        with self._lock:
            return self._paces.setdefault(node.url, _Pace(self._per_second))


class _Pace:
    """Requests to one node, so many a second; a second's worth may come at once."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._burst = 1.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, most: float = 6.0) -> None:
        """Until the next request may go. RateLimited where the queue is too long to wait for."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now - self._burst)
            if turn - now > most:
                raise RateLimited("too many orders wait for this bridge")
            self._next = turn + self._gap
        time.sleep(max(0.0, turn - now))


def _parsed(answer: bytes) -> Any:
    if not answer.strip():
        return {}
    try:
        return json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"no JSON: {error}") from error


def _refusal(answer: bytes, status: int) -> DeviceError:
    """What a refusal says, in whichever shape it says it, as one of our errors."""
    said = " ".join(_words(_parsed(answer))) or f"HTTP {status}"
    lower = said.lower()
    return next((kind(said) for words, kind in ERROR_WORDS if words in lower), Rejected(said))


def _words(found: object) -> list[str]:
    if isinstance(found, str):
        return [found]
    if isinstance(found, dict):
        return [word for value in found.values() for word in _words(value)]
    return [word for value in found for word in _words(value)] if isinstance(found, list) else []


def _objects(answer: Any) -> list[dict[str, Any]]:
    found = answer.get("objects") if isinstance(answer, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BadAnswer("no list of objects")
    return found


def _participant_id(answer: Any) -> str:
    """Of an accepted dial; without an id it rings, and we can't say which."""
    if isinstance(answer, dict) and answer.get("status") == "success":
        data = answer.get("data")
        found = data.get("participant_id") if isinstance(data, dict) else None
        if isinstance(found, str) and found:
            return found
        raise Ambiguous("accepted without a participant_id")
    if isinstance(answer, dict) and answer.get("status"):
        raise _refusal(json.dumps(answer).encode(), 200)
    raise BadAnswer("a dial without a status")


def _participant(found: Mapping[str, Any]) -> Participant:
    participant_id = found.get("id")
    if not isinstance(participant_id, str) or not participant_id:
        raise BadAnswer("a participant without an id")
    names = ("source_alias", "destination_alias", "remote_alias")
    addresses = tuple(str(found[name]) for name in names if found.get(name))
    tag = found.get("call_tag") or None
    outgoing = found.get("call_direction") == "out"
    return Participant(participant_id, addresses, tag, bool(found.get("connect_time")), outgoing)
