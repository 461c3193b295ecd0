"""Reads of studios."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from models import (
    Closure,
    Conference,
    Endpoint,
    EndpointStatus,
    Organisation,
    OrganisationKind,
    Reservation,
    Site,
    SnmpVersion,
    StatusChange,
    Studio,
    db,
)
from studios.inventory.search import Entry, best, in_order, words_of

PAGE = 50
CHANGES_SHOWN = 10


@dataclass(frozen=True)
class StudioLine:
    """A studio of a list and the present state of its endpoint, where it has one."""

    studio: Studio
    status: EndpointStatus | None


@dataclass(frozen=True)
class StudioPage:
    lines: Sequence[StudioLine]
    page: int
    pages: int
    total: int


def studio_by_code(code: str) -> Studio | None:
    """The studio with all that its page shows of it; a retired one too, since old conferences lead to it."""
    if "\0" in code:
        return None  # PostgreSQL does not take it in a text
    return db.session.scalar(db.select(Studio).where(Studio.code == code).options(*_WHOLE))


def list_studios(
    text: str = "", region: str = "", kind: OrganisationKind | None = None, page: int = 1, in_clear: bool = False
) -> StudioPage:
    """A page of the studios in use; the best hits first when there is a text, else by code. Pages count from 1.

    One light query brings what studios are found by, `search` chooses in this process, and a second brings the chosen:
    900 studios take a few milliseconds, and accents and ranks are the same on SQLite and PostgreSQL.

    `in_clear`: only those whose equipment is watched without encryption.
    """
    entries = _entries(region, kind, in_clear)
    if words_of(text):
        ids = best(entries, text)
    else:
        ids = [entry.id for entry in sorted(entries, key=lambda entry: in_order(entry.code))]
    pages = max(1, -(-len(ids) // PAGE))
    page = min(max(page, 1), pages)
    shown = _studios(ids[(page - 1) * PAGE : page * PAGE])
    statuses = _statuses([studio.endpoint.id for studio in shown if studio.endpoint])
    lines = [StudioLine(studio, statuses.get(studio.endpoint.id) if studio.endpoint else None) for studio in shown]
    return StudioPage(lines, page, pages, len(ids))


def health_regions() -> list[str]:
    """The health regions that have studios, by name."""
    return list(db.session.scalars(sa.select(Site.health_region).distinct().order_by(Site.health_region)))


def status_of(studio: Studio) -> EndpointStatus | None:
    return db.session.get(EndpointStatus, studio.endpoint.id) if studio.endpoint else None


def recent_changes(studio: Studio) -> Sequence[StatusChange]:
    """The last changes of the studio's health, newest first."""
    if studio.endpoint is None:
        return []
    query = db.select(StatusChange).filter_by(endpoint_id=studio.endpoint.id)
    return db.session.scalars(query.order_by(StatusChange.at.desc(), StatusChange.id.desc()).limit(CHANGES_SHOWN)).all()


def reservations_of(studio: Studio, start: datetime, end: datetime) -> Sequence[Reservation]:
    """What takes the studio's time within [start, end), by start, with all that decides who may see a title."""
    query = db.select(Reservation).where(
        Reservation.studio_id == studio.id,
        Reservation.is_held(datetime.now(UTC)),
        Reservation.starts_at < end,
        Reservation.ends_at > start,
    )
    conference = joinedload(Reservation.conference)
    loaded = query.options(conference.joinedload(Conference.organisation), conference.selectinload(Conference.parties))
    return db.session.scalars(loaded.order_by(Reservation.starts_at)).all()


def closures_of(studio: Studio, start: datetime, end: datetime) -> Sequence[Closure]:
    """When the studio or its site is closed within [start, end), by start."""
    query = db.select(Closure).where(
        sa.or_(Closure.studio_id == studio.id, Closure.site_id == studio.site_id),
        Closure.starts_at < end,
        Closure.ends_at > start,
    )
    return db.session.scalars(query.order_by(Closure.starts_at)).all()


def closed_now(studios: Sequence[Studio], now: datetime) -> set[int]:
    """The keys of those among these studios that are closed at this moment, themselves or with their site."""
    open_closures = db.session.scalars(db.select(Closure).where(Closure.starts_at <= now, Closure.ends_at > now)).all()
    studio_ids = {closure.studio_id for closure in open_closures}
    site_ids = {closure.site_id for closure in open_closures}
    return {studio.id for studio in studios if studio.id in studio_ids or studio.site_id in site_ids}


def studio_at(dial_address: str) -> Studio | None:
    """The studio in use that is called at this address."""
    return db.session.scalar(
        db.select(Studio)
        .join(Endpoint, Endpoint.studio_id == Studio.id)
        .where(Endpoint.dial_address == dial_address, Studio.retired_at.is_(None))
        .limit(1)
    )


def _entries(region: str = "", kind: OrganisationKind | None = None, in_clear: bool = False) -> list[Entry]:
    columns = (Studio.id, Studio.code, Studio.name, Site.name, Site.town, Site.municipality, Organisation.name)
    query = (
        sa.select(*columns)
        .join(Site, Studio.site_id == Site.id)
        .join(Organisation, Site.organisation_id == Organisation.id)
        .where(Studio.retired_at.is_(None))
    )
    if region:
        query = query.where(Site.health_region == region)
    if kind:
        query = query.where(Organisation.kind == kind)
    if in_clear:
        clear = (Endpoint.snmp_version == SnmpVersion.V2C, Endpoint.snmp_host.is_not(None), Endpoint.snmp_host != "")
        query = query.join(Endpoint, Endpoint.studio_id == Studio.id).where(*clear)
    return [Entry(id, code, name, tuple(about)) for id, code, name, *about in db.session.execute(query)]


def _studios(ids: Collection[int]) -> list[Studio]:
    """The studios with these keys, in their order."""
    found = db.session.scalars(db.select(Studio).where(Studio.id.in_(ids)).options(*_WHOLE))
    by_id = {studio.id: studio for studio in found}
    return [by_id[id] for id in ids if id in by_id]


def _statuses(endpoint_ids: Collection[int]) -> dict[int, EndpointStatus]:
    rows = db.session.scalars(db.select(EndpointStatus).where(EndpointStatus.endpoint_id.in_(endpoint_ids)))
    return {row.endpoint_id: row for row in rows}


_WHOLE = (joinedload(Studio.site).joinedload(Site.organisation), joinedload(Studio.endpoint))
