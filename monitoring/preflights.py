"""A fresh look at each studio 30, 15 and 5 minutes before its conference: what is due, and what was found."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from models import (
    Conference,
    ConferenceState,
    Endpoint,
    EndpointStatus,
    Event,
    Light,
    Preflight,
    Reservation,
    ReservationKind,
    Studio,
    db,
    insert,
)
from monitoring.preflight_rules import AHEAD, Probe, Result, checked, due_minutes, light
from studios.booking.letters import link, moment, organisers_of, send
from studios.booking.wording import faults_found

FIRST = timedelta(minutes=max(AHEAD))


@dataclass(frozen=True, slots=True)
class Due:
    """A look that is due. `in_use`: another conference has the studio until then."""

    conference_id: int
    studio_id: int
    endpoint_id: int
    minutes: int
    in_use: bool

    @property
    def key(self) -> tuple[int, int, int]:
        return self.conference_id, self.studio_id, self.minutes


def due_looks(worker: str, now: datetime) -> list[Due]:
    """Of the endpoints that this worker watches, by start."""
    rows = db.session.execute(
        sa.select(Conference.id, Conference.starts_at, Reservation.studio_id, Endpoint.id.label("endpoint_id"))
        .join(Reservation, Reservation.conference_id == Conference.id)
        .join(Endpoint, Endpoint.studio_id == Reservation.studio_id)
        .join(EndpointStatus, EndpointStatus.endpoint_id == Endpoint.id)
        .where(EndpointStatus.lease_owner == worker)
        .where(Conference.state == ConferenceState.PLANNED, Conference.video)
        .where(Conference.starts_at > now, Conference.starts_at <= now + FIRST)
        .where(Reservation.kind == ReservationKind.CONFERENCE, Reservation.released_at.is_(None))
        .order_by(Conference.starts_at, Conference.id, Reservation.studio_id)
    ).all()
    if not rows:
        return []
    made = _made([row.id for row in rows])
    in_use = _in_use([row.studio_id for row in rows], now)
    found = []
    for row in rows:
        minutes = due_minutes(row.starts_at, now)
        if minutes is not None and (row.id, row.studio_id, minutes) not in made:
            busy = bool(in_use.get(row.studio_id, set()) - {row.id})
            found.append(Due(row.id, row.studio_id, row.endpoint_id, minutes, busy))
    return found


def keep(found: Iterable[tuple[Due, Probe]], now: datetime) -> None:
    """Each look once, whoever else made it too; what turned red is told. The caller commits."""
    for due, probe in found:
        checks = checked(probe, due.in_use)
        shown = light(checks, due.minutes)
        row = {
            "conference_id": due.conference_id,
            "studio_id": due.studio_id,
            "minutes": due.minutes,
            "checked_at": now,
            "light": shown,
            "checks": {str(check): str(result) for check, result in checks.items()},
        }
        is_new = (
            db.session.scalar(insert(Preflight).on_conflict_do_nothing().values(row).returning(Preflight.minutes))
            is not None
        )
        if is_new and shown is Light.RED:
            _warn(due, [str(check) for check, result in checks.items() if result is Result.FAILED], now)


def _warn(due: Due, failed: list[str], now: datetime) -> None:
    whose = {"conference_id": due.conference_id, "studio_id": due.studio_id}
    details = {"failed": failed, "minutes": due.minutes}
    db.session.add(Event(at=now, kind="studio.preflight_failed", details=details, **whose))
    conference = db.session.get_one(Conference, due.conference_id)
    studio = db.session.get_one(Studio, due.studio_id)

    def text() -> tuple[str, list[str]]:
        subject = _(
            "%(studio)s may not be able to take part in %(reference)s",
            studio=studio.name,
            reference=conference.reference,
        )
        lines = [
            _("The conference begins %(time)s.", time=moment(conference.starts_at)),
            _("What was found wrong at %(studio)s: %(faults)s.", studio=studio.name, faults=faults_found(failed)),
            _("The conference's page proposes a studio that can stand in for it."),
        ]
        return subject, [*lines, *link(conference)]

    send(f"preflight/{due.conference_id}/{due.studio_id}", organisers_of(conference), text)


def _made(conference_ids: Iterable[int]) -> set[tuple[int, int, int]]:
    query = sa.select(Preflight.conference_id, Preflight.studio_id, Preflight.minutes).where(
        Preflight.conference_id.in_(set(conference_ids))
    )
    return {(row[0], row[1], row[2]) for row in db.session.execute(query)}


def _in_use(studio_ids: Iterable[int], now: datetime) -> dict[int, set[int]]:
    """By studio the conferences that have it now."""
    query = sa.select(Reservation.studio_id, Reservation.conference_id).where(
        Reservation.studio_id.in_(set(studio_ids)),
        Reservation.released_at.is_(None),
        Reservation.starts_at <= now,
        Reservation.ends_at > now,
    )
    found: dict[int, set[int]] = {}
    for studio_id, conference_id in db.session.execute(query):
        if conference_id is not None:
            found.setdefault(studio_id, set()).add(conference_id)
    return found
