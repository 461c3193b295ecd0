"""What programs send to book and to edit series, and what they mean by it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from pydantic import Field

from api.values import Day, Instant, PlainText, RequestModel, Whole
from config import settings
from errors import FieldProblem, Invalid
from models import Purpose
from studios.booking.api.asked import Code, ConferenceRequest, Parties, Title
from studios.booking.api.reading import ids_by_code, no_such_studio, read_booking
from studios.booking.conferences import limits
from studios.booking.obstacles import WishRefused
from studios.booking.rules import MOST_PARTIES, Problem
from studios.booking.series.choices import Choice
from studios.booking.series.previews import SeriesRequest
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.rules import MOST_OCCURRENCES
from studios.booking.wishes import GuestWish, PartyWish

MINUTE = timedelta(minutes=1)
LONGEST_RULE = 500
Reach = Literal["this", "following", "all"]


class StudioChoiceRequest(RequestModel):
    """`party`: its number at the table, from 1."""

    party: Annotated[int, Field(ge=1, le=MOST_PARTIES)]
    studio: Code


class ChoiceRequest(RequestModel):
    """What is chosen for the meeting that the rule puts on `day`: it is skipped, or is at another time, or in other
    studios."""

    day: Day
    skip: bool = False
    start: Instant | None = None
    studios: Annotated[list[StudioChoiceRequest], Field(max_length=MOST_PARTIES)] = Field(default=[])


class SeriesBookingRequest(ConferenceRequest):
    """A series to be booked. `start` and `end` are those of its first meeting; the time of `start` on the wall clock of
    the installation is that of all. `rule`: an RRULE (RFC 5545) with a COUNT or an UNTIL, such as
    `FREQ=WEEKLY;BYDAY=MO;COUNT=26`; the first day is a meeting's only if the rule says so."""

    rule: Annotated[PlainText, Field(min_length=1, max_length=LONGEST_RULE)]
    choices: Annotated[list[ChoiceRequest], Field(max_length=MOST_OCCURRENCES)] = Field(default=[])


class SeriesChangeRequest(RequestModel):
    """What shall be different; what is missing or null stays. `start` and `end` are those of this meeting: the others
    move as it does, on calendar and wall clock. `version`: that of this meeting when the change was made up."""

    scope: Reach
    title: Title | None = None
    purpose: Purpose | None = None
    start: Instant | None = None
    end: Instant | None = None
    parties: Parties | None = None
    movable: bool | None = None
    version: Whole | None = None


class ReachQuery(RequestModel):
    scope: Reach


def read_series(body: SeriesBookingRequest) -> SeriesRequest:
    """Raises Invalid, Forbidden and WishRefused."""
    booking = read_booking(body)
    zone = ZoneInfo(settings().zone)
    first = body.start.astimezone(zone)
    minutes = whole_minutes(body.start, body.end)
    if body.start > datetime.now(UTC) + limits().horizon:
        raise WishRefused([Problem.TOO_FAR_AHEAD])
    recurrence = Recurrence(body.rule, first.date(), first.time().replace(fold=0), minutes, zone.key)
    return SeriesRequest(booking, recurrence, _choices(body.choices, booking.parties))


def whole_minutes(start: datetime, end: datetime) -> int:
    """How long every meeting is. Raises WishRefused, and Invalid for a part of a minute."""
    if end <= start:
        raise WishRefused([Problem.END_BEFORE_START])
    if end - start > limits().longest:
        raise WishRefused([Problem.TOO_LONG])
    minutes, rest = divmod(end - start, MINUTE)
    if rest:
        raise Invalid(_("The meetings of a series last whole minutes."), "end")
    return minutes


def _choices(given: Sequence[ChoiceRequest], parties: Sequence[PartyWish]) -> dict[str, Choice]:
    known = ids_by_code([each.studio for choice in given for each in choice.studios])
    if problems := [problem for place in range(len(given)) for problem in _unfit(place, given, parties, known)]:
        raise Invalid(_("Some of what is asked for is not known; see the problems."), problems=problems)
    return {
        choice.day.isoformat(): Choice(
            choice.skip, choice.start, {each.party - 1: known[each.studio] for each in choice.studios}
        )
        for choice in given
    }


def _unfit(
    place: int, given: Sequence[ChoiceRequest], parties: Sequence[PartyWish], known: dict[str, int]
) -> Iterator[FieldProblem]:
    field, choice = f"choices.{place}", given[place]
    if choice.day in [each.day for each in given[:place]]:
        yield FieldProblem(f"{field}.day", _("This day is named twice."))
    if choice.start and choice.start > datetime.now(UTC) + limits().horizon:
        days = limits().horizon.days
        yield FieldProblem(f"{field}.start", _("A conference can be booked at most %(days)s days ahead.", days=days))
    for number, each in enumerate(choice.studios):
        if each.party > len(parties) or isinstance(parties[each.party - 1], GuestWish):
            yield FieldProblem(f"{field}.studios.{number}.party", _("This party has no studio."))
        if each.studio not in known:
            yield FieldProblem(f"{field}.studios.{number}.studio", no_such_studio(each.studio))
