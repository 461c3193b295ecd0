"""What programs are told of series and of each of their meetings."""

from collections.abc import Iterable, Sequence

from pydantic import Field

from api.values import AnswerModel, Day, Instant, Refusal
from config import settings
from models import Conference, ConferenceState
from studios.booking.api.references import reference_of
from studios.booking.api.refusing import obstacle_answer
from studios.booking.api.told import ObstacleAnswer
from studios.booking.refusals import sentence
from studios.booking.rules import Problem
from studios.booking.series.edit_previews import EditLine
from studios.booking.series.edits import Cancelling, Kept
from studios.booking.series.previews import Line, Preview, State
from studios.booking.series.recurrence import Note
from studios.booking.series.wording import holiday_name


class LineProblemAnswer(AnswerModel):
    """What is wrong with a meeting, whatever the studios are doing."""

    code: Problem
    message: str


class ReplacementAnswer(AnswerModel):
    """Another studio that would do; `party` counts from 1. To have it, send it as a choice for the day."""

    party: int
    from_: str = Field(serialization_alias="from")
    to: str


class OccurrenceAnswer(AnswerModel):
    """One meeting. `day`: what choices call it, where the rule puts it. `recurs_at`: the time that the rule gives it.
    `studios`: the codes by party, null for a guest and where none is left. `notes` are no refusals. `start` and `end`
    are null where the clock is moved over that time."""

    day: Day
    start: Instant | None
    end: Instant | None
    recurs_at: Instant
    state: State
    notes: list[Note]
    holidays: list[str]
    studios: list[str | None]
    replacements: list[ReplacementAnswer]
    conflicts: list[ObstacleAnswer]
    problems: list[LineProblemAnswer]


class CountsAnswer(AnswerModel):
    """How many meetings there are of each state."""

    free: int
    replaceable: int
    conflict: int
    impossible: int
    skipped: int


class PreviewAnswer(AnswerModel):
    """`can_be_saved`: every meeting is free or skipped, and one at least is free."""

    description: str
    can_be_saved: bool
    counts: CountsAnswer
    occurrences: list[OccurrenceAnswer]


class MeetingAnswer(AnswerModel):
    reference: str
    start: Instant
    end: Instant
    studios: list[str | None]


class SavedSeriesAnswer(AnswerModel):
    """`booked` and `skipped`: how many."""

    series: int
    booked: int
    skipped: int
    conferences: list[MeetingAnswer]


class SeriesConflictAnswer(Refusal):
    """Nothing was booked. `occurrences`: every meeting, as a preview tells it; none where the reason is not in one of
    them. `conflicts`: all that is in the way."""

    conflicts: list[ObstacleAnswer] = Field(default=[])
    occurrences: list[OccurrenceAnswer] = Field(default=[])


class MemberAnswer(MeetingAnswer):
    """`detached`: it was moved or seated by itself, and later edits of the series leave its time and studios alone."""

    state: ConferenceState
    recurs_at: Instant | None
    detached: bool
    version: int


class SeriesAnswer(AnswerModel):
    """`occurrences`: in the order of the rule, the cancelled ones too; those that were skipped were never booked."""

    series: int
    organisation: str
    rule: str
    description: str
    first_day: Day
    zone: str
    minutes: int
    occurrences: list[MemberAnswer]


class EditLineAnswer(AnswerModel):
    """What becomes of one meeting: its time `before` and afterwards. `kept`: why it does not take the edit or not all
    of it. `ambiguous`: its new start comes twice that night, and the first is meant."""

    reference: str
    start_before: Instant
    end_before: Instant
    start: Instant
    end: Instant
    changed: bool
    kept: Kept | None
    ambiguous: bool
    conflicts: list[ObstacleAnswer]
    problems: list[LineProblemAnswer]


class EditPreviewAnswer(AnswerModel):
    """`can_be_made`: something changes, and nothing is in the way."""

    can_be_made: bool
    occurrences: list[EditLineAnswer]


class SeriesEditedAnswer(AnswerModel):
    """`series`: that of the edited meetings, a new one where they were cut off from others. `changed`: references."""

    series: int
    changed: list[str]
    occurrences: list[EditLineAnswer]


class SeriesEditConflictAnswer(Refusal):
    """Nothing was changed. `changed`: somebody else has changed the conference since. `occurrences`: every meeting in
    the scope with what is in its way; none where the reason is not in one of them."""

    changed: bool = False
    conflicts: list[ObstacleAnswer] = Field(default=[])
    occurrences: list[EditLineAnswer] = Field(default=[])


class CancellingAnswer(AnswerModel):
    """`kept`: why it was left as it is; null where it was cancelled."""

    reference: str
    start: Instant
    end: Instant
    kept: Kept | None


class SeriesCancelledAnswer(AnswerModel):
    cancelled: list[str]
    occurrences: list[CancellingAnswer]


def preview_answer(found: Preview, description: str) -> PreviewAnswer:
    return PreviewAnswer(
        description=description,
        can_be_saved=found.can_be_saved,
        counts=CountsAnswer(**{state.value: found.count(state) for state in State}),
        occurrences=occurrence_answers(found.lines),
    )


def occurrence_answers(lines: Iterable[Line]) -> list[OccurrenceAnswer]:
    return [_occurrence(line) for line in lines]


def meeting_answer(conference: Conference) -> MeetingAnswer:
    return MeetingAnswer(
        reference=conference.reference,
        start=conference.starts_at,
        end=conference.ends_at,
        studios=codes_of(conference),
    )


def codes_of(conference: Conference) -> list[str | None]:
    return [party.reservation.studio.code if party.reservation else None for party in conference.parties]


def edit_line_answers(lines: Iterable[EditLine]) -> list[EditLineAnswer]:
    return [_edit_line(line) for line in lines]


def cancelling_answer(line: Cancelling) -> CancellingAnswer:
    member = line.member
    reference = reference_of(member.conference_id)
    return CancellingAnswer(reference=reference, start=member.start, end=member.end, kept=line.kept)


def _occurrence(line: Line) -> OccurrenceAnswer:
    return OccurrenceAnswer(
        day=line.planned.occurrence.day,
        start=line.start,
        end=line.end,
        recurs_at=line.planned.recurs_at,
        state=line.state,
        notes=sorted(line.notes),
        holidays=[str(holiday_name(name)) for name in line.holidays],
        studios=[studio.code if studio else None for studio in line.studios],
        replacements=_replacements(line),
        conflicts=[obstacle_answer(each, {}) for each in line.obstacles],
        problems=_problems(line.problems),
    )


def _replacements(line: Line) -> list[ReplacementAnswer]:
    return [
        ReplacementAnswer(party=position + 1, from_=old.code, to=studio.code)
        for position, studio in sorted(line.replacements.items())
        if (old := line.studios[position])
    ]


def _edit_line(line: EditLine) -> EditLineAnswer:
    outcome = line.outcome
    return EditLineAnswer(
        reference=line.reference,
        start_before=outcome.member.start,
        end_before=outcome.member.end,
        start=outcome.start,
        end=outcome.end,
        changed=line.changed,
        kept=outcome.kept,
        ambiguous=outcome.ambiguous,
        conflicts=[obstacle_answer(each, {}) for each in line.obstacles],
        problems=_problems(line.problems),
    )


def _problems(found: Sequence[Problem]) -> list[LineProblemAnswer]:
    return [LineProblemAnswer(code=each, message=sentence(each, "", settings())) for each in found]
