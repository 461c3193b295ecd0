"""What every driver promises, held against each: a new driver adds itself to `DRIVERS` and must pass unchanged."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest

from devices.errors import DeviceError, Unauthorised, UnknownNumber, Unreachable
from devices.pexip import PexipClient, PexipNode
from devices.xapi import Codec, XapiClient
from scheduler.drivers.cisco_xapi import CiscoXapi
from scheduler.drivers.interface import Driver
from scheduler.drivers.pexip import PexipInfinity
from scheduler.rules import HUNG_UP, LiveCall, normal_address
from simulation.studio import CallState, Fault
from tests.scheduler.conftest import HTTP_PORT, SECRET, Network

FAR = "BODO"


def cisco(network: Network) -> Iterator[tuple[Driver, Driver, Callable[[Fault], None]]]:
    client = XapiClient(read=0.5)
    codec = Codec(f"http://{network.specs['TROMSO'].address}:{HTTP_PORT}", "admin", SECRET)
    stranger = CiscoXapi(client, replace(codec, password="wrong"))
    yield CiscoXapi(client, codec), stranger, lambda fault: network.suffer("TROMSO", fault)
    client.close()


def pexip(network: Network) -> Iterator[tuple[Driver, Driver, Callable[[Fault], None]]]:
    client, spec = PexipClient(read=0.5), network.bridge.spec
    node = PexipNode(f"http://{spec.api_address}:{spec.http_port}", "admin", SECRET)
    driver = PexipInfinity(client, node, "VK-1", f"vk-1@{spec.address}:{spec.sip_port}")
    yield driver, replace(driver, node=replace(node, password="wrong")), network.bridge_suffers
    client.close()


DRIVERS = (cisco, pexip)
_tokens = count(1)


class Trial:
    """A driver on real equipment, one that has its password wrong, and the studio that it calls."""

    def __init__(self, network: Network, driver: Driver, stranger: Driver, suffer: Callable[[Fault], None]) -> None:
        self.network, self.driver, self.stranger, self.suffer = network, driver, stranger, suffer
        self.address = network.specs[FAR].uri
        self.token = f"VK-1/{next(_tokens)}"

    def connected(self) -> str:
        """The id of a call that is up at both ends."""
        call_id = self.driver.dial(self.address, self.token)
        until(lambda: [call.status for call in self.driver.status()] == ["Connected"])
        until(lambda: [call.state for call in self.network.calls(FAR)] == [CallState.CONNECTED])
        return call_id


@pytest.fixture(params=DRIVERS, ids=lambda made: made.__name__)
def trial(network, request) -> Iterator[Trial]:
    made = request.param(network)
    found = Trial(network, *next(made))
    found.driver.open()
    yield found
    next(made, None)


def until(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < give_up, "it took too long"
        time.sleep(0.02)


def test_a_call_is_accepted_seen_with_its_mark_and_ended(trial):
    call_id = trial.connected()
    (seen,) = trial.driver.status()
    assert seen == LiveCall(call_id, "Connected", seen.remote, trial.token)
    assert normal_address(seen.remote) == normal_address(trial.address)
    trial.driver.hang_up(call_id)
    until(lambda: not trial.network.calls(FAR))
    until(lambda: not trial.driver.status())


def test_what_is_not_there_any_more_has_been_ended(trial):
    call_id = trial.connected()
    trial.driver.hang_up(call_id)
    until(lambda: not trial.driver.status())
    trial.driver.hang_up(call_id)


def test_getting_ready_and_putting_away_may_be_done_twice(trial):
    trial.driver.open()
    trial.connected()
    trial.driver.close()
    trial.driver.close()
    trial.driver.open()
    trial.driver.dial(trial.network.specs["ALTA"].uri, "VK-1/anew")


def test_a_person_who_hangs_up_is_told_from_a_fault(trial):
    call_id = trial.connected()
    trial.network.hang_up(FAR)
    until(lambda: trial.driver.ending(call_id))
    assert trial.driver.ending(call_id) == HUNG_UP
    call_id = trial.connected()
    trial.network.lose_calls(FAR)
    until(lambda: trial.driver.ending(call_id))
    assert trial.driver.ending(call_id) != HUNG_UP


def test_nothing_is_known_of_the_end_of_a_call_that_never_was(trial):
    assert trial.driver.ending("4711") == ""


def test_a_wrong_password_is_told_from_silence(trial):
    orders = [lambda: trial.stranger.status(), lambda: trial.stranger.dial(trial.address, trial.token)]
    for order in orders:
        with pytest.raises(Unauthorised):
            order()
    trial.suffer(Fault.DEAD)
    for order in (trial.driver.status, lambda: trial.driver.hang_up("4711")):
        with pytest.raises(Unreachable):
            order()
    with pytest.raises(DeviceError):  # it may have arrived
        trial.driver.dial(trial.address, trial.token)
    assert not trial.network.calls(FAR)


@pytest.mark.parametrize("address", ["", " ", "a\x00b"])
def test_what_is_no_address_is_not_called(trial, address):
    with pytest.raises(UnknownNumber):
        trial.driver.dial(address, trial.token)
    assert not trial.driver.status()


def test_a_call_to_nobody_goes_away_again(trial):
    trial.driver.dial(f"sip:nobody@{trial.network.specs[FAR].address}:{trial.network.specs[FAR].sip_port}", trial.token)
    until(lambda: not trial.driver.status())
