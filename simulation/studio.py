"""One simulated studio: its calls, its fault, its microphones. Knows no wires; the phone and the agents ask it."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

FIRST_CALL_ID = 3
# Of 900 studios, so short: each call kept costs a kilobyte.
HISTORY_LENGTH = 8


class Fault(StrEnum):
    """What a studio can suffer from; `clear` is health. Who lies says that no call is up, whatever is."""

    CLEAR = "clear"
    DEAD = "dead"
    BUSY = "busy"
    DECLINES = "declines"
    SLOW = "slow"
    DROPS = "drops"
    LIES = "lies"
    CAMERA_UNPLUGGED = "camera-unplugged"
    MICROPHONE_UNPLUGGED = "microphone-unplugged"
    UNREGISTERED = "unregistered"
    LOSSY = "lossy"


# What a studio tells unasked (SNMPv2-MIB, IF-MIB): its last words before it dies, its first when it lives again.
COLD_START, LINK_DOWN = "1.3.6.1.6.3.1.1.5.1", "1.3.6.1.6.3.1.1.5.3"


class Kind(StrEnum):
    """Whose answers its SNMP agent gives."""

    CISCO_ROOM = "cisco-room"
    CISCO_CTS = "cisco-cts"
    POLY_GROUP = "poly-group"
    POLY_HDX = "poly-hdx"


class SiteLine(StrEnum):
    """What can be done to the line of a whole site, beside the faults of its studios."""

    CUT = "line"
    CLEAR = "clear"


class CallState(StrEnum):
    """The words of `xStatus Call Status` (Cisco API reference guide CE9)."""

    DIALLING = "Dialling"
    RINGING = "Ringing"
    CONNECTING = "Connecting"
    CONNECTED = "Connected"


class Cause(StrEnum):
    """The words of `DisconnectCauseType` in a codec's call log."""

    LOCAL_DISCONNECT = "LocalDisconnect"
    REMOTE_DISCONNECT = "RemoteDisconnect"
    REMOTE_BUSY = "RemoteBusy"
    REMOTE_REJECTED = "RemoteRejected"
    REMOTE_NO_ANSWER = "RemoteNoAnswer"
    UNKNOWN_REMOTE_SITE = "UnknownRemoteSite"
    NETWORK_REJECTED = "NetworkRejected"
    OTHER_REMOTE = "OtherRemote"
    OTHER_LOCAL = "OtherLocal"


class RefusedCommand(Exception):
    """The codec refuses a command; the message is what it answers."""


@dataclass(frozen=True, slots=True)
class SnmpUser:
    """The one user of an agent that speaks SNMPv3, with the pass phrases that authenticate and encrypt."""

    name: str
    authentication: str = field(repr=False)
    privacy: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StudioSpec:
    """What the inventory says of a studio. A port of None: this service is not served.

    With an `snmp_user` the agent speaks SNMPv3 to this user alone, else version 2c to those who know the community.
    """

    code: str
    name: str
    address: str
    http_port: int | None = 8080
    sip_port: int | None = 5060
    snmp_port: int | None = 1161
    username: str = "studionett"
    password: str = ""
    community: str = "public"
    snmp_user: SnmpUser | None = None
    serial: str = ""
    site: str = ""
    location: str = ""
    sip_user: str = ""
    kind: Kind = Kind.CISCO_ROOM
    # Invented by the demonstration, so that the script of faults may play with it.
    invented: bool = False

    @property
    def uri(self) -> str:
        port = "" if self.sip_port in (None, 5060) else f":{self.sip_port}"
        return f"sip:{self.sip_user or self.code}@{self.address}{port}"

    def answers_to(self, user: str) -> bool:
        """Whether a called number's user part means this studio; a bare address does."""
        return user.lower() in {"", self.code.lower(), self.sip_user.lower()}


@dataclass(frozen=True, slots=True)
class Timings:
    """In seconds: how long a called studio rings (from, to), a slow codec waits, a dropping one stays;
    SIP's round-trip estimate T1, from which its other timers follow."""

    ring: tuple[float, float] = (0.2, 1.0)
    # How long people need to press what the panel offers; none: nobody is there.
    press: tuple[float, float] | None = None
    slow: float = 8.0
    drops_after: float = 3.0
    # Until the nodes that carry a bridge's calls know of a new room.
    replication: float = 60.0
    sip_t1: float = 0.5


