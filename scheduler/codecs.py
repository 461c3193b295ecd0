"""The codecs of one conference: the driver for Cisco's xAPI, thin over its client."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from devices.errors import DeviceError, RateLimited, Unauthorised, UnknownNumber
from devices.xapi import Codec, XapiClient
from models import ControlDriver, Endpoint, SecretUnreadable
from scheduler.leases import ORDER
from scheduler.rules import LiveCall, Sight, Silence

# Errors that the same order will meet again until a person has done something.
LASTING = (Unauthorised, UnknownNumber)
# Seconds for the far ends of one conference together, however many wait to be asked: it must fit into the lease.
MOST_PATIENCE = ORDER.total_seconds()


@dataclass(frozen=True)
class Station:
    """A studio's endpoint as the scheduler needs it: where it is called, and how it is steered, if it can be."""

    studio_id: int
    address: str
    codec: Codec | None


class Codecs:
    """Speaks to codecs from any number of threads; at most `at_once` are asked for their calls at a time."""

    def __init__(self, client: XapiClient, at_once: int) -> None:
        self._client = client
        self._askers = ThreadPoolExecutor(at_once, thread_name_prefix="ask")

    def calls(self, station: Station | None) -> Sight:
        """What a codec says of its calls; None when it cannot be asked."""
        if station is None or station.codec is None:
            return None
        try:
            found = self._client.calls(station.codec, deadline=ORDER.total_seconds())
        except DeviceError as error:
            return Silence(error.code, isinstance(error, LASTING))
        return [LiveCall(call.call_id, call.status, call.remote_number, call.booking_id) for call in found]

    def calls_of_all(self, stations: Iterable[Station]) -> list[Sight]:
        """What each says; those that were not reached in time, because too many are silent at once, say nothing."""
        asked = [self._askers.submit(self.calls, station) for station in stations]
        wait(asked, MOST_PATIENCE)
        return [_said(answer) for answer in asked]

    def dial(self, host: Station, address: str, token: str) -> str:
        """Order a call; the codec's id of it once accepted. Raises DeviceError."""
        return self._client.dial(_codec(host), address, token, deadline=ORDER.total_seconds())

    def hang_up(self, station: Station, call_id: str) -> None:
        """End a call; one that is not there any more has been ended. Raises DeviceError."""
        self._client.disconnect(_codec(station), call_id, deadline=ORDER.total_seconds())

    def close(self) -> None:
        self._askers.shutdown(cancel_futures=True)
        self._client.close()


def station_of(endpoint: Endpoint | None, studio_id: int) -> Station:
    if endpoint is None:
        return Station(studio_id, "", None)
    return Station(studio_id, endpoint.dial_address, _codec_of(endpoint))


def _codec_of(endpoint: Endpoint) -> Codec | None:
    credential = endpoint.control_credential
    if endpoint.control_driver is not ControlDriver.CISCO_XAPI or not endpoint.control_url:
        return None
    if credential is None:
        return Codec(endpoint.control_url, "", "")
    try:
        return Codec(endpoint.control_url, credential.username, credential.open())
    except SecretUnreadable:
        return Codec(endpoint.control_url, credential.username, "")  # refused by the codec, and said so there


def _said(answer: Future[Sight]) -> Sight:
    came_too_late = answer.cancel() or not answer.done()
    return Silence(RateLimited.code) if came_too_late else answer.result()


def _codec(station: Station) -> Codec:
    assert station.codec is not None, "only a codec that answered is given orders"
    return station.codec
