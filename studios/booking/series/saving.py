"""A series is saved whole or not at all. The caller commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict
from models import Account, Conference, Series, db
from models.booking import new_uid
from studios.booking.conferences import new_conference, tell_each
from studios.booking.drawing import Seats
from studios.booking.obstacles import Unavailable
from studios.booking.seating import seat_all
from studios.booking.series.choices import Planned
from studios.booking.series.previews import Line, Preview, SeriesRefused, SeriesRequest, State, booking_for, preview
from studios.booking.wishes import Booking


@dataclass(frozen=True)
class Saved:
    """How a series was saved: as so many conferences in the order of their rule, and so many days left out."""

    series: Series
    conferences: tuple[Conference, ...]
    skipped: int


def book_series(request: SeriesRequest, person: Account | None, seen: Preview | None = None) -> Saved:
    """Book every meeting that is not skipped. Raises SeriesRefused when any of them can't be had, and as `preview`.

    What the preview finds free is seated under the studios' locks, and looked at again when somebody was faster.
    `seen`: a preview of the same request for the same person, made before the transaction, for it takes long.
    """
    seen = _bookable(seen or preview(request, person))
    free = [line for line in seen.lines if line.state is State.FREE]
    series = _series(request)
    db.session.add(series)
    db.session.flush()
    with db.session.no_autoflush:  # what is not seated yet must not be stored
        conferences, seats = _seated(free, series, request, person)
    _tell(series, conferences, seats, seen.count(State.SKIPPED), person)
    return Saved(series, tuple(conferences), seen.count(State.SKIPPED))


def _bookable(seen: Preview) -> Preview:
    if any(line.is_in_the_way for line in seen.lines):
        raise SeriesRefused(seen.lines)
    if not seen.can_be_saved:
        raise Conflict(_("Every meeting of the series is skipped. There is nothing to book."))
    return seen


def _series(request: SeriesRequest) -> Series:
    recurrence = request.recurrence
    return Series(
        organisation_id=request.booking.organisation_id,
        rule=recurrence.rule,
        first_day=recurrence.first_day,
        start_time=recurrence.start_time,
        minutes=recurrence.minutes,
        zone=recurrence.zone,
        created_at=datetime.now(UTC),
    )


def _seated(
    free: Sequence[Line], series: Series, request: SeriesRequest, person: Account | None
) -> tuple[list[Conference], list[Seats]]:
    bookings = [booking_for(line.planned, request.booking) for line in free]
    drawn = [[studio and studio.id for studio in line.studios] for line in free]
    uid = new_uid()
    conferences = [
        _conference(line.planned, booking, series, uid, person) for line, booking in zip(free, bookings, strict=True)
    ]
    db.session.add_all(conferences)
    try:
        return conferences, seat_all(list(zip(conferences, bookings, strict=True)), person, drawn=drawn)
    except Unavailable as refused:
        if not refused.obstacles:  # the database refused: it answers no more questions in this transaction
            raise
        _bookable(preview(request, person))
        raise


def _conference(planned: Planned, booking: Booking, series: Series, uid: str, person: Account | None) -> Conference:
    conference = new_conference(booking, person)
    conference.series_id, conference.uid = series.id, uid
    conference.recurs_at, conference.detached = planned.recurs_at, planned.detached
    return conference


def _tell(
    series: Series, conferences: Sequence[Conference], seats: Sequence[Seats], skipped: int, person: Account | None
) -> None:
    """A line in each meeting's timeline, and one audit entry for them all."""
    details = [{"studios": sum(seat.studio is not None for seat in each), "series": series.id} for each in seats]
    tell_each("conference.booked", list(zip(conferences, details, strict=True)), person)
    booked = [facts_of(conference, each) for conference, each in zip(conferences, seats, strict=True)]
    after = {"rule": series.rule, "first_day": series.first_day.isoformat(), "skipped": skipped, "booked": booked}
    record("series.booked", name_of(series), after=after)


def facts_of(conference: Conference, seats: Seats) -> dict[str, Any]:
    """What the audit trail keeps of a meeting; no title, which is for those around the table."""
    return {
        "reference": conference.reference,
        "start": conference.starts_at.isoformat(),
        "end": conference.ends_at.isoformat(),
        "studios": [seat.studio.code for seat in seats if seat.studio],
    }


def name_of(series: Series) -> str:
    """What the audit trail calls it."""
    return f"series {series.id}"
