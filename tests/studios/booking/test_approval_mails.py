"""An owner is told what waits for its approval, and the organiser what became of it."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from models import Account, Conference, Message, Purpose, Studio, db, write
from studios.booking import answers, conferences
from studios.booking.expiry import release_expired
from studios.booking.wishes import Booking
from studios.booking.wishes import studios as these
from tests import factories

HOUR = timedelta(hours=1)
NEXT_WEEK = datetime.now(UTC).replace(hour=11, minute=0, second=0, microsecond=0) + timedelta(days=7)


@pytest.fixture
def guarded(app: Flask) -> Studio:
    """A studio of the clinic, for which Bob coordinates, that needs its owner's approval."""
    clinic = factories.organisation("Clinic")
    factories.account("bob@example.org", organisation=clinic, language="en")
    return factories.studio(factories.site(clinic), needs_approval=True, name="Clinic, Studio 1")


@pytest.fixture
def alice(app: Flask) -> Account:
    return factories.account("alice@example.org", organisation=factories.organisation("Hospital"), language="nb")


@pytest.fixture
def asked(guarded: Studio, alice: Account) -> Conference:
    hospital = db.session.get_one(Account, alice.id).grants[0].organisation
    own = factories.studio(factories.site(hospital))
    parties = these([own.id, guarded.id])
    booking = Booking("Lung meeting", Purpose.CLINICAL, hospital.id, NEXT_WEEK, NEXT_WEEK + HOUR, parties)
    return db.session.get_one(Conference, write(lambda: conferences.book(booking, alice).id))


def mails(like: str) -> list[Message]:
    return list(db.session.scalars(db.select(Message).where(Message.key.like(like)).order_by(Message.id)))


def test_the_owners_coordinators_are_asked_with_studio_time_and_until_when(asked: Conference) -> None:
    (mail,) = mails("approval/%")
    assert mail.recipient == "bob@example.org"
    assert mail.subject == "Hospital asks for your approval"
    assert f"Clinic, Studio 1, {NEXT_WEEK:%A}" in mail.body
    assert f"for {asked.reference}." in mail.body
    assert "Without an answer before" in mail.body
    assert "Lung" not in mail.subject + mail.body


def test_the_organiser_is_told_the_reason_of_who_declines_and_that_nobody_is_left(asked: Conference) -> None:
    bob = db.session.scalars(db.select(Account).filter_by(email="bob@example.org")).one()
    write(lambda: answers.decline(asked.id, 1, "The room is needed for surgery", bob).id)
    (mail,) = mails("declined/%")
    assert mail.recipient == "alice@example.org"
    assert mail.subject == f"Clinic, Studio 1 deltar ikke i {asked.reference}"
    assert "The room is needed for surgery" in mail.body
    assert "ingen igjen å møte" in mail.body
    assert "Lung" not in mail.body


def test_the_organiser_is_told_of_a_lapse_and_the_version_moves_with_it(asked: Conference) -> None:
    reservation = asked.parties[1].reservation
    assert reservation is not None
    write(lambda: setattr(reservation, "expires_at", datetime.now(UTC) - HOUR))
    before = (asked.version, asked.sequence)
    assert write(release_expired) == 1
    db.session.expire_all()
    assert (asked.version, asked.sequence) == (before[0] + 1, before[1] + 1)
    (mail,) = mails("declined/%")
    assert mail.recipient == "alice@example.org"
    assert "Ingen godkjente bruken av Clinic, Studio 1" in mail.subject


def test_what_is_accepted_is_told_to_nobody(asked: Conference) -> None:
    write(lambda: answers.accept(asked.id, 1, None).id)
    assert not mails("declined/%")