class Line(Protocol):
    """The far side of one call, on the wire."""

    def hang_up(self) -> None: ...

    def break_off(self) -> None:
        """End it as a fault does, not as a person."""
        ...


class Phone(Protocol):
    def place(self, call: "Call", number: str, caller: str, name: str) -> Line:
        """Begin to call `number` as `caller`, a SIP URI; `RefusedCommand` if it cannot be dialled at all."""
        ...


@dataclass(slots=True)
class Call:
    """One call as the codec shows it. `remote` is a SIP URI; `line` is None for a call that is not on our wire."""

    call_id: int
    conference_id: int
    direction: str
    remote: str
    display_name: str = ""
    booking_id: str = ""
    state: CallState = CallState.DIALLING
    line: Line | None = None
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    cause: Cause | None = None

    def change(self, state: CallState) -> None:
        self.state = state
        self.since = datetime.now(UTC)
        if state is CallState.CONNECTED:
            self.connected_at = self.since

    def seconds_connected(self, now: datetime) -> int:
        if self.connected_at is None:
            return 0
        return int(((self.ended_at or now) - self.connected_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Question:
    """What the panel asks; `feedback_id` comes back with the press."""

    title: str
    text: str
    buttons: tuple[str, ...]
    feedback_id: str


FOREIGN_CALLER = "sip:reception@198.51.100.20"


class SimulatedStudio:
    """The state that SIP, xAPI and SNMP show each their side of."""

    def __init__(self, spec: StudioSpec, timings: Timings) -> None:
        self.spec = spec
        self.timings = timings
        self.fault = Fault.CLEAR
        self.line_cut = False
        # They grow with every fault, and every cut of the line, that comes or goes: who set one can see whether it is
        # still the last word.
        self.fault_changes = self.line_changes = 0
        self.calls: dict[int, Call] = {}
        self.history: deque[Call] = deque(maxlen=HISTORY_LENGTH)
        self.sessions: set[str] = set()
        self.muted = False
        self.camera_off = False
        # What the panel asks, and the messages it has shown.
        self.question: Question | None = None
        self.alerts: deque[str] = deque(maxlen=HISTORY_LENGTH)
        # By slot: where events are posted, and which.
        self.feedback: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.on_press: Callable[[str, int], None] | None = None
        self.on_news: Callable[[str], None] = lambda kind: None
        self.phone: Phone | None = None
        self.started = datetime.now(UTC)
        self._numbers: Iterator[int] = iter(range(FIRST_CALL_ID, 2**31))

    @property
    def dead(self) -> bool:
        """Whether nothing that is sent to the studio is answered."""
        return self.line_cut or self.fault is Fault.DEAD

    @property
    def camera_connected(self) -> bool:
        return self.fault is not Fault.CAMERA_UNPLUGGED

    @property
    def microphone_connected(self) -> bool:
        return self.fault is not Fault.MICROPHONE_UNPLUGGED

    def dial(self, number: str, booking_id: str = "") -> Call:
        """Begin a call and return it at once, accepted and not connected. A codec in calls mixes the new one in."""
        if self.fault is Fault.BUSY:
            raise RefusedCommand("Maximum number of calls reached")
        if self.phone is None:
            raise RefusedCommand("No call protocol is enabled")
        call = self._new_call("Outgoing", number, booking_id=booking_id)
        call.line = self.phone.place(call, number, self.spec.uri, self.spec.name)
        self.calls[call.call_id] = call
        return call

    @property
    def sip_address(self) -> tuple[str, int]:
        return (self.spec.address, self.spec.sip_port or 5060)

    def answers_to(self, user: str) -> bool:
        return self.spec.answers_to(user)

    def refusal(self) -> int:
        if self.fault is Fault.DECLINES:
            return 603
        return 486 if self.calls else 0

    def receive(self, remote: str, display_name: str, called: str, line: Line) -> Call:
        """Show an incoming call that rings."""
        call = self._new_call("Incoming", remote, display_name)
        call.line = line
        call.state = CallState.RINGING
        self.calls[call.call_id] = call
        return call

    def hang_up(self, call_id: int) -> None:
        """End a call from this side."""
        call = self.calls.get(call_id)
        if call is None:
            raise RefusedCommand("No call with this id")
        line, call.line = call.line, None
        self.ended(call, Cause.LOCAL_DISCONNECT)
        if line is not None:
            line.hang_up()
        elif self.fault is Fault.BUSY:
            self.fault = Fault.CLEAR

    def hang_up_all(self) -> None:
        for call_id in list(self.calls):
            self.hang_up(call_id)

    def ask(self, question: Question) -> None:
        """Show a question on the panel. Where people are in the room they press its first button after a while."""
        self.question = question
        if self.timings.press:
            pause = random.uniform(*self.timings.press)
            asyncio.get_running_loop().call_later(pause, self._press_if_asked, question)

    def press(self, option: int = 1) -> None:
        """Somebody presses a button of the question on the panel; `RefusedCommand` if there is none."""
        if self.question is None or option > len(self.question.buttons):
            raise RefusedCommand("The panel asks nothing")
        question, self.question = self.question, None
        if self.on_press and not self.dead:
            self.on_press(question.feedback_id, option)

    def _press_if_asked(self, question: Question) -> None:
        if self.question is question:
            self.press()

    def connected(self, call: Call) -> None:
        call.change(CallState.CONNECTED)
        if self.fault is Fault.DROPS:
            self._drop_soon(call)

    def ended(self, call: Call, cause: Cause) -> None:
        if self.calls.pop(call.call_id, None) is None:
            return
        call.cause, call.ended_at, call.line = cause, datetime.now(UTC), None
        self.history.append(call)

    def suffer(self, fault: Fault) -> None:
        """Take on a fault, in place of the one before. `clear` also frees sessions that nobody ended."""
        self._end_foreign_calls()
        was_dead = self.fault is Fault.DEAD
        if fault is Fault.DEAD:
            self.on_news(LINK_DOWN)
        self.fault = fault
        self.fault_changes += 1
        if was_dead:
            self.on_news(COLD_START)
        if fault is Fault.CLEAR:
            self.sessions.clear()
        if fault is Fault.BUSY:
            call = self._new_call("Incoming", FOREIGN_CALLER, "Reception")
            call.change(CallState.CONNECTED)
            self.calls[call.call_id] = call
        if fault is Fault.DROPS:
            for call in self.calls.values():
                if call.state is CallState.CONNECTED:
                    self._drop_soon(call)

    def recover(self) -> None:
        """Be well again by itself. Unlike with `clear`, a session that is in use goes on, unless all were lost."""
        if self.fault is Fault.DEAD:
            self.sessions.clear()
        self._end_foreign_calls()
        was_dead, self.fault = self.fault is Fault.DEAD, Fault.CLEAR
        self.fault_changes += 1
        if was_dead:
            self.on_news(COLD_START)

    def cut_line(self, cut: bool) -> None:
        """Cut the studio off from the network, or connect it again. Its other fault stays what it is."""
        if self.line_cut and not cut:
            # What was asked while it was cut could not be ended; else three such sessions would lock all others out.
            self.sessions.clear()
        self.line_cut = cut
        self.line_changes += 1

    def _end_foreign_calls(self) -> None:
        for call in [call for call in self.calls.values() if call.line is None]:
            self.ended(call, Cause.REMOTE_DISCONNECT)

    def _drop_soon(self, call: Call) -> None:
        asyncio.get_running_loop().call_later(self.timings.drops_after, self._drop, call)

    def _drop(self, call: Call) -> None:
        if self.fault is Fault.DROPS and call.call_id in self.calls:
            self.lose(call)

    def lose(self, call: Call) -> None:
        """End a call as a fault of this side does."""
        line, call.line = call.line, None
        self.ended(call, Cause.OTHER_LOCAL)
        if line is not None:
            line.break_off()

    def _new_call(self, direction: str, remote: str, display_name: str = "", booking_id: str = "") -> Call:
        call_id = next(self._numbers)
        # Calls that overlap are one conference on the codec; the first call's number names it.
        conference_id = next(iter(self.calls.values())).conference_id if self.calls else call_id - 1
        return Call(call_id, conference_id, direction, remote, display_name, booking_id)
