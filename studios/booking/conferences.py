"""Booking, changing and cancelling conferences. Everything or nothing; the caller commits.

Each is one transaction: `seating` locks the studios in order, reads under the locks, and the database's own guards are
the last word.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from accounts.audit import record
from config import settings
from errors import Conflict
from models import (
    Account,
    Answer,
    Conference,
    ConferenceState,
    Event,
    Party,
    PartyKind,
    Reservation,
    Studio,
    db,
)
from studios.booking import queries
from studios.booking.candidates import Own
from studios.booking.drawing import Said, absent_of, draws_on_pools, own_of
from studios.booking.hosts import is_seated
from studios.booking.obstacles import ChangedMeanwhile, WishRefused
from studios.booking.ports import check_ports, store_conferences
from studios.booking.rooms import rooms
from studios.booking.rules import Limits, Phase, Problem, clean_title, first_look, problems, problems_while_running
from studios.booking.seating import Drawn, check_free, draw, lock_studios, seat
from studios.booking.versions import mark_changed, when_to_tell
from studios.booking.waiting.reasons import wait_no_more, waiting_for
from studios.booking.wishes import (
    Booking,
    GuestWish,
    PartyWish,
    StudioWish,
    booking_to_json,
    from_json,
    studio_ids,
)


def book(
    booking: Booking, person: Account | None, drawn: Drawn | None = None, own: Own | None = None
) -> Conference:  # fmt: skip
    """A new conference with a studio for every party, booked by `person`; `drawn` and `own` as for `seat_all`.

    Raises WishRefused or one of Unavailable, and leaves nothing behind then.
    """
    if found := problems(booking, datetime.now(UTC), limits()):
        raise WishRefused(found)
    conference = new_conference(booking, person)
    with db.session.no_autoflush:  # what is not seated yet must not be stored
        db.session.add(conference)
        seats = seat(conference, booking, person, drawn, own=own)
    codes = [each.studio.code for each in seats if each.studio]
    tell(conference, "conference.booked", person, studios=len(codes))
    record("conference.booked", conference.reference, after=_facts(conference, codes))
    return conference


def new_conference(booking: Booking, person: Account | None) -> Conference:
    """A row that is not stored yet, and sits nowhere."""
    return Conference(
        title=clean_title(booking.title),
        purpose=booking.purpose,
        organisation_id=booking.organisation_id,
        organiser_id=booking.organiser_id or (person.id if person else None),
        booked_by_id=person.id if person else None,
        starts_at=booking.start,
        ends_at=booking.end,
        movable=booking.movable,
        video=booking.video,
        created_at=datetime.now(UTC),
        due_at=first_look(booking.start) if booking.video else None,
        tell_at=when_to_tell(booking.start),
    )


def change(
    conference_id: int, booking: Booking, version: int, person: Account | None, drawn: Drawn | None = None
) -> Conference:
    """Move, retitle or reseat a conference; while it runs only its title, purpose and end, and whether it may be moved.

    `version` is the one the person saw, `drawn` the studios, by party, that they saw. Raises as `book` does, and
    ChangedMeanwhile.
    """
    waiting = waiting_for(conference_id)
    conference = locked(conference_id, version)
    before, old = facts(conference), booking_of(conference)
    seats = [party.studio_id if is_seated(party) else None for party in conference.parties]
    if queries.is_under_way(conference):
        _change_running(conference, booking)
    else:
        _change_planned(conference, booking, person, drawn)
        if (old.start, old.end, old.parties) != (booking.start, booking.end, booking.parties):
            wait_no_more(waiting, [conference_id])
    conference.title = clean_title(booking.title)
    conference.purpose, conference.movable = booking.purpose, booking.movable
    mark_changed(conference)
    after = facts(conference)
    differing = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    was = {"booking": booking_to_json(old), "seats": seats}
    tell(conference, "conference.changed", person, changes=differing, before=was)
    record("conference.changed", conference.reference, before=before, after=after)
    return conference


def cancel(conference_id: int, version: int, person: Account | None) -> Conference:
    """Give up a conference that has not started, or end one that runs or whose calls are being set up."""
    waiting = waiting_for(conference_id)
    conference = locked(conference_id, version)
    wait_no_more(waiting, [conference_id])
    if queries.is_under_way(conference):
        return end_now(conference, person)
    if queries.phase_of(conference) is Phase.OVER:
        raise Conflict(_("This conference is over; there is nothing left to cancel."))
    if queries.legs_of(conference):
        return end_now(conference, person)
    give_up(conference)
    tell(conference, "conference.cancelled", person)
    record("conference.cancelled", conference.reference)
    return conference


def take_back_cancellation(conference_id: int, version: int, person: Account | None) -> Conference:
    """Plan a cancelled conference again as it was, while its studios are still free. Raises as `book` does."""
    waiting = waiting_for(conference_id)
    conference = locked(conference_id, version)
    if conference.state is not ConferenceState.CANCELLED:
        raise Conflict(_("This conference is not cancelled."))
    wait_no_more(waiting, [conference_id])  # first, for it may come back to what is held for it
    replan(conference, booking_of(conference), person)
    tell(conference, "conference.restored", person)
    record("conference.restored", conference.reference, after=facts(conference))
    return conference


def copy_of(conference: Conference, start: datetime) -> Booking:
    """The same request for another time, to be booked anew."""
    return replace(booking_of(conference), start=start, end=start + (conference.ends_at - conference.starts_at))


def booking_of(conference: Conference) -> Booking:
    """What was asked for when the conference was booked, at the time that it has now."""
    return Booking(
        title=conference.title,
        purpose=conference.purpose,
        organisation_id=conference.organisation_id,
        start=conference.starts_at,
        end=conference.ends_at,
        parties=tuple(wish_of(party) for party in conference.parties),
        organiser_id=conference.organiser_id,
        movable=conference.movable,
        video=conference.video,
    )


def wish_of(party: Party) -> PartyWish:
    if party.kind is PartyKind.GUEST:
        return GuestWish(party.guest_address or "")
    if party.pool is not None:
        return from_json([party.pool])[0]
    return StudioWish(party.studio_id or 0, party.attendees)


def replan(conference: Conference, booking: Booking, person: Account | None) -> None:
    """Seat a conference, planned or cancelled, at the booking's time, and plan it. Raises Conflict where calls were
    set up."""
    _check_is_not_called(conference)
    if found := problems(booking, datetime.now(UTC), limits()):
        raise WishRefused(found)
    drawn = _lock_old_and_new(conference, booking, person)
    unseat(conference)
    set_time(conference, booking)
    seat(conference, booking, person, drawn)
    conference.state = ConferenceState.PLANNED
    mark_changed(conference)


def give_up(conference: Conference) -> None:
    """Cancel: the studios and the bridge's ports come free."""
    conference.state = ConferenceState.CANCELLED
    conference.due_at = datetime.now(UTC) if queries.is_muted(conference) else None
    mark_changed(conference)
    release(conference.reservations)


