"""What programs ask for, with codes, names and addresses turned into what they stand for; or why that cannot be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from accounts.permissions import access
from accounts.queries import access_of, account_by_email
from errors import FieldProblem, Forbidden, Invalid
from models import Organisation, Role, Site, Studio, db
from studios.booking.api.asked import ConferenceRequest, PartyRequest, PoolRequest
from studios.booking.candidates import Own
from studios.booking.wishes import Booking, GuestWish, PartyWish, PoolWish, StudioWish, studio_ids

BOOKERS = (Role.COORDINATOR, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Named:
    """An organisation as it can be asked for."""

    id: int
    name: str
    number: str | None

    def is_called(self, text: str) -> bool:
        return text.casefold() == self.name.casefold() or text == self.number


class Places:
    """The sites, towns and organisations that there are. Reads them when they are first asked for."""

    def __init__(self) -> None:
        self._organisations: list[Named] | None = None
        self._sites: list[set[str]] | None = None
        self._organisation_of: dict[int, int] = {}

    def studios(self, codes: Sequence[str]) -> dict[str, int]:
        """The keys of the studios in use among these."""
        if not codes:
            return {}
        query = sa.select(Studio.code, Studio.id, Site.organisation_id).join(Site, Site.id == Studio.site_id)
        rows = db.session.execute(query.where(Studio.code.in_(codes), Studio.retired_at.is_(None))).all()
        self._organisation_of |= {row.id: row.organisation_id for row in rows}
        return {row.code: row.id for row in rows}

    def organisation_of(self, studio_id: int) -> int | None:
        """Whose a studio is that was asked for by its code."""
        return self._organisation_of.get(studio_id)

    def organisation(self, text: str) -> Named | None:
        if self._organisations is None:
            rows = db.session.execute(sa.select(Organisation.id, Organisation.name, Organisation.number))
            self._organisations = [Named(*row) for row in rows]
        return next((each for each in self._organisations if each.is_called(text)), None)

    def has_site(self, name: str) -> bool:
        return name.casefold() in self._names()[0]

    def has_town(self, name: str) -> bool:
        return name.casefold() in self._names()[1]

    def _names(self) -> list[set[str]]:
        if self._sites is None:
            rows = db.session.execute(sa.select(Site.name, Site.town, Site.municipality).distinct()).all()
            towns = {name.casefold() for _site, *both in rows for name in both}
            self._sites = [{row.name.casefold() for row in rows}, towns]
        return self._sites


def read_booking(body: ConferenceRequest, roles: Sequence[Role] = BOOKERS) -> Booking:
    """The booking that is asked for, by who holds one of the roles for the responsible organisation. Raises Invalid or
    Forbidden."""
    places = Places()
    parties = read_parties(body.parties, places)
    organisation_id = _organisation(body.organisation, parties, places, roles)
    return Booking(
        title=body.title,
        purpose=body.purpose,
        organisation_id=organisation_id,
        start=body.start,
        end=body.end,
        parties=parties,
        organiser_id=organiser_called(body.on_behalf_of, organisation_id) if body.on_behalf_of else None,
        movable=body.movable,
        video=body.video,
    )


def read_parties(parties: Sequence[PartyRequest], places: Places | None = None) -> tuple[PartyWish, ...]:
    """The parties as the booking rules know them. Raises Invalid, with a problem for each name that leads nowhere."""
    known = places or Places()
    found = known.studios([party.studio for party in parties if party.studio])
    problems = [problem for place, party in enumerate(parties) for problem in _unknown(place, party, found, known)]
    if problems:
        raise Invalid(_("Some of what is asked for is not known; see the problems."), problems=problems)
    return tuple(_wish(party, found, known) for party in parties)


def read_pool(pool: PoolRequest, places: Places, field: str = "") -> PoolWish:
    """The pool by the names that the studios have. Raises Invalid for a name that is not known."""
    if problems := list(_unknown_places(pool, places, field)):
        raise Invalid(problems[0].message, problems=problems)
    return _pool(pool, places)


def ids_by_code(codes: Sequence[str]) -> dict[str, int]:
    """The keys of the studios in use among these."""
    return Places().studios(codes)


def studio_key(code: str) -> int:
    """Of a studio in use. Raises Invalid."""
    if key := ids_by_code([code]).get(code):
        return key
    raise Invalid(no_such_studio(code), "studio")


def no_such_studio(code: str) -> str:
    return _("There is no studio with the code %(code)s in use.", code=code)


def read_organisation(text: str, field: str = "organisation", places: Places | None = None) -> Named:
    """The organisation of that name or number. Raises Invalid."""
    found = (places or Places()).organisation(text)
    if found is None:
        raise Invalid(_no_such_organisation(text), field)
    return found


def own() -> Own:
    """The organisations that the account behind the request books for."""
    held = access()
    return Own(None if held.everywhere(*BOOKERS) else held.organisation_ids(*BOOKERS))


def _unknown(place: int, party: PartyRequest, found: dict[str, int], places: Places) -> Iterator[FieldProblem]:
    if party.studio is not None and party.studio not in found:
        yield FieldProblem(f"parties.{place}.studio", no_such_studio(party.studio))
    if party.any_of is not None:
        yield from _unknown_places(party.any_of, places, f"parties.{place}.any_of.")


def _unknown_places(pool: PoolRequest, places: Places, field: str) -> Iterator[FieldProblem]:
    if pool.site is not None and not places.has_site(pool.site):
        yield FieldProblem(f"{field}site", _("There is no site %(name)s.", name=pool.site))
    if pool.organisation is not None and not places.organisation(pool.organisation):
        yield FieldProblem(f"{field}organisation", _no_such_organisation(pool.organisation))
    if pool.town is not None and not places.has_town(pool.town):
        yield FieldProblem(f"{field}town", _("There is no studio in %(name)s.", name=pool.town))


def _no_such_organisation(text: str) -> str:
    return _("There is no organisation with the name or number %(name)s.", name=text)


def _wish(party: PartyRequest, found: dict[str, int], places: Places) -> PartyWish:
    if party.guest is not None:
        return GuestWish(party.guest)
    if party.any_of is not None:
        return _pool(party.any_of, places)
    return StudioWish(found[party.studio or ""], party.attendees, frozenset(party.equipment))


def _pool(pool: PoolRequest, places: Places) -> PoolWish:
    named = places.organisation(pool.organisation) if pool.organisation is not None else None
    return PoolWish(pool.site, named.name if named else None, pool.town, pool.capacity, frozenset(pool.equipment))


def _organisation(asked: str | None, parties: Sequence[PartyWish], places: Places, roles: Sequence[Role]) -> int:
    """Who is responsible: whoever is named, else the only one that the account books for, else the first studio's."""
    held = access()
    if asked is not None:
        named = read_organisation(asked, places=places)
        if not held.covers(named.id, *roles):
            raise Forbidden(_("You do not book for %(organisation)s.", organisation=named.name))
        return named.id
    own_ids = held.organisation_ids(*roles)
    if len(own_ids) == 1 and not held.everywhere(*roles):
        return next(iter(own_ids))
    named_studios = studio_ids(parties)
    first = places.organisation_of(named_studios[0]) if named_studios else None
    if first is None or not held.covers(first, *roles):
        raise Invalid(_("You book for several organisations: say which one is responsible."), "organisation")
    return first


def organiser_called(email: str, organisation_id: int) -> int:
    """Whom it is booked for. Raises Invalid where nobody at the responsible organisation has this address."""
    account = account_by_email(email)
    if account is None or account.disabled_at is not None or not access_of(account).covers(organisation_id, *Role):
        raise Invalid(_("Nobody at the responsible organisation has this address."), "on_behalf_of")
    return account.id
