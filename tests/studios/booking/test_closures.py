"""A closure is stored at once, names what it threatens, and refuses what comes after it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from models import AuditEntry, Closure, Purpose, Reservation, Site, Studio, db, write
from studios.booking.closures import close, reopen, threatened_by
from studios.booking.conferences import book
from studios.booking.obstacles import StudioClosed, WishRefused
from studios.booking.wishes import Booking, studios
from tests import factories

HOUR = timedelta(hours=1)


@pytest.fixture
def start() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=7)


@pytest.fixture
def pair(app):
    site = factories.site()
    return [factories.studio(site) for _ in range(2)]


def wish(pair, start) -> Booking:
    ids = studios(studio.id for studio in pair)
    return Booking("Meeting", Purpose.TEST, pair[0].site.organisation_id, start, start + HOUR, ids)


def closed(place, start, end, reason="Burst pipe"):
    """The closure's key, and the references it threatens."""

    def work():
        closure, threats = close(db.session.get_one(type(place), place.id), start, end, reason, None)
        return closure.id, [(threat.conference.reference, threat.studio.code) for threat in threats]

    return write(work)


def test_it_never_fails_because_of_bookings_and_names_them(pair, start):
    reference = write(lambda: book(wish(pair, start), None).reference)
    _key, threats = closed(pair[0].site, start - HOUR, start + 2 * HOUR)
    assert threats == [(reference, studio.code) for studio in pair]
    assert db.session.scalar(sa.select(sa.func.count()).where(Reservation.released_at.is_(None))) == 2


def test_nothing_new_is_booked_in_it_and_before_and_after_it_are_free(pair, start):
    closed(pair[0], start, start + HOUR)
    with pytest.raises(StudioClosed) as refused:
        write(lambda: book(wish(pair, start + HOUR / 2), None))
    assert refused.value.obstacles[0].reason == "Burst pipe"
    write(lambda: book(wish(pair, start - HOUR), None).id)
    write(lambda: book(wish(pair, start + HOUR), None).id)


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "pasient 01020300082"])
def test_it_needs_a_reason_that_names_no_patient(pair, start, reason):
    with pytest.raises(WishRefused):
        closed(pair[0], start, start + HOUR, reason)
    assert db.session.scalar(sa.select(sa.func.count(Closure.id))) == 0


def test_reopened_before_it_began_it_never_was_and_both_are_in_the_audit_trail(pair, start):
    key, _threats = closed(pair[0], start, start + HOUR)
    write(lambda: reopen(key, None).id)
    write(lambda: book(wish(pair, start), None).id)
    actions = db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions[:2] == ["closure.created", "closure.ended"]


def test_reopened_while_it_lasts_it_ends_now(pair):
    now = datetime.now(UTC)
    key, _threats = closed(pair[0], now - HOUR, now + HOUR)
    write(lambda: reopen(key, None).id)
    found = db.session.get_one(Closure, key)
    assert now <= found.ends_at <= datetime.now(UTC)
    assert threatened_by(found) == []


def test_a_booking_at_the_same_instant_is_either_named_or_refused(app, pair, start):
    """Many rounds of one closing and one booking at once: never both done and unaware of each other."""
    wishes = [wish(pair, start + 2 * number * HOUR) for number in range(10)]
    studio_id = pair[0].id
    db.session.remove()
    for asked in wishes:
        barrier, told = threading.Barrier(2), {}

        def booking(asked=asked, barrier=barrier, told=told) -> None:
            with app.app_context():
                barrier.wait(10)
                try:
                    told["booked"] = write(lambda: book(asked, None).reference)
                except StudioClosed:
                    told["booked"] = None

        def closing(asked=asked, barrier=barrier, told=told) -> None:
            with app.app_context():
                barrier.wait(10)
                told["threatened"] = write(
                    lambda: [
                        threat.conference.reference
                        for threat in close(
                            db.session.get_one(Studio, studio_id), asked.start, asked.end, "Burst pipe", None
                        )[1]
                    ]
                )

        threads = [threading.Thread(target=booking), threading.Thread(target=closing)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert told["threatened"] == ([told["booked"]] if told["booked"] else [])


def test_a_site_closure_is_of_all_its_studios_and_of_no_others(pair, start):
    elsewhere = [factories.studio(factories.site()) for _ in range(3)]
    closed(db.session.get_one(Site, pair[0].site_id), start, start + HOUR)
    write(lambda: book(wish(elsewhere[:2], start), None).id)
    with pytest.raises(StudioClosed):
        write(lambda: book(wish([pair[1], elsewhere[2]], start), None))
