"""A conference that an address names, fetched together with the question who may touch it."""

from flask import request
from flask_babel import gettext as _
from flask_login import current_user

from accounts.permissions import access
from errors import Forbidden, Invalid, NotFound
from models import Account, Conference, Role, Site
from studios.booking import queries
from studios.booking.answers import party_at
from studios.booking.api.reading import BOOKERS
from studios.booking.conferences import locked

LONGEST_SHOWN = 40
CLOSERS = (Role.TECHNICIAN, Role.COORDINATOR, Role.ADMINISTRATOR)


def person() -> Account:
    """The account behind the request."""
    found = current_user._get_current_object()
    assert isinstance(found, Account)
    return found


def conference_at(reference: str) -> Conference:
    """Raises NotFound."""
    found = queries.conference_by_reference(reference)
    if found is None:
        shown = reference[:LONGEST_SHOWN]
        raise NotFound(_("There is no conference with the reference %(reference)s.", reference=shown))
    return found


def own_conference(reference: str) -> Conference:
    """One that the account's organisations own. Raises NotFound or Forbidden."""
    found = conference_at(reference)
    if not queries.may_change(access(), found):
        raise Forbidden(_("Only coordinators of the organisation that owns this conference can change it."))
    return found


def own_conference_locked(reference: str) -> Conference:
    """The same, locked and fresh, so that its version is the one that is changed."""
    return locked(own_conference(reference).id)


def conference_with_own_party(reference: str, number: int, owner_too: bool = False) -> Conference:
    """One in which the account's organisations are the party with this number, from 1; with `owner_too` its owner may
    as well. Raises NotFound or Forbidden."""
    found = conference_at(reference)
    party = party_at(found, number - 1)
    if not access().covers(party.organisation_id, *BOOKERS) and not (owner_too and queries.may_change(access(), found)):
        raise Forbidden(_("Only coordinators of the organisation of this party can answer for it."))
    return found


def may_close(site: Site) -> bool:
    return access().covers(site.organisation_id, *CLOSERS)


def check_closer(site: Site) -> None:
    """Raises Forbidden."""
    if not may_close(site):
        raise Forbidden(_("Only those who look after the studios of this organisation can close or reopen them."))


def version_seen(given: int | None = None) -> int | None:
    """The version that the program saw, by the body or by If-Match with the ETag that it was given. Raises Invalid."""
    header = request.headers.get("If-Match", "").strip()
    if given is not None or header in ("", "*"):
        return given
    text = header.removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Invalid(_("If-Match takes the ETag that the conference was answered with."), "If-Match")
    return int(text)
