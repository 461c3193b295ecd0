"""When studios are taken, closed and free."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask_babel import gettext as _
from pydantic import Field

from accounts.permissions import EVERY_ROLE
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.values import AnswerModel, Instant
from errors import Invalid
from models import ReservationKind
from studios.booking.api.places import MOST_STUDIOS, StudiosQuery, chosen_studios
from studios.booking.api.taken import Held, held_between
from studios.booking.candidates import BookableHours, Candidate
from studios.booking.hours import closed_spans
from studios.booking.queries import Closed, closures
from studios.calendars.rules import Span, openings

blueprint = Blueprint("availability", __name__, url_prefix=f"{PREFIX}/availability")

ONE_DAY = timedelta(days=1)
LONGEST = timedelta(days=31)
MOST_STUDIO_DAYS = 1550


class AvailabilityQuery(StudiosQuery):
    since: Instant | None = Field(None, alias="from")
    to: Instant | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_STUDIOS)] = 50


class SpanAnswer(AnswerModel):
    start: Instant
    end: Instant


class BusyAnswer(SpanAnswer):
    """With the buffers around the meeting. `reference` and `owner` are null for time that belongs to no conference."""

    kind: ReservationKind
    reference: str | None
    owner: str | None


class ClosureSpanAnswer(SpanAnswer):
    reason: str


class StudioTimesAnswer(AnswerModel):
    """`free`: neither taken nor closed, and within the bookable hours. A meeting needs the studio's own buffers in it:
    `setup_minutes` before and `clear_down_minutes` after."""

    studio: str
    name: str
    bookable_hours: BookableHours | None
    setup_minutes: int
    clear_down_minutes: int
    busy: list[BusyAnswer]
    closures: list[ClosureSpanAnswer]
    free: list[SpanAnswer]


class AvailabilityAnswer(AnswerModel):
    """`total`: how many studios fit, of which the first `limit` are told."""

    start: Instant
    end: Instant
    total: int
    studios: list[StudioTimesAnswer]


@endpoint(
    blueprint, "GET", "", summary="When studios are free", scope=Scope.READ, roles=EVERY_ROLE,
    query=AvailabilityQuery, answers={200: AvailabilityAnswer},
)  # fmt: skip
def availability(query: AvailabilityQuery) -> Answer:
    """From `from` (now) to `to` (a day after it), at most 31 days, of the studios named by `studio` (several times), or
    of all that stand at a place and have what is asked for.

    Studios times days are at most 1550: 900 studios for a day, 200 for a week, 50 for 31 days.
    """
    window = _window(query)
    found = chosen_studios(query)
    shown = found[: query.limit]
    if len(shown) * (-(-window.length // ONE_DAY)) > MOST_STUDIO_DAYS:
        raise Invalid(_("That are too many studios for so many days. Ask for fewer of either."), "to")
    told = AvailabilityAnswer(start=window.start, end=window.end, total=len(found), studios=_times(shown, window))
    return Answer(told)


def _window(query: AvailabilityQuery) -> Span:
    start = query.since or datetime.now(UTC)
    window = Span(start, query.to or start + ONE_DAY)
    if window.end <= window.start:
        raise Invalid(_("The end must come after the start."), "to")
    if window.length > LONGEST:
        raise Invalid(_("At most %(days)s days can be asked for at once.", days=LONGEST.days), "to")
    return window


def _times(studios: Sequence[Candidate], window: Span) -> list[StudioTimesAnswer]:
    held = held_between([studio.id for studio in studios], window)
    closed: dict[int, list[Closed]] = {}
    for each in closures(studios, window.start, window.end):
        closed.setdefault(each.studio.id, []).append(each)
    return [_studio(each, held.get(each.id, []), closed.get(each.id, []), window) for each in studios]


def _studio(studio: Candidate, held: Sequence[Held], closed: Sequence[Closed], window: Span) -> StudioTimesAnswer:
    shut = closed_spans(studio.hours, ZoneInfo(studio.zone), window.start, window.end)
    taken = [Span(each.start, each.end) for each in held] + [Span(each.starts_at, each.ends_at) for each in closed]
    return StudioTimesAnswer(
        studio=studio.code,
        name=studio.name,
        bookable_hours=studio.hours,
        setup_minutes=studio.setup // timedelta(minutes=1),
        clear_down_minutes=studio.clear_down // timedelta(minutes=1),
        busy=list(_busy(held)),
        closures=[ClosureSpanAnswer(start=each.starts_at, end=each.ends_at, reason=each.reason) for each in closed],
        free=[SpanAnswer(start=span.start, end=span.end) for span in openings(window, taken + shut)],
    )


def _busy(held: Sequence[Held]) -> Iterator[BusyAnswer]:
    for each in held:
        yield BusyAnswer(
            start=each.start, end=each.end, kind=each.kind, reference=each.reference or None, owner=each.owner or None
        )
