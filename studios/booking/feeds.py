"""Private addresses at which calendar programs read conferences. The caller commits.

The secret in the address is the key: whoever has it reads what its person may see at that moment, and no more.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from accounts.audit import record
from accounts.people import hash_of
from accounts.queries import access_of
from accounts.rules import Access
from errors import Conflict, Forbidden
from models import Account, Conference, Feed, Organisation, Party, Reservation, Role, Studio, db
from studios.booking import queries
from studios.booking.calendars import entry_of
from studios.booking.entries import calendar
from studios.booking.invitations import WHOLE

MOST_FEEDS = 20
BACK, AHEAD = timedelta(days=30), timedelta(days=366)
REFRESH = timedelta(minutes=30)
READ_AT_MOST_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Reading:
    """A feed's content, and the mark by which a program knows that it has that already."""

    content: bytes
    mark: str


def create_feed(person: Account, studio: Studio | None = None, organisation: Organisation | None = None) -> str:
    """A new feed of this person's conferences, or of a studio or an organisation; returns its secret, which is told
    this once. Raises Forbidden for an organisation that is not theirs, and Conflict where there are too many."""
    if organisation is not None and not access_of(person).covers(organisation.id, *Role):
        raise Forbidden(_("You have no role at %(organisation)s.", organisation=organisation.name))
    if len([each for each in feeds_of(person) if each.revoked_at is None]) >= MOST_FEEDS:
        raise Conflict(_("You have %(count)s feeds. Revoke some first.", count=MOST_FEEDS))
    secret = secrets.token_urlsafe(32)
    feed = Feed(
        account_id=person.id,
        studio_id=studio.id if studio else None,
        organisation_id=organisation.id if organisation else None,
        secret_hash=hash_of(secret),
        created_at=datetime.now(UTC),
    )
    db.session.add(feed)
    db.session.flush()
    record("feed.created", f"feed {feed.id}", after={"studio": feed.studio_id, "organisation": feed.organisation_id})
    return secret


def revoke_feed(feed: Feed) -> None:
    """End it for good."""
    if feed.revoked_at is None:
        feed.revoked_at = datetime.now(UTC)
        record("feed.revoked", f"feed {feed.id}", after={"account": feed.account_id})


def feeds_of(person: Account) -> Sequence[Feed]:
    """Newest first."""
    query = db.select(Feed).where(Feed.account_id == person.id).order_by(Feed.id.desc())
    return db.session.scalars(query.options(joinedload(Feed.studio), joinedload(Feed.organisation))).all()


def feed_by_secret(secret: str) -> Feed | None:
    """The feed with its person, if both count now."""
    query = db.select(Feed).where(Feed.secret_hash == hash_of(secret), Feed.revoked_at.is_(None))
    feed = db.session.scalar(
        query.options(joinedload(Feed.account), joinedload(Feed.studio), joinedload(Feed.organisation))
    )
    return feed if feed and feed.account.disabled_at is None else None


def read_feed(feed: Feed, now: datetime) -> Reading | None:
    """None where its person may no longer see it."""
    access = access_of(feed.account)
    if not access.roles or (feed.organisation_id is not None and not access.covers(feed.organisation_id, *Role)):
        return None
    found = _conferences(feed, now)
    entries = [entry_of(each, _may_see_title(feed.account, access, each)) for each in found]
    mark = hashlib.sha256(repr([(entry, each.version) for entry, each in zip(entries, found, strict=True)]).encode())
    content = calendar(entries, now, name=name_of(feed), refresh=REFRESH)
    return Reading(content, mark.hexdigest()[:32])


def mark_read(feed_id: int, now: datetime) -> None:
    db.session.execute(db.update(Feed).where(Feed.id == feed_id).values(last_read_at=now))


def name_of(feed: Feed) -> str:
    if feed.studio:
        return feed.studio.name
    return feed.organisation.name if feed.organisation else feed.account.name or feed.account.email


def _may_see_title(person: Account, access: Access, conference: Conference) -> bool:
    return person.id in (conference.organiser_id, conference.booked_by_id) or queries.may_see_title(access, conference)


def _conferences(feed: Feed, now: datetime) -> Sequence[Conference]:
    """From a month back to a year ahead; the cancelled ones too, so that programs take them out."""
    query = db.select(Conference).where(Conference.starts_at.between(now - BACK, now + AHEAD))
    if feed.studio_id is not None:
        taken = sa.select(Reservation.conference_id).where(
            Reservation.studio_id == feed.studio_id,
            Reservation.starts_at.between(now - BACK - timedelta(days=1), now + AHEAD),
            Reservation.released_at.is_(None),
        )
        query = query.where(Conference.id.in_(taken))
    elif feed.organisation_id is not None:
        invited = sa.select(Party.conference_id).where(Party.organisation_id == feed.organisation_id)
        query = query.where(sa.or_(Conference.organisation_id == feed.organisation_id, Conference.id.in_(invited)))
    else:
        query = query.where(
            sa.or_(Conference.organiser_id == feed.account_id, Conference.booked_by_id == feed.account_id)
        )
    return db.session.scalars(query.order_by(Conference.starts_at, Conference.id).options(*WHOLE)).all()
