"""The management API of all bridges, as far as it is used: rooms, who is in them, dialling and disconnecting.

Source: Pexip Infinity, "Management API" and "Disconnection reasons".
"""

import asyncio
import base64
import hmac
import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from simulation.bridge import FullError, NoSuchRoomError, Participant, Room, SimulatedBridge
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
from simulation.studio import CallState, Cause, Fault, RefusedCommand

MOST_A_MINUTE = 1000
ROOMS = "/api/admin/configuration/v1/conference/"
LIVE = "/api/admin/status/v1/participant/"
GONE = "/api/admin/history/v1/participant/"
DIAL = "/api/admin/command/v1/participant/dial/"
DISCONNECT = "/api/admin/command/v1/participant/disconnect/"

REASONS = {
    Cause.REMOTE_DISCONNECT: "Remote disconnect",
    Cause.LOCAL_DISCONNECT: "Disconnected by an administrator",
    Cause.REMOTE_REJECTED: "Call rejected",
    Cause.REMOTE_NO_ANSWER: "Call timed out",
}
LIKE_ANY_FAULT = "Signaling failure"

Bridges = Mapping[tuple[str, int], SimulatedBridge]


class Pexip:
    def __init__(self, bridges: Bridges) -> None:
        self._bridges = bridges
        self._asked: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bridge = self._bridges[tuple(scope["server"])]
        request = await read_request(scope, receive)
        if bridge.dead:
            await wait_for_hang_up(receive)
            return
        if isinstance(request, HttpReply):
            reply = request
        elif self._asks_too_often(bridge):
            reply = _json(429, {"error": "Too many requests"})
        else:
            reply = answer(bridge, request)
        if bridge.fault is Fault.SLOW:
            await asyncio.sleep(bridge.timings.slow)
        await send_reply(reply, send)

    def _asks_too_often(self, bridge: SimulatedBridge) -> bool:
        now, asked = time.monotonic(), self._asked.setdefault(bridge.spec.name, deque())
        while asked and asked[0] <= now - 60:
            asked.popleft()
        if len(asked) >= MOST_A_MINUTE:
            return True
        asked.append(now)
        return False


def answer(bridge: SimulatedBridge, request: HttpRequest) -> HttpReply:
    if not _authorised(bridge, request):
        return _json(401, {"error": "Unauthorised"})
    name, path = request.method, request.path
    if name == "GET" and path in (ROOMS, LIVE, GONE):
        return _list(bridge, path, {key: values[0] for key, values in request.query.items()})
    if name == "DELETE" and path.startswith(ROOMS):
        return _delete(bridge, path.removeprefix(ROOMS).removesuffix("/"))
    if name != "POST" or path not in (ROOMS, DIAL, DISCONNECT):
        return _json(404, {"error": "Not found"})
    try:
        content = json.loads(request.body)
        return {ROOMS: _create, DIAL: _dial, DISCONNECT: _disconnect}[path](bridge, content)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        return _json(400, {"error": f"Bad request: {error!r}"})


def _list(bridge: SimulatedBridge, path: str, query: Mapping[str, str]) -> HttpReply:
    if path == ROOMS:
        named = [room for room in bridge.rooms.values() if query.get("name") in (None, room.name)]
        return _objects([_shown(room) for room in named])
    if path == GONE:
        return _objects([_past(one) for one in bridge.history if query.get("id") in (None, one.participant_id)])
    there = [one for one in bridge.participants.values() if query.get("conference") in (None, one.room)]
    return _objects([_live(one) for one in there])


def _create(bridge: SimulatedBridge, content: Mapping[str, Any]) -> HttpReply:
    if any(room.name == content["name"] for room in bridge.rooms.values()):
        return _json(400, {"conference": {"name": ["Conference with this Name already exists."]}})
    room = bridge.open_room(str(content["name"]), str(content["aliases"][0]["alias"]))
    return HttpReply(201, headers={"location": f"{ROOMS}{room.number}/"})


def _delete(bridge: SimulatedBridge, number: str) -> HttpReply:
    """Without a number the whole collection goes, as with the real one."""
    if not number:
        bridge.close_all_rooms()
        return HttpReply(204)
    if not (number.isascii() and number.isdigit() and int(number) in bridge.rooms):
        return _json(404, {"error": "Not found"})
    bridge.close_room(int(number))
    return HttpReply(204)


def _dial(bridge: SimulatedBridge, content: Mapping[str, Any]) -> HttpReply:
    alias, destination = str(content["conference_alias"]), str(content["destination"])
    try:
        one = bridge.dial(alias, destination, str(content.get("call_tag") or ""))
    except NoSuchRoomError:
        return _failure("Conference not found")
    except FullError:
        return _failure("Insufficient capacity")
    except RefusedCommand:
        return _failure("Invalid destination")
    ids = {"participant_id": one.participant_id, "participant_ids": [one.participant_id]}
    return _json(202, {"status": "success", "data": ids})


def _disconnect(bridge: SimulatedBridge, content: Mapping[str, Any]) -> HttpReply:
    if content["participant_id"] not in bridge.participants:
        return _failure("The participant could not be found")
    bridge.disconnect(content["participant_id"])
    return _json(202, {"status": "success"})


def _authorised(bridge: SimulatedBridge, request: HttpRequest) -> bool:
    wanted = base64.b64encode(f"{bridge.spec.username}:{bridge.spec.password}".encode()).decode()
    return hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Basic {wanted}".encode())


def _shown(room: Room) -> dict[str, Any]:
    return {"id": room.number, "name": room.name, "service_type": "conference", "aliases": [{"alias": room.alias}]}


def _live(one: Participant) -> dict[str, Any]:
    """Of a call that is on its way there is no connect time yet."""
    call = one.call
    there = call.connected_at if call.state is CallState.CONNECTED else None
    ends = (one.alias, call.remote) if one.outgoing else (call.remote, one.alias)
    return {
        "id": one.participant_id,
        "conference": one.room,
        "call_direction": "out" if one.outgoing else "in",
        "call_tag": one.tag,
        "source_alias": ends[0],
        "destination_alias": ends[1],
        "display_name": call.display_name,
        "connect_time": _time(there),
    }


def _past(one: Participant) -> dict[str, Any]:
    cause = one.call.cause
    reason = REASONS.get(cause, LIKE_ANY_FAULT) if cause else LIKE_ANY_FAULT
    return {**_live(one), "end_time": _time(one.call.ended_at), "disconnect_reason": reason}


def _time(at: datetime | None) -> str | None:
    """UTC without a zone, as the node writes it."""
    return at.replace(tzinfo=None).isoformat() if at else None


def _failure(why: str) -> HttpReply:
    return _json(400, {"status": "failure", "error": why})


def _objects(found: Sequence[Mapping[str, Any]]) -> HttpReply:
    return _json(200, {"meta": {"total_count": len(found)}, "objects": found})


def _json(status: int, content: object) -> HttpReply:
    return HttpReply(status, json.dumps(content).encode(), "application/json")
