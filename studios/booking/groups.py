"""Parties that somebody meets again and again: kept under a name, and added together. The caller commits."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _

from errors import Invalid, NotFound
from models import Account, PartyGroup, db
from studios.booking.identity import holds_identity_number
from studios.booking.rules import is_printable

MOST_GROUPS = 50
LONGEST_NAME = 80


def groups_of(person: Account) -> Sequence[PartyGroup]:
    """By name."""
    query = db.select(PartyGroup).where(PartyGroup.account_id == person.id).order_by(PartyGroup.name)
    return db.session.scalars(query).all()


def save_group(name: str, parties: Sequence[dict[str, Any]], person: Account) -> PartyGroup:
    """Keep these parties; over the group of that name where there is one. Raises Invalid."""
    name = " ".join(name.split())
    _check(name, parties)
    own = groups_of(person)
    group = next((each for each in own if each.name == name), None)
    if group is None:
        if len(own) >= MOST_GROUPS:
            raise Invalid(_("You have %(count)s groups. Delete some first.", count=MOST_GROUPS))
        group = PartyGroup(account_id=person.id, name=name)
        db.session.add(group)
    group.parties, group.saved_at = list(parties), datetime.now(UTC)
    db.session.flush()
    return group


def delete_group(group_id: int, person: Account) -> None:
    """Raises NotFound, also for somebody else's."""
    found = next((each for each in groups_of(person) if each.id == group_id), None)
    if found is None:
        raise NotFound(_("You have no such group."))
    db.session.delete(found)


def _check(name: str, parties: Sequence[dict[str, Any]]) -> None:
    if not name or len(name) > LONGEST_NAME or not is_printable(name):
        raise Invalid(_("Give the group a name of at most %(length)s characters.", length=LONGEST_NAME))
    if holds_identity_number(name):
        raise Invalid(_("The name holds a national identity number. Choose one without a patient in it."))
    if not parties:
        raise Invalid(_("Add the parties first."))
