"""What traps mean, and how many of them are heard. Pure; seconds of one steady clock.

Sources: SNMPv2-MIB and IF-MIB (RFC 3418, RFC 2863), the MIBs of Poly's Group and HDX series, and Cisco's
CISCO-TELEPRESENCE-MIB.
"""

from dataclasses import dataclass, field

_STANDARD, _POLY, _HDX = "1.3.6.1.6.3.1.1.5", "1.3.6.1.4.1.13885.101.0", "1.3.6.1.4.1.2684.1.1.0"
LINK_DOWN = f"{_STANDARD}.3"
COLD_START, WARM_START = f"{_STANDARD}.1", f"{_STANDARD}.2"

NAMES = {
    COLD_START: "cold-start",
    WARM_START: "warm-start",
    LINK_DOWN: "link-down",
    f"{_STANDARD}.4": "link-up",
    f"{_STANDARD}.5": "authentication-failure",
    f"{_POLY}.70": "gatekeeper-lost",
    f"{_POLY}.71": "gatekeeper-back",
    f"{_POLY}.72": "registration-lost",
    f"{_POLY}.73": "registration-back",
    f"{_POLY}.76": "camera-lost",
    f"{_POLY}.77": "camera-back",
    f"{_POLY}.78": "call-up",
    f"{_POLY}.79": "call-down",
    f"{_POLY}.80": "call-failed",
    **{f"{_POLY}.{number}": "quality" for number in range(81, 87)},
    f"{_HDX}.4": "call-up",
    f"{_HDX}.5": "call-down",
    f"{_HDX}.6": "call-failed",
    f"{_HDX}.7": "help-wanted",
    f"{_HDX}.30": "camera-lost",
    f"{_HDX}.31": "camera-back",
    "1.3.6.1.4.1.9.9.643.0.3": "peripheral",
}
# After these the endpoint may be gone: it is asked in quick succession, not at leisure.
LAST_WORDS = frozenset({LINK_DOWN, COLD_START, WARM_START})

# Of one endpoint: so many at once, then so many a second. Of all together likewise.
BURST, RATE = 10.0, 1.0
BURST_OF_ALL, RATE_OF_ALL = 500.0, 100.0
# One line in the timeline for the same trap of an endpoint in so many seconds.
SAME_AGAIN = 60.0


def name_of(kind: str) -> str:
    """A fixed word; the identifier itself where we have none."""
    return NAMES.get(kind, kind)


@dataclass(slots=True)
class Allowance:
    """A bucket of tokens that fills with time: what comes faster is not heard."""

    burst: float
    rate: float
    left: float = field(init=False)
    at: float | None = None

    def __post_init__(self) -> None:
        self.left = self.burst

    def takes(self, now: float) -> bool:
        since = 0.0 if self.at is None else max(0.0, now - self.at)
        self.left, self.at = min(self.burst, self.left + since * self.rate), now
        if self.left < 1:
            return False
        self.left -= 1
        return True
