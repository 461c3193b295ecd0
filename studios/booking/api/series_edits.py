"""Edit and cancel meetings of a series: one, it and those that follow, or all."""

from datetime import UTC, datetime

from flask import Blueprint

from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.idempotency import once
from errors import Conflict
from models import Conference
from studios.booking.api.reading import BOOKERS, read_parties
from studios.booking.api.rights import own_conference, person, version_seen
from studios.booking.api.series_asked import ReachQuery, SeriesChangeRequest, whole_minutes
from studios.booking.api.series_refusing import edit_refused, read_plainly
from studios.booking.api.series_told import (
    EditPreviewAnswer,
    SeriesCancelledAnswer,
    SeriesEditConflictAnswer,
    SeriesEditedAnswer,
    cancelling_answer,
    edit_line_answers,
)
from studios.booking.conferences import limits
from studios.booking.obstacles import WishRefused
from studios.booking.rules import time_problems
from studios.booking.series import edits
from studios.booking.series.edit_previews import SeriesChange, preview_edit
from studios.booking.series.editing import Cancelled, Edited, cancel_series, edit_series

blueprint = Blueprint("series_edits", __name__, url_prefix=f"{PREFIX}/conferences/<reference>/series")


@endpoint(
    blueprint, "POST", "/preview-change", summary="Preview an edit of a series", scope=Scope.READ, roles=BOOKERS,
    body=SeriesChangeRequest, answers={200: EditPreviewAnswer, 409: SeriesEditConflictAnswer},
)  # fmt: skip
def look_ahead(reference: str, body: SeriesChangeRequest) -> Answer:
    """What the edit, made on this meeting, would do to each in its scope. Nothing is changed."""
    try:
        with read_plainly():
            found = own_conference(reference)
            seen = preview_edit(found.id, edits.Scope(body.scope), _change(found, body), person())
    except Conflict as error:
        return edit_refused(error)
    return Answer(EditPreviewAnswer(can_be_made=seen.can_be_made, occurrences=edit_line_answers(seen.lines)))


@endpoint(
    blueprint, "PATCH", "", summary="Edit a series", scope=Scope.BOOK, roles=BOOKERS, body=SeriesChangeRequest,
    answers={200: SeriesEditedAnswer, 409: SeriesEditConflictAnswer}, idempotent=True,
)  # fmt: skip
def change(reference: str, body: SeriesChangeRequest) -> Answer:
    """Make a change, as it is seen on this meeting, to all in the scope, or to none where one of them cannot be had so.

    What is cancelled, under way, over, or was moved by itself stays as it is. The version, by the body or by If-Match,
    is that of this meeting.
    """
    version = version_seen(body.version)

    def work() -> Answer:
        found = own_conference(reference)
        seen = found.version if version is None else version
        return _edited(edit_series(found.id, edits.Scope(body.scope), _change(found, body), seen, person()))

    try:
        with read_plainly():
            return once(work)
    except Conflict as error:
        return edit_refused(error)


@endpoint(
    blueprint, "DELETE", "", summary="Cancel meetings of a series", scope=Scope.BOOK, roles=BOOKERS, query=ReachQuery,
    answers={200: SeriesCancelledAnswer, 409: SeriesEditConflictAnswer}, idempotent=True,
)  # fmt: skip
def cancel(reference: str, query: ReachQuery) -> Answer:
    """All in the scope that have not begun, those that were moved by themselves too. If-Match counts."""
    version = version_seen()

    def work() -> Answer:
        found = own_conference(reference)
        seen = found.version if version is None else version
        return _cancelled(cancel_series(found.id, edits.Scope(query.scope), seen, person()))

    try:
        return once(work)
    except Conflict as error:
        return edit_refused(error)


def _change(found: Conference, body: SeriesChangeRequest) -> SeriesChange:
    start = body.start or found.starts_at
    end = body.end or start + (found.ends_at - found.starts_at)
    moved, lasts = start != found.starts_at, end - start != found.ends_at - found.starts_at
    if (moved or lasts) and (problems := time_problems(start, end, datetime.now(UTC), limits())):
        raise WishRefused(problems)
    return SeriesChange(
        start=start if moved else None,
        minutes=whole_minutes(start, end) if lasts else None,
        title=body.title,
        purpose=body.purpose,
        movable=body.movable,
        parties=read_parties(body.parties) if body.parties is not None else None,
    )


def _edited(done: Edited) -> Answer:
    told = SeriesEditedAnswer(
        series=done.series.id,
        changed=[each.reference for each in done.conferences],
        occurrences=edit_line_answers(done.lines),
    )
    return Answer(told)


def _cancelled(done: Cancelled) -> Answer:
    told = SeriesCancelledAnswer(
        cancelled=[each.reference for each in done.conferences],
        occurrences=[cancelling_answer(each) for each in done.lines],
    )
    return Answer(told)
