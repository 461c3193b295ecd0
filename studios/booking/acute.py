"""A clinical emergency takes the time of conferences that are marked movable. All in one transaction; the caller
commits.

1. What is in the way is locked, and must all give way: movable, not begun, and no emergency itself. Of a pool an
   emergency has only what is free; to take a studio it must name it.
2. Approval is not asked: a studio that needs it is reserved for good, and its owner's answer is only to know of it.
   The displaced are cancelled, and the acute conference is booked as any other: what else is in the way refuses it.
3. Each displaced one goes on the waiting list, with the best that is free offered to it and held at once: other studios
   of the same sites at its own time, else the nearest time within a week. It does not queue for that: it had a place.
"""

from collections.abc import Sequence

from flask_babel import gettext as _

from accounts.audit import record
from accounts.queries import access_of
from errors import Conflict, Forbidden
from models import Account, Conference, Purpose, Role, WaitingRequest, db
from studios.booking import queries
from studios.booking.candidates import Own
from studios.booking.conferences import book, booking_of, facts, give_up, locked, studios_of, tell
from studios.booking.drawing import own_in_emergency
from studios.booking.obstacles import StudioTaken, Unavailable, WishRefused
from studios.booking.queries import Clash
from studios.booking.rooms import rooms
from studios.booking.rules import Phase, reason_problems
from studios.booking.seating import Drawn, draw, lock_studios, span_of
from studios.booking.waiting import mails
from studios.booking.waiting.holds import lock_and_check, offer
from studios.booking.waiting.requests import add, own_for
from studios.booking.waiting.rules import window_around
from studios.booking.waiting.searching import next_best, zone
from studios.booking.wishes import Booking, studio_ids

ACUTE = 1
"""The priority of an acute conference; what has any is not displaced."""


def take_over(booking: Booking, reason: str, person: Account) -> Conference:
    """Book an acute conference, and displace what is in its way. Without anything in its way it is simply booked.

    For who holds Role.EMERGENCY for the organisation of the booking. Raises Forbidden, WishRefused, Conflict when it is
    not clinical, or as `book` does, naming what can't be displaced.
    """
    _check_may(booking, reason, person)
    own = own_in_emergency(person)
    displaced, drawn = _displaceable(booking, own)
    before = {conference.id: facts(conference) for conference in displaced}
    for conference in displaced:
        give_up(conference)
    db.session.flush()  # booking reads before it writes
    acute = book(booking, person, drawn, own)
    acute.priority = ACUTE
    said = " ".join(reason.split())
    for conference in displaced:
        _displace(conference, acute, said, before[conference.id], person)
    references = [conference.reference for conference in displaced]
    after = {"displaced": references, "reason": said, "without_approval": _without_approval(acute, own)}
    record("conference.took_over", acute.reference, after=after)
    return acute


def _without_approval(acute: Conference, own: Own) -> list[str]:
    """The studios whose owners would have been asked."""
    return [
        studio.code
        for studio in rooms([studio.id for studio in studios_of(acute)]).values()
        if studio.needs_approval and not own.covers(studio.organisation_id)
    ]


def in_the_way(booking: Booking) -> list[Clash]:
    """Whose time an acute booking would take or meet, in the studios that it names; to be shown before it is done."""
    spans = {
        studio.id: span_of(studio, booking.start, booking.end)
        for studio in rooms(studio_ids(booking.parties)).values()
    }  # fmt: skip
    return queries.clashes(spans)


def _check_may(booking: Booking, reason: str, person: Account) -> None:
    held = access_of(person)
    if person.disabled_at is not None or not held.covers(booking.organisation_id, Role.EMERGENCY):
        raise Forbidden(_("Only who holds the emergency right for this organisation can take the time of others."))
    if found := reason_problems(reason):
        raise WishRefused(found)
    if booking.purpose is not Purpose.CLINICAL:
        raise Conflict(_("Only a clinical conference can take the time of others."))


def _displaceable(booking: Booking, own: Own) -> tuple[list[Conference], Drawn | None]:
    """What has to give way, locked as bookings lock: conferences in the order of their keys, then studios, those that
    pools give with those that are named. What came or went meanwhile is told by a second look under the locks."""
    found = [_conference_id(clash) for clash in in_the_way(booking)]
    conferences = {key: locked(key) for key in sorted({key for key in found if key is not None})}
    drawn = draw(booking, own)
    lock_studios({*studio_ids(booking.parties), *filter(None, drawn or ())})
    clashes = in_the_way(booking)
    if fixed := [clash for clash in clashes if not _gives_way(conferences.get(_conference_id(clash) or 0))]:
        raise StudioTaken(fixed)
    still = {_conference_id(clash) for clash in clashes}
    return [conference for key, conference in conferences.items() if key in still], drawn


def _conference_id(clash: Clash) -> int | None:
    return Conference.id_of(clash.reference) if clash.reference else None


def _gives_way(conference: Conference | None) -> bool:
    return (
        conference is not None
        and conference.movable
        and conference.priority < ACUTE
        and queries.phase_of(conference) is Phase.PLANNED
        and not queries.legs_of(conference)  # its calls are being set up at this moment
    )


def _displace(
    conference: Conference, acute: Conference, reason: str, before: dict[str, object], person: Account
) -> None:  # fmt: skip
    request, studios = _waiting(conference)
    tell(conference, "conference.displaced", person, acute=acute.reference, reason=reason)
    after = {"acute": acute.reference, "reason": reason, "waiting": request.id, "offer": request.state.value}
    record("conference.displaced", conference.reference, before=before, after=after)
    mails.displaced(conference, acute, reason, request, studios)


def _waiting(conference: Conference) -> tuple[WaitingRequest, Sequence[str]]:
    """Its place on the waiting list, and the studios that are held for it, if any."""
    booking, person = booking_of(conference), conference.organiser or conference.booked_by
    window = window_around(booking.start, booking.end, zone())
    request = add(booking, window.start, window.end, person, conference.id)
    place = next_best(booking, own_for(booking.organisation_id, person))
    if place is None:
        return request, []
    try:
        studios = lock_and_check(request, place)
    except Unavailable:  # no bridge ports, or a lost race: it is served like all who wait
        return request, []
    offer(request, place, studios)
    return request, [studio.name for studio in studios]
