"""What a coordinator asks for: a time, and who shall sit at the table. Plain values, also as JSON. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.booking import Purpose


@dataclass(frozen=True)
class StudioWish:
    """This studio, for so many people, with this equipment in it."""

    studio_id: int
    attendees: int | None = None
    equipment: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PoolWish:
    """Any studio of a site, an organisation or a town (or municipality), by their names; without any, any at all."""

    site: str | None = None
    organisation: str | None = None
    town: str | None = None
    capacity: int = 1
    equipment: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GuestWish:
    """Somebody outside the studios, by video address (`sip:name@host`) or telephone number (`+47...`)."""

    address: str


PartyWish = StudioWish | PoolWish | GuestWish


@dataclass(frozen=True)
class Booking:
    """What a coordinator asks for: parties in the order of the table, instants with time zone.

    `organiser_id`: the account it is booked for, where that is somebody else. Without `video` the rooms are only marked
    as used. `movable`: others may ask for its time, and an emergency may take it.
    """

    title: str
    purpose: Purpose
    organisation_id: int
    start: datetime
    end: datetime
    parties: tuple[PartyWish, ...]
    organiser_id: int | None = None
    movable: bool = False
    video: bool = True


def studios(studio_ids: Iterable[int]) -> tuple[StudioWish, ...]:
    """These studios and no others."""
    return tuple(StudioWish(studio_id) for studio_id in studio_ids)


def booking_to_json(booking: Booking) -> dict[str, Any]:
    """A booking as it is kept until its time comes."""
    return {
        "title": booking.title,
        "purpose": booking.purpose.value,
        "organisation_id": booking.organisation_id,
        "start": booking.start.isoformat(),
        "end": booking.end.isoformat(),
        "parties": to_json(booking.parties),
        "organiser_id": booking.organiser_id,
        "movable": booking.movable,
        "video": booking.video,
    }


def booking_from_json(stored: Mapping[str, Any]) -> Booking:
    """What `booking_to_json` wrote."""
    return Booking(
        **{
            **stored,
            "purpose": Purpose(stored["purpose"]),
            "start": datetime.fromisoformat(stored["start"]),
            "end": datetime.fromisoformat(stored["end"]),
            "parties": from_json(stored["parties"]),
        }
    )


def to_json(wishes: Sequence[PartyWish]) -> list[dict[str, Any]]:
    return [_to_json(wish) for wish in wishes]


def from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[PartyWish, ...]:
    """What `to_json` wrote."""
    return tuple(_from_json(wish) for wish in stored)


def studio_ids(wishes: Sequence[PartyWish]) -> list[int]:
    """The studios that are asked for by name, in order."""
    return [wish.studio_id for wish in wishes if isinstance(wish, StudioWish)]


def _to_json(wish: PartyWish) -> dict[str, Any]:
    match wish:
        case StudioWish(studio_id, attendees, equipment):
            return {"studio_id": studio_id, "attendees": attendees, "equipment": sorted(equipment)}
        case PoolWish(site, organisation, town, capacity, equipment):
            place = {"site": site, "organisation": organisation, "town": town}
            return {"any_of": {**place, "capacity": capacity, "equipment": sorted(equipment)}}
        case GuestWish(address):
            return {"guest": address}


def _from_json(stored: Mapping[str, Any]) -> PartyWish:
    if "guest" in stored:
        return GuestWish(stored["guest"])
    if "any_of" in stored:
        pool = stored["any_of"]
        return PoolWish(**{**pool, "equipment": frozenset(pool["equipment"])})
    return StudioWish(stored["studio_id"], stored["attendees"], frozenset(stored["equipment"]))
