"""What came free is offered to who waits for it, and accepted, declined or left to run out."""

from datetime import UTC, datetime
from functools import partial

from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict
from models import Account, Conference, RequestState, WaitingRequest, db, write
from studios.booking.conferences import book, facts, locked, release, replan, tell
from studios.booking.expiry import release_expired
from studios.booking.seating import lock_studios
from studios.booking.waiting import queries
from studios.booking.waiting.lapses import close, lapse
from studios.booking.waiting.requests import check_can_have_time
from studios.booking.waiting.rules import settled
from studios.booking.wishes import Booking, booking_from_json


def accept_offer(request_id: int, person: Account) -> Conference:
    """Book exactly what is held, or give the request's conference that time. The caller commits.

    The bridge's ports were not held: NoPorts is possible, and leaves the offer as it was.
    """
    request = queries.request_of(request_id, person)
    _check_stands(request)
    conference = locked(request.conference_id) if request.conference_id else None
    booking = _taken_from_holds(request)
    close(request, RequestState.ACCEPTED)  # before the studios are booked, lest it be seen to run out meanwhile
    db.session.flush()
    booked = _moved(conference, booking, person) if conference else book(booking, person)
    request.conference_id = booked.id
    record("waiting.accepted", f"waiting/{request.id}", after={"conference": booked.reference})
    return booked


def decline_offer(request_id: int, person: Account, wait_on: bool = False) -> None:
    """The offer is not wanted: the time goes to the next. That ends the request, unless it is to wait on, in its place
    in the line but never again for this time. The caller commits."""
    request = queries.request_of(request_id, person)
    _check_stands(request)
    _let_go(request, RequestState.WAITING if wait_on else RequestState.DECLINED)
    record("waiting.declined", f"waiting/{request.id}", after={"waits_on": wait_on})


def withdraw(request_id: int, person: Account) -> None:
    """Wait no longer; what is held comes free. The caller commits."""
    request = queries.request_of(request_id, person)
    if request.state not in (RequestState.WAITING, RequestState.OFFERED):
        raise Conflict(_REFUSALS[request.state]())
    _let_go(request, RequestState.WITHDRAWN)
    record("waiting.withdrawn", f"waiting/{request.id}")


def expire_offers() -> int:
    """End the offers that ran out, each in its own transaction; how many there were."""
    found = queries.silent_offers()
    return sum(write(partial(_expire, request_id)) for request_id in found)


def release_what_expired() -> int:
    """Holds and requests for approval that have run out come free, wherever they are; how many there were."""
    studio_ids = queries.expired_studios()
    return write(lambda: _release_in(studio_ids)) if studio_ids else 0


def _expire(request_id: int) -> bool:
    """Once, however many processes try: the request is locked, and looked at again."""
    request = queries.locked_request(request_id)
    if request is None or not _has_run_out(request):
        return False
    _release_in([hold.studio_id for hold in request.holds if hold.released_at is None])
    if request.state is RequestState.OFFERED:  # its holds were released before, by who could not wait for the request
        lapse(request)
    return True


def _release_in(studio_ids: list[int]) -> int:
    lock_studios(studio_ids)
    return release_expired(studio_ids)


def _has_run_out(request: WaitingRequest) -> bool:
    until = request.offer_expires_at
    return request.state is RequestState.OFFERED and until is not None and until <= datetime.now(UTC)


def _check_stands(request: WaitingRequest) -> None:
    if request.state is not RequestState.OFFERED:
        raise Conflict(_REFUSALS[request.state]())
    if _has_run_out(request):
        raise Conflict(_REFUSALS[RequestState.EXPIRED]())


def _taken_from_holds(request: WaitingRequest) -> Booking:
    """What was offered, its holds released for the booking that follows in the same transaction."""
    lock_studios(hold.studio_id for hold in request.holds if hold.released_at is None)
    booking, holds = booking_from_json(request.booking), queries.standing_holds(request.id)
    if not holds or request.offered_start is None or request.offered_end is None:
        raise Conflict(_REFUSALS[RequestState.EXPIRED]())
    release(holds)
    db.session.flush()
    return settled(booking, request.offered_start, request.offered_end, [hold.studio_id for hold in holds])


def _moved(conference: Conference, booking: Booking, person: Account) -> Conference:
    check_can_have_time(conference)
    before = facts(conference)
    replan(conference, booking, person)
    conference.detached = conference.series_id is not None
    after = facts(conference)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    tell(conference, "conference.restored" if before == after else "conference.changed", person, changes=changes)
    record("conference.changed", conference.reference, before=before, after=after)
    return conference


def _let_go(request: WaitingRequest, state: RequestState) -> None:
    lock_studios(hold.studio_id for hold in request.holds if hold.released_at is None)
    release(queries.standing_holds(request.id))
    close(request, state)
    db.session.flush()


_REFUSALS = {
    RequestState.WAITING: lambda: _("Nothing is held for this request now. It is still on the waiting list."),
    RequestState.OFFERED: lambda: _("A time is held for this request."),
    RequestState.ACCEPTED: lambda: _("This offer has been accepted already."),
    RequestState.DECLINED: lambda: _("This offer was declined."),
    RequestState.EXPIRED: lambda: _("This offer has run out. The time may have gone to the next in line."),
    RequestState.WITHDRAWN: lambda: _("This request was withdrawn."),
}
