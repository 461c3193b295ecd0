"""Where endpoints send their traps: each wakes a poll of the endpoint that sent it, and is told in its timeline.

Whoever is unknown, or sends too much, is counted and costs nothing more: nothing of theirs is even decoded.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from monitoring.snmp.traps import NotATrap, Trap, TrapRefused, read_trap
from monitoring.trap_rules import (
    BURST,
    BURST_OF_ALL,
    RATE,
    RATE_OF_ALL,
    SAME_AGAIN,
    Allowance,
    name_of,
)
from monitoring.watched import Equipment

# Holds a second of the worst flood while the loop is busy.
RECEIVE_BUFFER = 4 * 1024 * 1024
MOST_TO_TELL = 1000

log = structlog.get_logger()


@dataclass(slots=True)
class TrapFigures:
    """Since the start: packets that came, and of them those that were heard, and why the others were not."""

    received: int = 0
    heard: int = 0
    unknown: int = 0
    too_many: int = 0
    refused: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """One line for a studio's timeline."""

    at: datetime
    studio_id: int
    trap: str


class TrapReceiver(asyncio.DatagramProtocol):
    """`on_trap` is called for each trap that is heard. `to_tell` is taken by whoever stores it."""

    def __init__(self, on_trap: Callable[[Equipment, Trap], None]) -> None:
        self.figures = TrapFigures()
        self.to_tell: list[Told] = []
        self._on_trap = on_trap
        self._by_host: dict[str, list[Equipment]] = {}
        self._allowances: dict[str, Allowance] = {}
        self._all = Allowance(BURST_OF_ALL, RATE_OF_ALL)
        self._told_at: dict[tuple[int, str], float] = {}
        self._transport: asyncio.BaseTransport | None = None

    async def listen(self, host: str, port: int) -> None:
        """On UDP. Monitors of one machine share the port, each trap reaching one of them; where another program has it
        that is said and no more."""
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            opened.setblocking(False)
            opened.bind((host, port))
        except OSError as error:
            opened.close()
            log.warning("no traps are received", address=f"{host}:{port}", reason=error.strerror)
            return
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=opened)

    @property
    def is_listening(self) -> bool:
        return self._transport is not None

    def know(self, senders: Iterable[Equipment]) -> None:
        """Whose traps count from now on. Several endpoints may share an address."""
        self._by_host = {}
        for one in senders:
            if one.target is not None:
                self._by_host.setdefault(one.target.host, []).append(one)
        self._allowances = {host: one for host, one in self._allowances.items() if host in self._by_host}

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.figures.received += 1
        host = str(address[0]).removeprefix("::ffff:")
        senders = self._by_host.get(host)
        if senders is None:
            self.figures.unknown += 1
            return
        now = asyncio.get_running_loop().time()
        allowance = self._allowances.setdefault(host, Allowance(BURST, RATE))
        if not (allowance.takes(now) and self._all.takes(now)):
            self.figures.too_many += 1
            return
        self._hear(data, senders, now)

    def _hear(self, data: bytes, senders: list[Equipment], now: float) -> None:
        refused = False
        for sender in senders:
            if sender.target is None:
                continue
            try:
                trap = read_trap(data, sender.target)
            except NotATrap:
                self.figures.unreadable += 1
                return
            except TrapRefused:
                refused = True
                continue
            self.figures.heard += 1
            self._note(sender, trap, now)
            self._on_trap(sender, trap)
            return
        self.figures.refused += refused

    def _note(self, sender: Equipment, trap: Trap, now: float) -> None:
        key = (sender.studio_id, name_of(trap.kind))
        last = self._told_at.get(key)
        if (last is None or now - last >= SAME_AGAIN) and len(self.to_tell) < MOST_TO_TELL:
            self._told_at[key] = now
            self.to_tell.append(Told(datetime.now(UTC), *key))

    def shown(self) -> dict[str, int]:
        return {f"traps_{name}": number for name, number in asdict(self.figures).items()}
