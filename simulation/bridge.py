"""One simulated conference bridge: its rooms, and who is in them. Knows no wires; the phone and the API ask it."""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulation.sip_messages import read_uri
from simulation.studio import Call, CallState, Cause, Fault, Line, Phone, RefusedCommand, Timings

HISTORY_LENGTH = 500
# What can befall a bridge; the other faults are those of cameras and of people.
FAULTS = (Fault.CLEAR, Fault.DEAD, Fault.BUSY, Fault.SLOW)
FULL = 486


class NoSuchRoomError(Exception):
    """No room of this name or number, as far as the nodes that carry calls know."""


class FullError(Exception):
    """All ports are taken."""


@dataclass(frozen=True, slots=True)
class BridgeSpec:
    """What the inventory says of a bridge. `address` and `sip_port` are of the addresses of its rooms, the API's
    `api_address` may be another one."""

    name: str
    api_address: str
    http_port: int
    address: str
    sip_port: int
    ports: int
    username: str
    password: str = field(repr=False)


@dataclass(slots=True)
class Room:
    """`alias` leads into it. Nodes that carry calls know of it from `known_at` on, by the loop's clock."""

    number: int
    name: str
    alias: str
    known_at: float

    @property
    def user(self) -> str:
        return self.alias.partition("@")[0].lower()


@dataclass(slots=True)
class Participant:
    """One who is in a room or on the way into it; `call` has the wire's view of it."""

    participant_id: str
    room: str
    alias: str
    call: Call
    tag: str = ""

    @property
    def outgoing(self) -> bool:
        return self.call.direction == "Outgoing"


class SimulatedBridge:
    """Pexip Infinity's behaviour where it matters to who steers it: rooms become known late, and ports run out."""

    def __init__(self, spec: BridgeSpec, timings: Timings) -> None:
        self.spec = spec
        self.timings = timings
        self.fault = Fault.CLEAR
        self.rooms: dict[int, Room] = {}
        self.participants: dict[str, Participant] = {}
        self.history: deque[Participant] = deque(maxlen=HISTORY_LENGTH)
        self.phone: Phone | None = None
        self._numbers: Iterator[int] = iter(range(1, 2**31))

    @property
    def dead(self) -> bool:
        return self.fault is Fault.DEAD

    @property
    def sip_address(self) -> tuple[str, int]:
        return (self.spec.address, self.spec.sip_port)

    @property
    def full(self) -> bool:
        return self.fault is Fault.BUSY or len(self.participants) >= self.spec.ports

    def suffer(self, fault: Fault) -> None:
        """`RefusedCommand` for what cannot befall a bridge. One that dies has no calls when it is back."""
        if fault not in FAULTS:
            raise RefusedCommand(f"A bridge can only be {', '.join(FAULTS)}")
        self.fault = fault
        if fault is Fault.DEAD:
            for participant in list(self.participants.values()):
                self.ended(participant.call, Cause.OTHER_LOCAL)

    def open_room(self, name: str, alias: str) -> Room:
        known_at = asyncio.get_running_loop().time() + self.timings.replication
        room = Room(next(self._numbers), name, alias, known_at)
        self.rooms[room.number] = room
        return room

    def close_room(self, number: int) -> None:
        """Put it away, and whoever is in it out."""
        room = self.rooms.pop(number)
        for participant in list(self.participants.values()):
            if participant.room == room.name:
                self.disconnect(participant.participant_id)

    def close_all_rooms(self) -> None:
        for number in list(self.rooms):
            self.close_room(number)

    def hang_up_all(self) -> None:
        for participant_id in list(self.participants):
            self.disconnect(participant_id)

    def dial(self, alias: str, destination: str, tag: str) -> Participant:
        """Begin to call somebody into the room with this alias."""
        room = self._known(alias.partition("@")[0])
        if room is None:
            raise NoSuchRoomError
        if self.full:
            raise FullError
        if self.phone is None:
            raise RefusedCommand("No call protocol is enabled")
        call = self._new_call("Outgoing", destination, tag)
        call.line = self.phone.place(call, destination, f"sip:{room.alias}", room.name)
        return self._enter(room, call, tag)

    def disconnect(self, participant_id: str) -> None:
        participant = self.participants[participant_id]
        line, participant.call.line = participant.call.line, None
        self.ended(participant.call, Cause.LOCAL_DISCONNECT)
        if line is not None:
            line.hang_up()

    def lose(self, participant_id: str) -> None:
        """End a call as a fault of this side does."""
        participant = self.participants[participant_id]
        line, participant.call.line = participant.call.line, None
        self.ended(participant.call, Cause.OTHER_LOCAL)
        if line is not None:
            line.break_off()

    def answers_to(self, user: str) -> bool:
        return self._known(user) is not None

    def refusal(self) -> int:
        return FULL if self.full else 0

    def receive(self, remote: str, display_name: str, called: str, line: Line) -> Call:
        room = self._known(called)
        assert room is not None, "only who is answered to is received"
        call = self._new_call("Incoming", remote)
        call.display_name, call.line, call.state = display_name, line, CallState.RINGING
        self._enter(room, call)
        return call

    def connected(self, call: Call) -> None:
        call.change(CallState.CONNECTED)

    def ended(self, call: Call, cause: Cause) -> None:
        participant = next((each for each in self.participants.values() if each.call is call), None)
        if participant is None:
            return
        del self.participants[participant.participant_id]
        call.cause, call.ended_at, call.line = cause, datetime.now(UTC), None
        self.history.append(participant)

    def _known(self, user: str) -> Room | None:
        now = asyncio.get_running_loop().time()
        return next((room for room in self.rooms.values() if room.user == user.lower() and room.known_at <= now), None)

    def _new_call(self, direction: str, remote: str, tag: str = "") -> Call:
        number = next(self._numbers)
        target = read_uri(remote if remote.lower().startswith("sip:") else f"sip:{remote}")
        if target is None:
            raise RefusedCommand("Invalid destination")
        return Call(number, number, direction, remote, booking_id=tag)

    def _enter(self, room: Room, call: Call, tag: str = "") -> Participant:
        participant = Participant(secrets.token_hex(16), room.name, room.alias, call, tag)
        self.participants[participant.participant_id] = participant
        return participant
