"""Reads for the status page: what the looks before conferences found wanting, and conferences to which nobody came."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from models import Conference, ConferenceState, Event, Light, Preflight, Reservation, Site, Studio, db
from monitoring.dashboard import full_name
from monitoring.preflight_rules import AHEAD, Result

LOOKED = timedelta(minutes=max(AHEAD))
# No-shows stay on the page for so long.
REMEMBERED = timedelta(hours=2)
NOBODY_CAME = "conference.nobody_came"


@dataclass(frozen=True, slots=True)
class RedLook:
    """A studio that the last look before its conference found wanting. `failed`: fixed words such as "camera"."""

    reference: str
    starts_at: datetime
    code: str
    studio: str
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoShow:
    reference: str
    at: datetime


def red_looks(now: datetime) -> list[RedLook]:
    """By start; only what the last look says, and only of studios that still have their place."""
    rows = db.session.execute(
        sa.select(
            Preflight.conference_id,
            Preflight.studio_id,
            Preflight.light,
            Preflight.checks,
            Conference.starts_at,
            Studio.code,
            Studio.name,
            Site.name.label("site"),
        )
        .join(Conference, Conference.id == Preflight.conference_id)
        .join(Studio, Studio.id == Preflight.studio_id)
        .join(Site, Site.id == Studio.site_id)
        .join(
            Reservation,
            sa.and_(
                Reservation.conference_id == Conference.id,
                Reservation.studio_id == Studio.id,
                Reservation.released_at.is_(None),
            ),
        )
        .where(Conference.state == ConferenceState.PLANNED, Conference.starts_at.between(now, now + LOOKED))
        .order_by(Conference.starts_at, Conference.id, Studio.code, Preflight.checked_at)
    )
    last = {(row.conference_id, row.studio_id): row for row in rows}
    return [
        RedLook(
            Conference.reference_of(row.conference_id),
            row.starts_at,
            row.code,
            full_name(row.site, row.name),
            tuple(check for check, result in row.checks.items() if result == Result.FAILED),
        )
        for row in last.values()
        if row.light is Light.RED
    ]


def no_shows(now: datetime) -> list[NoShow]:
    """Of the last two hours, the newest first."""
    query = sa.select(Event.conference_id, Event.at).where(Event.kind == NOBODY_CAME, Event.at > now - REMEMBERED)
    rows = db.session.execute(query.order_by(Event.at.desc(), Event.id.desc()))
    return [NoShow(Conference.reference_of(row.conference_id), row.at) for row in rows if row.conference_id]
