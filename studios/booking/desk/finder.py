"""The one search field of the page: studios, whole places, guests, one's own groups, and whom one met lately."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext

from models import Account, Conference, Party, PartyKind, db
from studios.booking.api.asked import PartyRequest, PoolRequest
from studios.booking.candidates import Candidate, Own, unfit
from studios.booking.conferences import wish_of
from studios.booking.desk.parties import Network, label, named, read, request_of, value_of
from studios.booking.groups import groups_of
from studios.booking.rules import is_guest_address
from studios.booking.wishes import StudioWish
from studios.inventory.search import Entry, best, words_of

MOST_POOLS, MOST_STUDIOS, MOST_RECENT = 5, 9, 4
LOOKED_BACK = 25
"""So many of somebody's last conferences say whom they meet."""


@dataclass(frozen=True)
class Hit:
    """Something that can be added to the table. `icon`: what it is, for the eye; `meta` says it in words."""

    value: str
    name: str
    meta: str
    icon: str


def find(text: str, network: Network, own: Own, recent: Sequence[Hit]) -> list[Hit]:
    """What fits all the words, best first: what was asked for lately, then whole places, then single studios."""
    if is_guest_address(text.strip()):
        return [_guest(text.strip())]
    if not words_of(text):
        return []
    lately = [recent[key] for key in best((_entry(key, hit.name, (hit.meta,)) for key, hit in enumerate(recent)), text)]
    pools = list(_pools(network, own))
    there = [
        pools[key][0] for key in best((_entry(key, *each[1:]) for key, each in enumerate(pools)), text, MOST_POOLS)
    ]
    rooms = [network.rooms[key] for key in best(map(_studio_entry, _open_to(network, own)), text, MOST_STUDIOS)]
    found = [*lately, *there, *map(_studio, rooms)]
    return list({hit.value: hit for hit in reversed(found)}.values())[::-1]


@dataclass(frozen=True)
class Found:
    """A place that has a calendar: its kind, and the key or code by which its address names it."""

    kind: str
    key: int | str
    name: str
    meta: str


def find_places(text: str, network: Network) -> list[Found]:
    """Organisations, sites and studios that fit all the words, of each kind the best."""
    rooms = list(network.rooms.values())
    organisations = {room.organisation_id: room for room in rooms}
    sites = {room.site_id: room for room in rooms}
    owners = best((_entry(key, room.organisation, ()) for key, room in organisations.items()), text, MOST_POOLS)
    about = {key: (room.town, room.municipality, room.organisation) for key, room in sites.items()}
    there = best((_entry(key, room.site, about[key]) for key, room in sites.items()), text, MOST_STUDIOS)
    single = best(map(_studio_entry, rooms), text, MOST_STUDIOS)
    return [
        *(Found("organisation", key, organisations[key].organisation, "") for key in owners),
        *(Found("site", key, sites[key].site, ", ".join((sites[key].town, sites[key].organisation))) for key in there),
        *(Found("studio", network.rooms[key].code, network.rooms[key].name, network.rooms[key].town) for key in single),
    ]


def recent_of(person: Account, network: Network) -> list[Hit]:
    """Whom somebody met in their last conferences, the most frequent first. One query."""
    last = (
        sa.select(Conference.id)
        .where(Conference.organiser_id == person.id)
        .order_by(Conference.id.desc())
        .limit(LOOKED_BACK)
    )
    parties = db.session.scalars(db.select(Party).where(Party.conference_id.in_(last)))
    asked = Counter(
        value_of(request_of(wish, network.rooms))
        for party in parties
        if party.kind is not PartyKind.GUEST and (wish := wish_of(party))
        if not isinstance(wish, StudioWish) or wish.studio_id in network.rooms
    )
    return [_recent(value, network) for value, _times in asked.most_common(MOST_RECENT * 3)]


def groups_as_hits(person: Account, network: Network) -> list[Hit]:
    """A person's own groups, each as what adds all of its parties. One query."""
    found = []
    for group in groups_of(person):
        names = [label(party, network) for each in group.parties if (party := read(json.dumps(each)))]
        found.append(Hit(json.dumps(group.parties, ensure_ascii=False), group.name, ", ".join(names), "copy"))
    return found


def _recent(value: str, network: Network) -> Hit:
    party = PartyRequest.model_validate_json(value)
    name = _called(party.any_of) if party.any_of else ""
    return Hit(value, name or label(party, network), _("Asked for lately"), "clock")


def _called(pool: PoolRequest) -> str:
    """What a place is offered as; nothing for what is drawn from several at once."""
    match (pool.site, pool.organisation, pool.town):
        case (str(name), None, None):
            return _("Any studio at %(name)s", name=name)
        case (None, str(name), None):
            return _("Any studio of %(name)s", name=name)
        case (None, None, str(name)):
            return _("Any studio in %(name)s", name=name)
    return ""


def _pools(network: Network, own: Own) -> Iterator[tuple[Hit, str, tuple[str, ...]]]:
    """Sites, organisations and towns with more than one studio that may be had, each with what it is found by."""
    sites: dict[str, list[Candidate]] = {}
    organisations: dict[str, list[Candidate]] = {}
    towns: dict[str, list[Candidate]] = {}
    for room in _open_to(network, own):
        sites.setdefault(room.site, []).append(room)
        organisations.setdefault(room.organisation, []).append(room)
        for town in {room.town, room.municipality}:
            towns.setdefault(town, []).append(room)
    for name, rooms in sites.items():
        if len(rooms) > 1:
            about = (rooms[0].town, rooms[0].municipality, rooms[0].organisation)
            meta = _("%(studios)s at this site, %(owner)s", studios=_studios(rooms), owner=rooms[0].organisation)
            yield _pool(PoolRequest(site=name), meta), name, about
    for name, rooms in organisations.items():
        if len(rooms) > 1 and {room.site for room in rooms} != {name}:
            meta = _("%(studios)s of this organisation", studios=_studios(rooms))
            yield _pool(PoolRequest(organisation=name), meta), name, ()
    for name, rooms in towns.items():
        if len({room.site for room in rooms}) > 1:
            meta = _("%(studios)s in this town", studios=_studios(rooms))
            yield _pool(PoolRequest(town=name), meta), name, ()


def _pool(pool: PoolRequest, meta: str) -> Hit:
    return Hit(value_of(PartyRequest(any_of=pool)), _called(pool), meta, "swap")


def _studio(room: Candidate) -> Hit:
    seats = ngettext("%(num)s seat", "%(num)s seats", room.capacity)
    return Hit(value_of(named(room.code)), room.name, f"{room.town}, {seats} · {room.organisation}", "plus")


def _guest(address: str) -> Hit:
    return Hit(value_of(PartyRequest.model_construct(guest=address)), address, _("Invite as a guest"), "person")


def _open_to(network: Network, own: Own) -> list[Candidate]:
    """The studios that are shared, or one's own organisations'."""
    return [room for room in network.rooms.values() if not unfit(room, StudioWish(room.id), own)]


def _studio_entry(room: Candidate) -> Entry:
    about = (room.site, room.town, room.municipality, room.organisation)
    return _entry(room.id, room.name, about, room.code)


def _entry(key: int, name: str, about: tuple[str, ...], code: str = "") -> Entry:
    return Entry(key, code, name, about)


def _studios(rooms: Sequence[Candidate]) -> str:
    return ngettext("%(num)s studio", "%(num)s studios", len(rooms))
