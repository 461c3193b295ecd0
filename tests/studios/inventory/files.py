"""Inventory files for the tests: a good row, and files of it with changes."""

import csv
from io import StringIO
from typing import Any

from studios.inventory.rules import COLUMNS

GOOD = {
    "code": "UNN-TROMSO-04",
    "name": "UNN Tromsø, Studio 4",
    "site": "UNN Tromsø",
    "organisation": "Universitetssykehuset Nord-Norge HF",
    "organisation_kind": "health_trust",
    "health_region": "Nord",
    "county": "Troms",
    "municipality": "Tromsø",
    "town": "Tromsø",
    "latitude": "69.68",
    "longitude": "18.98",
    "capacity": "10",
    "equipment": "document-camera;second-screen",
    "dial_address": "sip:unn-tromso-04@127.203.1.4",
    "control_driver": "cisco-xapi",
    "control_url": "http://127.203.1.4:8080",
    "control_credential": "",
    "snmp_host": "127.203.1.4",
    "snmp_port": "1161",
    "snmp_version": "2c",
    "snmp_credential": "",
}


def row(**changes: Any) -> dict[str, str]:
    return {**GOOD, **{column: str(value) for column, value in changes.items()}}


def rows(count: int, **changes: Any) -> list[dict[str, str]]:
    """Rows that differ in code and name."""
    return [row(code=f"S-{number}", name=f"Studio {number}", **changes) for number in range(1, count + 1)]


def file_of(*lines: dict[str, str], header: tuple[str, ...] = COLUMNS) -> bytes:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([line[column] for column in COLUMNS] for line in lines)
    return out.getvalue().encode()
