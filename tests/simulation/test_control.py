"""The fleet's control address."""

import asyncio

import httpx
import pytest

from simulation.fleet import Fleet
from simulation.sockets import FleetError
from simulation.studio import Fault
from tests.simulation.fleets import a_call, a_studio, client_of, fleet_of, in_call, own_address, until


def control_client(address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://{address}:8079", trust_env=False, timeout=2)


def test_live_calls_of_all_studios_are_listed_with_both_ends():
    async def trial():
        address = own_address()
        async with (
            fleet_of(a_studio("A"), a_studio("B"), control=(address, 8079)) as fleet,
            control_client(address) as client,
        ):
            assert (await client.get("/calls")).json() == []
            one, two = fleet.studios.values()
            call = a_call(one, two)
            await until(lambda: in_call(one, two))
            listed = {entry["code"]: entry for entry in (await client.get("/calls")).json()}
            assert listed["A"] == {
                "code": "A",
                "call_id": call.call_id,
                "conference_id": call.conference_id,
                "booking_id": "booking-1",
                "peer": two.spec.uri,
                "state": "Connected",
                "direction": "Outgoing",
                "begun": call.begun_at.isoformat(),
                "since": call.since.isoformat(),
            }
            assert (listed["B"]["peer"], listed["B"]["direction"]) == (one.spec.uri, "Incoming")

    asyncio.run(trial())


def test_a_fault_is_taken_on_and_shown_and_cleared():
    async def trial():
        address = own_address()
        async with fleet_of(a_studio("A"), control=(address, 8079)) as fleet, control_client(address) as client:
            for fault in Fault:
                answer = await client.post("/fault", json={"code": "A", "fault": fault})
                assert answer.json() == {"code": "A", "fault": fault}
                assert fleet.studios["A"].fault is fault
                assert (await client.get("/studios")).json()[0]["fault"] == fault

    asyncio.run(trial())


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ('{"code": "X", "fault": "dead"}', "application/json", 404),
        ('{"code": "A", "fault": "bored"}', "application/json", 400),
        ('{"code": "A"}', "application/json", 400),
        ('{"site": "Nowhere", "fault": "line"}', "application/json", 404),
        ('{"site": "Oslo", "fault": "dead"}', "application/json", 400),
        ('{"site": "Oslo"}', "application/json", 400),
        ("[]", "application/json", 400),
        ("[" * 60_000, "application/json", 400),
        ("", "application/json", 400),
        ('{"code": "A", "fault": "dead"}', "text/plain", 415),
    ],
)
def test_a_fault_that_is_none_is_refused_with_a_sentence(content: str, kind: str, status: int):
    async def trial():
        address = own_address()
        async with fleet_of(a_studio("A"), control=(address, 8079)) as fleet, control_client(address) as client:
            answer = await client.post("/fault", content=content, headers={"content-type": kind})
            assert answer.status_code == status
            assert answer.json()["error"].endswith(".")
            assert fleet.studios["A"].fault is Fault.CLEAR

    asyncio.run(trial())


def test_the_line_of_a_site_cuts_all_its_studios_off_and_no_others():
    async def trial():
        address = own_address()
        specs = (a_studio("A", site="Oslo"), a_studio("B", site="Oslo"), a_studio("C", site="Bodø"))
        async with fleet_of(*specs, control=(address, 8079)) as fleet, control_client(address) as client:
            fleet.studios["A"].suffer(Fault.CAMERA_UNPLUGGED)
            answer = await client.post("/fault", json={"site": "oslo", "fault": "line"})
            assert answer.json() == {"site": "Oslo", "fault": "line", "studios": 2}
            assert [studio.dead for studio in fleet.studios.values()] == [True, True, False]
            shown = {studio["code"]: studio for studio in (await client.get("/studios")).json()}
            assert (shown["A"]["line"], shown["C"]["line"]) == (False, True)
            async with client_of(specs[0]) as codec:
                with pytest.raises(httpx.ReadTimeout):
                    await codec.get("/getxml?location=/Status/Call", timeout=0.3)
                await client.post("/fault", json={"site": "Oslo", "fault": "clear"})
                assert (await codec.get("/getxml?location=/Status/Call")).status_code == 200
            assert fleet.studios["A"].fault is Fault.CAMERA_UNPLUGGED

    asyncio.run(trial())


@pytest.mark.parametrize("cut", ["caller", "called"])
def test_no_call_reaches_a_studio_whose_line_is_cut_nor_leaves_it(cut: str):
    async def trial():
        specs = (a_studio("caller", http_port=None), a_studio("called", http_port=None))
        async with fleet_of(*specs) as fleet:
            caller, called = fleet.studios.values()
            fleet.studios[cut].cut_line(True)
            a_call(caller, called)
            await asyncio.sleep(0.1)
            assert not called.calls
            fleet.studios[cut].cut_line(False)
            await until(lambda: in_call(caller, called))

    asyncio.run(trial())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "localhost", ""])
def test_the_control_address_must_be_loopback(host: str):
    async def trial():
        with pytest.raises(FleetError, match="not a loopback address"):
            await Fleet([], (host, 8079)).start()

    asyncio.run(trial())
