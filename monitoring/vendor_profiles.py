"""What equipment of one kind tells by SNMP beyond the system group, and what that means; read from files, so that a
kind can be added without code (`vendors/*.toml`, and whatever STUDIONETT_PROFILES names).

A file has a `name`, `matches` (the beginnings of sysObjectID), `objects` with an `oid`, what it `means` and, for
states, which numbers are `well` or `ill`, and may have `peripherals`: a table whose rows tell state and kind of each.
An object with `rows` is a table's column; its rows come and go with the calls, so that one that is missing is not taken
for unsupported. The worst row counts, of calls those whose state is `well`. `scale` makes a number the wanted unit.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from config import ConfigurationError
from devices.xapi import Peripherals

OWN = Path(__file__).parent / "vendors"
_OID = re.compile(r"1\.3\.6\.1(\.[0-9]{1,10}){1,60}")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,6})?")
MOST_ROWS = 32


class Meaning(StrEnum):
    DEVICE = "device"
    REGISTERED = "registered"
    CAMERA = "camera"
    MICROPHONE = "microphone"
    CALLS = "calls"
    LOSS = "loss_percent"
    JITTER = "jitter_ms"


@dataclass(frozen=True, slots=True)
class Object:
    """`well` and `ill`: the numbers that say so; another number says nothing. Without `ill` all others are."""

    oid: str
    means: Meaning
    well: frozenset[int] = frozenset()
    ill: frozenset[int] | None = None
    rows: int = 0
    scale: float = 1.0

    @property
    def oids(self) -> tuple[str, ...]:
        return tuple(f"{self.oid}.{row}" for row in range(1, self.rows + 1)) if self.rows else (self.oid,)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows 1 to `rows` of two columns: how a peripheral is, and what it is."""

    state: str
    kind: str
    rows: int
    well: frozenset[int]
    cameras: frozenset[int]
    microphones: frozenset[int]


@dataclass(frozen=True, slots=True)
class Told:
    """What a full read tells; None where it does not."""

    device_well: bool | None = None
    registered: bool | None = None
    peripherals: Peripherals | None = None
    calls: int | None = None
    loss_percent: float | None = None
    jitter_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    matches: tuple[str, ...]
    objects: tuple[Object, ...] = ()
    table: Table | None = None
    oids: tuple[str, ...] = field(init=False)
    fleeting: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        columns = (self.table.state, self.table.kind) if self.table else ()
        rows = [f"{column}.{row}" for column in columns for row in range(1, (self.table.rows if self.table else 0) + 1)]
        object.__setattr__(self, "oids", (*(oid for each in self.objects for oid in each.oids), *rows))
        fleeting = frozenset(oid for each in self.objects if each.rows for oid in each.oids)
        object.__setattr__(self, "fleeting", fleeting)

    def fits(self, object_id: str) -> bool:
        return any(object_id == start or object_id.startswith(f"{start}.") for start in self.matches)

    def matched(self, object_id: str) -> int:
        """How much of the identifier it names."""
        return max((len(start) for start in self.matches if object_id.startswith(start)), default=0)

    def read(self, values: Mapping[str, object]) -> Told:
        """What the values mean; of a wrong type or out of range they mean nothing."""
        said = self._said(values)
        cameras, microphones = self._plugged(values)
        for kind, plugged in ((Meaning.CAMERA, cameras), (Meaning.MICROPHONE, microphones)):
            if isinstance(found := said.get(kind), bool):
                plugged["0"] = found
        return Told(
            device_well=_truth(said.get(Meaning.DEVICE)),
            registered=_truth(said.get(Meaning.REGISTERED)),
            peripherals=Peripherals(cameras, microphones) if cameras or microphones else None,
            calls=_whole(said.get(Meaning.CALLS)),
            loss_percent=_share(said.get(Meaning.LOSS)),
            jitter_ms=_number(said.get(Meaning.JITTER)),
        )

    def _said(self, values: Mapping[str, object]) -> dict[Meaning, bool | float]:
        said: dict[Meaning, bool | float] = {}
        for each in self.objects:
            asked = [oid for oid in each.oids if oid in values]
            found = [one for oid in asked if (one := _said(each, values[oid])) is not None]
            counts = each.means is Meaning.CALLS and each.rows > 0
            if not asked or not (found or counts):
                continue
            worst = float(found.count(True)) if counts else max(found)
            known = said.get(each.means)
            said[each.means] = worst if known is None else max(known, worst)
        return said

    def _plugged(self, values: Mapping[str, object]) -> tuple[dict[str, bool], dict[str, bool]]:
        cameras: dict[str, bool] = {}
        microphones: dict[str, bool] = {}
        if self.table is None:
            return cameras, microphones
        for row in range(1, self.table.rows + 1):
            state, kind = values.get(f"{self.table.state}.{row}"), values.get(f"{self.table.kind}.{row}")
            for plugged, kinds in ((cameras, self.table.cameras), (microphones, self.table.microphones)):
                if isinstance(state, int) and kind in kinds:
                    plugged[str(row)] = state in self.table.well
        return cameras, microphones


