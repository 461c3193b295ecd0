"""What there is to know of a studio that somebody is about to book: is it well, how large, whom to call there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from config import settings
from models import Conference, ConferenceState, Endpoint, EndpointStatus, Health, Reservation, Site, Studio, db
from studios.booking.candidates import Candidate
from studios.inventory.present import Quality, present_health, quality_of


@dataclass(frozen=True)
class Card:
    """`good_call`: when its last conference that was held ended. `warning`: what is wrong with its quality test."""

    room: Candidate
    health: Health
    contact: str
    phone: str
    good_call: datetime | None
    warning: str

    @property
    def is_ailing(self) -> bool:
        return self.health not in (Health.OK, Health.UNKNOWN)


def cards_of(rooms: Sequence[Candidate], now: datetime) -> dict[int, Card]:
    """By studio. One query."""
    if not rooms:
        return {}
    last = (
        sa.select(sa.func.max(Reservation.starts_at))
        .join(Conference, Conference.id == Reservation.conference_id)
        .where(
            Reservation.studio_id == Studio.id,
            Reservation.starts_at.between(now - timedelta(days=31), now),
            Conference.state == ConferenceState.ENDED,
            Conference.video,
        )
        .correlate(Studio)
        .scalar_subquery()
    )
    query = (
        sa.select(
            Studio.id, Site.contact_name, Site.contact_phone, EndpointStatus.health, EndpointStatus.last_poll_at,
            Studio.quality_tested_on, Studio.quality_test_passed, last,
        )
        .join(Site, Site.id == Studio.site_id)
        .outerjoin(Endpoint, Endpoint.studio_id == Studio.id)
        .outerjoin(EndpointStatus, EndpointStatus.endpoint_id == Endpoint.id)
        .where(Studio.id.in_([room.id for room in rooms]))
    )  # fmt: skip
    rows = {row[0]: row[1:] for row in db.session.execute(query)}
    return {room.id: _card(room, *rows[room.id], now) for room in rooms if room.id in rows}


def _card(
    room: Candidate,
    contact: str | None,
    phone: str | None,
    health: Health | None,
    polled_at: datetime | None,
    tested_on: date | None,
    passed: bool | None,
    good_call: datetime | None,
    now: datetime,
) -> Card:
    stale_after = timedelta(seconds=settings().stale_after)
    present = present_health(health, polled_at, False, now, stale_after)
    quality = quality_of(tested_on, passed, datetime.now(UTC).date())
    return Card(room, present, contact or "", phone or "", good_call, _warning(quality, tested_on))


def _warning(quality: Quality, tested_on: date | None) -> str:
    if quality is Quality.FAILED:
        return _("The last quality test failed")
    if quality is Quality.EXPIRED and tested_on:
        return _("The quality test is more than six months old")
    return ""
