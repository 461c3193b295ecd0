"""Put the rows of an inventory file into the tables. The caller commits.

Many rows are written with few statements: nothing here asks the database once a row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from accounts.audit import record
from models import Credential, Endpoint, EndpointStatus, Health, Studio, db
from progress import ReportProgress
from studios.inventory.exporting import studio_rows
from studios.inventory.organisations import (
    SiteKey,
    follow_sites,
    keep_organisations,
    keep_sites,
    site_key,
    write_rows,
)
from studios.inventory.rules import Fault, Reading, StudioRow, faults_against, key_of

ROWS_AT_ONCE = 200
# Any number that nothing else locks: imports take turns on it.
IMPORT_LOCK = 7_410_221


@dataclass(frozen=True)
class Outcome:
    """How many studios were created, changed and left as they were, and what was wrong with the file."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    faults: tuple[Fault, ...] = ()

    @property
    def imported(self) -> int:
        return self.created + self.changed + self.unchanged


def import_inventory(
    reading: Reading, now: datetime, skip_bad: bool = False, progress: ReportProgress = lambda done, total: None
) -> Outcome:
    """Create and change studios until they are as the file states; studios that it leaves out stay as they are.

    Nothing is written when any row is bad, unless `skip_bad` says to go on with the good ones.
    """
    _take_turn()
    faults = sorted([*reading.faults, *faults_against(reading.rows, _credentials_known(), _retired())])
    if reading.refused or (faults and not skip_bad):
        return Outcome(faults=tuple(faults))
    bad = {fault.line for fault in faults}
    rows = [row for line, row in reading.rows.items() if line not in bad]
    stored = {key_of(row.code): row for row in studio_rows()}
    created = [row for row in rows if key_of(row.code) not in stored]
    changed = [row for row in rows if stored.get(key_of(row.code), row) != row]
    if created or changed:
        _store(created, changed, now, progress)
    record("inventory.imported", f"{len(rows)} rows", after={"created": len(created), "changed": len(changed)})
    return Outcome(len(created), len(changed), len(rows) - len(created) - len(changed), tuple(faults))


def _take_turn() -> None:
    """Two imports at once could both create one code. SQLite's write lock lets in one at a time by itself."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(IMPORT_LOCK)))


def _credential_ids() -> dict[str, int]:
    return dict(db.session.execute(sa.select(Credential.name, Credential.id)).all())


def _credentials_known() -> dict[str, bool]:
    """By name, whether it is SNMPv3's."""
    return {row.name: row.suits_snmp_3 for row in db.session.scalars(sa.select(Credential))}


def _retired() -> set[str]:
    codes = db.session.scalars(sa.select(Studio.code).where(Studio.retired_at.is_not(None)))
    return {key_of(code) for code in codes}


def _store(created: list[StudioRow], changed: list[StudioRow], now: datetime, progress: ReportProgress) -> None:
    rows = created + changed
    keep_organisations(rows)
    columns = _Columns(keep_sites(rows), _credential_ids())
    done = 0
    for chunk in _chunks(created):
        _create(chunk, columns, now)
        progress(done := done + len(chunk), len(rows))
    known = _known_ids() if changed else {}
    for chunk in _chunks(changed):
        _change(chunk, known, columns, now)
        progress(done := done + len(chunk), len(rows))
    follow_sites({row.organisation for row in rows})


def _chunks(rows: list[StudioRow]) -> Iterator[list[StudioRow]]:
    return (rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))


@dataclass(frozen=True)
class _Columns:
    """What a row's names stand for, and the table rows that follow from it."""

    site_ids: Mapping[SiteKey, int]
    credential_ids: Mapping[str, int]

    def studio(self, row: StudioRow) -> dict[str, Any]:
        return {
            "code": row.code,
            "name": row.name,
            "site_id": self.site_ids[site_key(row)],
            "capacity": row.capacity,
            "equipment": list(row.equipment),
        }

    def endpoint(self, row: StudioRow) -> dict[str, Any]:
        return {
            "dial_address": row.dial_address,
            "control_driver": row.control_driver,
            "control_url": row.control_url or None,
            "control_credential_id": self.credential_ids.get(row.control_credential),
            "snmp_host": row.snmp_host or None,
            "snmp_port": row.snmp_port,
            "snmp_version": row.snmp_version,
            "snmp_credential_id": self.credential_ids.get(row.snmp_credential),
        }


def _create(rows: Sequence[StudioRow], columns: _Columns, now: datetime) -> None:
    insert = sa.insert(Studio).returning(Studio.code, Studio.id)  # in any order, which lets them go in together
    ids = dict(db.session.execute(insert, [columns.studio(row) for row in rows]).all())
    _create_endpoints({ids[row.code]: row for row in rows}, columns, now)


def _create_endpoints(rows: Mapping[int, StudioRow], columns: _Columns, now: datetime) -> None:
    """The endpoint of each studio by its key, and its status: nothing is known of it yet."""
    if not rows:
        return
    insert = sa.insert(Endpoint).returning(Endpoint.id)
    endpoint_ids = db.session.scalars(
        insert, [{"studio_id": studio_id, **columns.endpoint(row)} for studio_id, row in rows.items()]
    )
    status = {"health": Health.UNKNOWN, "since": now, "changed_at": now}
    write_rows(sa.insert(EndpointStatus), [{"endpoint_id": id, **status} for id in endpoint_ids])


def _known_ids() -> dict[str, tuple[int, int | None]]:
    """The keys of studio and endpoint, by the studio's code."""
    query = sa.select(Studio.code, Studio.id, Endpoint.id).outerjoin(Endpoint, Endpoint.studio_id == Studio.id)
    return {key_of(code): (studio_id, endpoint_id) for code, studio_id, endpoint_id in db.session.execute(query)}


def _change(
    rows: Sequence[StudioRow], known: Mapping[str, tuple[int, int | None]], columns: _Columns, now: datetime
) -> None:
    ids = [(*known[key_of(row.code)], row) for row in rows]
    write_rows(sa.update(Studio), [{"id": studio_id, **columns.studio(row)} for studio_id, _, row in ids])
    write_rows(
        sa.update(Endpoint),
        [{"id": endpoint_id, **columns.endpoint(row)} for _, endpoint_id, row in ids if endpoint_id],
    )
    _create_endpoints({studio_id: row for studio_id, endpoint_id, row in ids if endpoint_id is None}, columns, now)