def end_now(conference: Conference, person: Account | None, kind: str = "conference.ended_early") -> Conference:
    """The scheduler takes the calls down, where there are any; the studios come free with the shortened reservations.
    `kind` says why, as the timeline and the audit tell it."""
    now = max(datetime.now(UTC), conference.starts_at + timedelta(seconds=1))
    if now < conference.ends_at:
        _move_end(conference, now)
    fall_due(conference, now)
    mark_changed(conference)
    tell(conference, kind, person)
    record(kind, conference.reference)
    return conference


def _change_running(conference: Conference, booking: Booking) -> None:
    now = datetime.now(UTC)
    present = [studio.id for studio in studios_of(conference)]
    found = problems_while_running(booking, conference.starts_at, present, now, limits())
    if booking.video != conference.video:
        found.append(Problem.VIDEO_IS_FIXED)
    if found:
        raise WishRefused(found)
    set_end(conference, booking.end)
    fall_due(conference)


def fall_due(conference: Conference, at: datetime | None = None) -> None:
    """Whoever minds the calls reads what has changed before it acts on the old; without video there are none."""
    conference.due_at = (at or datetime.now(UTC)) if conference.video else None


def set_end(conference: Conference, end: datetime) -> None:
    """Another end for a conference that runs, all or nothing: for a later one every studio and every port must be
    free."""
    if end > conference.ends_at:
        present = [studio.id for studio in studios_of(conference)]
        lock_studios(present)
        check_free(list(rooms(present).values()), conference.starts_at, end, conference.id)
        check_ports(conference, conference.starts_at, end)
    _move_end(conference, end)


def _move_end(conference: Conference, end: datetime) -> None:
    """The ends of the reservations move with it. An earlier one makes none longer, though the studio's terms may want
    more time after a conference now than when it was booked."""
    is_later = end > conference.ends_at
    conference.ends_at = end
    conference.warned_minutes = None
    store_conferences()
    for reservation in conference.reservations:
        if reservation.released_at is None:
            fitting = end + timedelta(minutes=reservation.studio.clear_down_minutes)
            reservation.ends_at = fitting if is_later else min(reservation.ends_at, fitting)
    db.session.flush()


def _change_planned(
    conference: Conference, booking: Booking, person: Account | None, seen: Drawn | None = None
) -> None:
    check_can_be_moved(conference)
    if found := problems(booking, datetime.now(UTC), limits()):
        raise WishRefused(found)
    moved = (conference.starts_at, conference.ends_at) != (booking.start, booking.end)
    if moved or booking.parties != booking_of(conference).parties or conference.video != booking.video:
        said = [] if moved else what_stands(conference)
        drawn = _lock_old_and_new(conference, booking, person, said, seen)
        unseat(conference)
        set_time(conference, booking)
        seat(conference, booking, person, drawn, said=said)
        conference.detached = conference.series_id is not None
    conference.organisation_id = booking.organisation_id


def check_can_be_moved(conference: Conference) -> None:
    if queries.phase_of(conference) is not Phase.PLANNED:
        raise Conflict(_("This conference is over and can no longer be changed."))
    _check_is_not_called(conference)


