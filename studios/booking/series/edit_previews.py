"""What an edit of a series would do, meeting by meeting, before anything is changed. Writes nothing, locks nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flask_babel import gettext as _

from errors import Conflict
from models import Account, Conference, Purpose
from studios.booking.conferences import booking_of, what_stands
from studios.booking.drawing import Said
from studios.booking.obstacles import Obstacle, Unavailable, WishRefused
from studios.booking.rules import Problem, clean_title, party_problems, title_problems
from studios.booking.series import edits, members
from studios.booking.series.edits import Change, Kept, Outcome, Scope, Shift, shift_between
from studios.booking.series.judging import Judged, Verdict, judge
from studios.booking.series.members import Members
from studios.booking.series.splitting import shifted
from studios.booking.wishes import Booking, PartyWish

LEFT_ALONE = frozenset({Kept.CANCELLED, Kept.OVER, Kept.UNDER_WAY})


@dataclass(frozen=True)
class SeriesChange:
    """What is edited; None for what stays.

    `start`: the new start of the meeting that the edit is made on; others move as it does on calendar and wall clock.
    `minutes`: the new length of all. `parties`: the whole table as it shall be.
    """

    start: datetime | None = None
    minutes: int | None = None
    title: str | None = None
    purpose: Purpose | None = None
    movable: bool | None = None
    parties: tuple[PartyWish, ...] | None = None


@dataclass(frozen=True)
class Step:
    """What becomes of one meeting."""

    outcome: Outcome
    conference: Conference
    before: Booking
    after: Booking
    studio_ids: frozenset[int]
    """The studios that it has before."""
    said: tuple[Said, ...] = ()
    """What stands of its parties, where it is not moved."""

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def reseated(self) -> bool:
        return self.outcome.moved or self.before.parties != self.after.parties


@dataclass(frozen=True)
class EditLine:
    """One meeting: `outcome` has its time before and after, what it takes of the edit, and why not all of it."""

    reference: str
    outcome: Outcome
    changed: bool
    problems: tuple[Problem, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def is_in_the_way(self) -> bool:
        """Whether the edit can't be made because of it."""
        return bool(self.problems or self.obstacles)


@dataclass(frozen=True)
class EditPreview:
    lines: tuple[EditLine, ...]

    @property
    def can_be_made(self) -> bool:
        return any(line.changed for line in self.lines) and not any(line.is_in_the_way for line in self.lines)


class EditRefused(Unavailable):
    """An edit is made whole or not at all; `lines` say what is in the way of which meeting."""

    def __init__(self, lines: Sequence[EditLine]) -> None:
        super().__init__(
            _("Some meetings of the series cannot be changed like this. Nothing was changed."),
            [obstacle for line in lines for obstacle in line.obstacles],
        )
        self.lines = tuple(lines)


def preview_edit(conference_id: int, scope: Scope, change: SeriesChange, person: Account | None) -> EditPreview:
    """What the edit, made on this meeting of a series, does to each in its scope; raises as `editing.edit_series`."""
    found = members.read(conference_id, scope)
    return EditPreview(tuple(judged(steps(found, scope, change), person)))


def steps(found: Members, scope: Scope, change: SeriesChange) -> list[Step]:
    """Raises WishRefused for what is wrong with the change itself, and Conflict where it touches no meeting."""
    _check(found, scope, change)
    outcomes = edits.edit(found.members, found.pivot, scope, _pure(change), found.zone, datetime.now(UTC))
    if all(outcome.kept in LEFT_ALONE for outcome in outcomes):
        raise Conflict(_("These meetings are cancelled, under way or over, and can no longer be changed."))
    return [_step(outcome, found.conferences[outcome.member.conference_id], change) for outcome in outcomes]


def judged(found: Sequence[Step], person: Account | None) -> list[EditLine]:
    """A line for each step; those that are seated anew are judged as if none of them sat anywhere yet."""
    reseated = [step for step in found if step.reseated]
    asked = [
        Judged(step.after, step.outcome.moved, step.conference.id, step.studio_ids, step.said) for step in reseated
    ]
    verdicts = dict(zip((step.conference.id for step in reseated), judge(asked, person) if asked else [], strict=True))
    return [_line(step, verdicts.get(step.conference.id, Verdict())) for step in found]


def shift_of(found: Members, change: SeriesChange) -> Shift | None:
    """How the edit moves the meetings on calendar and wall clock; None when it does not."""
    return shift_between(found.pivot.start, change.start, found.zone)


def _check(found: Members, scope: Scope, change: SeriesChange) -> None:
    problems = title_problems(change.title) if change.title is not None else []
    if change.parties is not None:
        problems += party_problems(change.parties, found.conferences[found.pivot.conference_id].video)
    if problems:
        raise WishRefused(problems)
    shift = shift_of(found, change)
    if scope is not Scope.THIS and shift and shifted(found.recurrence, shift.days) is None:
        raise Conflict(_("The days of this series cannot be moved together. Cancel it from here on and book it anew."))


def _pure(change: SeriesChange) -> Change:
    return Change(
        change.start,
        change.minutes,
        change.title is not None,
        change.purpose is not None,
        change.parties is not None,
    )


def _step(outcome: Outcome, conference: Conference, change: SeriesChange) -> Step:
    before = booking_of(conference)
    had = frozenset(held.studio_id for held in conference.reservations if held.released_at is None)
    if outcome.kept in LEFT_ALONE:
        return Step(outcome, conference, before, before, had)
    after = replace(
        before,
        start=outcome.start,
        end=outcome.end,
        title=clean_title(change.title) if change.title is not None else before.title,
        purpose=change.purpose or before.purpose,
        movable=before.movable if change.movable is None else change.movable,
        parties=change.parties if change.parties is not None and outcome.parties else before.parties,
    )
    return Step(outcome, conference, before, after, had, () if outcome.moved else tuple(what_stands(conference)))


def _line(step: Step, verdict: Verdict) -> EditLine:
    return EditLine(step.conference.reference, step.outcome, step.changed, verdict.problems, verdict.obstacles)
