"""A conference bridge for each health region, played by the fleet, and their ports for the day that is to come. The
caller commits."""

import secrets
from datetime import datetime

from sqlalchemy.orm import selectinload

from demonstration.inventory_plan import AUTHORITIES
from models import Conference, ConferenceState, db
from studios.booking.ports import reserve_ports
from studios.booking.terms import set_bridge
from studios.inventory.credentials import set_credential

CREDENTIAL, USER = "demo-bridge", "studionett"
PORTS = {"Nord": 60, "Midt": 60, "Vest": 80, "Sør-Øst": 160}
API_PORT = 8443


def keep_bridges(now: datetime) -> None:
    """On loopback, beside the studios."""
    set_credential(CREDENTIAL, USER, secrets.token_urlsafe(18), now, None)
    for number, region in enumerate(AUTHORITIES, start=1):
        address = f"127.1.250.{number}"
        set_bridge(
            f"Bro {region}",
            f"http://{address}:{API_PORT}",
            PORTS[region],
            dial_domain=address,
            health_region=region,
            credential=CREDENTIAL,
        )


def give_ports(begin: datetime) -> None:
    """To each conference of three parties and more that is still to begin, as if it had been booked like others."""
    query = (
        db.select(Conference)
        .where(
            Conference.starts_at >= begin,
            Conference.state == ConferenceState.PLANNED,
            Conference.bridge_id.is_(None),
        )
        .options(selectinload(Conference.parties))
        .order_by(Conference.starts_at)
    )
    large = [each for each in db.session.scalars(query) if len(each.parties) > 2]
    reserve_ports([(each, len(each.parties), each.organisation.health_region) for each in large])
