"""The equipment of conferences: which driver steers what, and how much of it is asked at once."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TypeVar

from devices.errors import DeviceError, RateLimited, Unauthorised, UnknownNumber
from devices.pexip import PexipClient, PexipNode
from devices.xapi import Codec, XapiClient
from models import Bridge, ControlDriver, Credential, Endpoint, SecretUnreadable
from scheduler.drivers.cisco_xapi import CiscoXapi
from scheduler.drivers.interface import DEADLINE, Driver, Station
from scheduler.drivers.pexip import PexipInfinity
from scheduler.rules import Sight, Silence

# Errors that the same order will meet again until a person has done something.
LASTING = (Unauthorised, UnknownNumber)
# Seconds for the far ends of one conference together, however many wait to be asked: it must fit into the lease.
MOST_PATIENCE = DEADLINE

T = TypeVar("T")


class Equipment:
    """Builds the stations of a conference and asks them; at most `at_once` are asked for their calls at a time."""

    def __init__(self, codecs: XapiClient, bridges: PexipClient, at_once: int) -> None:
        self._codecs = codecs
        self._bridges = bridges
        self._askers = ThreadPoolExecutor(at_once, thread_name_prefix="ask")

    def studio(self, endpoint: Endpoint | None, studio_id: int) -> Station:
        """A studio's endpoint; with its control credential loaded."""
        if endpoint is None:
            return Station(studio_id, "", None)
        if endpoint.control_driver is not ControlDriver.CISCO_XAPI or not endpoint.control_url:
            return Station(studio_id, endpoint.dial_address, None)
        codec = CiscoXapi(self._codecs, Codec(endpoint.control_url, *_opened(endpoint.control_credential)))
        return Station(studio_id, endpoint.dial_address, codec, codec)

    def room(self, bridge: Bridge, name: str) -> Station:
        """A conference's room on a bridge, by the conference's reference."""
        alias = f"{name.lower()}@{bridge.dial_domain}" if bridge.dial_domain else name.lower()
        node = PexipNode(bridge.address, *_opened(bridge.control_credential), bridge.system_location)
        return Station(0, f"sip:{alias}", PexipInfinity(self._bridges, node, name, alias))

    def calls(self, station: Station | None) -> Sight:
        """What a station says of its calls; None when it cannot be asked."""
        if station is None or station.driver is None:
            return None
        try:
            return station.driver.status()
        except DeviceError as error:
            return Silence(error.code, isinstance(error, LASTING))

    def calls_of_all(self, stations: Iterable[Station]) -> list[Sight]:
        """What each says; those that were not reached in time, because too many are silent at once, say nothing."""
        return self.all_at_once([partial(self.calls, station) for station in stations], Silence(RateLimited.code))

    def all_at_once(self, work: Sequence[Callable[[], T]], late: T) -> list[T]:
        """What each piece of work returned, or `late` where it was not done in time."""
        begun = [self._askers.submit(each) for each in work]
        wait(begun, MOST_PATIENCE)
        return [late if each.cancel() or not each.done() else each.result() for each in begun]

    def close(self) -> None:
        self._askers.shutdown(cancel_futures=True)
        self._codecs.close()
        self._bridges.close()


def steered(station: Station) -> Driver:
    """The driver of a station that answered."""
    assert station.driver is not None, "only equipment that answered is given orders"
    return station.driver


def session_of(station: Station | None) -> AbstractContextManager[None]:
    return nullcontext() if station is None or station.driver is None else station.driver.session()


def _opened(credential: Credential | None) -> tuple[str, str]:
    if credential is None:
        return "", ""
    try:
        return credential.username, credential.open()
    except SecretUnreadable:
        return credential.username, ""  # refused by the equipment, and said so there
