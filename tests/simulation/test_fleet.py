"""Starting, changing and ending a fleet."""

import asyncio
import dataclasses
import resource
import socket
import subprocess
import sys

import pytest

from simulation.fleet import Fleet, covering_network
from simulation.sockets import FleetError
from simulation.studio import Fault
from tests.simulation.fleets import QUICK, a_call, a_studio, client_of, fleet_of, idle, in_call, until


def is_free(address: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as trial:
        if kind is socket.SOCK_STREAM:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError:
            return False
        return True


def all_free(spec) -> bool:
    ports = ((8080, socket.SOCK_STREAM), (5060, socket.SOCK_DGRAM), (1161, socket.SOCK_DGRAM))
    return all(is_free(spec.address, port, kind) for port, kind in ports)


def test_a_studio_without_some_service_is_served_what_it_has():
    async def trial():
        silent = a_studio("A", sip_port=None, snmp_port=None)
        phone_only = a_studio("B", http_port=None, snmp_port=None)
        async with fleet_of(silent, phone_only), client_of(silent) as client:
            assert is_free(silent.address, 1161, socket.SOCK_DGRAM)
            assert is_free(phone_only.address, 8080, socket.SOCK_STREAM)
            assert not is_free(phone_only.address, 5060, socket.SOCK_DGRAM)
            body = f"<Command><Dial><Number>{phone_only.uri}</Number></Dial></Command>"
            answer = await client.post("/putxml", content=body)
            assert 'status="Error"' in answer.text

    asyncio.run(trial())


def test_an_address_in_use_is_named_and_nothing_stays_open():
    async def trial():
        first, second = a_studio("A"), a_studio("B")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((second.address, 1161))
            with pytest.raises(FleetError, match=rf"{second.address}:1161.*in use"):
                await Fleet([first, second], timings=QUICK).start()
        await asyncio.sleep(0)
        assert all_free(first)
        assert all_free(second)

    asyncio.run(trial())


def test_an_address_that_is_not_of_this_machine_is_named():
    async def trial():
        with pytest.raises(FleetError, match=r"192\.0\.2\.1:5060: this machine has no such address"):
            await Fleet([a_studio("A", address="192.0.2.1")]).start()

    asyncio.run(trial())


def test_two_studios_at_one_address_are_both_named():
    async def trial():
        first = a_studio("A")
        with pytest.raises(FleetError, match="A and B share"):
            await Fleet([first, dataclasses.replace(first, code="B")]).start()

    asyncio.run(trial())


def test_studios_come_and_go_while_the_others_stay_in_their_calls():
    async def trial():
        kept, called, gone, new = (a_studio(code) for code in "ABCD")
        async with fleet_of(kept, called, gone) as fleet:
            one, two = fleet.studios["A"], fleet.studios["B"]
            a_call(one, two)
            await until(lambda: in_call(one, two))
            renamed = dataclasses.replace(gone, code="E")
            assert await fleet.update([kept, called, renamed, new]) == (2, 1)
            assert list(fleet.studios) == ["A", "B", "E", "D"]
            assert fleet.studios["A"] is one
            assert in_call(one, two)
            for spec in (renamed, new):
                async with client_of(spec) as client:
                    assert (await client.get("/getxml?location=/Status/Call")).status_code == 200

    asyncio.run(trial())


def test_a_studio_that_leaves_the_fleet_says_goodbye():
    async def trial():
        stays, leaves = a_studio("A"), a_studio("B")
        async with fleet_of(stays, leaves) as fleet:
            one, two = fleet.studios.values()
            a_call(one, two)
            await until(lambda: in_call(one, two))
            await fleet.update([stays])
            await until(lambda: idle(one))

    asyncio.run(trial())


def test_an_update_that_cannot_be_served_leaves_the_running_studios_alone():
    async def trial():
        stays, other = a_studio("A"), a_studio("B")
        async with fleet_of(stays) as fleet, client_of(stays) as client:
            with pytest.raises(FleetError):
                await fleet.update([stays, other, dataclasses.replace(other, code="C")])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.bind((other.address, 1161))
                for _ in range(2):
                    with pytest.raises(FleetError, match="in use"):
                        await fleet.update([stays, other])
            assert (await client.get("/getxml?location=/Status/Call")).status_code == 200
            assert list(fleet.studios) == ["A"]
            await fleet.update([stays, other])
            assert list(fleet.studios) == ["A", "B"]

    asyncio.run(trial())


def test_a_stopped_fleet_leaves_nothing_open_even_with_requests_hanging_on_a_dead_studio():
    async def trial():
        spec = a_studio("A")
        fleet = Fleet([spec], timings=QUICK)
        await fleet.start()
        fleet.studios["A"].suffer(Fault.DEAD)
        async with client_of(spec) as client:
            hanging = asyncio.create_task(client.get("/getxml?location=/Status/Call", timeout=10))
            await asyncio.sleep(0.1)
            async with asyncio.timeout(3):
                await fleet.stop()
                await asyncio.wait([hanging])
        assert all_free(spec)

    asyncio.run(trial())


def test_the_soft_limit_of_open_files_is_raised_and_a_low_hard_one_told():
    program = """
import asyncio, resource, sys
from simulation.open_files import TooFewFilesError, make_room
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 2000))
make_room(300)
print(resource.getrlimit(resource.RLIMIT_NOFILE))
def refuse(*_): raise ValueError
resource.setrlimit = refuse
try:
    make_room(900)
except TooFewFilesError as error:
    print(error)
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[0] == "(1412, 2000)"
    assert "900 studios need 3212 open files, but this account may open 2000 at most." in output
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] != 2000


@pytest.mark.parametrize(
    ("addresses", "network"),
    [
        (["127.1.0.5"], "127.1.0.0/24"),
        (["127.1.0.5", "127.1.3.9"], "127.1.0.0/16"),
        (["127.1.0.5", "127.2.0.5"], "127.0.0.0/8"),
    ],
)
def test_the_network_of_the_studios_is_named_in_whole_octets(addresses: list[str], network: str):
    assert covering_network(addresses) == network
