"""Find conferences by what people type: every word must stand in the title, the reference, a studio, a place or a name.

Studios and their places are searched in this process, as everywhere, so that accents do not matter; titles only where
they may be seen. What is found is one condition for the list's own query.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from accounts.rules import Access
from models import Account, Conference, Organisation, Party, Role, db
from studios.booking.rooms import rooms
from studios.inventory.search import Entry, best, words_of

COORDINATORS = (Role.COORDINATOR, Role.ADMINISTRATOR)
LONGEST = 100
MOST_WORDS = 6
MOST_TITLES = 20_000  # what a database takes as one list


def matching(
    text: str, start: datetime, end: datetime, access: Access, person_id: int
) -> sa.ColumnElement[bool] | None:
    """What the conferences between `start` and `end` that fit all the words have in common; None without any word.
    Three queries."""
    words = words_of(text[:LONGEST])[:MOST_WORDS]
    if not words:
        return None
    titles = _titles(start, end, access, person_id)
    places = [
        Entry(room.id, room.code, room.name, (room.site, room.town, room.municipality, room.organisation))
        for room in rooms().values()
    ]
    owners = [
        Entry(key, "", name, ()) for key, name in db.session.execute(sa.select(Organisation.id, Organisation.name))
    ]
    reference = Conference.id_of(text.strip())
    conditions = [_of_word(word, titles, places, owners) for word in words]
    found = sa.and_(*conditions)
    return found if reference is None else sa.or_(found, Conference.id == reference)


def _of_word(
    word: str, titles: Collection[Entry], places: Collection[Entry], owners: Collection[Entry]
) -> sa.ColumnElement[bool]:
    studio_ids, owner_ids, conference_ids = best(places, word), best(owners, word), best(titles, word, MOST_TITLES)
    seated = sa.select(Party.conference_id).where(Party.studio_id.in_(studio_ids))
    return sa.or_(
        Conference.id.in_(conference_ids),
        Conference.organisation_id.in_(owner_ids),
        Conference.id.in_(seated) if studio_ids else sa.false(),
    )


def _titles(start: datetime, end: datetime, access: Access, person_id: int) -> list[Entry]:
    """Of the conferences in that time whose titles may be seen: what they are called and who organises them."""
    query = (
        sa.select(Conference.id, Conference.title, Account.name)
        .outerjoin(Account, Account.id == Conference.organiser_id)
        .where(Conference.starts_at < end, Conference.ends_at > start)
    )
    if not access.everywhere(*COORDINATORS):
        own = access.organisation_ids(*COORDINATORS)
        invited = sa.select(Party.conference_id).where(Party.organisation_id.in_(own))
        query = query.where(
            sa.or_(
                Conference.organisation_id.in_(own),
                Conference.id.in_(invited),
                Conference.organiser_id == person_id,
            )
        )
    return [Entry(key, "", title, (name or "",)) for key, title, name in db.session.execute(query)]
