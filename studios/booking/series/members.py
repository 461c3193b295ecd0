"""The meetings of a series that an edit speaks of, as they stand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from errors import Conflict, NotFound
from models import Conference, ConferenceState, Leg, Party, Reservation, Series, db
from studios.booking.obstacles import ChangedMeanwhile
from studios.booking.series.edits import Member, Scope, Stage
from studios.booking.series.recurrence import Recurrence

STAGES = {
    ConferenceState.PLANNED: Stage.PLANNED,
    ConferenceState.CANCELLED: Stage.CANCELLED,
    ConferenceState.ENDED: Stage.OVER,
    ConferenceState.FAILED: Stage.OVER,
}
"""A meeting in any other state is under way."""


@dataclass(frozen=True)
class Members:
    """Those in the scope, by key; the pivot is the one that the edit is made on."""

    series: Series
    pivot: Member
    members: list[Member]
    conferences: dict[int, Conference]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.series.zone)

    @property
    def recurrence(self) -> Recurrence:
        series = self.series
        return Recurrence(series.rule, series.first_day, series.start_time, series.minutes, series.zone)


def read(conference_id: int, scope: Scope) -> Members:
    """Raises NotFound, and Conflict for a conference that is of no series."""
    return _members(conference_id, scope, lock=False)


def locked(conference_id: int, scope: Scope, version: int) -> Members:
    """Locked in the order of their keys and fresh. `version` is the pivot's, as the person saw it: raises
    ChangedMeanwhile when it is another now."""
    found = _members(conference_id, scope, lock=True)
    if found.conferences[conference_id].version != version:
        raise ChangedMeanwhile
    return found


def loaded(conference_ids: Collection[int], lock: bool = False) -> Sequence[Conference]:
    """These conferences afresh, with all that an edit needs of them, in the order of their keys."""
    return _loaded([Conference.id.in_(conference_ids)], lock)


def _members(conference_id: int, scope: Scope, lock: bool) -> Members:
    series_id, recurs_at = _place_of(conference_id)
    conferences = _loaded(_within(conference_id, series_id, recurs_at, scope), lock)
    called = set(
        db.session.scalars(
            sa.select(Leg.conference_id).where(Leg.conference_id.in_([each.id for each in conferences])).distinct()
        )
    )
    members = {each.id: _member(each, called) for each in conferences}
    if conference_id not in members:  # it came to another series while we waited for its lock
        raise ChangedMeanwhile
    series = db.session.get_one(Series, series_id, populate_existing=True)
    return Members(series, members[conference_id], list(members.values()), {each.id: each for each in conferences})


def _place_of(conference_id: int) -> tuple[int, datetime]:
    query = sa.select(Conference.series_id, Conference.recurs_at).where(Conference.id == conference_id)
    found = db.session.execute(query).one_or_none()
    if found is None:
        raise NotFound(_("There is no such conference."))
    series_id, recurs_at = found
    if series_id is None or recurs_at is None:
        raise Conflict(_("This conference belongs to no series."))
    return series_id, recurs_at


def _within(conference_id: int, series_id: int, recurs_at: datetime, scope: Scope) -> list[sa.ColumnElement[bool]]:
    of_series = Conference.series_id == series_id
    match scope:
        case Scope.THIS:
            return [of_series, Conference.id == conference_id]
        case Scope.FOLLOWING:
            return [of_series, Conference.recurs_at >= recurs_at]
        case Scope.ALL:
            return [of_series]


def _loaded(conditions: Sequence[sa.ColumnElement[bool]], lock: bool) -> Sequence[Conference]:
    query = db.select(Conference).where(*conditions).order_by(Conference.id).options(*_WHOLE)
    if lock:
        query = query.with_for_update(of=Conference, key_share=True)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _member(conference: Conference, called: Collection[int]) -> Member:
    stage = STAGES.get(conference.state, Stage.LIVE)
    if stage is Stage.PLANNED and conference.id in called:  # the scheduler is asking the codecs
        stage = Stage.LIVE
    recurs_at = conference.recurs_at or conference.starts_at
    return Member(conference.id, recurs_at, conference.starts_at, conference.ends_at, stage, conference.detached)


_WHOLE = (
    selectinload(Conference.reservations),
    selectinload(Conference.parties).joinedload(Party.reservation).joinedload(Reservation.studio),
)
