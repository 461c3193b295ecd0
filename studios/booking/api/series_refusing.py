"""Refused series as programs are told them: the sentence beside its field, or what is in the way of which meeting."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import gettext as _

from api.answers import Answer
from errors import Conflict, FieldProblem, Invalid
from studios.booking.api.refusing import as_invalid, obstacle_answer
from studios.booking.api.series_asked import ChoiceRequest
from studios.booking.api.series_told import (
    SeriesConflictAnswer,
    SeriesEditConflictAnswer,
    edit_line_answers,
    occurrence_answers,
)
from studios.booking.api.told import ObstacleAnswer
from studios.booking.obstacles import ChangedMeanwhile, Unavailable, WishRefused
from studios.booking.series.choices import UnknownDays
from studios.booking.series.edit_previews import EditRefused
from studios.booking.series.previews import SeriesRefused
from studios.booking.series.rules import RuleRefused
from studios.booking.series.wording import PROBLEMS


@contextmanager
def read_plainly(choices: list[ChoiceRequest] | None = None) -> Iterator[None]:
    """What is wrong with what was sent becomes Invalid, with its fields."""
    try:
        yield
    except WishRefused as error:
        raise as_invalid(error) from None
    except RuleRefused as error:
        raise Invalid(str(PROBLEMS[error.problem]), "rule") from None
    except UnknownDays as error:
        raise _unknown_days(error, choices or []) from None


def booking_refused(error: Conflict) -> Answer:
    lines = error.lines if isinstance(error, SeriesRefused) else ()
    told = SeriesConflictAnswer(error=error.message, conflicts=_obstacles(error), occurrences=occurrence_answers(lines))
    return Answer(told, 409)


def edit_refused(error: Conflict) -> Answer:
    told = SeriesEditConflictAnswer(
        error=error.message,
        changed=isinstance(error, ChangedMeanwhile),
        conflicts=_obstacles(error),
        occurrences=edit_line_answers(error.lines if isinstance(error, EditRefused) else ()),
    )
    return Answer(told, 409)


def _obstacles(error: Conflict) -> list[ObstacleAnswer]:
    return [obstacle_answer(each, {}) for each in error.obstacles] if isinstance(error, Unavailable) else []


def _unknown_days(error: UnknownDays, choices: list[ChoiceRequest]) -> Invalid:
    sentence = _("The rule puts no meeting on this day.")
    problems = [
        FieldProblem(f"choices.{place}.day", sentence)
        for place, choice in enumerate(choices)
        if choice.day.isoformat() in error.days
    ]
    return Invalid(sentence, problems=problems)
