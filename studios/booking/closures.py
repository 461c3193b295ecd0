"""Taking a studio or a whole site out of use, and back. The caller commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from accounts.audit import record
from errors import Conflict, Invalid, NotFound
from models import Account, Closure, Conference, ConferenceState, Event, Reservation, Site, Studio, db
from models.guards import LONGEST_HOURS
from studios.booking.obstacles import WishRefused
from studios.booking.rules import reason_problems
from studios.booking.seating import lock_studios

LONGEST = timedelta(days=3 * 366)
LIVE_OR_PLANNED = (
    ConferenceState.PLANNED,
    ConferenceState.STARTING,
    ConferenceState.RUNNING,
    ConferenceState.DEGRADED,
)


@dataclass(frozen=True)
class Threat:
    """A conference that a closure hits, and with which studio."""

    conference: Conference
    studio: Studio


def close(
    place: Studio | Site, start: datetime, end: datetime, reason: str, person: Account | None
) -> tuple[Closure, list[Threat]]:
    """Take it out of use, whatever is booked there: a broken studio does not wait. Returns what is threatened.

    From the commit on nothing new is reserved there in that time. The studios are locked, so that a booking under way
    is either among the threatened or finds the closure.
    """
    if problems := reason_problems(reason):
        raise WishRefused(problems)
    if end <= start:
        raise Invalid(_("The end must come after the start."), "end")
    if end <= datetime.now(UTC):
        raise Invalid(_("The end has passed. Choose a time ahead."), "end")
    if end - start > LONGEST:
        raise Invalid(_("A closure can last at most three years. Retire the studio instead."), "end")
    studio_ids = _studios_of(place)
    lock_studios(studio_ids)
    closure = Closure(
        studio_id=place.id if isinstance(place, Studio) else None,
        site_id=place.id if isinstance(place, Site) else None,
        starts_at=start,
        ends_at=end,
        reason=" ".join(reason.split()),
        closed_by_id=person.id if person else None,
    )
    db.session.add(closure)
    db.session.flush()
    _tell("studio.closed", studio_ids, person, closure)
    record("closure.created", _name(closure), after=_facts(closure))
    return closure, threatened_by(closure)


def reopen(closure_id: int, person: Account | None) -> Closure:
    """Back in use from now on; a closure that has not begun never was."""
    closure = db.session.scalars(db.select(Closure).where(Closure.id == closure_id).with_for_update()).one()
    now = datetime.now(UTC)
    if closure.ends_at <= now:
        raise Conflict(_("This closure is over already."))
    record("closure.ended", _name(closure), before=_facts(closure))
    _tell("studio.reopened", _studios_of(closure.studio or closure.site), person, closure)
    if closure.starts_at < now:
        closure.ends_at = now
    else:
        db.session.delete(closure)
    return closure


def threatened_by(closure: Closure) -> list[Threat]:
    """What is planned or runs in the closed studios within the closure, by start."""
    query = (
        db.select(Reservation)
        .join(Conference, Reservation.conference_id == Conference.id)
        .where(
            Reservation.studio_id.in_(_studios_of(closure.studio or closure.site)),
            Reservation.released_at.is_(None),
            Reservation.starts_at < closure.ends_at,
            Reservation.starts_at > closure.starts_at - timedelta(hours=LONGEST_HOURS),
            Reservation.ends_at > closure.starts_at,
            Conference.state.in_(LIVE_OR_PLANNED),
        )
        .options(
            joinedload(Reservation.conference).joinedload(Conference.organisation),
            joinedload(Reservation.studio).joinedload(Studio.site),
        )
        .order_by(Reservation.starts_at, Reservation.id)
    )
    return [Threat(row.conference, row.studio) for row in db.session.scalars(query) if row.conference]


def closure_at(number: int) -> Closure:
    """With its place. Raises NotFound."""
    found: Closure | None = db.session.scalar(with_places().where(Closure.id == number))
    if found is None:
        raise NotFound(_("There is no such closure."))
    return found


def with_places() -> sa.Select[Any]:
    """All closures, each with its studio or site and whose that is."""
    of_studio = joinedload(Closure.studio).joinedload(Studio.site).joinedload(Site.organisation)
    return db.select(Closure).options(of_studio, joinedload(Closure.site).joinedload(Site.organisation))


def site_of(closure: Closure) -> Site:
    site = closure.studio.site if closure.studio else closure.site
    assert site is not None  # the model lets no closure be without either
    return site


def _studios_of(place: Studio | Site | None) -> list[int]:
    if isinstance(place, Studio):
        return [place.id]
    return list(db.session.scalars(sa.select(Studio.id).where(Studio.site_id == place.id))) if place else []


def _tell(kind: str, studio_ids: Sequence[int], person: Account | None, closure: Closure) -> None:
    now, details = datetime.now(UTC), {"reason": closure.reason}
    account_id = person.id if person else None
    db.session.add_all(
        Event(at=now, kind=kind, studio_id=studio_id, account_id=account_id, details=details)
        for studio_id in studio_ids
    )


def _name(closure: Closure) -> str:
    return f"closure {closure.id}"


def _facts(closure: Closure) -> dict[str, object]:
    return {
        "studio": closure.studio_id,
        "site": closure.site_id,
        "start": closure.starts_at.isoformat(),
        "end": closure.ends_at.isoformat(),
        "reason": closure.reason,
    }
