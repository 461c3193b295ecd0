"""Trying out within the transaction whether a swap would work: done for real, and undone. The caller commits."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import gettext as _

from errors import Conflict
from models import Account, Conference, db
from studios.booking.conferences import book, booking_of, replan, unseat
from studios.booking.obstacles import Unavailable
from studios.booking.waiting.requests import own_for
from studios.booking.waiting.rules import settled
from studios.booking.waiting.searching import Place, another_time
from studios.booking.wishes import Booking


def place_for_other(conference: Conference, own: Conference | None, booking: Booking, person: Account) -> Place:
    """Where the conference could go, so that the booking (or `own`, changed to it) has its time.

    Raises Conflict when it is not in the way or has nowhere to go, and one of Unavailable when others are in the way.
    """
    if _would_do(own, booking, person):
        raise Conflict(_("That conference is not in your way: the time can be booked as it is."))
    asked = booking_of(conference)
    with _undone():
        unseat(conference)
        take(own, booking, person)
        place = another_time(asked, own_for(conference.organisation_id, conference.booked_by or conference.organiser))
        if place is None or not _can_go(conference, settled(asked, place.start, place.end, place.studio_ids)):
            raise Conflict(_("There is no other time or studio that the conference could be moved to."))
    return place


def take(own: Conference | None, booking: Booking, person: Account | None) -> Conference:
    """Book, or give one's own conference that time."""
    if own is None:
        return book(booking, person)
    replan(own, booking, person)
    return own


def _would_do(own: Conference | None, booking: Booking, person: Account) -> bool:
    try:
        with _undone():
            take(own, booking, person)
    except Unavailable:
        return False
    return True


def _can_go(conference: Conference, booking: Booking) -> bool:
    """Also as far as bridge ports go, which the search does not know of."""
    try:
        with _undone():
            replan(conference, booking, None)
    except Unavailable:
        return False
    return True


@contextmanager
def _undone() -> Iterator[None]:
    savepoint = db.session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
