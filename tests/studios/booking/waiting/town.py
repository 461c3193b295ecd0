"""What the tests of waiting, swaps and emergencies share: two trusts in a town, their people, and plain SQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from models import Account, Conference, Message, Purpose, Reservation, Studio, WaitingRequest, db, write
from studios.booking.conferences import book
from studios.booking.waiting.offers import expire_offers, release_what_expired
from studios.booking.waiting.requests import ask_to_wait
from studios.booking.wishes import Booking
from studios.booking.wishes import studios as these_studios
from tests import factories

HOUR = timedelta(hours=1)


class Town:
    """Alice coordinates for the hospital, Bob for the clinic, Charlie for neither."""

    def __init__(self) -> None:
        self.hospital = factories.organisation("Hospital")
        self.clinic = factories.organisation("Clinic")
        self.alice = factories.account("alice@example.org", organisation=self.hospital, language="en")
        self.bob = factories.account("bob@example.org", organisation=self.clinic, language="en")
        self.charlie = factories.account("charlie@example.org", organisation=factories.organisation("Other"))
        ward, rooms = factories.site(self.hospital, name="Ward"), factories.site(self.clinic, name="Rooms")
        self.one, self.two, self.three = (factories.studio(ward) for _ in range(3))
        self.far, self.away = (factories.studio(rooms) for _ in range(2))

    def wish(self, *studios: Studio, start: datetime, by: Account | None = None, **changes: Any) -> Booking:
        organisation = self.clinic if by is self.bob else self.hospital
        values = {
            "title": "Lung meeting",
            "purpose": Purpose.CLINICAL,
            "organisation_id": organisation.id,
            "start": start,
            "end": start + HOUR,
            "parties": these_studios(studio.id for studio in studios),
        }
        return Booking(**{**values, **changes})

    def books(self, *studios: Studio, start: datetime, by: Account | None = None, **changes: Any) -> Conference:
        person, wish = by or self.alice, self.wish(*studios, start=start, by=by, **changes)
        conference_id = write(lambda: book(wish, person).id)
        return db.session.get_one(Conference, conference_id)

    def fills(self, studio: Studio, around: datetime) -> None:
        """A studio that is free for one hour, and otherwise taken for more than a week to either side."""
        days = timedelta(days=2)
        for number in range(5):
            for begins in (around - days * (number + 1), around + HOUR + days * number):
                db.session.add(Reservation(studio_id=studio.id, starts_at=begins, ends_at=begins + days))
        db.session.commit()

    def waits(self, *studios: Studio, start: datetime, by: Account | None = None, **changes: Any) -> int:
        """A request for exactly this hour, or for what `latest` says; its key."""
        person, latest = by or self.alice, changes.pop("latest", start + HOUR)
        conference_id = changes.pop("conference_id", None)
        wish = self.wish(*studios, start=start, by=by, **changes)
        return write(lambda: ask_to_wait(wish, start, latest, person, conference_id).id)


def request_of(request_id: int) -> WaitingRequest:
    db.session.rollback()
    return db.session.get_one(WaitingRequest, request_id)


def states(*request_ids: int) -> list[str]:
    return [request_of(request_id).state.value for request_id in request_ids]


def run_out(request_id: int, expire: bool = True) -> None:
    """The offer was made long ago and has just run out; with `expire` somebody has noticed."""
    past = datetime.now(UTC) - timedelta(seconds=request_id * 0.001 + 0.01)

    def work() -> None:
        standing = sa.and_(Reservation.waiting_request_id == request_id, Reservation.released_at.is_(None))
        db.session.execute(sa.update(Reservation).where(standing).values(expires_at=past))
        of_this = WaitingRequest.id == request_id
        db.session.execute(sa.update(WaitingRequest).where(of_this).values(offer_expires_at=past))

    write(work)
    if expire:
        release_what_expired()
        expire_offers()


def overlaps() -> int:
    """Counted in plain SQL, beside the code under test."""
    query = """
        SELECT count(*) FROM reservation a JOIN reservation b ON a.studio_id = b.studio_id AND a.id < b.id
        WHERE a.starts_at < b.ends_at AND b.starts_at < a.ends_at
          AND a.released_at IS NULL AND b.released_at IS NULL"""
    return int(db.session.scalar(sa.text(query)) or 0)


def mails(like: str = "%") -> list[Message]:
    return list(db.session.scalars(db.select(Message).where(Message.key.like(like)).order_by(Message.id)))


def count(table: str, where: str = "1 = 1") -> int:
    return int(db.session.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0)
