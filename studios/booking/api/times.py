"""Find a time at which all parties can meet, and say what stands in the way."""

from datetime import time, timedelta
from typing import Annotated, Any

from flask import Blueprint
from flask_babel import gettext as _
from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from accounts.permissions import EVERY_ROLE
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.values import AnswerModel, Instant, PlainText, RequestModel
from errors import Invalid
from models import Purpose
from studios.booking import queries
from studios.booking.api.asked import Code, Parties
from studios.booking.api.binding import BindingAnswer, binding_answers
from studios.booking.api.reading import own, read_parties
from studios.booking.api.suggestions import suggestion_answers
from studios.booking.api.told import SuggestionAnswer
from studios.booking.finding.times import Hours, find_time
from studios.booking.hours import DAYS
from studios.booking.ports import without_room
from studios.booking.rules import ports_needed
from studios.calendars.rules import Span

blueprint = Blueprint("times", __name__, url_prefix=f"{PREFIX}/find-time")

LONGEST_WINDOW = timedelta(days=62)
LONGEST_MEETING = 24 * 60
OfTheDay = Annotated[PlainText, Field(max_length=5, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


def _day(value: Any) -> int:
    """0 is Monday."""
    if isinstance(value, str) and value in DAYS:
        return DAYS.index(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(DAYS):
        return value
    raise PydanticCustomError(
        "day_of_the_week", "A day is one of mon, tue, wed, thu, fri, sat, sun, or 0 to 6 of these."
    )


DAY_SCHEMA = {"anyOf": [{"type": "string", "enum": list(DAYS)}, {"type": "integer", "minimum": 0, "maximum": 6}]}
DayOfTheWeek = Annotated[int, PlainValidator(_day), WithJsonSchema(DAY_SCHEMA)]


class HoursRequest(RequestModel):
    """Hours of the wall clock; those that end no later than they begin go on over midnight."""

    since: OfTheDay = Field(alias="from")
    to: OfTheDay


class TimeRequest(RequestModel):
    """The meeting lies wholly between `start` and `end`, which are at most 62 days apart.

    `purpose`: clinical work and multidisciplinary meetings draw from pools only studios that are suited for clinical
    use; administration, the default, draws any. `preferred`: the start to which suggestions shall be near. `hours` and
    `days`: which of each day and week; days by name, or 0 for
    Monday to 6. `moving`: the reference of a conference that is being moved, whose own time
    does not count as taken.
    """

    duration_minutes: Annotated[int, Field(ge=5, le=LONGEST_MEETING)]
    start: Instant
    end: Instant
    parties: Parties
    purpose: Purpose = Purpose.ADMINISTRATION
    preferred: Instant | None = None
    hours: HoursRequest | None = None
    days: Annotated[list[DayOfTheWeek], Field(min_length=1, max_length=7)] | None = None
    limit: Annotated[int, Field(ge=1, le=20)] = 5
    moving: Code | None = None


class TimesAnswer(AnswerModel):
    """`suggestions`: best first. `binding`: where nothing fits, or not at the preferred start, what is in the way at
    `near_miss`, the start that came nearest to working; or why no time at all will do."""

    suggestions: list[SuggestionAnswer]
    near_miss: Instant | None
    binding: list[BindingAnswer]


@endpoint(
    blueprint, "POST", "", summary="Find a time", scope=Scope.READ, roles=EVERY_ROLE, body=TimeRequest,
    answers={200: TimesAnswer},
)  # fmt: skip
def find(body: TimeRequest) -> Answer:
    """Times at which every party can have a studio of its own, with the studios, and ports on a bridge. Nothing is
    reserved. When nothing fits, they are shifted by up to 20 minutes or shortened by up to a quarter."""
    window = _window(body)
    parties = read_parties(body.parties)
    moved_id = _moved(body.moving)
    barred = without_room(ports_needed(parties, video=True), window.start, window.end, moved_id)
    answer = find_time(
        parties, body.duration_minutes, window.start, window.end, own=own(), purpose=body.purpose,
        preferred=body.preferred, hours=_hours(body.hours), days=body.days, but=moved_id, limit=body.limit,
        barred=barred,
    )  # fmt: skip
    told = TimesAnswer(
        suggestions=suggestion_answers(answer),
        near_miss=answer.missed.start if answer.missed else None,
        binding=binding_answers(answer, _codes(body)),
    )
    return Answer(told)


def _window(body: TimeRequest) -> Span:
    if body.end <= body.start:
        raise Invalid(_("The end must come after the start."), "end")
    if body.end - body.start > LONGEST_WINDOW:
        raise Invalid(_("At most %(days)s days can be asked for at once.", days=LONGEST_WINDOW.days), "end")
    return Span(body.start, body.end)


def _moved(reference: str | None) -> int | None:
    if reference is None:
        return None
    found = queries.conference_by_reference(reference)
    if found is None:
        raise Invalid(_("There is no conference with this reference."), "moving")
    return found.id


def _hours(hours: HoursRequest | None) -> Hours | None:
    return (time.fromisoformat(hours.since), time.fromisoformat(hours.to)) if hours else None


def _codes(body: TimeRequest) -> list[str]:
    """What each party asks for by name; nothing where it does not."""
    return [party.studio or "" for party in body.parties]
