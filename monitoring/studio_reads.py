"""Reads for a technician's page of one studio: what was measured, what happened, how it is now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from models import Closure, Event, Health, Incident, Measurement, Span, StatusChange, Studio, db
from monitoring.charts import SCALES, Range, Sample, Window

MOST_EVENTS = 60
EVENTS_BACK = timedelta(days=31)
HOUR = timedelta(hours=1)


def samples(endpoint_id: int, chosen: Range, shown: Window) -> list[Sample]:
    """By time. What hours have not been summed up yet is taken from five minutes; what of a day is older than the first
    five minutes, from hours."""
    scale = SCALES[chosen]
    summed = db.session.execute(_measured(endpoint_id, scale.span, shown.start)).all()
    fresh: Sequence[Any] = ()
    older: Sequence[Any] = ()
    if scale.every >= timedelta(hours=1):
        since = summed[-1].starts_at + scale.every if summed else shown.start
        fresh = db.session.execute(_measured(endpoint_id, Span.FIVE_MINUTES, since)).all()
    else:
        before = summed[0].starts_at if summed else shown.end
        hours = _measured(endpoint_id, Span.HOUR, shown.start).where(Measurement.starts_at <= before - HOUR)
        older = db.session.execute(hours).all()
    return [_sample(row) for row in (*older, *summed, *fresh)]


def state_changes(endpoint_id: int, since: datetime) -> list[tuple[datetime, Health, Health]]:
    query = sa.select(StatusChange.at, StatusChange.from_health, StatusChange.to_health).where(
        StatusChange.endpoint_id == endpoint_id, StatusChange.at > since
    )
    rows = db.session.execute(query.order_by(StatusChange.at, StatusChange.id))
    return [(row.at, row.from_health, row.to_health) for row in rows]


def events_of(studio: Studio, now: datetime) -> Sequence[Event]:
    """What its equipment said, what was done to it, and what became of its incidents; the newest first."""
    query = (
        db.select(Event)
        .where(Event.studio_id == studio.id, Event.at > now - EVENTS_BACK)
        .where(sa.or_(Event.kind.like("studio.%"), Event.kind.like("incident.%")))
        .options(joinedload(Event.account), joinedload(Event.studio))
    )
    return db.session.scalars(query.order_by(Event.at.desc(), Event.id.desc()).limit(MOST_EVENTS)).all()


def open_incident(studio: Studio) -> Incident | None:
    """Its own, or that of its whole site."""
    place = sa.or_(Incident.studio_id == studio.id, Incident.site_id == studio.site_id)
    query = db.select(Incident).where(place, Incident.resolved_at.is_(None)).options(joinedload(Incident.assigned_to))
    found: Incident | None = db.session.scalars(query.order_by(Incident.site_id.is_(None), Incident.id)).first()
    return found


def closures_of(studio: Studio, now: datetime) -> Sequence[Closure]:
    """Those that run or come within a month."""
    place = sa.or_(Closure.studio_id == studio.id, Closure.site_id == studio.site_id)
    query = db.select(Closure).where(place, Closure.ends_at > now, Closure.starts_at < now + EVENTS_BACK)
    return db.session.scalars(query.order_by(Closure.starts_at)).all()


def _measured(endpoint_id: int, span: Span, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    columns = (
        Measurement.starts_at,
        Measurement.polls,
        Measurement.misses,
        Measurement.round_trip_ms,
        Measurement.longest_round_trip_ms,
        Measurement.loss_percent,
        Measurement.jitter_ms,
    )
    of_endpoint = (Measurement.span == span, Measurement.endpoint_id == endpoint_id, Measurement.starts_at >= since)
    return sa.select(*columns).where(*of_endpoint).order_by(Measurement.starts_at)


def _sample(row: Any) -> Sample:
    return Sample(
        row.starts_at,
        row.round_trip_ms,
        row.longest_round_trip_ms,
        row.loss_percent,
        row.jitter_ms,
        100 * (row.polls - row.misses) / row.polls if row.polls else None,
    )
