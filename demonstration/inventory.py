"""Write the demonstration inventory. The caller commits."""

import csv
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from io import StringIO
from zlib import crc32

import sqlalchemy as sa
from flask_babel import gettext as _

from demonstration.bridges import keep_bridges
from demonstration.inventory_plan import (
    AUTHORITIES,
    CODEC_CREDENTIAL,
    CONTACT_NAME,
    SNMP_CREDENTIAL,
    SNMP_V3_CREDENTIAL,
    PlannedSite,
    plan_phones,
    plan_sites,
    plan_studios,
)
from demonstration.places import hospitals, municipalities
from errors import Conflict
from models import Credential, Endpoint, Organisation, OrganisationKind, Site, Studio, db
from progress import ReportProgress
from studios.inventory.credentials import set_credential
from studios.inventory.exporting import cells
from studios.inventory.importing import Outcome, import_inventory
from studios.inventory.organisations import site_ids, write_rows
from studios.inventory.rules import COLUMNS, StudioRow, read_inventory

CODEC_USER, SNMP_USER = "admin", "studionett"


def is_installed() -> bool:
    """Whether the demonstration's studios are there."""
    ours = sa.select(Endpoint.id).join(Credential, Endpoint.control_credential_id == Credential.id)
    return db.session.scalar(ours.where(Credential.name == CODEC_CREDENTIAL).limit(1)) is not None


def holds_other_studios() -> bool:
    """Whether there are studios, and none of them is the demonstration's."""
    return not is_installed() and db.session.scalar(sa.select(Studio.id).limit(1)) is not None


def refuse_other_studios() -> None:
    """Raises Conflict where other studios are: invented ones never get into an installation in use."""
    if holds_other_studios():
        raise Conflict(_("The database holds other studios than the demonstration's; nothing was written."))


def plan(seed: int) -> tuple[list[PlannedSite], list[StudioRow]]:
    """The sites and studios of the demonstration; takes about 2 seconds, touches no database."""
    sites = plan_sites(seed, hospitals(), municipalities())
    return sites, plan_studios(seed, sites)


def install(
    sites: Sequence[PlannedSite], rows: Sequence[StudioRow], now: datetime, progress: ReportProgress
) -> Outcome:
    """Everything of the demonstration but its accounts, at once or not at all; nothing when it is there already.

    Raises Conflict when the database holds other studios.
    """
    refuse_other_studios()
    if is_installed():
        return Outcome(unchanged=len(rows))
    _keep_credentials(now)
    outcome = import_inventory(read_inventory(_as_file(rows)), now, progress=progress)
    assert not outcome.faults, outcome.faults[0]
    keep_bridges(now)
    _set_parents()
    _set_contacts(sites)
    _set_quality_tests(now)
    return outcome


def _keep_credentials(now: datetime) -> None:
    """The credentials that the studios name, with secrets that nobody needs to know."""
    wanted = (
        (CODEC_CREDENTIAL, CODEC_USER, None),
        (SNMP_CREDENTIAL, "", None),
        (SNMP_V3_CREDENTIAL, SNMP_USER, secrets.token_urlsafe(18)),
    )
    for name, user, privacy in wanted:
        if db.session.scalar(sa.select(Credential.id).filter_by(name=name)) is None:
            set_credential(name, user, secrets.token_urlsafe(18), now, privacy)
    db.session.flush()


def _as_file(rows: Sequence[StudioRow]) -> bytes:
    out = StringIO()
    csv.writer(out).writerows([COLUMNS, *(cells(row) for row in rows)])
    return out.getvalue().encode()


def _set_parents() -> None:
    """Each health trust under the authority of its region."""
    authorities = {region: name for region, (name, *_rest) in AUTHORITIES.items()}
    ids = dict(db.session.execute(sa.select(Organisation.name, Organisation.id)).all())
    trusts = db.session.execute(
        sa.select(Organisation.id, Organisation.health_region).filter_by(kind=OrganisationKind.HEALTH_TRUST)
    )
    write_rows(sa.update(Organisation), [{"id": id, "parent_id": ids[authorities[region]]} for id, region in trusts])


def _set_contacts(sites: Sequence[PlannedSite]) -> None:
    ids = site_ids()
    contacts = [
        {"id": ids[site.organisation, site.name], "contact_name": CONTACT_NAME, "contact_phone": phone}
        for site, phone in zip(sites, plan_phones(sites), strict=True)
    ]
    write_rows(sa.update(Site), contacts)


def _set_quality_tests(now: datetime) -> None:
    """Nearly every studio was tested within half a year; by its code a few failed, are overdue, or never were."""
    rows = []
    for key, code in db.session.execute(sa.select(Studio.id, Studio.code)):
        lot = crc32(code.encode())
        if lot % 50 == 0:
            continue
        days = lot // 50 % 170 + (90 if lot % 50 == 1 else 0)
        tested_on = now.date() - timedelta(days=days)
        rows.append({"id": key, "quality_tested_on": tested_on, "quality_test_passed": lot % 50 != 2})
    write_rows(sa.update(Studio), rows)
