"""Preview, book and look at series."""

import sqlalchemy as sa
from flask import Blueprint
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from accounts.permissions import EVERY_ROLE
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.idempotency import once
from errors import Conflict, NotFound
from models import Conference, Organisation, Party, Reservation, Series, db
from studios.booking.api.reading import BOOKERS
from studios.booking.api.rights import person
from studios.booking.api.series_asked import SeriesBookingRequest, read_series
from studios.booking.api.series_refusing import booking_refused, read_plainly
from studios.booking.api.series_told import (
    MemberAnswer,
    PreviewAnswer,
    SavedSeriesAnswer,
    SeriesAnswer,
    SeriesConflictAnswer,
    meeting_answer,
    preview_answer,
)
from studios.booking.series import members
from studios.booking.series.previews import preview
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.saving import Saved, book_series
from studios.booking.series.wording import describe

blueprint = Blueprint("series", __name__, url_prefix=f"{PREFIX}/series")


@endpoint(
    blueprint, "POST", "/preview", summary="Preview a series", scope=Scope.READ, roles=BOOKERS,
    body=SeriesBookingRequest, answers={200: PreviewAnswer},
)  # fmt: skip
def look_ahead(body: SeriesBookingRequest) -> Answer:
    """What booking it would give, meeting by meeting, and what would do in place of a studio that is in the way.
    Nothing is reserved. Send what you choose for single days as `choices`."""
    with read_plainly(body.choices):
        request = read_series(body)
        found = preview(request, person())
    return Answer(preview_answer(found, describe(request.recurrence)))


@endpoint(
    blueprint, "POST", "", summary="Book a series", scope=Scope.BOOK, roles=BOOKERS, body=SeriesBookingRequest,
    answers={201: SavedSeriesAnswer, 409: SeriesConflictAnswer}, idempotent=True,
)  # fmt: skip
def book(body: SeriesBookingRequest) -> Answer:
    """Every meeting that is not skipped, or none: where any of them cannot be had, all are told as by a preview."""
    try:
        with read_plainly(body.choices):
            seen = preview(read_series(body), person())  # takes long, and so not in the transaction
            return once(lambda: _told(book_series(read_series(body), person(), seen)))
    except Conflict as error:
        return booking_refused(error)


@endpoint(
    blueprint, "GET", "/<int:number>", summary="One series", scope=Scope.READ, roles=EVERY_ROLE,
    answers={200: SeriesAnswer},
)  # fmt: skip
def one(number: int) -> Answer:
    """Its rule and its meetings as they stand; the conferences themselves tell more."""
    found = db.session.scalar(sa.select(Series).where(Series.id == number).options(_WHOLE))
    if found is None:
        raise NotFound(_("There is no series with this number."))
    return Answer(_series(found))


def _told(saved: Saved) -> Answer:
    db.session.flush()
    stored = members.loaded([each.id for each in saved.conferences])
    meetings = sorted((meeting_answer(each) for each in stored), key=lambda each: each.start)
    told = SavedSeriesAnswer(series=saved.series.id, booked=len(meetings), skipped=saved.skipped, conferences=meetings)
    return Answer(told, 201, {"Location": f"{PREFIX}/series/{saved.series.id}"})


def _series(found: Series) -> SeriesAnswer:
    recurrence = Recurrence(found.rule, found.first_day, found.start_time, found.minutes, found.zone)
    return SeriesAnswer(
        series=found.id,
        organisation=db.session.get_one(Organisation, found.organisation_id).name,
        rule=found.rule,
        description=describe(recurrence),
        first_day=found.first_day,
        zone=found.zone,
        minutes=found.minutes,
        occurrences=[_member(each) for each in found.conferences],
    )


def _member(conference: Conference) -> MemberAnswer:
    return MemberAnswer(
        **meeting_answer(conference).model_dump(),
        state=conference.state,
        recurs_at=conference.recurs_at,
        detached=conference.detached,
        version=conference.version,
    )


_WHOLE = (
    selectinload(Series.conferences)
    .selectinload(Conference.parties)
    .joinedload(Party.reservation)
    .joinedload(Reservation.studio)
)
