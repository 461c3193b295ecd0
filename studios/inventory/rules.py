"""How an inventory file is read: its header, every row, and what rows must agree on. Pure."""

import csv
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from io import StringIO
from typing import Any

from flask_babel import gettext as _

from models.inventory import ControlDriver, OrganisationKind, SnmpVersion
from studios.inventory.cells import CHECKS, Unfit, clean, shown

COLUMNS = tuple(CHECKS)
HEADER_LINE = 1
MOST_NAMED = len(COLUMNS)
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# What all rows of one site say alike.
SITE_COLUMNS = ("health_region", "county", "municipality", "town", "latitude", "longitude")


@dataclass(frozen=True)
class StudioRow:
    """One studio as a row of the file states it; the fields are the columns, in their order."""

    code: str
    name: str
    site: str
    organisation: str
    organisation_kind: OrganisationKind
    health_region: str
    county: str
    municipality: str
    town: str
    latitude: float
    longitude: float
    capacity: int
    equipment: tuple[str, ...]
    dial_address: str
    control_driver: ControlDriver | None
    control_url: str
    control_credential: str
    snmp_host: str
    snmp_port: int
    snmp_version: SnmpVersion
    snmp_credential: str


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong with one line of the file. Lines count from 1, the header's."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True)
class Reading:
    """A file as read: the good rows by line, and everything that is wrong. A refused file has no good rows."""

    rows: Mapping[int, StudioRow]
    faults: tuple[Fault, ...] = ()
    refused: bool = False


def key_of(code: str) -> str:
    """What makes two codes the same: they differ in small and capital letters at most."""
    return code.casefold()


def read_inventory(content: bytes) -> Reading:
    """Read a whole file. Every fault of every row is named; no content raises."""
    if content.startswith(UTF16_MARKS):
        return _refused("the file is UTF-16; save it as UTF-8")
    lines = _records(content)
    first = next(lines, None)
    if first is None:
        return _refused("the file is empty")
    if isinstance(first, Fault):
        return _refused(first.reason)
    wrong = _header_faults(first[1])
    if wrong:
        return Reading({}, tuple(Fault(HEADER_LINE, reason) for reason in wrong), refused=True)
    return _read_rows(lines)


def faults_against(rows: Mapping[int, StudioRow], credentials: Mapping[str, bool], retired: Set[str]) -> list[Fault]:
    """What is wrong with good rows beside what is stored.

    `credentials`: by name, whether it is SNMPv3's; `retired`: studios by key_of(code).
    """
    faults = []
    for line, row in rows.items():
        if key_of(row.code) in retired:
            faults.append(Fault(line, "code: " + _("the studio %(code)s is retired", code=row.code)))
        for column in ("control_credential", "snmp_credential"):
            name = getattr(row, column)
            if name and name not in credentials:
                faults.append(Fault(line, f"{column}: " + _("there is no credential named %(name)s", name=shown(name))))
        unfit = _misfit(row, credentials.get(row.snmp_credential))
        if unfit:
            faults.append(Fault(line, f"snmp_credential: {unfit}"))
    return faults


def _misfit(row: StudioRow, secure: bool | None) -> str:
    """Why the credential (None: there is none) doesn't fit the version of SNMP; sent in clear, a key is none."""
    if row.snmp_version is SnmpVersion.V3 and row.snmp_host and not row.snmp_credential:
        return _("is empty, but SNMP version 3 needs it")
    if secure is None or secure is (row.snmp_version is SnmpVersion.V3):
        return ""
    if secure:
        return _("%(name)s is for SNMP version 3", name=shown(row.snmp_credential))
    return _(
        "%(name)s lacks what SNMP version 3 needs; set it with --user, --auth and --priv",
        name=shown(row.snmp_credential),
    )


def _refused(reason: str) -> Reading:
    return Reading({}, (Fault(HEADER_LINE, reason),), refused=True)


