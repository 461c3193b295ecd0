"""The next 24 hours of a region on paper: by site and studio, with what is needed to call by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from accounts.rules import Access
from models import Endpoint, Party, Reservation, Site, Studio, db
from studios.booking.candidates import Candidate
from studios.calendars.rules import Span
from studios.calendars.schedules import Booked, booked_in
from studios.inventory.search import in_order

HOURS = timedelta(hours=24)


@dataclass(frozen=True)
class Row:
    """A conference in a studio; `others` are the others around the table, each with its address."""

    room: Candidate
    booked: Booked
    address: str
    others: list[tuple[str, str]]


@dataclass(frozen=True)
class AtSite:
    name: str
    town: str
    contact: str
    phone: str
    rows: list[Row]


def list_of(rooms: Mapping[int, Candidate], now: datetime, access: Access) -> list[AtSite]:
    """By site's name; sites with nothing booked are left out."""
    span = Span(now, now + HOURS)
    booked = booked_in(list(rooms.values()), span, access)
    together = _together({each.conference_id for some in booked.values() for each in some if each.conference_id})
    contacts = _contacts({room.site_id for key, room in rooms.items() if booked[key]})
    sites: dict[int, list[Row]] = {}
    for room in sorted(rooms.values(), key=lambda room: in_order(room.code)):
        for each in booked[room.id]:
            table = together.get(each.conference_id or 0, [])
            own = next((address for name, address in table if name == room.name), "")
            others = [other for other in table if other[0] != room.name]
            sites.setdefault(room.site_id, []).append(Row(room, each, own, others))
    found = [
        AtSite(rows[0].room.site, rows[0].room.town, *contacts.get(site_id, ("", "")), rows)
        for site_id, rows in sites.items()
    ]
    return sorted(found, key=lambda site: site.name)


def _together(conference_ids: set[int]) -> dict[int, list[tuple[str, str]]]:
    """By conference all who are around its table, wherever they are: name and address."""
    query = (
        sa.select(Party.conference_id, Studio.name, Endpoint.dial_address, Party.guest_address)
        .outerjoin(Reservation, Reservation.id == Party.reservation_id)
        .outerjoin(Studio, Studio.id == Reservation.studio_id)
        .outerjoin(Endpoint, Endpoint.studio_id == Studio.id)
        .where(Party.conference_id.in_(conference_ids), Reservation.released_at.is_(None))
        .order_by(Party.conference_id, Party.position)
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for key, name, address, guest in db.session.execute(query) if conference_ids else ():
        found.setdefault(key, []).append((name or _("A guest"), address or guest or ""))
    return found


def _contacts(site_ids: set[int]) -> dict[int, tuple[str, str]]:
    query = sa.select(Site.id, Site.contact_name, Site.contact_phone).where(Site.id.in_(site_ids))
    return {key: (name or "", phone or "") for key, name, phone in db.session.execute(query)}
