"""Reads for the status page. Few queries, each for all studios: none is asked for one studio at a time."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from models import (
    Closure,
    Conference,
    ConferenceState,
    Endpoint,
    EndpointStatus,
    Health,
    Leg,
    LegState,
    Organisation,
    Party,
    Reservation,
    Site,
    StatusChange,
    Studio,
    Worker,
    db,
)
from monitoring.agenda import LIVE, Agenda, Seat, agenda_of
from monitoring.leases import KIND
from monitoring.tiles import Seen, Tile, Watch, tile_cause, tile_state, watch

# Conferences that start within this time are watched for studios at risk.
RISK_AHEAD = timedelta(minutes=60)
# No conference lasts this long, extensions included; older ones need not be looked at.
LONGEST = timedelta(days=2)
CHANGES_SHOWN, CHANGES_READ = 20, 100


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All studios in use and the conferences that concern them, at one instant."""

    now: datetime
    tiles: dict[int, Tile]
    agenda: Agenda


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    code: str
    name: str
    from_health: Health
    to_health: Health
    cause: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How alive the monitors are and how old the oldest sample is; `lag` and `sweep` are in seconds."""

    watch: Watch
    beat_at: datetime | None
    monitors: int
    lag: float | None
    sweep: float | None
    oldest_at: datetime | None
    oldest_code: str
    oldest_name: str
    stale: int


def snapshot(now: datetime, stale_after: timedelta) -> Snapshot:
    agenda = agenda_of(_seats(now), now)
    rows = db.session.execute(_studios(now))
    return Snapshot(now, {row.id: _tile(row, agenda, now, stale_after) for row in rows}, agenda)


def last_changes(limit: int = CHANGES_SHOWN) -> list[Change]:
    """The newest first, of each studio only its last one of those that were read, with how many `times` it changed."""
    query = (
        sa.select(
            StatusChange.at,
            Studio.code,
            Studio.name,
            Site.name.label("site"),
            StatusChange.from_health,
            StatusChange.to_health,
            StatusChange.cause,
        )
        .join(Endpoint, Endpoint.id == StatusChange.endpoint_id)
        .join(Studio, Studio.id == Endpoint.studio_id)
        .join(Site, Site.id == Studio.site_id)
        .order_by(StatusChange.at.desc(), StatusChange.id.desc())
        .limit(CHANGES_READ)
    )
    found = [
        Change(row.at, row.code, full_name(row.site, row.name), row.from_health, row.to_health, row.cause)
        for row in db.session.execute(query)
    ]
    times = Counter(change.code for change in found)
    newest = {change.code: change for change in reversed(found)}
    return [replace(one, times=times[one.code]) for one in found if newest[one.code] is one][:limit]


def heartbeat(now: datetime, stale_after: timedelta) -> Heartbeat:
    workers = list(db.session.scalars(sa.select(Worker).where(Worker.kind == KIND, Worker.beat_at > now - LONGEST)))
    oldest = db.session.execute(_oldest_sample(now - stale_after)).first()
    beat_at = max((worker.beat_at for worker in workers), default=None)
    alive = [worker for worker in workers if beat_at and beat_at - worker.beat_at < stale_after]
    stale, polled = (oldest.stale, oldest.polled) if oldest else (0, 0)
    return Heartbeat(
        watch=watch(beat_at, now, stale, polled),
        beat_at=beat_at,
        monitors=len(alive),
        lag=_worst(alive, "lag_ms", 1000),
        sweep=_worst(alive, "sweep_seconds", 1),
        oldest_at=oldest.last_poll_at if oldest else None,
        oldest_code=oldest.code if oldest else "",
        oldest_name=full_name(oldest.site, oldest.name) if oldest else "",
        stale=stale,
    )


def studios_of(conference_ids: Collection[int]) -> set[int]:
    """The studios that take or took part; those that were given back too, since their tiles change as well."""
    if not conference_ids:
        return set()
    query = sa.select(Reservation.studio_id).where(Reservation.conference_id.in_(conference_ids)).distinct()
    return set(db.session.scalars(query))


def full_name(site: str, studio: str) -> str:
    """The studio with its site before it, unless its own name begins with it already."""
    return studio if studio.startswith(site) else f"{site}, {studio}"


def _studios(now: datetime) -> sa.Select[*tuple[Any, ...]]:
    open_closures = sa.select(Closure.id).where(
        Closure.starts_at <= now,
        Closure.ends_at > now,
        sa.or_(Closure.studio_id == Studio.id, Closure.site_id == Studio.site_id),
    )
    return (
        sa.select(
            Studio.id,
            Studio.code,
            Studio.name,
            Studio.site_id,
            Site.name.label("site"),
            Site.health_region,
            Site.county,
            Site.municipality,
            Site.town,
            Site.latitude,
            Site.longitude,
            Organisation.kind,
            EndpointStatus.health,
            EndpointStatus.since,
            EndpointStatus.cause,
            EndpointStatus.last_poll_at,
            EndpointStatus.in_call,
            EndpointStatus.loss_percent,
            EndpointStatus.jitter_ms,
            Endpoint.vendor,
            open_closures.exists().label("closed"),
        )
        .join(Site, Site.id == Studio.site_id)
        .join(Organisation, Organisation.id == Site.organisation_id)
        .outerjoin(Endpoint, Endpoint.studio_id == Studio.id)
        .outerjoin(EndpointStatus, EndpointStatus.endpoint_id == Endpoint.id)
        .where(Studio.retired_at.is_(None))
    )


def _tile(row: Any, agenda: Agenda, now: datetime, stale_after: timedelta) -> Tile:
    seen = Seen(
        health=row.health,
        polled_at=row.last_poll_at,
        closed=row.closed,
        in_call=bool(row.in_call) or row.id in agenda.in_call,
        booked_from=agenda.booked_from(row.id),
    )
    state = tile_state(seen, now, stale_after)
    return Tile(
        studio_id=row.id,
        code=row.code,
        name=full_name(row.site, row.name),
        site_id=row.site_id,
        site=row.site,
        kind=row.kind,
        region=row.health_region,
        county=row.county,
        municipality=row.municipality,
        town=row.town,
        state=state,
        in_call=seen.in_call,
        since=row.since,
        cause=tile_cause(state, row.cause or "", row.last_poll_at),
        polled_at=row.last_poll_at,
        vendor=row.vendor or "",
        loss_percent=row.loss_percent,
        jitter_ms=row.jitter_ms,
        latitude=row.latitude,
        longitude=row.longitude,
    )


def _seats(now: datetime) -> list[Seat]:
    """Every place at the table of the conferences that run or start within the hour, with its studio and its leg."""
    in_time = sa.and_(
        Conference.video,
        Conference.state.in_([ConferenceState.PLANNED, ConferenceState.FAILED]),
        Conference.ends_at > now,
    )
    query = (
        sa.select(
            Conference.id,
            Conference.state,
            Conference.starts_at,
            Conference.ends_at,
            Reservation.studio_id,
            Reservation.released_at,
            Party.host,
            Leg.state.label("leg"),
        )
        .join(Party, Party.conference_id == Conference.id)
        .outerjoin(Reservation, Reservation.id == Party.reservation_id)
        .outerjoin(Leg, Leg.party_id == Party.id)
        .where(Conference.starts_at > now - LONGEST, Conference.starts_at <= now + RISK_AHEAD)
        .where(sa.or_(Conference.state.in_(LIVE), in_time))
        .order_by(Conference.starts_at, Conference.id, Party.position)
    )
    return [
        Seat(
            conference_id=row.id,
            state=row.state,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            studio_id=row.studio_id,
            released=row.released_at is not None,
            host=row.host,
            connected=row.leg is LegState.CONNECTED,
        )
        for row in db.session.execute(query)
    ]


def _oldest_sample(stale_before: datetime) -> sa.Select[*tuple[Any, ...]]:
    """The studio whose last poll is the longest ago, and of all: how many were polled, how many too long ago."""
    return (
        sa.select(
            Studio.code,
            Studio.name,
            Site.name.label("site"),
            EndpointStatus.last_poll_at,
            sa.func.count().over().label("polled"),
            sa.func.sum(sa.case((EndpointStatus.last_poll_at < stale_before, 1), else_=0)).over().label("stale"),
        )
        .join(Endpoint, Endpoint.id == EndpointStatus.endpoint_id)
        .join(Studio, Studio.id == Endpoint.studio_id)
        .join(Site, Site.id == Studio.site_id)
        .where(Studio.retired_at.is_(None), EndpointStatus.last_poll_at.is_not(None))
        .order_by(EndpointStatus.last_poll_at)
        .limit(1)
    )


def _worst(workers: Iterable[Worker], figure: str, divisor: float) -> float | None:
    """The highest of what the monitors tell; a monitor of another version may not tell it."""
    told = [worker.details.get(figure) for worker in workers]
    return max((value / divisor for value in told if isinstance(value, int | float)), default=None)
