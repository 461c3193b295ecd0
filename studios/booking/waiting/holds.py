"""The studios of an offer, held until it is answered or runs out. The caller commits."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from accounts.audit import record
from config import settings
from models import RequestState, Reservation, ReservationKind, WaitingRequest, db
from models.guards import is_closed, is_overlap
from studios.booking.candidates import Candidate
from studios.booking.conferences import tell
from studios.booking.expiry import release_expired
from studios.booking.obstacles import Kind, NoPorts, Obstacle, StudioTaken, StudioUnfit
from studios.booking.ports import Asked, without_ports
from studios.booking.rooms import rooms
from studios.booking.rules import ports_needed
from studios.booking.seating import check_free, lock_studios, span_of
from studios.booking.waiting.lapses import lead
from studios.booking.waiting.requests import facts
from studios.booking.waiting.rules import offer_expires_at
from studios.booking.waiting.searching import Place
from studios.booking.wishes import booking_from_json
from studios.calendars.rules import Span


def lock_and_check(request: WaitingRequest, place: Place) -> list[Candidate]:
    """The studios of a place, locked, once they are known to be free; raises one of Unavailable otherwise.

    The ports of a bridge must be there but are not held: only a conference has ports.
    """
    lock_studios(place.studio_ids)
    release_expired(place.studio_ids)
    known = rooms(place.studio_ids)
    if len(known) < len(place.studio_ids):
        raise StudioUnfit([Obstacle(Kind.RETIRED)])
    studios = [known[studio_id] for studio_id in place.studio_ids]
    check_free(studios, place.start, place.end, None)
    booking = booking_from_json(request.booking)
    needed = ports_needed(booking.parties, booking.video)
    if without_ports([Asked(Span(place.start, place.end), needed, studios[0].health_region)]):
        raise NoPorts
    return studios


def offer(request: WaitingRequest, place: Place, studios: Sequence[Candidate]) -> None:
    """Hold these studios, which are locked and free, buffers included, and offer them to the request."""
    patience = timedelta(minutes=settings().offer_minutes)
    request.state, request.closed_at = RequestState.OFFERED, None
    request.offered_start, request.offered_end = place.start, place.end
    request.offer_expires_at = offer_expires_at(place.start, datetime.now(UTC), patience, lead())
    _hold(request, place, studios)
    if request.conference:
        tell(request.conference, "conference.offered", None, start=place.start.isoformat())
    record("waiting.offered", f"waiting/{request.id}", after=facts(request))


def _hold(request: WaitingRequest, place: Place, studios: Sequence[Candidate]) -> None:
    spans = [span_of(studio, place.start, place.end) for studio in studios]
    db.session.add_all(
        Reservation(
            studio_id=studio.id,
            waiting_request_id=request.id,
            starts_at=span.start,
            ends_at=span.end,
            kind=ReservationKind.HOLD,
            expires_at=request.offer_expires_at,
        )
        for studio, span in zip(studios, spans, strict=True)
    )
    try:
        db.session.flush()
    except sa.exc.DBAPIError as error:
        if is_overlap(error) or is_closed(error):  # by a writer that took no locks
            raise StudioTaken([]) from None
        raise
    db.session.expire(request, ["holds"])
