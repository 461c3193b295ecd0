"""A room on a Pexip Infinity bridge, thin over the protocol's client."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from devices.pexip import Participant, PexipClient, PexipNode
from scheduler.drivers.interface import DEADLINE
from scheduler.rules import HUNG_UP, LiveCall

# What the history says of one who left; the rest are faults of some kind.
BY_PEOPLE = ("remote disconnect", "user initiated", "call disconnected", "disconnected by", "terminated by")


@dataclass(frozen=True)
class PexipInfinity:
    """`room` is the name of the room, `alias` the address that leads into it."""

    client: PexipClient
    node: PexipNode
    room: str
    alias: str

    def session(self) -> AbstractContextManager[None]:
        """The node is told who we are with every request."""
        return nullcontext()

    def open(self) -> None:
        self.client.open_room(self.node, self.room, self.alias, deadline=DEADLINE)

    def status(self) -> list[LiveCall]:
        found = self.client.participants(self.node, self.room, deadline=DEADLINE)
        return [_call(participant) for participant in found]

    def dial(self, address: str, token: str) -> str:
        return self.client.dial(self.node, self.alias, address, token, deadline=DEADLINE)

    def hang_up(self, call_id: str) -> None:
        self.client.disconnect(self.node, call_id, deadline=DEADLINE)

    def ending(self, call_id: str) -> str:
        said = self.client.ending(self.node, call_id, deadline=DEADLINE).lower()
        if not said:
            return ""
        return HUNG_UP if any(words in said for words in BY_PEOPLE) else "network"

    def close(self) -> None:
        self.client.close_room(self.node, self.room, deadline=DEADLINE)


def _call(participant: Participant) -> LiveCall:
    """In the words that the rules know from codecs. Of one whom we called, the far end is where it was dialled to."""
    status = "Connected" if participant.connected else "Dialling"
    ends = participant.addresses[::-1] if participant.outgoing else participant.addresses
    return LiveCall(participant.participant_id, status, ends[0] if ends else "", participant.tag)
