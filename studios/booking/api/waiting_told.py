"""Requests on the waiting list as programs are told them: only to who acts for the organisation that waits."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from api.values import AnswerModel, Instant
from models import Purpose, RequestState, WaitingRequest
from studios.booking.api.wishes_told import WishAnswer, seated_codes, wish_answers
from studios.booking.candidates import Candidate
from studios.booking.rooms import rooms
from studios.booking.wishes import Booking, booking_from_json, studio_ids

MINUTE = timedelta(minutes=1)


class OfferAnswer(AnswerModel):
    """A time that is held until `expires_at`. `studios`: the codes by party, null for a guest."""

    start: Instant
    end: Instant
    studios: list[str | None]
    expires_at: Instant


class WaitingAnswer(AnswerModel):
    """`conference`: the reference of the conference that gets the time, or that got it. `offer`: null where nothing is
    held now; an offer that nobody accepts goes to the next in line."""

    id: int
    state: RequestState
    organisation: str
    title: str
    purpose: Purpose
    parties: list[WishAnswer]
    duration_minutes: int
    preferred: Instant
    earliest: Instant
    latest: Instant
    conference: str | None
    created_at: Instant
    offer: OfferAnswer | None


class WaitingListAnswer(AnswerModel):
    """By the time of asking. `next`: the cursor with which the following ones are asked for."""

    requests: list[WaitingAnswer]
    next: str | None


def waiting_answers(requests: Sequence[WaitingRequest]) -> list[WaitingAnswer]:
    bookings = [booking_from_json(each.booking) for each in requests]
    held = {hold.studio_id for each in requests for hold in each.holds}
    known = rooms({*held, *(key for booking in bookings for key in studio_ids(booking.parties))})
    return [_request(each, booking, known) for each, booking in zip(requests, bookings, strict=True)]


def offer_answer(request: WaitingRequest) -> OfferAnswer | None:
    """What is held for it at this moment."""
    booking = booking_from_json(request.booking)
    return _offer(request, booking, rooms({hold.studio_id for hold in request.holds}))


def _request(request: WaitingRequest, booking: Booking, known: Mapping[int, Candidate]) -> WaitingAnswer:
    return WaitingAnswer(
        id=request.id,
        state=request.state,
        organisation=request.organisation.name,
        title=booking.title,
        purpose=booking.purpose,
        parties=wish_answers(booking.parties, known),
        duration_minutes=(booking.end - booking.start) // MINUTE,
        preferred=booking.start,
        earliest=request.earliest,
        latest=request.latest,
        conference=request.conference.reference if request.conference else None,
        created_at=request.created_at,
        offer=_offer(request, booking, known),
    )


def _offer(request: WaitingRequest, booking: Booking, known: Mapping[int, Candidate]) -> OfferAnswer | None:
    start, end, until = request.offered_start, request.offered_end, request.offer_expires_at
    if request.state is not RequestState.OFFERED or not (start and end and until) or until <= datetime.now(UTC):
        return None
    held = [hold.studio_id for hold in request.holds if hold.released_at is None and hold.expires_at == until]
    return OfferAnswer(start=start, end=end, studios=seated_codes(booking.parties, held, known), expires_at=until)
