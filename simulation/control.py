"""The fleet's control address: faults by command, and what all studios are doing, for tests and people."""

import json
from collections.abc import Callable
from typing import Any

from simulation.bridge import SimulatedBridge
from simulation.http_replies import HttpReply, HttpRequest, Receive, Scope, Send, read_request, send_reply
from simulation.studio import Fault, RefusedCommand, SimulatedStudio, SiteLine

Studios = Callable[[], dict[str, SimulatedStudio]]
Bridges = Callable[[], dict[str, SimulatedBridge]]


class Control:
    """`GET /calls`, `GET /studios`, `GET /bridges`, `POST /fault` with `{"code": .., "fault": ..}`, `{"bridge": ..,
    "fault": ..}` or, for the line of a whole site, `{"site": .., "fault": "line" or "clear"}`; `POST /press` with
    `{"code": ..}`; JSON throughout."""

    def __init__(self, studios: Studios, bridges: Bridges) -> None:
        self._studios = studios
        self._bridges = bridges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read_request(scope, receive)
        await send_reply(request if isinstance(request, HttpReply) else self.answer(request), send)

    def answer(self, request: HttpRequest) -> HttpReply:
        if (request.method, request.path) == ("GET", "/calls"):
            return _json(200, live_calls(self._studios()))
        if (request.method, request.path) == ("GET", "/studios"):
            return _json(200, [_shown(studio) for studio in self._studios().values()])
        if (request.method, request.path) == ("GET", "/bridges"):
            return _json(200, [_shown_bridge(bridge) for bridge in self._bridges().values()])
        if request.method == "POST" and request.path in ("/fault", "/press"):
            # A web page can send a form anywhere, but not JSON without asking first; so no page can break a studio.
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                return _json(415, {"error": f"Send the {request.path[1:]} as application/json."})
            return self._fault(request) if request.path == "/fault" else self._press(request)
        return _json(404, {"error": "The control address knows /calls, /studios, /bridges, /fault and /press."})

    def _press(self, request: HttpRequest) -> HttpReply:
        try:
            code = str(json.loads(request.body)["code"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return _json(400, {"error": "Say the code of a studio."})
        studio = self._studios().get(code)
        if studio is None:
            return _json(404, {"error": f"The fleet serves no studio {code}."})
        try:
            studio.press()
        except RefusedCommand as refusal:
            return _json(409, {"error": f"{refusal}."})
        return _json(200, {"code": code})

    def _fault(self, request: HttpRequest) -> HttpReply:
        try:
            wanted = json.loads(request.body)
            if "site" in wanted:
                return self._cut_line(str(wanted["site"]), SiteLine(wanted["fault"]))
            if "bridge" in wanted:
                return self._suffer_bridge(str(wanted["bridge"]), Fault(wanted["fault"]))
            return self._suffer(str(wanted["code"]), Fault(wanted["fault"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            sentence = (
                f"A fault is one of {', '.join(Fault)}, for the code of a studio; {' or '.join(SiteLine)} for a site."
            )
            return _json(400, {"error": sentence})

    def _suffer(self, code: str, fault: Fault) -> HttpReply:
        studio = self._studios().get(code)
        if studio is None:
            return _json(404, {"error": f"The fleet serves no studio {code}."})
        studio.suffer(fault)
        return _json(200, {"code": code, "fault": fault})

    def _suffer_bridge(self, name: str, fault: Fault) -> HttpReply:
        bridge = self._bridges().get(name)
        if bridge is None:
            return _json(404, {"error": f"The fleet serves no bridge {name}."})
        try:
            bridge.suffer(fault)
        except RefusedCommand as refusal:
            return _json(409, {"error": f"{refusal}."})
        return _json(200, {"bridge": name, "fault": fault})

    def _cut_line(self, site: str, line: SiteLine) -> HttpReply:
        studios = [studio for studio in self._studios().values() if studio.spec.site.casefold() == site.casefold()]
        if not studios:
            return _json(404, {"error": f"The fleet serves no studio at a site named {site}."})
        for studio in studios:
            studio.cut_line(line is SiteLine.CUT)
        return _json(200, {"site": studios[0].spec.site, "fault": line, "studios": len(studios)})


def live_calls(studios: dict[str, SimulatedStudio]) -> list[dict[str, Any]]:
    return [
        {
            "code": code,
            "call_id": call.call_id,
            "conference_id": call.conference_id,
            "booking_id": call.booking_id,
            "peer": call.remote,
            "state": call.state,
            "direction": call.direction,
            "begun": call.begun_at.isoformat(),
            "since": call.since.isoformat(),
        }
        for code, studio in studios.items()
        for call in studio.calls.values()
    ]


def _shown(studio: SimulatedStudio) -> dict[str, Any]:
    return {
        "code": studio.spec.code,
        "address": studio.spec.address,
        "site": studio.spec.site,
        "fault": studio.fault,
        "line": not studio.line_cut,
        "calls": len(studio.calls),
        "sessions": len(studio.sessions),
        "muted": studio.muted,
        "camera_off": studio.camera_off,
        "question": studio.question.text if studio.question else "",
        "alerts": list(studio.alerts),
    }


def _shown_bridge(bridge: SimulatedBridge) -> dict[str, Any]:
    return {
        "name": bridge.spec.name,
        "address": bridge.spec.address,
        "fault": bridge.fault,
        "ports": bridge.spec.ports,
        "rooms": [room.name for room in bridge.rooms.values()],
        "participants": [
            {"room": one.room, "peer": one.call.remote, "state": one.call.state, "token": one.tag}
            for one in bridge.participants.values()
        ],
    }


def _json(status: int, content: object) -> HttpReply:
    return HttpReply(status, json.dumps(content).encode() + b"\n", "application/json")
