"""Cisco codecs by xAPI, thin over the protocol's client."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from devices.xapi import Codec, Prompt, XapiClient
from scheduler.drivers.interface import DEADLINE
from scheduler.rules import HUNG_UP, LiveCall

# The causes of the API reference, as far as they say who or what it was.
ENDINGS = {
    "LocalDisconnect": HUNG_UP,
    "RemoteDisconnect": HUNG_UP,
    "NetworkRejected": "network",
    "OtherRemote": "network",
    "OtherLocal": "network",
    "MediaTimeout": "network",
}


@dataclass(frozen=True)
class CiscoXapi:
    client: XapiClient
    codec: Codec

    def session(self) -> AbstractContextManager[None]:
        return self.client.keep(self.codec)

    def open(self) -> None:
        """A codec takes and places calls as it is."""

    def status(self) -> list[LiveCall]:
        found = self.client.calls(self.codec, deadline=DEADLINE)
        return [LiveCall(call.call_id, call.status, call.remote_number, call.booking_id) for call in found]

    def dial(self, address: str, token: str) -> str:
        return self.client.dial(self.codec, address, token, deadline=DEADLINE)

    def hang_up(self, call_id: str) -> None:
        self.client.disconnect(self.codec, call_id, deadline=DEADLINE)

    def ending(self, call_id: str) -> str:
        return ENDINGS.get(self.client.ending(self.codec, call_id, deadline=DEADLINE), "")

    def close(self) -> None:
        """Nothing was made ready."""

    def mute(self, muted: bool, *, in_call: bool) -> None:
        self.client.mute(self.codec, muted, in_call=in_call, deadline=DEADLINE)

    def is_muted(self) -> bool | None:
        return self.client.muted(self.codec, deadline=DEADLINE)

    def prompt(self, prompt: Prompt, answers_to: str) -> None:
        self.client.prompt(self.codec, prompt, answers_to, deadline=DEADLINE)

    def alert(self, title: str, text: str, seconds: int) -> None:
        self.client.alert(self.codec, title, text, seconds, deadline=DEADLINE)
