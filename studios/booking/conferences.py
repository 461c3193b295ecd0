"""Booking, changing and cancelling conferences. Everything or nothing; the caller commits.

Each writes in one transaction of its own: the studios are locked in order of their keys, then closures and clashes
are read under the lock, and the database's own guard is the last word.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from accounts.audit import record
from config import settings
from errors import Conflict, Refused
from models import (
    Account,
    Conference,
    ConferenceState,
    Event,
    Party,
    PartyKind,
    Purpose,
    Reservation,
    Studio,
    db,
)
from models.guards import is_overlap
from studios.booking import queries
from studios.booking.rules import (
    Limits,
    Problem,
    Wish,
    blocked_time,
    clean_title,
    host_position,
    problems,
    problems_while_running,
)


class StudioTaken(Conflict):
    """A lost race or a plain clash: who has the studio, and when."""

    def __init__(self, clashes: list[queries.Clash]) -> None:
        super().__init__(_("The time is taken in at least one studio. Nothing was booked."))
        self.clashes = clashes


class StudioClosed(Conflict):
    def __init__(self, closures: list[queries.Closed]) -> None:
        super().__init__(_("A studio is out of use at that time. Nothing was booked."))
        self.closures = closures


class ChangedMeanwhile(Conflict):
    """Somebody else saved the conference after this form was opened."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else changed this conference while you had it open. Look at it again first."))


class WishRefused(Refused):
    """The request breaks rules of its own, whatever the studios are doing."""

    status = 422

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Booking:
    """What a coordinator asks for: studios in the order of the table, instants with time zone."""

    title: str
    purpose: Purpose
    organisation_id: int
    start: datetime
    end: datetime
    studio_ids: tuple[int, ...]

    @property
    def wish(self) -> Wish:
        return Wish(clean_title(self.title), self.start, self.end, self.studio_ids)


def book(booking: Booking, organiser: Account | None) -> Conference:
    """A new conference with a reservation of every studio.

    Raises WishRefused, StudioTaken or StudioClosed, and leaves nothing behind then.
    """
    now = datetime.now(UTC)
    if found := problems(booking.wish, now, _limits()):
        raise WishRefused(found)
    studios = _lock(booking.studio_ids)
    _check_free(studios, booking)
    conference = Conference(
        title=booking.wish.title,
        purpose=booking.purpose,
        organisation_id=booking.organisation_id,
        organiser_id=organiser.id if organiser else None,
        starts_at=booking.start,
        ends_at=booking.end,
        created_at=now,
        due_at=booking.start,
    )
    db.session.add(conference)
    db.session.flush()
    _seat(conference, studios, booking)
    _tell(conference, "conference.booked", organiser, studios=len(studios))
    record("conference.booked", conference.reference, after=_facts(conference, studios))
    return conference


def change(conference_id: int, booking: Booking, version: int, person: Account | None) -> Conference:
    """Move, retitle or reseat a conference; while it runs only its title and end.

    `version` is the one the person saw. Raises as `book` does, and ChangedMeanwhile.
    """
    conference = _locked_conference(conference_id)
    if conference.version != version:
        raise ChangedMeanwhile
    before = _facts(conference, _studios_of(conference))
    if queries.is_under_way(conference):
        studios = _change_running(conference, booking)
    else:
        studios = _change_planned(conference, booking)
    conference.title = booking.wish.title
    conference.purpose = booking.purpose
    conference.version += 1
    after = _facts(conference, studios)
    differing = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    _tell(conference, "conference.changed", person, changes=differing)
    record("conference.changed", conference.reference, before=before, after=after)
    return conference


def cancel(conference_id: int, version: int, person: Account | None) -> Conference:
    """Give up a conference that has not started, or end one that runs."""
    conference = _locked_conference(conference_id)
    if conference.version != version:
        raise ChangedMeanwhile
    if queries.is_under_way(conference):
        return _end_now(conference, person)
    if conference.state is not ConferenceState.PLANNED:
        raise Conflict(_("This conference is over; there is nothing left to cancel."))
    conference.state = ConferenceState.CANCELLED
    conference.due_at = None
    conference.version += 1
    _release(conference.reservations)
    _tell(conference, "conference.cancelled", person)
    record("conference.cancelled", conference.reference)
    return conference


def _end_now(conference: Conference, person: Account | None) -> Conference:
    """The scheduler takes the calls down; the studios come free with the shortened reservations."""
    now = max(datetime.now(UTC), conference.starts_at + timedelta(seconds=1))
    if now < conference.ends_at:
        conference.ends_at = now
        _fit_reservations(conference)
    conference.due_at = now
    conference.version += 1
    _tell(conference, "conference.ended_early", person)
    record("conference.ended_early", conference.reference)
    return conference


def _change_running(conference: Conference, booking: Booking) -> list[Studio]:
    now = datetime.now(UTC)
    studios = _studios_of(conference)
    present = [studio.id for studio in studios]
    if found := problems_while_running(booking.wish, conference.starts_at, present, now, _limits()):
        raise WishRefused(found)
    _check_free(_lock(present), booking, conference)
    conference.ends_at = booking.end
    conference.due_at = now  # whoever minds the calls reads the new end before it acts on the old one
    _fit_reservations(conference)
    return studios


