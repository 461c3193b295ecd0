"""The inventory as a CSV file: what import reads back without a change."""

import csv
from io import StringIO
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from models import Credential, Endpoint, Organisation, Site, SnmpVersion, Studio, db
from studios.inventory.cells import DEFAULT_SNMP_PORT, DEGREE_DECIMALS
from studios.inventory.rules import COLUMNS, StudioRow

_control, _snmp = aliased(Credential), aliased(Credential)
_SOURCES: dict[str, Any] = {
    "code": Studio.code,
    "name": Studio.name,
    "site": Site.name,
    "organisation": Organisation.name,
    "organisation_kind": Organisation.kind,
    "health_region": Site.health_region,
    "county": Site.county,
    "municipality": Site.municipality,
    "town": Site.town,
    "latitude": Site.latitude,
    "longitude": Site.longitude,
    "capacity": Studio.capacity,
    "equipment": Studio.equipment,
    "dial_address": Endpoint.dial_address,
    "control_driver": Endpoint.control_driver,
    "control_url": Endpoint.control_url,
    "control_credential": _control.name,
    "snmp_host": Endpoint.snmp_host,
    "snmp_port": Endpoint.snmp_port,
    "snmp_version": Endpoint.snmp_version,
    "snmp_credential": _snmp.name,
}
# What a studio without equipment, or an endpoint with gaps, says in these columns.
_WHEN_NONE = {
    "dial_address": "",
    "control_url": "",
    "control_credential": "",
    "snmp_host": "",
    "snmp_port": DEFAULT_SNMP_PORT,
    "snmp_version": SnmpVersion.V2C,
    "snmp_credential": "",
}


def studio_rows() -> list[StudioRow]:
    """Every studio in use, by code; one query.

    Sorted here and not by the database, so that the order is the same whatever the database's collation.
    """
    query = (
        sa.select(*(_SOURCES[column] for column in COLUMNS))
        .select_from(Studio)
        .join(Site, Studio.site_id == Site.id)
        .join(Organisation, Site.organisation_id == Organisation.id)
        .outerjoin(Endpoint, Endpoint.studio_id == Studio.id)
        .outerjoin(_control, Endpoint.control_credential_id == _control.id)
        .outerjoin(_snmp, Endpoint.snmp_credential_id == _snmp.id)
        .where(Studio.retired_at.is_(None))
    )
    return sorted((_as_row(found) for found in db.session.execute(query)), key=lambda row: row.code)


def export_csv() -> str:
    """The whole inventory as CSV. Secrets are no part of it, only the names of credentials."""
    out = StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(cells(row) for row in studio_rows())
    return out.getvalue()


def cells(row: StudioRow) -> list[str]:
    """The row as text, column by column."""
    values = {column: getattr(row, column) for column in COLUMNS}
    values["equipment"] = ";".join(row.equipment)
    for column in ("latitude", "longitude"):
        values[column] = f"{values[column]:.{DEGREE_DECIMALS}f}".rstrip("0").rstrip(".")
    return ["" if value is None else str(value) for value in values.values()]


def _as_row(found: sa.Row[Any]) -> StudioRow:
    values = dict(zip(COLUMNS, found, strict=True))
    for column, default in _WHEN_NONE.items():
        if values[column] is None:
            values[column] = default
    return StudioRow(**{**values, "equipment": tuple(values["equipment"])})