def _records(content: bytes) -> Iterator[tuple[int, list[str]] | Fault]:
    """Each record with the line it begins on, or what makes it unreadable. Empty lines are left out.

    Bytes that are not UTF-8 become lone surrogates, which `clean` finds, so that every such line is named.
    """
    lines = csv.reader(StringIO(content.decode("utf-8-sig", "surrogateescape"), newline=""), strict=True)
    while True:
        begins = lines.line_num + 1
        try:
            record = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield Fault(begins, f"cannot be read as CSV: {error}")
            continue
        if any(record):
            yield begins, record


def _header_faults(header: list[str]) -> list[str]:
    try:
        names = [clean(name) for name in header]
    except Unfit as error:
        return [f"the header {error}"]
    if len(names) == 1 and ";" in names[0]:
        return ["the header's columns are separated by semicolons; use commas"]
    known = [name for name in names if name in CHECKS]
    found = {
        "lacks": [name for name in COLUMNS if name not in names],
        "has an unknown column:": [shown(name) for name in names if name not in CHECKS],
        "names twice:": sorted({name for name in known if known.count(name) > 1}),
    }
    wrong = [f"the header {what} {_listed(whom)}" for what, whom in found.items() if whom]
    return wrong or _misplaced(names)


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _misplaced(names: list[str]) -> list[str]:
    pairs = zip(names, COLUMNS, strict=True)
    return [f"the header has {found} where {wanted} belongs" for found, wanted in pairs if found != wanted]


def _read_rows(lines: Iterator[tuple[int, list[str]] | Fault]) -> Reading:
    faults: list[Fault] = []
    values: dict[int, dict[str, Any]] = {}
    for found in lines:
        if isinstance(found, Fault):
            faults.append(found)
            continue
        line, cells = found
        values[line], wrong = _read_cells(cells)
        faults += [Fault(line, reason) for reason in wrong]
    faults += _disagreements(values)
    bad = {fault.line for fault in faults}
    rows = {line: StudioRow(**row) for line, row in values.items() if line not in bad}
    return Reading(rows, tuple(sorted(faults)))


def _read_cells(cells: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The values of the cells that are right, by column, and why the others are not; columns share a reason."""
    if len(cells) != len(COLUMNS):
        return {}, [f"has {len(cells)} cells; {len(COLUMNS)} belong there"]
    values: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    for (column, check), cell in zip(CHECKS.items(), cells, strict=True):
        try:
            values[column] = check(clean(cell))
        except Unfit as error:
            wrong.setdefault(str(error), []).append(column)
    if values.get("control_driver") and values.get("control_url") == "":
        wrong[_("is empty, but the control driver needs it")] = ["control_url"]
    return values, [f"{', '.join(columns)}: {reason}" for reason, columns in wrong.items()]


def _disagreements(values: Mapping[int, Mapping[str, Any]]) -> list[Fault]:
    """Codes that stand twice, organisations of two kinds, sites in two places; the first line is taken as right."""
    faults: list[Fault] = []
    first: dict[tuple[Any, ...], tuple[int, Any]] = {}
    for line, row in values.items():
        for what, about, said, reason in _claims(row):
            earlier, was = first.setdefault((what, about), (line, said))
            if earlier == line:
                continue
            if what == "code" or was != said:
                faults.append(Fault(line, reason.format(earlier=earlier, was=was)))
    return faults


def _claims(row: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any, str]]:
    """What a row says that other rows must not contradict: topic, about whom, what, and the sentence for a clash."""
    if "code" in row:
        yield "code", key_of(row["code"]), row["code"], "code: {was} is already on line {earlier}"
    if "organisation" not in row:
        return
    organisation = row["organisation"]
    if "organisation_kind" in row:
        reason = "organisation_kind: line {earlier} says that this organisation is {was}"
        yield "kind", organisation, row["organisation_kind"].value, reason
    for column in SITE_COLUMNS if "site" in row else ():
        if column in row:
            yield (
                column,
                (organisation, row["site"]),
                row[column],
                f"{column}: line {{earlier}} says {{was}} for this site",
            )
