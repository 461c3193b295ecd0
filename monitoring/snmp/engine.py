"""What the monitor asks of an SNMP engine. Engines differ in library and cost, never in what they promise:

- an answer counts only from the address and port that were asked, with the request's own number;
- packets that are cut, huge or foreign are ignored, and counted where the engine gets to see them;
- a target that never answers costs nothing but its own time-out: no slot, no thread, no queue;
- an answer that comes after its time-out but within `BELATED` of the request is told to `on_belated`: it lives;
- when the engine itself ran late, silence is `LATE`, never `TIMEOUT`: nothing can be said of the target;
- an agent of version 3 that lives and won't have our user or keys has `REFUSED`; after a restart or replacement of
  the agent, the next read finds its new engine and time by itself.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

# Integers of every kind, octet strings as they came, object identifiers and addresses dotted; None: not supported.
Value = int | bytes | str | None

TIMEOUT = 1.0
BELATED = 4.0
RATE = 1000.0


class Outcome(StrEnum):
    ANSWERED = "answered"
    TIMEOUT = "timeout"
    BAD_ANSWER = "bad-answer"
    LATE = "late"
    NOT_ASKED = "not-asked"
    REFUSED = "refused"


class Unreadable(StrEnum):
    """Why a target could not be asked at all: a matter of the inventory, not of the network."""

    ADDRESS = "address"
    VERSION = "version"
    CREDENTIAL = "credential"


class Refusal(StrEnum):
    """Why an agent of version 3 refused, as `Reading.detail` tells it."""

    WRONG_KEYS = "wrong-keys"
    UNKNOWN_USER = "unknown-user"
    NOT_IN_TIME = "not-in-time"
    SECURITY_LEVEL = "security-level"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Target:
    """One agent: `key` is the caller's own, `host` a numeric address.

    Version 2c has a community; version 3 a user and the pass phrases that authenticate (SHA-256) and encrypt (AES-128).
    """

    key: int
    host: str
    port: int = 161
    version: str = "2c"
    community: str = field(default="public", repr=False)
    user: str = field(default="", repr=False)
    auth: str = field(default="", repr=False)
    priv: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one request: `round_trip` in seconds, `at` in UTC, `values` by dotted object identifier.

    An agent that answers with an error (`detail` tells which) has ANSWERED, with no values: it lives.
    """

    key: int
    outcome: Outcome
    at: datetime
    round_trip: float | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    detail: str = ""

    @property
    def answered(self) -> bool:
        return self.outcome is Outcome.ANSWERED


@dataclass(slots=True)
class Counters:
    """Since the engine was opened. The last three are packets that were ignored."""

    sent: int = 0
    answered: int = 0
    belated: int = 0
    timed_out: int = 0
    late: int = 0
    refused: int = 0
    foreign: int = 0
    unreadable: int = 0
    huge: int = 0


class SnmpEngine(Protocol):
    """One engine a process and event loop."""

    name: str
    counters: Counters
    on_belated: Callable[[Target, Reading], None]

    async def read(self, target: Target, oids: tuple[str, ...], timeout: float = TIMEOUT) -> Reading:
        """One GET, one try. Never raises for what a target or the network does."""
        ...

    def close(self) -> None: ...


async def read_many(
    engine: SnmpEngine,
    targets: Iterable[Target],
    oids: tuple[str, ...],
    *,
    timeout: float = TIMEOUT,
    tries: int = 2,
    rate: float = RATE,
) -> list[Reading]:
    """Read all targets, in their order; sends are paced at `rate` a second, so that no burst overruns a buffer."""
    start = asyncio.get_running_loop().time()

    async def one(number: int, target: Target) -> Reading:
        await asyncio.sleep(start + number / rate - asyncio.get_running_loop().time())
        return await _read_patiently(engine, target, oids, timeout, tries)

    return await asyncio.gather(*(one(number, target) for number, target in enumerate(targets)))


async def _read_patiently(
    engine: SnmpEngine, target: Target, oids: tuple[str, ...], timeout: float, tries: int
) -> Reading:
    for _ in range(tries - 1):
        reading = await engine.read(target, oids, timeout)
        if reading.outcome in (Outcome.ANSWERED, Outcome.NOT_ASKED, Outcome.REFUSED):
            return reading
    return await engine.read(target, oids, timeout)
