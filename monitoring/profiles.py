"""What equipment says of itself by SNMP: which objects to read, and what its description means. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

SYSTEM = "1.3.6.1.2.1.1"
SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME, SYS_LOCATION = (f"{SYSTEM}.{n}.0" for n in (1, 2, 3, 5, 6))
_IF_ENTRY, _IF_X_ENTRY = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
# RFC 2863 of the first interface: state, discards and errors in, discards and errors out; octets in and out, speed.
INTERFACE = (
    *(f"{_IF_ENTRY}.{column}.1" for column in (8, 13, 14, 19, 20)),
    *(f"{_IF_X_ENTRY}.{column}.1" for column in (6, 10)),
)
ALIVE = (SYS_UPTIME,)
FULL = (SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME, SYS_LOCATION, *INTERFACE)

FIELD_LIMIT = 100
TICKS_A_SECOND = 100

# Enterprise numbers (IANA) in sysObjectID. They tell the vendor, for codecs never the model (SX20, SX80).
VENDORS = {
    "5596": "Cisco",  # Tandberg, whose number its codecs kept
    "9": "Cisco",
    "13885": "Poly",
    "2684": "Poly",
    "35054": "LifeSize",
    "122": "Sony",
    "2011": "Huawei",
}
_ENTERPRISE = re.compile(r"^1\.3\.6\.1\.4\.1\.(\d+)(?:\.|$)")
# Cisco Codec\nSoftW: ce9.10.0\nMCU: Cisco TelePresence SX80\nDate: ..\nS/N: FTT..; lines may have become spaces.
_LABEL = re.compile(r"(SoftW|MCU|Boot|Date|S/N) ?:")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an endpoint says it is; None where it doesn't say."""

    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    software: str | None = None

    def updated(self, later: "Identity") -> "Identity":
        """With what a later description tells; what it leaves out stays known."""
        return Identity(
            later.vendor or self.vendor,
            later.model or self.model,
            later.serial or self.serial,
            later.software or self.software,
        )


def identity(values: Mapping[str, object]) -> Identity:
    """What a full read tells of the equipment itself."""
    description = _text(values.get(SYS_DESCR))
    _, *parts = _LABEL.split(description)
    fields = {label: _tidy(rest) for label, rest in zip(parts[::2], parts[1::2], strict=True)}
    vendor = _vendor(str(values.get(SYS_OBJECT_ID) or ""), description)
    return Identity(vendor, fields.get("MCU"), fields.get("S/N"), fields.get("SoftW"))


def uptime_seconds(values: Mapping[str, object]) -> float | None:
    """Since the agent's start. It wraps to 0 after 497 days, so a smaller value alone is no reboot."""
    ticks = values.get(SYS_UPTIME)
    return ticks / TICKS_A_SECOND if isinstance(ticks, int) else None


def _vendor(object_id: str, description: str) -> str | None:
    enterprise = _ENTERPRISE.match(object_id)
    vendor = VENDORS.get(enterprise[1]) if enterprise else None
    # An agent of the operating system answers for the equipment: the description knows better.
    return next((name for name in set(VENDORS.values()) if description.startswith(name)), vendor)


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        return ""
    return value[:2000].decode("utf-8", "replace")


def _tidy(text: str) -> str | None:
    """The first line as it can be shown and stored: no control characters, nothing endless."""
    first_line = next(iter(text.strip().splitlines()), "")
    shown = "".join(letter for letter in first_line if letter.isprintable()).strip()
    return shown[:FIELD_LIMIT] or None
