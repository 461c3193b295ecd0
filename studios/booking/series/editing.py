"""Edits and cancellations of a series: of one meeting, of it and those that follow, or of all. The caller commits.

Everything or nothing: a clash of one meeting refuses the edit of all. What is cancelled, over, under way or was moved
by itself stays as it is, and nobody else's booking is ever touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict
from models import Account, Conference, Party, Reservation, Series, db
from studios.booking.conferences import (
    facts,
    give_up,
    mark_changed,
    set_time,
    tell_each,
)
from studios.booking.obstacles import Unavailable
from studios.booking.seating import lock_studios, seat_all
from studios.booking.series import edits, members, rules, splitting
from studios.booking.series.edit_previews import (
    EditLine,
    EditRefused,
    SeriesChange,
    Step,
    judged,
    shift_of,
    steps,
)
from studios.booking.series.edits import Cancelling, Scope
from studios.booking.series.members import Members
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.saving import name_of
from studios.booking.waiting.reasons import wait_no_more, waiting_for_series
from studios.booking.wishes import studio_ids


@dataclass(frozen=True)
class Edited:
    """What an edit did: `series` is that of the meetings it was for, a new one where they were cut off from others."""

    series: Series
    conferences: tuple[Conference, ...]
    """Those that were changed."""
    lines: tuple[EditLine, ...]


@dataclass(frozen=True)
class Cancelled:
    conferences: tuple[Conference, ...]
    lines: tuple[Cancelling, ...]
    """Every meeting in the scope, with the reason for those that were left as they are."""


def edit_series(conference_id: int, scope: Scope, change: SeriesChange, version: int, person: Account | None) -> Edited:
    """Make a change, as it is seen on one meeting of a series, to all in the scope.

    1. Lock the meetings in the order of their keys, and work out what becomes of each.
    2. Judge all of them: with one in the way the whole edit is refused, with what is in the way of which meeting.
    3. Release the old reservations of those that move, so that they can move over each other's old times; seat them
       anew under the studios' locks.
    4. Cut the series in two where only this and the following were meant.

    `version` is the one of the meeting that the person saw. Raises ChangedMeanwhile, WishRefused, Conflict and
    EditRefused.
    """
    found = members.locked(conference_id, scope, version)
    planned = steps(found, scope, change)
    lines = _possible(judged(planned, person))
    changed = [step for step in planned if step.changed]
    if not changed:
        return Edited(found.series, (), tuple(lines))
    before = {step.conference.id: facts(step.conference) for step in changed}
    _reseat(planned, person)
    for step in changed:
        _take(step)
    series = _with_its_rule(found, scope, change)
    conferences = members.loaded([step.conference.id for step in changed])
    _tell("conference.changed", series, conferences, before, person)
    return Edited(series, tuple(conferences), tuple(lines))


def cancel_series(conference_id: int, scope: Scope, version: int, person: Account | None) -> Cancelled:
    """Give up all meetings in the scope that have not begun, those that were moved too.

    Raises ChangedMeanwhile, and Conflict where nothing is left to cancel.
    """
    waiting = waiting_for_series(conference_id)
    found = members.locked(conference_id, scope, version)
    lines = edits.cancel(found.members, found.pivot, scope, datetime.now(UTC))
    conferences = [found.conferences[line.member.conference_id] for line in lines if line.kept is None]
    if not conferences:
        raise Conflict(_("These meetings are cancelled, under way or over; there is nothing left to cancel."))
    for conference in conferences:
        give_up(conference)
    wait_no_more(waiting, [each.id for each in conferences])
    found.series.version += 1
    db.session.flush()
    told: list[tuple[Conference, dict[str, Any]]] = [(each, {"series": found.series.id}) for each in conferences]
    tell_each("conference.cancelled", told, person)
    record("series.cancelled", name_of(found.series), after={"cancelled": [each.reference for each in conferences]})
    return Cancelled(tuple(conferences), tuple(lines))


def _possible(lines: list[EditLine]) -> list[EditLine]:
    if any(line.is_in_the_way for line in lines):
        raise EditRefused(lines)
    return lines


def _reseat(planned: Sequence[Step], person: Account | None) -> None:
    moved = [step for step in planned if step.reseated]
    if not moved:
        return
    lock_studios({key for step in moved for key in (*step.studio_ids, *studio_ids(step.after.parties))})
    _unseat([step.conference for step in moved])
    for step in moved:
        set_time(step.conference, step.after)
    try:
        seat_all(
            [(step.conference, step.after) for step in moved],
            person,
            {step.conference.id: step.studio_ids for step in moved},
            {step.conference.id: step.said for step in moved},
        )
    except Unavailable as refused:
        if refused.obstacles:  # somebody was faster; without any the database refused, and answers no more questions
            _possible(judged(planned, person))
        raise


def _unseat(conferences: Sequence[Conference]) -> None:
    """As `conferences.unseat`, of many at once."""
    keys = [conference.id for conference in conferences]
    for conference in conferences:
        conference.bridge_id, conference.ports = None, 0
    held = sa.update(Reservation).where(Reservation.conference_id.in_(keys), Reservation.released_at.is_(None))
    db.session.execute(held.values(released_at=datetime.now(UTC)), execution_options={"synchronize_session": False})
    gone = sa.delete(Party).where(Party.conference_id.in_(keys))
    db.session.execute(gone, execution_options={"synchronize_session": False})
    for conference in conferences:
        for party in list(conference.parties):
            db.session.expunge(party)
        db.session.expire(conference, ["parties", "reservations"])


def _take(step: Step) -> None:
    conference, after = step.conference, step.after
    conference.title, conference.purpose, conference.movable = after.title, after.purpose, after.movable
    conference.detached = step.outcome.detached
    mark_changed(conference)


def _with_its_rule(found: Members, scope: Scope, change: SeriesChange) -> Series:
    """The series of the edited meetings, its rule moved with them."""
    series = found.series
    series.version += 1
    if scope is Scope.THIS:
        return series
    if scope is Scope.FOLLOWING:
        series = _cut_off(found)
    shift = shift_of(found, change)
    recurrence = splitting.shifted(_recurrence_of(series), shift.days) if shift else _recurrence_of(series)
    if recurrence is not None:
        wall = shift.wall if shift else None
        minutes = change.minutes or recurrence.minutes
        _set_rule(series, replace(recurrence, start_time=wall or recurrence.start_time, minutes=minutes))
    return series


def _cut_off(found: Members) -> Series:
    """A new series for these meetings, where there are others before them."""
    series, pivot, zone = found.series, found.pivot, found.zone
    query = sa.select(Conference.recurs_at, Conference.starts_at, Conference.detached)
    every = db.session.execute(query.where(Conference.series_id == series.id)).all()
    if not any(recurs_at and recurs_at < pivot.recurs_at for recurs_at, _, _ in every):
        return series
    met = [_met(recurs_at, starts_at, detached, zone) for recurs_at, starts_at, detached in every if recurs_at]
    days = rules.days(rules.read(series.rule), series.first_day)
    index = splitting.place_of(days, met, _day(pivot.recurs_at, zone))
    head = tail = found.recurrence
    if 0 < index < len(days):
        head, tail = splitting.cut(found.recurrence, index)
    _set_rule(series, head)
    new = Series(organisation_id=series.organisation_id, created_at=datetime.now(UTC), zone=series.zone)
    _set_rule(new, tail)
    db.session.add(new)
    db.session.flush()
    for conference in found.conferences.values():
        conference.series_id = new.id
    return new


def _met(recurs_at: datetime, starts_at: datetime, detached: bool, zone: ZoneInfo) -> splitting.Met:
    recurs_on = _day(recurs_at, zone)
    return splitting.Met(recurs_on, None if detached else (_day(starts_at, zone) - recurs_on).days)


def _day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def _recurrence_of(series: Series) -> Recurrence:
    return Recurrence(series.rule, series.first_day, series.start_time, series.minutes, series.zone)


def _set_rule(series: Series, recurrence: Recurrence) -> None:
    series.rule, series.first_day = recurrence.rule, recurrence.first_day
    series.start_time, series.minutes = recurrence.start_time, recurrence.minutes


def _tell(
    kind: str,
    series: Series,
    conferences: Sequence[Conference],
    before: dict[int, dict[str, Any]],
    person: Account | None,
) -> None:
    """A line in each meeting's timeline, and one audit entry for them all."""
    told, audited = [], []
    for conference in conferences:
        old, new = before[conference.id], facts(conference)
        changes = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
        told.append((conference, {"changes": changes, "series": series.id}))
        audited.append({"reference": conference.reference, **changes})
    tell_each(kind, told, person)
    record("series.changed", name_of(series), after={"changed": audited})
