"""Keep the organisations and sites that inventory rows name. The caller commits."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from models import Organisation, OrganisationKind, Site, db
from studios.inventory.rules import SITE_COLUMNS, StudioRow

# A site is known by its organisation's name and its own.
SiteKey = tuple[str, str]


def site_key(row: StudioRow) -> SiteKey:
    return row.organisation, row.site


def keep_organisations(rows: Sequence[StudioRow]) -> None:
    """Create the organisations that are new, correct the kind of those that are not."""
    kinds = {row.organisation: row.organisation_kind for row in rows}
    stored = {name: (id, kind) for id, name, kind in _organisations()}
    regions = _regions(rows)
    new = [
        {"name": name, "kind": kind, "health_region": regions[name]}
        for name, kind in kinds.items()
        if name not in stored
    ]
    corrected = [
        {"id": id, "kind": kinds[name]} for name, (id, kind) in stored.items() if kinds.get(name, kind) != kind
    ]
    write_rows(sa.insert(Organisation), new)
    write_rows(sa.update(Organisation), corrected)


def keep_sites(rows: Sequence[StudioRow]) -> dict[SiteKey, int]:
    """Create or correct the rows' sites, whose organisations are kept already; the keys of all sites."""
    organisation_ids = {name: id for id, name, _ in _organisations()}
    stored = site_ids()
    named = {site_key(row): {column: getattr(row, column) for column in SITE_COLUMNS} for row in rows}
    new = [
        {"organisation_id": organisation_ids[organisation], "name": name, **values}
        for (organisation, name), values in named.items()
        if (organisation, name) not in stored
    ]
    write_rows(sa.update(Site), [{"id": stored[key], **named[key]} for key in named if key in stored])
    write_rows(sa.insert(Site), new)
    return site_ids() if new else stored


def follow_sites(names: set[str]) -> None:
    """Move each named organisation whose sites now all lie in one health region into that region."""
    lowest, highest = sa.func.min(Site.health_region), sa.func.max(Site.health_region)
    query = (
        sa.select(Organisation.id, Organisation.name, lowest)
        .join(Site, Site.organisation_id == Organisation.id)
        .group_by(Organisation.id, Organisation.name, Organisation.health_region)
        .having(lowest == highest, lowest != Organisation.health_region)
    )
    moved = [{"id": id, "health_region": region} for id, name, region in db.session.execute(query) if name in names]
    write_rows(sa.update(Organisation), moved)


def write_rows(statement: sa.Insert | sa.Update, values: list[dict[str, Any]]) -> None:
    """Insert the rows, or update them by their keys; nothing when there are none."""
    if values:
        db.session.execute(statement, values)


def _organisations() -> Sequence[sa.Row[int, str, OrganisationKind]]:
    return db.session.execute(sa.select(Organisation.id, Organisation.name, Organisation.kind)).all()


def site_ids() -> dict[SiteKey, int]:
    """The keys of all sites."""
    query = sa.select(Organisation.name, Site.name, Site.id).join(Organisation, Site.organisation_id == Organisation.id)
    return {(organisation, site): id for organisation, site, id in db.session.execute(query)}


def _regions(rows: Iterable[StudioRow]) -> dict[str, str]:
    """The health region that most of an organisation's rows lie in; the first by name of two that are as frequent."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[row.organisation][row.health_region] += 1
    return {name: min(found, key=lambda region: (-found[region], region)) for name, found in counts.items()}
