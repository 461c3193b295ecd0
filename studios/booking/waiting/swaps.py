"""Asking the owner of a movable conference to move it, so that one's own can have its time.

Nothing is held while the answer is awaited: when it comes, both conferences get their new places in one transaction, or
neither does and both stay as they were.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict, NotFound
from models import Account, Conference, RequestState, Swap, db, write
from studios.booking import queries as conference_queries
from studios.booking.conferences import (
    booking_of,
    check_can_be_moved,
    facts,
    locked,
    replan,
    studios_of,
    tell,
    unseat,
)
from studios.booking.drawing import own_of
from studios.booking.obstacles import WishRefused
from studios.booking.rules import clean_title, reason_problems
from studios.booking.seating import draw, lock_studios
from studios.booking.waiting import mails, queries
from studios.booking.waiting.rules import settled, swap_expires_at
from studios.booking.waiting.searching import Place
from studios.booking.waiting.trials import place_for_other, take
from studios.booking.wishes import Booking, booking_from_json, booking_to_json, studio_ids


def ask_to_swap(
    conference_id: int,
    version: int,
    booking: Booking,
    own_conference_id: int | None,
    reason: str,
    person: Account,
) -> Swap:
    """Ask that the movable conference `conference_id` goes elsewhere, so that `booking` can be had; with
    `own_conference_id`, so that this one can be changed to it. The caller commits.

    The place that is proposed is in its own studios, else in equivalent ones of the same site, as near to its time as
    can be. Raises Conflict with a sentence, one of Unavailable when others are in the way too, WishRefused, Forbidden.
    """
    if found := reason_problems(reason):
        raise WishRefused(found)
    queries.check_acts_for(person, booking.organisation_id)
    both = _locked({conference_id: version} | ({own_conference_id: None} if own_conference_id else {}))
    conference, own = both[conference_id], both.get(own_conference_id or 0)
    _check_can_be_asked(conference, own, booking, person)
    place = place_for_other(conference, own, booking, person)
    swap = _stored(conference, own, booking, place, reason, person)
    record("swap.asked", conference.reference, after=_facts(swap))
    mails.swap_asked(swap)
    return swap


def accept_swap(swap_id: int, person: Account) -> Conference:
    """Move the one conference to its proposed place, and book or change the other: both, or neither. The caller
    commits. Gives back the conference of who asked. Raises ChangedMeanwhile, Conflict or one of Unavailable."""
    swap = _answerable(swap_id, person)
    wanted = {swap.conference_id: swap.conference_version}
    both = _locked(wanted | ({swap.own_conference_id: swap.own_version} if swap.own_conference_id else {}))
    conference, own = both[swap.conference_id], both.get(swap.own_conference_id or 0)
    _check_still(swap, conference, own)
    _lock_all(swap, list(both.values()))
    taker = _exchange(swap, conference, own, person)
    swap.booked_id = taker.id
    _answer(swap, RequestState.ACCEPTED, person)
    record("swap.accepted", conference.reference, after={**_facts(swap), "taken_by": taker.reference})
    mails.swap_answered(swap)
    return taker


def decline_swap(swap_id: int, reason: str, person: Account) -> None:
    """The conference stays where it is. The caller commits."""
    if found := reason_problems(reason):
        raise WishRefused(found)
    swap = _answerable(swap_id, person)
    swap.answer_reason = " ".join(reason.split())
    _answer(swap, RequestState.DECLINED, person)
    record("swap.declined", swap.conference.reference, after={**_facts(swap), "reason": swap.answer_reason})
    mails.swap_answered(swap)


def withdraw_swap(swap_id: int, person: Account) -> None:
    """Who asked no longer wants it. The caller commits."""
    swap = queries.locked_swap(swap_id)
    queries.check_acts_for(person, swap.organisation_id)
    _check_open(swap)
    _answer(swap, RequestState.WITHDRAWN, person)
    record("swap.withdrawn", swap.conference.reference, after=_facts(swap))


def expire_swaps() -> int:
    """End the swaps that nobody answered in time, each in its own transaction; how many there were."""
    return sum(write(partial(_expire, swap_id)) for swap_id in queries.silent_swaps())


def _expire(swap_id: int) -> bool:
    swap = queries.locked_swap(swap_id)
    if swap.state is not RequestState.WAITING or swap.expires_at > datetime.now(UTC):
        return False
    _answer(swap, RequestState.EXPIRED, None)
    record("swap.expired", swap.conference.reference, after=_facts(swap))
    mails.swap_answered(swap)
    return True


def _locked(versions: Mapping[int, int | None]) -> dict[int, Conference]:
    """These conferences, locked in the order of their keys, each as it was seen."""
    if missing := [key for key in versions if db.session.get(Conference, key) is None]:
        raise NotFound(_("There is no conference %(number)s.", number=missing[0]))
    return {key: locked(key, versions[key]) for key in sorted(versions)}


def _check_can_be_asked(conference: Conference, own: Conference | None, booking: Booking, person: Account) -> None:
    if conference.organisation_id == booking.organisation_id or conference is own:
        raise Conflict(_("This conference is your own: you can move it yourself."))
    if own is not None:
        queries.check_acts_for(person, own.organisation_id)
        check_can_be_moved(own)
    _check_movable(conference)
    asked = sa.select(Swap.id).where(
        Swap.conference_id == conference.id,
        Swap.organisation_id == booking.organisation_id,
        Swap.state == RequestState.WAITING,
    )
    if db.session.scalar(asked.limit(1)):
        raise Conflict(_("Your organisation has asked for this already, and waits for the answer."))


def _check_movable(conference: Conference) -> None:
    if not conference.movable or conference.priority > 0:
        raise Conflict(_("This conference is not marked as movable."))
    if conference_queries.is_under_way(conference):
        raise Conflict(_("This conference is under way and cannot be moved."))
    check_can_be_moved(conference)


def _stored(
    conference: Conference, own: Conference | None, booking: Booking, place: Place, reason: str, person: Account
) -> Swap:
    now = datetime.now(UTC)
    swap = Swap(
        conference_id=conference.id,
        conference_version=conference.version,
        own_conference_id=own.id if own else None,
        own_version=own.version if own else None,
        organisation_id=booking.organisation_id,
        asked_by_id=person.id,
        booking=booking_to_json(booking),
        reason=" ".join(reason.split()),
        proposed_start=place.start,
        proposed_end=place.end,
        proposed_studios=list(place.studio_ids),
        state=RequestState.WAITING,
        created_at=now,
        expires_at=swap_expires_at(now, (booking.start, place.start, conference.starts_at)),
    )
    db.session.add(swap)
    db.session.flush()
    return swap


def _answerable(swap_id: int, person: Account) -> Swap:
    swap = queries.locked_swap(swap_id)
    queries.check_acts_for(person, swap.conference.organisation_id)
    _check_open(swap)
    return swap


def _check_open(swap: Swap) -> None:
    if swap.state is RequestState.WAITING and swap.expires_at <= datetime.now(UTC):
        raise Conflict(_("The time to answer has run out."))
    if swap.state is not RequestState.WAITING:
        raise Conflict(_("This request has been answered, withdrawn or has run out already."))


def _check_still(swap: Swap, conference: Conference, own: Conference | None) -> None:
    _check_movable(conference)
    if own is not None:
        check_can_be_moved(own)
    if swap.asked_by is None or not queries.acts_for(swap.asked_by, swap.organisation_id):
        raise Conflict(_("Who asked no longer acts for their organisation."))


def _lock_all(swap: Swap, conferences: list[Conference]) -> None:
    """The studios that either has or gets, in the order of their keys, those that pools would give as well."""
    present = {studio.id for conference in conferences for studio in studios_of(conference)}
    booking = booking_from_json(swap.booking)
    drawn = draw(booking, own_of(swap.asked_by), [conference.id for conference in conferences]) or ()
    lock_studios({*present, *swap.proposed_studios, *studio_ids(booking.parties), *filter(None, drawn)})


def _exchange(swap: Swap, conference: Conference, own: Conference | None, person: Account) -> Conference:
    """Release both first, for each may overlap the other's old time; then seat the one whose studios are fixed, and
    last the one that may draw on a pool."""
    wanted, asked = booking_from_json(swap.booking), booking_of(conference)
    before, own_before = facts(conference), facts(own) if own else None
    unseat(conference)
    if own is not None:
        unseat(own)
    replan(conference, settled(asked, swap.proposed_start, swap.proposed_end, swap.proposed_studios), person)
    taker = take(own, wanted, swap.asked_by)
    if own_before is not None:
        _retitle(taker, wanted)
        _tell(taker, "conference.changed", own_before, swap.asked_by)
    tell(taker, "conference.given_way", swap.asked_by, other=conference.reference)
    _tell(conference, "conference.swapped", before, person, other=taker.reference)
    return taker


def _retitle(conference: Conference, booking: Booking) -> None:
    conference.title, conference.purpose = clean_title(booking.title), booking.purpose
    conference.organisation_id, conference.movable = booking.organisation_id, booking.movable


def _tell(
    conference: Conference, kind: str, before: dict[str, Any], person: Account | None, **details: Any
) -> None:  # fmt: skip
    conference.detached = conference.series_id is not None
    after = facts(conference)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    tell(conference, kind, person, changes=changes, **details)
    record(kind, conference.reference, before=before, after=after)


def _answer(swap: Swap, state: RequestState, person: Account | None) -> None:
    swap.state, swap.answered_at = state, datetime.now(UTC)
    swap.answered_by_id = person.id if person else None


def _facts(swap: Swap) -> dict[str, Any]:
    return {
        "swap": swap.id,
        "start": swap.proposed_start.isoformat(),
        "end": swap.proposed_end.isoformat(),
        "studios": swap.proposed_studios,
        "state": swap.state.value,
    }
