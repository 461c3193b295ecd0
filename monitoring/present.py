"""Reads: how each studio is now, for programs: what is stored, unless a closure or its age says otherwise."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from models import Closure, Endpoint, EndpointStatus, Health, Organisation, Site, Studio, db
from monitoring.rules import Cause
from studios.inventory.present import present_health


@dataclass(frozen=True, slots=True)
class Standing:
    """A studio's equipment now. `polled_at` is the last poll that said anything."""

    code: str
    name: str
    site: str
    organisation: str
    region: str
    vendor: str
    model: str
    state: Health
    since: datetime | None
    cause: str
    polled_at: datetime | None
    in_call: bool
    peer: str
    round_trip_ms: float | None
    loss_percent: float | None
    jitter_ms: float | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty: all. Of several kinds every one must fit."""

    regions: Collection[str] = ()
    organisations: Collection[str] = ()
    sites: Collection[str] = ()
    vendors: Collection[str] = ()
    states: Collection[Health] = ()


def standings(now: datetime, stale_after: timedelta, wanted: Filter) -> list[Standing]:
    """By code."""
    closed = sa.exists().where(
        Closure.starts_at <= now,
        Closure.ends_at > now,
        sa.or_(Closure.studio_id == Studio.id, Closure.site_id == Studio.site_id),
    )
    query = (
        sa.select(
            Studio.code,
            Studio.name,
            Site.name.label("site"),
            Organisation.name.label("organisation"),
            Site.health_region,
            Endpoint.vendor,
            Endpoint.model,
            *(column for column in EndpointStatus.__table__.columns if column.name in _SHOWN),
            closed.label("closed"),
        )
        .join(Site, Site.id == Studio.site_id)
        .join(Organisation, Organisation.id == Site.organisation_id)
        .outerjoin(Endpoint, Endpoint.studio_id == Studio.id)
        .outerjoin(EndpointStatus, EndpointStatus.endpoint_id == Endpoint.id)
        .where(Studio.retired_at.is_(None))
        .order_by(Studio.code)
    )
    for column, names in (
        (Site.health_region, wanted.regions),
        (Organisation.name, wanted.organisations),
        (Site.name, wanted.sites),
        (Endpoint.vendor, wanted.vendors),
    ):
        if names:
            query = query.where(column.in_(list(names)))
    found = [_standing(row, now, stale_after) for row in db.session.execute(query)]
    return [one for one in found if not wanted.states or one.state in wanted.states]


_SHOWN = {
    "health",
    "since",
    "cause",
    "last_poll_at",
    "in_call",
    "call_peer",
    "round_trip_ms",
    "loss_percent",
    "jitter_ms",
}


def _standing(row: sa.Row[*tuple[object, ...]], now: datetime, stale_after: timedelta) -> Standing:
    state = present_health(row.health, row.last_poll_at, row.closed, now, stale_after)
    is_stored = state is row.health
    stale = Cause.STALE if row.last_poll_at else Cause.NEVER_POLLED
    return Standing(
        code=row.code,
        name=row.name,
        site=row.site,
        organisation=row.organisation,
        region=row.health_region,
        vendor=row.vendor or "",
        model=row.model or "",
        state=state,
        since=row.since if is_stored else None,
        cause=row.cause if is_stored else Cause.CLOSURE if row.closed else stale,
        polled_at=row.last_poll_at,
        in_call=bool(row.in_call) and state in (Health.OK, Health.DEGRADED, Health.MAINTENANCE),
        peer=row.call_peer or "",
        round_trip_ms=row.round_trip_ms,
        loss_percent=row.loss_percent,
        jitter_ms=row.jitter_ms,
    )
