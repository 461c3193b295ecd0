"""All that time does to those who wait, in one go; safe in any number of processes at once."""

from studios.booking.waiting.offers import expire_offers, release_what_expired
from studios.booking.waiting.queries import is_anything_due
from studios.booking.waiting.serving import offer_what_came_free
from studios.booking.waiting.swaps import expire_swaps


def mind_who_waits() -> None:
    """What has run out comes free first, so that it can be offered at once. One query when nothing waits."""
    if not is_anything_due():
        return
    release_what_expired()
    expire_offers()
    expire_swaps()
    offer_what_came_free()
