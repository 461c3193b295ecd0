"""A request follows its holds: when an offer has run out, whoever finds that out first. The caller commits."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from accounts.audit import record
from config import settings
from models import ConferenceState, RequestState, WaitingRequest, db
from studios.booking.waiting import mails
from studios.booking.waiting.queries import unanswered_offers
from studios.booking.waiting.rules import after_silence, is_past
from studios.booking.wishes import booking_from_json


def follow(request_ids: Collection[int]) -> None:
    """Whose offer has run out waits on behind the others, or is done with after the second.

    Called under studios' locks, while requests are locked before studios elsewhere: one that somebody has locked is
    left to them, or to the next sweep, for waiting could be a deadlock.
    """
    query = db.select(WaitingRequest).where(
        WaitingRequest.id.in_(request_ids),
        WaitingRequest.state == RequestState.OFFERED,
        WaitingRequest.offer_expires_at <= datetime.now(UTC),
    )
    locked = query.order_by(WaitingRequest.id).with_for_update(of=WaitingRequest, skip_locked=True, key_share=True)
    for request in db.session.scalars(locked).all():
        lapse(request)


def lapse(request: WaitingRequest) -> None:
    """The offer of this request, which is locked, was not answered."""
    unanswered = unanswered_offers([request.id])[request.id]
    close(request, after_silence(unanswered, is_over(request)))
    # Whoever found it out, such as somebody who books, did not do it.
    after = {"state": request.state.value, "unanswered": unanswered}
    record("waiting.lapsed", f"waiting/{request.id}", after=after, outcome="ran out")
    mails.lapsed(request)


def close(request: WaitingRequest, state: RequestState) -> None:
    """Another state; with a time when it is the last."""
    request.state = state
    request.closed_at = None if state is RequestState.WAITING else datetime.now(UTC)


def is_over(request: WaitingRequest) -> bool:
    """Whether no time within the window can be offered any longer, or its conference can have no other."""
    if request.conference and request.conference.state not in (ConferenceState.PLANNED, ConferenceState.CANCELLED):
        return True
    booking = booking_from_json(request.booking)
    return is_past(request.latest, booking.end - booking.start, datetime.now(UTC), lead())


def lead() -> timedelta:
    return timedelta(minutes=settings().lead_minutes)
