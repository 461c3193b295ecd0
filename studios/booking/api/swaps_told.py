"""Swaps as programs are told them. Who is asked reads whose conference it is, when and where; never its title."""

from collections.abc import Mapping, Sequence
from typing import Literal

from accounts.permissions import access
from api.values import AnswerModel, Instant
from models import RequestState, Swap
from studios.booking.api.reading import BOOKERS
from studios.booking.api.references import reference_of
from studios.booking.api.series_told import MeetingAnswer, meeting_answer
from studios.booking.api.wishes_told import named_codes, seated_codes
from studios.booking.candidates import Candidate
from studios.booking.conferences import booking_of
from studios.booking.rooms import rooms
from studios.booking.wishes import Booking, booking_from_json, studio_ids

Direction = Literal["asked", "received"]


class PlaceAnswer(AnswerModel):
    """A time and, by party, the studios; null for a guest and for what is drawn from a pool."""

    start: Instant
    end: Instant
    studios: list[str | None]


class SwapAnswer(AnswerModel):
    """`direction`: asked by one's own organisation, or received from another. `conference`: the one that is asked to
    move, of `owner`, to where `proposed` says. `wanted`: what `asker` wants to have instead, whose `title` only the
    asker reads; `own`: the reference of the asker's conference that would go there. `booked`: after it was accepted,
    the reference of the asker's conference."""

    id: int
    state: RequestState
    direction: Direction
    owner: str
    asker: str
    conference: MeetingAnswer
    proposed: PlaceAnswer
    wanted: PlaceAnswer
    title: str | None
    own: str | None
    reason: str
    answer_reason: str | None
    created_at: Instant
    expires_at: Instant
    booked: str | None


class SwapsAnswer(AnswerModel):
    """By the time of asking. `next`: the cursor with which the following ones are asked for."""

    swaps: list[SwapAnswer]
    next: str | None


def swap_answers(swaps: Sequence[Swap]) -> list[SwapAnswer]:
    bookings = [booking_from_json(each.booking) for each in swaps]
    named = {key for booking in bookings for key in studio_ids(booking.parties)}
    known = rooms({*named, *(key for each in swaps for key in each.proposed_studios)})
    return [_swap(each, booking, known) for each, booking in zip(swaps, bookings, strict=True)]


def _swap(swap: Swap, wanted: Booking, known: Mapping[int, Candidate]) -> SwapAnswer:
    is_asker = access().covers(swap.organisation_id, *BOOKERS)
    return SwapAnswer(
        id=swap.id,
        state=swap.state,
        direction="asked" if is_asker else "received",
        owner=swap.conference.organisation.name,
        asker=swap.organisation.name,
        conference=meeting_answer(swap.conference),
        proposed=_proposed(swap, known),
        wanted=PlaceAnswer(start=wanted.start, end=wanted.end, studios=named_codes(wanted.parties, known)),
        title=wanted.title if is_asker else None,
        own=reference_of(swap.own_conference_id) if swap.own_conference_id else None,
        reason=swap.reason,
        answer_reason=swap.answer_reason,
        created_at=swap.created_at,
        expires_at=swap.expires_at,
        booked=reference_of(swap.booked_id) if swap.booked_id else None,
    )


def _proposed(swap: Swap, known: Mapping[int, Candidate]) -> PlaceAnswer:
    studios = seated_codes(booking_of(swap.conference).parties, swap.proposed_studios, known)
    return PlaceAnswer(start=swap.proposed_start, end=swap.proposed_end, studios=studios)