def _change_planned(conference: Conference, booking: Booking) -> list[Studio]:
    if conference.state is not ConferenceState.PLANNED:
        raise Conflict(_("This conference is over and can no longer be changed."))
    if queries.legs_of(conference):  # the scheduler has seated the calls and is asking the codecs: not starting yet
        raise Conflict(_("The calls are being set up at this moment. Try again in a few seconds."))
    if found := problems(booking.wish, datetime.now(UTC), _limits()):
        raise WishRefused(found)
    studios = _lock(booking.studio_ids)
    _check_free(studios, booking, conference)
    _clear_table(conference)
    conference.starts_at = conference.due_at = booking.start
    conference.ends_at = booking.end
    conference.organisation_id = booking.organisation_id
    _seat(conference, studios, booking)
    return studios


def _clear_table(conference: Conference) -> None:
    """Release first, then reserve anew: a conference that moves by a little overlaps its own old time."""
    _release(conference.reservations)
    for party in conference.parties:
        db.session.delete(party)
    db.session.flush()
    db.session.expire(conference, ["parties", "reservations"])


def _lock(studio_ids: Sequence[int]) -> list[Studio]:
    """The studios in the order asked for, locked in the order of their keys so that no two bookings deadlock."""
    query = (
        db.select(Studio)
        .where(Studio.id.in_(studio_ids), Studio.retired_at.is_(None))
        .order_by(Studio.id)
        .with_for_update(key_share=True, of=Studio)
        .options(joinedload(Studio.site), joinedload(Studio.endpoint))
    )
    found = {studio.id: studio for studio in db.session.scalars(query)}
    if len(found) < len(set(studio_ids)):
        raise Conflict(_("A studio that was chosen is no longer in use."))
    return [found[studio_id] for studio_id in studio_ids]


def _locked_conference(conference_id: int) -> Conference:
    query = db.select(Conference).where(Conference.id == conference_id).with_for_update(of=Conference)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def clashes_with(
    studios: Sequence[Studio], start: datetime, end: datetime, moved_id: int | None = None
) -> list[queries.Clash]:
    """What is in the way of a conference in these studios, each with its own buffers; `moved_id` never is."""
    found = [
        clash
        for (setup, clear_down), group in _by_buffers(studios).items()
        for clash in queries.clashes(
            [studio.id for studio in group], *blocked_time(start, end, setup, clear_down), but=moved_id
        )
    ]
    return sorted(found, key=lambda clash: (clash.starts_at, clash.studio.code))


def _check_free(studios: Sequence[Studio], booking: Booking, moved: Conference | None = None) -> None:
    """Refuse what is taken or closed; read under the studios' locks, so that the answer holds until the commit."""
    if found := clashes_with(studios, booking.start, booking.end, moved.id if moved else None):
        raise StudioTaken(found)
    if closed := queries.closures(studios, booking.start, booking.end):
        raise StudioClosed(closed)


def _by_buffers(studios: Sequence[Studio]) -> dict[tuple[int, int], list[Studio]]:
    groups: dict[tuple[int, int], list[Studio]] = {}
    for studio in studios:
        groups.setdefault((studio.setup_minutes, studio.clear_down_minutes), []).append(studio)
    return groups


def _seat(conference: Conference, studios: Sequence[Studio], booking: Booking) -> None:
    """A reservation and a place at the table for each studio, in order."""
    host = host_position(
        studio.endpoint is not None and studio.endpoint.control_driver is not None for studio in studios
    )
    reservations = [_reservation(conference, studio) for studio in studios]
    db.session.add_all(reservations)
    try:
        db.session.flush()
    except sa.exc.DBAPIError as error:
        if not is_overlap(error):
            raise
        # Only a writer that does not take the studios' locks can get us here; the guard has still kept them whole.
        raise StudioTaken([]) from None
    for position, (studio, reservation) in enumerate(zip(studios, reservations, strict=True)):
        db.session.add(
            Party(
                conference_id=conference.id,
                position=position,
                kind=PartyKind.STUDIO,
                studio_id=studio.id,
                host=position == host,
                organisation_id=studio.site.organisation_id,
                reservation_id=reservation.id,
            )
        )


def _reservation(conference: Conference, studio: Studio) -> Reservation:
    start, end = blocked_time(conference.starts_at, conference.ends_at, studio.setup_minutes, studio.clear_down_minutes)
    return Reservation(studio_id=studio.id, conference_id=conference.id, starts_at=start, ends_at=end)


def _fit_reservations(conference: Conference) -> None:
    """Move the ends of the reservations with the end of the conference."""
    for reservation in conference.reservations:
        if reservation.released_at is None:
            reservation.ends_at = conference.ends_at + timedelta(minutes=reservation.studio.clear_down_minutes)


def _release(reservations: Iterable[Reservation]) -> None:
    now = datetime.now(UTC)
    for reservation in reservations:
        reservation.released_at = reservation.released_at or now


def _studios_of(conference: Conference) -> list[Studio]:
    return [party.reservation.studio for party in conference.parties if party.reservation]


def _facts(conference: Conference, studios: Sequence[Studio]) -> dict[str, Any]:
    """What the audit trail keeps of a conference; no title, which is for those around the table."""
    return {
        "start": conference.starts_at.isoformat(),
        "end": conference.ends_at.isoformat(),
        "studios": [studio.code for studio in studios],
    }


def _tell(conference: Conference, kind: str, person: Account | None, **details: Any) -> None:
    db.session.add(
        Event(
            at=datetime.now(UTC),
            kind=kind,
            conference_id=conference.id,
            account_id=person.id if person else None,
            details=details,
        )
    )


def _limits() -> Limits:
    return Limits(timedelta(hours=settings().longest_hours), timedelta(days=settings().horizon_days))