def _check_is_not_called(conference: Conference) -> None:
    """The legs of a conference belong to its parties: who has any keeps their place."""
    if not queries.legs_of(conference) and not queries.is_muted(conference):
        return
    if conference.state is ConferenceState.CANCELLED:
        raise Conflict(_("Calls of this conference were set up before it was cancelled. Book it anew."))
    # The scheduler has seated the calls and is asking the codecs: not starting yet.
    raise Conflict(_("The calls are being set up at this moment. Try again in a few seconds."))


def set_time(conference: Conference, booking: Booking) -> None:
    conference.starts_at, conference.ends_at = booking.start, booking.end
    conference.joined_at = None
    conference.video = booking.video
    conference.due_at = first_look(booking.start) if booking.video else None


def what_stands(conference: Conference) -> list[Said]:
    """What the invited said, which holds where nothing changes for them; who was not answered yet is asked anew."""
    return [
        Said(
            wish=wish_of(party),
            studio_id=party.studio_id,
            organisation_id=party.organisation_id,
            reservation_id=party.reservation_id,
            answer=party.answer,
            reason=party.answer_reason,
            at=party.answered_at,
            by_id=party.answered_by_id,
        )
        for party in conference.parties
        if party.studio_id is not None and (party.answer is Answer.DECLINED or is_seated(party))
    ]


def _lock_old_and_new(
    conference: Conference,
    booking: Booking,
    person: Account | None,
    said: Sequence[Said] = (),
    drawn: Drawn | None = None,
) -> Drawn | None:
    """All in one go, in the order of their keys, before any of its reservations is written: whoever releases what has
    expired locks the studios first, too. Returns what its pools give it, which is among the locked."""
    present = {row.studio_id for row in conference.reservations if row.released_at is None}
    if drawn is None and draws_on_pools(booking):
        kept = [each.studio_id for each in said if not each.declined]
        drawn = draw(booking, own_of(person), [conference.id], kept, absent_of(booking.parties, said))
    lock_studios(present.union(studio_ids(booking.parties), filter(None, drawn or ())))
    return drawn


def unseat(conference: Conference) -> None:
    """Release first, then reserve anew: a conference that moves by a little overlaps its own old time."""
    release(conference.reservations)
    for party in conference.parties:
        db.session.delete(party)
    conference.bridge_id, conference.ports = None, 0
    db.session.flush()
    db.session.expire(conference, ["parties", "reservations"])


def locked(conference_id: int, version: int | None = None) -> Conference:
    """The conference's row, locked and fresh. Raises ChangedMeanwhile when it is not as the person saw it.

    `key_share`: who stores an event or a reservation of it meanwhile does not wait, and so is in no deadlock with us.
    """
    query = db.select(Conference).where(Conference.id == conference_id).with_for_update(of=Conference, key_share=True)
    conference = db.session.scalars(query.execution_options(populate_existing=True)).one()
    if version is not None and conference.version != version:
        raise ChangedMeanwhile
    return conference


def release(reservations: Sequence[Reservation]) -> None:
    now = datetime.now(UTC)
    for reservation in reservations:
        reservation.released_at = reservation.released_at or now


def studios_of(conference: Conference) -> list[Studio]:
    """The studios that are reserved for it, in the order of the table; one query."""
    query = (
        db.select(Studio)
        .join(Reservation, Reservation.studio_id == Studio.id)
        .join(Party, Party.reservation_id == Reservation.id)
        .where(Party.conference_id == conference.id, Reservation.released_at.is_(None))
    )
    return list(db.session.scalars(query.order_by(Party.position)))


def facts(conference: Conference) -> dict[str, Any]:
    """What the audit trail keeps of a conference; no title, which is for those around the table."""
    return _facts(conference, [studio.code for studio in studios_of(conference)])


def _facts(conference: Conference, codes: Sequence[str]) -> dict[str, Any]:
    return {"start": conference.starts_at.isoformat(), "end": conference.ends_at.isoformat(), "studios": list(codes)}


def tell(
    conference: Conference, kind: str, person: Account | None, studio_id: int | None = None, **details: Any
) -> None:
    """One more line of the conference's timeline."""
    db.session.add(
        Event(
            at=datetime.now(UTC),
            kind=kind,
            conference_id=conference.id,
            studio_id=studio_id,
            account_id=person.id if person else None,
            details=details,
        )
    )


def tell_each(kind: str, told: Sequence[tuple[Conference, dict[str, Any]]], person: Account | None) -> None:
    """A line in the timeline of each of these conferences, with its details."""
    now, account_id = datetime.now(UTC), person.id if person else None
    rows = [
        {"at": now, "kind": kind, "conference_id": conference.id, "account_id": account_id, "details": details}
        for conference, details in told
    ]
    if rows:
        db.session.execute(sa.insert(Event), rows)


def limits() -> Limits:
    found = settings()
    return Limits(
        timedelta(hours=found.longest_hours), timedelta(days=found.horizon_days), timedelta(minutes=found.lead_minutes)
    )