NOBODY = Profile("other", ())


def profile_for(object_id: str, folder: str) -> Profile:
    """By sysObjectID: the one that matches most of it. `folder`: where the installation has its own; empty for none."""
    fitting = [profile for profile in _profiles(folder) if profile.fits(object_id)]
    return max(fitting, key=lambda one: one.matched(object_id), default=NOBODY)


@cache
def _profiles(folder: str) -> tuple[Profile, ...]:
    """The installation's own first. Raises ConfigurationError for a file that cannot be understood."""
    folders = [Path(folder)] if folder else []
    return tuple(_profile(path) for each in (*folders, OWN) for path in sorted(each.glob("*.toml")))


def check(folder: str) -> int:
    """How many profiles there are. Raises ConfigurationError."""
    if folder and not Path(folder).is_dir():
        raise ConfigurationError(f"STUDIONETT_PROFILES names no folder: {folder}.")
    return len(_profiles(folder))


def _profile(path: Path) -> Profile:
    try:
        content = tomllib.loads(path.read_text())
        return Profile(
            str(content["name"]),
            tuple(_oid(each) for each in content["matches"]),
            tuple(_object(each) for each in content.get("objects", [])),
            _table(content["peripherals"]) if "peripherals" in content else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ConfigurationError(f"The profile {path.name} cannot be understood: {reason}.") from None


def _object(content: Mapping[str, Any]) -> Object:
    ill = _numbers(content["ill"]) if "ill" in content else None
    rows = _rows(content["rows"]) if "rows" in content else 0
    scale = float(content.get("scale", 1))
    return Object(_oid(content["oid"]), Meaning(content["means"]), _numbers(content.get("well", [])), ill, rows, scale)


def _table(content: Mapping[str, Any]) -> Table:
    kinds = (_numbers(content[name]) for name in ("well", "cameras", "microphones"))
    return Table(_oid(content["state"]), _oid(content["kind"]), _rows(content["rows"]), *kinds)


def _rows(value: int) -> int:
    if not 1 <= int(value) <= MOST_ROWS:
        raise ValueError(f"rows must be 1 to {MOST_ROWS}")
    return int(value)


def _oid(text: str) -> str:
    if not _OID.fullmatch(text):
        raise ValueError(f"{text} is no object identifier")
    return text


def _numbers(values: Iterable[int]) -> frozenset[int]:
    if not all(isinstance(each, int) for each in values):
        raise ValueError("states are whole numbers")
    return frozenset(values)


def _said(rule: Object, value: object) -> bool | float | None:
    """A truth for states, a number for the others."""
    if rule.well or rule.ill:
        if not isinstance(value, int):
            return None
        if value in rule.well:
            return True
        return False if rule.ill is None or value in rule.ill else None
    if isinstance(value, int):
        return float(value) * rule.scale
    if isinstance(value, bytes):
        text = value[:40].decode("ascii", "replace").strip().removesuffix("%").removesuffix("ms").strip()
        return float(text) * rule.scale if _NUMBER.fullmatch(text) else None
    return None


def _truth(found: bool | float | None) -> bool | None:
    return found if isinstance(found, bool) else None


def _number(found: bool | float | None) -> float | None:
    return found if isinstance(found, float) and 0 <= found < 1e6 else None


def _whole(found: bool | float | None) -> int | None:
    number = _number(found)
    return None if number is None else int(number)


def _share(found: bool | float | None) -> float | None:
    number = _number(found)
    return number if number is not None and number <= 100 else None
