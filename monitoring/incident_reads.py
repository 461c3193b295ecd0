"""Reads: incidents, what they hit and what happened to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from errors import NotFound
from models import Event, Incident, Severity, Site, Studio, db
from monitoring.marks import mark_of
from monitoring.threats import Threat, ranked, threats_of

MOST_RESOLVED = 200
# What the equipment said shortly before it failed is part of the story.
PRELUDE = timedelta(minutes=10)
MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Sought:
    """Which incidents: those that are open, or the last that are over. `mine`: an account's key."""

    resolved: bool = False
    severities: Sequence[Severity] = ()
    region: str = ""
    mine: int = 0
    untaken: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """An incident with the conferences that it hits, by start."""

    incident: Incident
    hit: Sequence[Threat]

    @property
    def place(self) -> str:
        return self.incident.studio.name if self.incident.studio else self.incident.where.name

    @property
    def next(self) -> Threat | None:
        return self.hit[0] if self.hit else None

    @property
    def conferences(self) -> int:
        return len({each.conference_id for each in self.hit})


def cases(sought: Sought, now: datetime) -> list[Case]:
    """The most urgent first; of those that are over the last two hundred, newest first."""
    query = _whole().where(Incident.resolved_at.is_not(None) if sought.resolved else Incident.resolved_at.is_(None))
    if sought.severities:
        query = query.where(Incident.severity.in_(sought.severities))
    if sought.mine:
        query = query.where(Incident.assigned_to_id == sought.mine)
    if sought.untaken:
        query = query.where(Incident.acknowledged_at.is_(None))
    if sought.region:
        query = query.where(Site.health_region == sought.region)
    if sought.resolved:
        query = query.order_by(Incident.resolved_at.desc(), Incident.id.desc()).limit(MOST_RESOLVED)
    rows: Sequence[Incident] = db.session.scalars(query).all()
    hit = threats_of(rows, now)
    return [Case(one, hit[one.id]) for one in (rows if sought.resolved else ranked(rows, hit, now))]


def case(number: int, now: datetime) -> Case:
    """Raises NotFound."""
    incident = incident_at(number)
    return Case(incident, threats_of([incident], now)[incident.id])


def incident_at(number: int) -> Incident:
    """Raises NotFound."""
    found: Incident | None = db.session.scalar(_whole().where(Incident.id == number))
    if found is None:
        raise NotFound(_("There is no such incident."))
    return found


def events_of(incident: Incident) -> Sequence[Event]:
    """Its own, the newest first."""
    return db.session.scalars(_events().where(Event.incident_id == incident.id)).all()


def story_of(incident: Incident) -> Sequence[Event]:
    """Its own and, of a studio's, what the equipment said and what was done to it meanwhile; the newest first."""
    around = sa.and_(
        Event.studio_id == incident.studio_id,
        Event.kind.like("studio.%"),
        Event.at > incident.opened_at - PRELUDE,
        sa.true() if incident.resolved_at is None else Event.at <= incident.resolved_at,
    )
    return db.session.scalars(
        _events().where(sa.or_(Event.incident_id == incident.id, around)).limit(MOST_EVENTS)
    ).all()


def mark_of_cases(found: Sequence[Case], events: Sequence[Event] = ()) -> str:
    """Another one as soon as anything of these would look different."""
    facts = [
        (
            one.incident.id,
            one.incident.cause,
            one.incident.severity,
            one.incident.times,
            one.incident.quiet_since,
            one.incident.acknowledged_at,
            one.incident.assigned_to_id,
            one.incident.resolved_at,
            [(each.conference_id, each.studio_id, each.starts_at) for each in one.hit],
        )
        for one in found
    ]
    return mark_of((facts, [event.id for event in events]))


def _events() -> sa.Select[Any]:
    return (
        db.select(Event)
        .options(joinedload(Event.account), joinedload(Event.studio))
        .order_by(Event.at.desc(), Event.id.desc())
    )


def _whole() -> sa.Select[Any]:
    """With the site that it is at, a studio's or its own."""
    return (
        db.select(Incident)
        .outerjoin(Studio, Studio.id == Incident.studio_id)
        .join(Site, Site.id == sa.func.coalesce(Incident.site_id, Studio.site_id))
        .options(
            joinedload(Incident.studio).joinedload(Studio.site),
            joinedload(Incident.site),
            joinedload(Incident.acknowledged_by),
            joinedload(Incident.assigned_to),
        )
    )
