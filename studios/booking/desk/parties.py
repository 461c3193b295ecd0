"""The parties as they stand on the form: each as programs ask for it, in JSON; and what that means here."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from pydantic import ValidationError

from studios.booking.api.asked import LARGEST_ROOM, PartyRequest, PoolRequest
from studios.booking.candidates import Candidate
from studios.booking.rules import MOST_PARTIES
from studios.booking.wishes import GuestWish, PartyWish, PoolWish, StudioWish
from studios.inventory.equipment import EQUIPMENT, equipment_name


def parties_in(form: Any) -> list[PartyRequest]:
    """The parties of a form or an address, in order; one more than may be asked for shows that there are too many.

    `party` is a party in JSON; `studio` the code of one that is asked for by name, which links and people can write.
    What is no party is left out: nobody types these.
    """
    found = [_adjusted(party, form, place) for place, text in enumerate(form.getlist("party")) if (party := read(text))]
    found += [named(code) for code in dict.fromkeys(code.strip() for code in form.getlist("studio")) if code]
    return found[: MOST_PARTIES + 1]


def read(text: str) -> PartyRequest | None:
    """A party from its JSON; None when it is none."""
    try:
        return PartyRequest.model_validate_json(text)
    except ValidationError:
        return None


def named(code: str) -> PartyRequest:
    """The studio of that code, whether or not there is one."""
    return PartyRequest.model_construct(studio=code)


def value_of(party: PartyRequest) -> str:
    """A party as the form keeps it."""
    kept = party.model_dump(mode="json", exclude_defaults=True, exclude_none=True, warnings=False)
    return json.dumps(kept, ensure_ascii=False)


def request_of(wish: PartyWish, known: Mapping[int, Candidate]) -> PartyRequest:
    """What asks for the same; a studio that is no longer in use is asked for by a code that nobody has."""
    match wish:
        case StudioWish(studio_id, attendees, equipment):
            code = known[studio_id].code if studio_id in known else _("no longer in use")
            return PartyRequest.model_construct(studio=code, attendees=attendees, equipment=sorted(equipment))
        case PoolWish(site, organisation, town, capacity, equipment):
            pool = PoolRequest.model_construct(
                site=site, organisation=organisation, town=town, capacity=capacity, equipment=sorted(equipment)
            )
            return PartyRequest.model_construct(any_of=pool)
        case GuestWish(address):
            return PartyRequest.model_construct(guest=address)


@dataclass(frozen=True)
class Network:
    """The studios in use, and what they are found by."""

    rooms: Mapping[int, Candidate]

    @cached_property
    def by_code(self) -> dict[str, Candidate]:
        return {room.code: room for room in self.rooms.values()}

    @cached_property
    def sites(self) -> set[str]:
        return {room.site.casefold() for room in self.rooms.values()}

    @cached_property
    def organisations(self) -> set[str]:
        return {room.organisation.casefold() for room in self.rooms.values()}

    @cached_property
    def towns(self) -> set[str]:
        return {name.casefold() for room in self.rooms.values() for name in (room.town, room.municipality)}

    def wish(self, party: PartyRequest) -> PartyWish | None:
        """What the party asks for; None where it names what there is not."""
        if party.guest is not None:
            return GuestWish(party.guest)
        if party.any_of is not None:
            return self._pool(party.any_of)
        room = self.by_code.get(party.studio or "")
        return StudioWish(room.id, party.attendees, frozenset(party.equipment)) if room else None

    def _pool(self, pool: PoolRequest) -> PoolWish | None:
        names = (pool.site, self.sites), (pool.organisation, self.organisations), (pool.town, self.towns)
        if any(name is not None and name.casefold() not in known for name, known in names):
            return None
        return PoolWish(pool.site, pool.organisation, pool.town, pool.capacity, frozenset(pool.equipment))


@dataclass(frozen=True)
class Place:
    """A party on the form. `value` is what the form keeps of it, `key` marks its row; `wish` is None where it names
    what there is not."""

    party: PartyRequest
    value: str
    key: str
    name: str
    want: str
    wish: PartyWish | None
    room: Candidate | None

    @property
    def is_guest(self) -> bool:
        return self.party.guest is not None

    @property
    def is_pool(self) -> bool:
        return self.party.any_of is not None

    @property
    def seats(self) -> int | None:
        """How many shall have room."""
        return self.party.any_of.capacity if self.party.any_of else self.party.attendees

    @property
    def equipment(self) -> Sequence[str]:
        return self.party.any_of.equipment if self.party.any_of else self.party.equipment

    @property
    def offered(self) -> list[tuple[str, str]]:
        """What can be asked for beside it, with its name; of a studio, what stands there."""
        keys = sorted(self.room.equipment) if self.room else [*EQUIPMENT]
        return [(key, equipment_name(key)) for key in keys]


def places(parties: Iterable[PartyRequest], network: Network) -> list[Place]:
    """The parties as rows of the form, each with a key of its own."""
    found: list[Place] = []
    for party in parties:
        value = value_of(party)
        twin = sum(other.value == value for other in found)
        key = hashlib.sha256(f"{value}{twin}".encode()).hexdigest()[:10]
        room = network.by_code.get(party.studio or "")
        name, want = _described(party, room)
        found.append(Place(party, value, key, name, want, network.wish(party), room))
    return found


def label(party: PartyRequest, network: Network) -> str:
    """What a party is called, in a word or two."""
    return _described(party, network.by_code.get(party.studio or ""))[0]


def _described(party: PartyRequest, room: Candidate | None) -> tuple[str, str]:
    """Its name, and what of it is wanted."""
    if party.guest is not None:
        return party.guest, _("Guest, is called at this address")
    if party.any_of is not None:
        return _pool_name(party.any_of), ", ".join([_pool_want(party.any_of), *_more(party.any_of.equipment)])
    if room is None:
        return party.studio or "", _("No such studio")
    seats = [_people(party.attendees)] if party.attendees else []
    return room.name, ", ".join([room.code, *seats, *_more(party.equipment)])


def _pool_name(pool: PoolRequest) -> str:
    return ", ".join(name for name in (pool.site, pool.organisation, pool.town) if name) or _("Any studio at all")


def _pool_want(pool: PoolRequest) -> str:
    if pool.site is not None:
        word = _("Any of the studios there")
    elif pool.organisation is not None:
        word = _("Any of the organisation's studios")
    else:
        word = _("Any studio in the town") if pool.town is not None else _("Whichever suits best")
    return f"{word}, {_people(pool.capacity)}" if pool.capacity > 1 else word


def _people(number: int) -> str:
    return ngettext("for %(num)s", "for %(num)s", number)


def _more(equipment: Iterable[str]) -> list[str]:
    return [equipment_name(key) for key in equipment]


def _adjusted(party: PartyRequest, form: Any, place: int) -> PartyRequest:
    """With the seats and the equipment that were chosen in its row, where the form showed these."""
    if party.guest is not None or f"seats-{place}" not in form:
        return party
    typed = form.get(f"seats-{place}", "").strip()
    seats = int(typed) if typed.isascii() and typed.isdigit() and 1 <= int(typed[:6]) <= LARGEST_ROOM else None
    equipment = [key for key in dict.fromkeys(form.getlist(f"with-{place}")) if key in EQUIPMENT]
    if party.any_of is not None:
        pool = party.any_of.model_copy(update={"capacity": seats or 1, "equipment": equipment})
        return party.model_copy(update={"any_of": pool})
    return party.model_copy(update={"attendees": seats, "equipment": equipment})
