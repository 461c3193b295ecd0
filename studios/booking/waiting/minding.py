"""All that time does to those who wait, in one go; safe in any number of processes at once."""

import sqlalchemy as sa
from flask import current_app

from models import AuditEntry, db
from studios.booking.waiting.offers import expire_offers, release_what_expired
from studios.booking.waiting.queries import is_anything_due
from studios.booking.waiting.serving import is_in_the_midst, offer_what_came_free
from studios.booking.waiting.swaps import expire_swaps

LOOKED = "waiting_looked"
"""The newest audit entries that the last looks of this process saw, in `app.extensions`."""


def mind_who_waits() -> None:
    """What has run out comes free first, so that it can be offered at once. One query when nothing waits.

    Time comes free only by what people or the clock do, and all of that is audited: while there is nothing new since,
    the search for those who wait is left out. After each change it is made twice, because an entry with a smaller key
    may be committed a moment after one with a larger. One that took too
    long for one go is ended first.
    """
    if not is_anything_due():
        return
    release_what_expired()
    expire_offers()
    expire_swaps()
    if is_in_the_midst():
        offer_what_came_free()
        return
    looked = current_app.extensions.setdefault(LOOKED, [None, None])
    newest = db.session.scalar(sa.select(sa.func.max(AuditEntry.id)))
    db.session.rollback()
    if looked == [newest, newest] and newest is not None:
        return
    current_app.extensions[LOOKED] = [looked[1], newest]
    offer_what_came_free()
