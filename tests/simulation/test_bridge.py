"""A simulated bridge: asked over HTTP, and its calls looked at from the studios it has called."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from simulation import pexip
from simulation.bridge import BridgeSpec, SimulatedBridge
from simulation.control import Control
from simulation.fleet import Fleet
from simulation.http_replies import HttpRequest
from simulation.studio import CallState, Fault, SimulatedStudio
from tests.simulation.fleets import QUICK, a_studio, fleet_of, idle, in_call, own_address, until

LATE = 0.15


@dataclass
class Trial:
    fleet: Fleet
    bridge: SimulatedBridge
    studios: list[SimulatedStudio]
    client: httpx.AsyncClient

    async def post(self, path: str, **content: Any) -> httpx.Response:
        return await self.client.post(path, json=content)

    async def open_room(self, name: str = "R1") -> int:
        alias = f"{name.lower()}@{self.bridge.spec.address}"
        opened = await self.post(pexip.ROOMS, name=name, service_type="conference", aliases=[{"alias": alias}])
        assert opened.status_code == 201
        return int(opened.headers["location"].rstrip("/").rsplit("/", 1)[1])

    async def dial(self, studio: SimulatedStudio, name: str = "r1") -> httpx.Response:
        alias = f"{name}@{self.bridge.spec.address}"
        return await self.post(
            pexip.DIAL, conference_alias=alias, destination=studio.spec.uri, call_tag="tag", protocol="sip"
        )

    async def listed(self, path: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.client.get(path, params=query)).json()["objects"]
        return found


@asynccontextmanager
async def bridged(count: int = 2, ports: int = 5, replication: float = 0.0, **changes: Any) -> AsyncIterator[Trial]:
    address = own_address()
    spec = BridgeSpec("North", address, 8443, address, 5060, ports, "studionett", "hemmelig", **changes)
    specs = [a_studio(f"S{number}", http_port=None) for number in range(count)]
    async with (
        fleet_of(spec, *specs, timings=replace(QUICK, replication=replication)) as fleet,
        httpx.AsyncClient(
            base_url=f"http://{address}:8443", auth=("studionett", "hemmelig"), trust_env=False, timeout=2
        ) as client,
    ):
        yield Trial(fleet, fleet.bridges["North"], list(fleet.studios.values()), client)


def test_studios_are_called_into_a_room_and_stay_until_they_are_taken_out():
    async def trial():
        async with bridged() as at:
            await at.open_room()
            answers = [await at.dial(studio) for studio in at.studios]
            assert [answer.status_code for answer in answers] == [202, 202]
            await until(lambda: in_call(*at.studios) and all(one["connect_time"] for one in _live(at)))
            assert {call.remote for studio in at.studios for call in studio.calls.values()} == {
                f"sip:r1@{at.bridge.spec.address}"
            }
            there = await at.listed(pexip.LIVE, conference="R1")
            assert {one["destination_alias"] for one in there} == {studio.spec.uri for studio in at.studios}
            for one in there:
                assert (await at.post(pexip.DISCONNECT, participant_id=one["id"])).status_code == 202
            await until(lambda: idle(*at.studios))
            assert await at.listed(pexip.LIVE) == []

    asyncio.run(trial())


def _live(at: Trial) -> list[dict[str, Any]]:
    request = HttpRequest("GET", pexip.LIVE, {}, {"authorization": "Basic c3R1ZGlvbmV0dDpoZW1tZWxpZw=="}, b"")
    found: list[dict[str, Any]] = json.loads(pexip.answer(at.bridge, request).body)["objects"]
    return found


def test_who_hangs_up_is_told_apart_from_who_is_lost():
    async def trial():
        async with bridged() as at:
            await at.open_room()
            ids = [(await at.dial(studio)).json()["data"]["participant_id"] for studio in at.studios]
            await until(lambda: in_call(*at.studios))
            gone, lost = at.studios
            gone.hang_up(next(iter(gone.calls)))
            lost.lose(next(iter(lost.calls.values())))
            await until(lambda: not at.bridge.participants)
            reasons = [(await at.listed(pexip.GONE, id=key))[0]["disconnect_reason"] for key in ids]
            assert reasons == ["Remote disconnect", pexip.LIKE_ANY_FAULT]

    asyncio.run(trial())


def test_a_room_is_known_only_after_a_while():
    async def trial():
        async with bridged(replication=LATE) as at:
            await at.open_room()
            early = await at.dial(at.studios[0])
            assert (early.status_code, early.json()["error"]) == (400, "Conference not found")
            await asyncio.sleep(LATE)
            assert (await at.dial(at.studios[0])).status_code == 202

    asyncio.run(trial())


def test_ports_run_out_and_come_back():
    async def trial():
        async with bridged(count=3, ports=2) as at:
            await at.open_room()
            for studio in at.studios[:2]:
                await at.dial(studio)
            refused = await at.dial(at.studios[2])
            assert (refused.status_code, refused.json()["error"]) == (400, "Insufficient capacity")
            await until(lambda: in_call(*at.studios[:2]))
            call_id = next(iter(at.studios[0].calls))
            at.studios[0].hang_up(call_id)
            await until(lambda: len(at.bridge.participants) == 1)
            assert (await at.dial(at.studios[2])).status_code == 202

    asyncio.run(trial())


def test_a_studio_dials_into_a_room_and_is_refused_where_there_is_none():
    async def trial():
        async with bridged() as at:
            await at.open_room()
            at.studios[0].dial(f"sip:r1@{at.bridge.spec.address}")
            at.studios[1].dial(f"sip:elsewhere@{at.bridge.spec.address}")
            await until(lambda: in_call(at.studios[0]) and idle(at.studios[1]))
            (one,) = await at.listed(pexip.LIVE)
            assert (one["call_direction"], one["source_alias"]) == ("in", at.studios[0].spec.uri)

    asyncio.run(trial())


def test_a_room_that_is_put_away_takes_those_in_it_along_and_a_delete_without_a_number_takes_all():
    async def trial():
        async with bridged() as at:
            first, _second = await at.open_room("R1"), await at.open_room("R2")
            for studio, room in zip(at.studios, ("r1", "r2"), strict=True):
                await at.dial(studio, room)
            await until(lambda: in_call(*at.studios))
            assert (await at.client.delete(f"{pexip.ROOMS}{first}/")).status_code == 204
            await until(lambda: idle(at.studios[0]))
            assert in_call(at.studios[1])
            assert (await at.client.delete(f"{pexip.ROOMS}{first}/")).status_code == 404
            assert (await at.client.delete(pexip.ROOMS)).status_code == 204
            assert await at.listed(pexip.ROOMS) == []
            await until(lambda: idle(*at.studios))

    asyncio.run(trial())


def test_a_bridge_that_dies_answers_nothing_and_leaves_the_studios_calls_up():
    async def trial():
        async with bridged() as at:
            await at.open_room()
            await at.dial(at.studios[0])
            await until(lambda: in_call(at.studios[0]))
            at.bridge.suffer(Fault.DEAD)
            with pytest.raises(httpx.ReadTimeout):
                await at.client.get(pexip.LIVE, timeout=0.2)
            assert at.studios[0].calls
            at.bridge.suffer(Fault.CLEAR)
            assert await at.listed(pexip.LIVE) == []

    asyncio.run(trial())


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", pexip.ROOMS, {"name": "R1", "aliases": [{"alias": "r1@x"}]}, 400),  # is there already
        ("POST", pexip.ROOMS, {"name": "R2"}, 400),
        ("POST", pexip.DIAL, ["no", "object"], 400),
        ("POST", pexip.DIAL, {"conference_alias": "r1@x", "destination": "sip:no host"}, 400),
        ("POST", pexip.DISCONNECT, {"participant_id": "nobody"}, 400),
        ("PUT", pexip.ROOMS, {}, 404),
        ("GET", "/api/admin/", {}, 404),
    ],
)
def test_what_cannot_be_done_is_refused(method, path, content, status):
    async def trial():
        async with bridged(count=0) as at:
            await at.open_room()
            assert (await at.client.request(method, path, json=content)).status_code == status

    asyncio.run(trial())


def test_a_wrong_password_opens_nothing_and_too_many_requests_are_refused(monkeypatch):
    async def trial():
        async with bridged(count=0) as at:
            assert (await at.client.get(pexip.LIVE, auth=("studionett", "wrong"))).status_code == 401
            monkeypatch.setattr(pexip, "MOST_A_MINUTE", 3)
            assert [(await at.client.get(pexip.LIVE)).status_code for _ in range(3)] == [200, 200, 429]

    asyncio.run(trial())


def test_the_control_address_shows_a_bridge_and_lets_it_suffer_what_a_bridge_can():
    async def trial():
        async with bridged() as at:
            control = Control(lambda: at.fleet.studios, lambda: at.fleet.bridges)
            await at.open_room()
            await at.dial(at.studios[0])
            await until(lambda: in_call(at.studios[0]))
            (shown,) = json.loads(control.answer(HttpRequest("GET", "/bridges", {}, {}, b"")).body)
            assert (shown["rooms"], [one["state"] for one in shown["participants"]]) == (["R1"], [CallState.CONNECTED])
            for name, fault, status in (("North", "busy", 200), ("North", "drops", 409), ("South", "dead", 404)):
                body = json.dumps({"bridge": name, "fault": fault}).encode()
                request = HttpRequest("POST", "/fault", {}, {"content-type": "application/json"}, body)
                assert control.answer(request).status == status
            assert at.bridge.fault is Fault.BUSY
            assert (await at.dial(at.studios[1])).status_code == 400

    asyncio.run(trial())
