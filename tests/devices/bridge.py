"""A Pexip management node of our own for the tests: real HTTP, the few resources we use, and no media behind them."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from devices.pexip import PexipNode

USER, SECRET = "studionett", "hemmelig"
CONFERENCES = "/api/admin/configuration/v1/conference/"
LIVE = "/api/admin/status/v1/participant/"
GONE = "/api/admin/history/v1/participant/"
COMMAND = "/api/admin/command/v1/participant/"


class PlayedNode:
    """`rooms` by number; `participants` and `history` as they are told. `ready`: whether rooms are known to the nodes
    that carry calls."""

    def __init__(self) -> None:
        self.rooms: dict[int, dict] = {}
        self.participants: dict[str, dict] = {}
        self.history: list[dict] = []
        self.asked: list[tuple[str, str]] = []
        self.ports = 10
        self.ready = True
        self.drop_answer = False
        self.node = PexipNode("", USER, SECRET)

    def answer(self, method: str, path: str, query: dict, body: dict) -> tuple[int, dict | None]:
        if path == CONFERENCES and method == "POST":
            return self._create(body)
        if path == CONFERENCES and method == "GET":
            return 200, _listed([room for room in self.rooms.values() if room["name"] == query["name"][0]])
        if path == CONFERENCES and method == "DELETE":
            self.rooms.clear()  # as the real one does
            return 204, None
        if path.startswith(CONFERENCES) and method == "DELETE":
            found = self.rooms.pop(int(path.removeprefix(CONFERENCES).strip("/")), None)
            return (204 if found else 404), None
        if path == LIVE:
            room = query["conference"][0]
            return 200, _listed([one for one in self.participants.values() if one["conference"] == room])
        if path == GONE:
            return 200, _listed([one for one in self.history if one["id"] == query["id"][0]])
        if path == COMMAND + "dial/":
            return self._dial(body)
        if path == COMMAND + "disconnect/":
            return self._disconnect(body["participant_id"])
        return 404, None

    def _create(self, body: dict) -> tuple[int, dict | None]:
        if any(room["name"] == body["name"] for room in self.rooms.values()):
            return 400, {"conference": {"name": ["Conference with this Name already exists."]}}
        number = len(self.rooms) + 1
        self.rooms[number] = {**body, "id": number}
        return 201, None

    def _dial(self, body: dict) -> tuple[int, dict]:
        aliases = {alias["alias"]: room["name"] for room in self.rooms.values() for alias in room["aliases"]}
        if not self.ready or body["conference_alias"] not in aliases:
            return 400, {"status": "failure", "error": "Conference not found"}
        if len(self.participants) >= self.ports:
            return 400, {"status": "failure", "error": "Insufficient capacity"}
        key = f"p-{len(self.participants) + len(self.history) + 1}"
        self.participants[key] = {
            "id": key, "conference": aliases[body["conference_alias"]], "call_direction": "out",
            "call_tag": body["call_tag"], "source_alias": body["conference_alias"],
            "destination_alias": body["destination"], "connect_time": "2026-11-26T09:00:02",
        }  # fmt: skip
        return 202, {"status": "success", "data": {"participant_id": key, "participant_ids": [key]}}

    def _disconnect(self, key: str) -> tuple[int, dict]:
        if key not in self.participants:
            return 400, {"status": "failure", "error": "The participant could not be found"}
        self.leave(key, "Call disconnected")
        return 202, {"status": "success"}

    def leave(self, key: str, reason: str) -> None:
        self.history.append({**self.participants.pop(key), "disconnect_reason": reason})


def _listed(objects: list[dict]) -> dict:
    return {"meta": {"total_count": len(objects)}, "objects": objects}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    played: PlayedNode

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.played.asked.append((self.command, url.path))
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode():
            return self._give(401, None)
        status, content = self.played.answer(self.command, url.path, parse_qs(url.query), json.loads(raw or b"{}"))
        if self.played.drop_answer:
            self.close_connection = True
            return None
        return self._give(status, content)

    do_POST = do_DELETE = do_GET

    def _give(self, status: int, content: dict | None) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@contextmanager
def playing() -> Iterator[PlayedNode]:
    played = PlayedNode()
    handler = type("Bound", (_Handler,), {"played": played})
    server = ThreadingHTTPServer(("127.202.0.9", 0), handler)
    played.node = PexipNode(f"http://127.202.0.9:{server.server_port}", USER, SECRET)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield played
    finally:
        server.shutdown()
        server.server_close()
