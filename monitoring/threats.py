"""Reads: which conferences a fault of a studio or a site hits, and how urgent that makes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from models import Conference, ConferenceState, Incident, Party, Purpose, Reservation, Studio, db
from monitoring.agenda import LIVE
from monitoring.incident_rules import HORIZON, Threatened, most_urgent_first, priority

# No conference lasts longer: what runs now began within so long.
LONGEST = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Threat:
    """A conference that is to take place, or runs, in a studio that fails."""

    conference_id: int
    reference: str
    studio_id: int
    code: str
    studio: str
    site_id: int
    starts_at: datetime
    ends_at: datetime
    parties: int
    clinical: bool
    organisation_id: int
    position: int

    @property
    def weighed(self) -> Threatened:
        return Threatened(self.starts_at, self.parties, self.clinical)


def threats(now: datetime, *, studios: Iterable[int] = (), sites: Iterable[int] = ()) -> list[Threat]:
    """Of each of these studios, and of those at the sites, the conferences of the next 24 hours, by start."""
    seated = sa.orm.aliased(Party)
    parties = sa.select(sa.func.count()).where(seated.conference_id == Conference.id).scalar_subquery()
    query = (
        sa.select(
            Conference.id.label("conference_id"),
            Conference.starts_at,
            Conference.ends_at,
            Conference.purpose,
            Conference.organisation_id,
            Party.position,
            Studio.id.label("studio_id"),
            Studio.code,
            Studio.name,
            Studio.site_id,
            parties.label("parties"),
        )
        .join(Reservation, Reservation.conference_id == Conference.id)
        .join(Studio, Studio.id == Reservation.studio_id)
        .join(Party, Party.reservation_id == Reservation.id)
        .where(sa.or_(Studio.id.in_(list(studios)), Studio.site_id.in_(list(sites))))
        .where(Reservation.released_at.is_(None), Conference.state.in_((ConferenceState.PLANNED, *LIVE)))
        .where(Conference.starts_at.between(now - LONGEST, now + HORIZON), Conference.ends_at > now)
        .order_by(Conference.starts_at, Conference.id, Studio.code)
    )
    return [
        Threat(
            row.conference_id,
            Conference.reference_of(row.conference_id),
            row.studio_id,
            row.code,
            row.name,
            row.site_id,
            row.starts_at,
            row.ends_at,
            row.parties,
            row.purpose is Purpose.CLINICAL,
            row.organisation_id,
            row.position,
        )
        for row in db.session.execute(query)
    ]


def threats_of(incidents: Sequence[Incident], now: datetime) -> dict[int, list[Threat]]:
    """By incident, in one query for all."""
    if not incidents:
        return {}
    found = threats(
        now,
        studios=[one.studio_id for one in incidents if one.studio_id],
        sites=[one.site_id for one in incidents if one.site_id],
    )
    return {
        one.id: [each for each in found if one.site_id == each.site_id or one.studio_id == each.studio_id]
        for one in incidents
    }


def priority_of(incident: Incident, hit: Iterable[Threat], now: datetime) -> float:
    """By the next conference of each studio that it takes away."""
    following: dict[int, Threat] = {}
    for each in hit:
        following.setdefault(each.studio_id, each)
    return priority(incident.severity, (each.weighed for each in following.values()), now)


def ranked(incidents: Sequence[Incident], hit: Mapping[int, Sequence[Threat]], now: datetime) -> list[Incident]:
    """The most urgent first."""
    by_number = {one.id: one for one in incidents}
    order = most_urgent_first(
        {one.id: priority_of(one, hit[one.id], now) for one in incidents},
        {one.id: (one.severity, one.opened_at) for one in incidents},
    )
    return [by_number[number] for number in order]
