"""Refused bookings as programs are told them: the fields that are wrong, or what is in the way and what would do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from api.answers import Answer
from api.idempotency import once
from config import settings
from errors import Conflict, FieldProblem, Invalid
from studios.booking.api.alternatives import alternatives
from studios.booking.api.told import ConflictAnswer, ObstacleAnswer
from studios.booking.explaining import obstacle_sentence
from studios.booking.obstacles import ChangedMeanwhile, Obstacle, Unavailable, WishRefused
from studios.booking.refusals import field_of, sentence
from studios.booking.rooms import rooms
from studios.booking.wishes import Booking, StudioWish, studio_ids

# What the booking form calls the fields, and what programs call them.
FIELDS = {"find": "parties", "date": "start", "duration": "end"}


@dataclass(frozen=True)
class Wished:
    """What was asked for when it was refused; `moved_id` is the conference that should have become so. `is_fixed`: it
    runs, and there is no other time for it."""

    booking: Booking
    moved_id: int | None = None
    is_fixed: bool = False


def done(work: Callable[[], Answer], wished: Callable[[], Wished] | None = None) -> Answer:
    """`once`, with what the booking rules refuse told in full.

    `wished` reads again what was asked for, once the refused work is taken back: other times are looked for then,
    outside any transaction that writes.
    """
    try:
        return once(work)
    except WishRefused as error:
        raise as_invalid(error) from None
    except Conflict as error:
        refusal = error
    return Answer(_told(refusal, wished() if wished and isinstance(refusal, Unavailable) else None), 409)


def as_invalid(error: WishRefused) -> Invalid:
    """The rules that a request breaks, each beside its field."""
    found = [
        FieldProblem(FIELDS.get(field_of(each), field_of(each)), sentence(each, "", settings()))
        for each in error.problems
    ]
    return Invalid(_("Something in the request does not fit; see the problems."), problems=found)


def _told(error: Conflict, wished: Wished | None) -> ConflictAnswer:
    obstacles = error.obstacles if isinstance(error, Unavailable) else []
    places = _places(wished.booking) if wished else {}
    return ConflictAnswer(
        error=error.message,
        changed=isinstance(error, ChangedMeanwhile),
        conflicts=[obstacle_answer(each, places) for each in obstacles],
        alternatives=alternatives(wished.booking, wished.moved_id) if wished and not wished.is_fixed else [],
    )


def obstacle_answer(obstacle: Obstacle, places: Mapping[str, Sequence[int]]) -> ObstacleAnswer:
    """`places`: by code where at the table a studio was asked for, from 0."""
    return ObstacleAnswer(
        kind=obstacle.kind,
        parties=[place + 1 for place in obstacle.parties or places.get(obstacle.studio, ())],
        studio=obstacle.studio or None,
        start=obstacle.start,
        end=obstacle.end,
        reference=obstacle.reference or None,
        owner=obstacle.owner or None,
        contact=obstacle.contact or None,
        reason=obstacle.reason or None,
        message=obstacle_sentence(obstacle),
    )


def _places(booking: Booking) -> dict[str, list[int]]:
    known = rooms(studio_ids(booking.parties))
    return {
        known[wish.studio_id].code: [place]
        for place, wish in enumerate(booking.parties)
        if isinstance(wish, StudioWish) and wish.studio_id in known
    }
