"""What booking a series would give, meeting by meeting, before anything is saved. Writes nothing, locks nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from flask_babel import gettext as _

from errors import NotFound
from models import Account
from studios.booking.candidates import Candidate
from studios.booking.obstacles import Obstacle, Unavailable, WishRefused
from studios.booking.rules import Problem, party_problems, title_problems
from studios.booking.series.choices import Choice, Planned, apply
from studios.booking.series.judging import Judged, Verdict, judge
from studios.booking.series.recurrence import Note, Recurrence, occurrences
from studios.booking.series.rules import MOST_SEATS, RuleProblem, RuleRefused
from studios.booking.wishes import Booking, GuestWish, PartyWish, PoolWish, StudioWish


class State(StrEnum):
    FREE = "free"
    REPLACEABLE = "replaceable"
    """Studios are in the way, and for each of them another one would do."""
    CONFLICT = "conflict"
    IMPOSSIBLE = "impossible"
    """Its time does not exist, or breaks a rule whatever the studios are doing."""
    SKIPPED = "skipped"


@dataclass(frozen=True)
class SeriesRequest:
    """A series to be booked. The times of `booking` are those of no meeting: the recurrence has them.

    `choices`: by day (an ISO date), what is chosen for single meetings.
    """

    booking: Booking
    recurrence: Recurrence
    choices: Mapping[str, Choice] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One meeting of the series: its time and notes are in `planned`."""

    planned: Planned
    state: State
    problems: tuple[Problem, ...] = ()
    studios: tuple[Candidate | None, ...] = ()
    """By party the studio that it would get; None for a guest, and where no studio is left."""
    obstacles: tuple[Obstacle, ...] = ()
    replacements: Mapping[int, Candidate] = field(default_factory=dict)
    """By party: what would do in place of a studio that is in the way."""

    @property
    def day(self) -> str:
        """What choices call it."""
        return self.planned.occurrence.day.isoformat()

    @property
    def start(self) -> datetime | None:
        return self.planned.start

    @property
    def end(self) -> datetime | None:
        return self.planned.end

    @property
    def notes(self) -> frozenset[Note]:
        return self.planned.occurrence.notes

    @property
    def holidays(self) -> tuple[str, ...]:
        return self.planned.occurrence.holidays

    @property
    def is_in_the_way(self) -> bool:
        """Whether the series can't be saved because of it."""
        return self.state not in (State.FREE, State.SKIPPED)


@dataclass(frozen=True)
class Preview:
    lines: tuple[Line, ...]

    def count(self, state: State) -> int:
        return sum(line.state is state for line in self.lines)

    @property
    def can_be_saved(self) -> bool:
        return self.count(State.FREE) > 0 and not any(line.is_in_the_way for line in self.lines)


class SeriesRefused(Unavailable):
    """A series is saved whole or not at all; `lines` say what is in the way of which meeting."""

    def __init__(self, lines: Sequence[Line]) -> None:
        in_the_way = [line for line in lines if line.is_in_the_way]
        super().__init__(
            _("Some meetings of the series cannot be had as they are. Nothing was booked."),
            [obstacle for line in in_the_way for obstacle in line.obstacles],
        )
        self.lines = tuple(lines)


def preview(request: SeriesRequest, person: Account | None) -> Preview:
    """Every meeting of the series with its state. Raises WishRefused for what is wrong with all of them, RuleRefused,
    UnknownDays, and NotFound where a choice names a party that is none."""
    booking = request.booking
    if found := title_problems(booking.title) + party_problems(booking.parties, booking.video):
        raise WishRefused(found)
    planned = apply(occurrences(request.recurrence), request.choices)
    if len(planned) * len(booking.parties) > MOST_SEATS:
        raise RuleRefused(RuleProblem.TOO_LARGE)
    asked = [Judged(booking_for(each, booking)) for each in planned if each.to_be_booked]
    verdicts = iter(judge(asked, person))
    return Preview(tuple(_line(each, next(verdicts) if each.to_be_booked else None) for each in planned))


def booking_for(planned: Planned, booking: Booking) -> Booking:
    """What is booked for one meeting of a series, with the studios that were chosen for it."""
    if planned.start is None or planned.end is None:
        raise ValueError("a meeting whose time does not exist is not booked")
    parties = list(booking.parties)
    for position, studio_id in planned.studios.items():
        if position not in range(len(parties)) or isinstance(parties[position], GuestWish):
            raise NotFound(_("Nobody sits at that place of this conference."))
        parties[position] = _swapped(parties[position], studio_id)
    return replace(booking, start=planned.start, end=planned.end, parties=tuple(parties))


def _swapped(wish: PartyWish, studio_id: int) -> StudioWish:
    """This studio, for as many people and with the same equipment."""
    match wish:
        case StudioWish(_, attendees, equipment):
            return StudioWish(studio_id, attendees, equipment)
        case PoolWish(capacity=capacity, equipment=equipment):
            return StudioWish(studio_id, capacity, equipment)
        case GuestWish():
            raise ValueError("a guest has no studio")


def _line(planned: Planned, verdict: Verdict | None) -> Line:
    if planned.skipped:
        return Line(planned, State.SKIPPED)
    if verdict is None:
        return Line(planned, State.IMPOSSIBLE, (Problem.TIME_DOES_NOT_EXIST,))
    return Line(planned, _state(verdict), verdict.problems, verdict.studios, verdict.obstacles, verdict.replacements)


def _state(verdict: Verdict) -> State:
    if verdict.problems:
        return State.IMPOSSIBLE
    if verdict.is_free:
        return State.FREE
    return State.REPLACEABLE if verdict.is_replaceable else State.CONFLICT
