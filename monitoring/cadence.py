"""When to ask which endpoint: evenly over the interval, never in bursts. Pure; seconds of one steady clock."""

from dataclasses import dataclass
from math import floor

# Multiples of the golden ratio fall evenly into an interval, however many endpoints there are and come later.
GOLDEN = 0.618033988749895
LONGEST_BACK_OFF = 300.0


@dataclass(frozen=True, slots=True)
class Cadence:
    """All in seconds. `alive` is between two signs of life, every so many of which is a `full` read.

    `first` is the time over which a monitor that has just begun asks all for the first time; `timeout` that of a poll,
    `patient_timeout` that of the ones that follow at once after a miss, `quick_timeout` that of those after
    a trap which says that the endpoint may be gone.
    """

    full: float = 60.0
    alive: float = 10.0
    calls: float = 60.0
    calls_busy: float = 15.0
    first: float = 5.0
    timeout: float = 1.0
    patient_timeout: float = 1.5
    quick_timeout: float = 0.4
    recheck: float = 1.0


def phase(key: int) -> float:
    """Where in every interval this endpoint has its turn: from 0 to below 1."""
    return key * GOLDEN % 1.0


def first_turn(key: int, now: float, within: float) -> float:
    return now + phase(key) * within


def next_turn(key: int, now: float, interval: float) -> float:
    """The endpoint's next turn after `now`, at the same place of every interval."""
    offset = phase(key) * interval
    turn = floor((now - offset) / interval) + 1
    while (at := turn * interval + offset) <= now:  # floating point: never the turn that has just been
        turn += 1
    return at


def is_full(key: int, turn: float, cadence: Cadence) -> bool:
    """Whether this turn is one for a full read: every sixth by default, a different one for neighbours."""
    every = max(1, round(cadence.full / cadence.alive))
    number = round((turn - phase(key) * cadence.alive) / cadence.alive)
    return number % every == key % every


def refused_interval(cadence: Cadence, refusals: int) -> float:
    """How long until an agent that refused our keys is asked again: many lock out whoever keeps trying wrong ones."""
    return min(cadence.alive * 2.0 ** min(refusals, 8), max(cadence.alive, LONGEST_BACK_OFF))


def calls_interval(cadence: Cadence, *, busy: bool, failures: int) -> float:
    """How long until a codec is asked for its calls again; one that fails is left alone longer and longer."""
    interval = cadence.calls_busy if busy else cadence.calls
    return min(interval * 2.0 ** min(failures, 8), max(interval, LONGEST_BACK_OFF))
