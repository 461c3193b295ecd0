"""Incidents: opened and resolved as the studios' health tells, taken and noted by people. The caller commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict, Invalid, NotFound
from models import (
    Account,
    Endpoint,
    EndpointStatus,
    Event,
    Health,
    Incident,
    Role,
    RoleGrant,
    StatusChange,
    Studio,
    database_now,
    db,
)
from monitoring.incident_rules import (
    FLAPPING_WITHIN,
    SAME_AGAIN,
    Decision,
    Fault,
    Known,
    Place,
    Present,
    Step,
    decisions,
    fault_of,
)
from monitoring.rules import cause_of
from monitoring.site_rules import SILENT, Neighbour, cut_off
from monitoring.telling import tell_first, tell_next_level, tell_over, to_escalate

LONGEST_NOTE = 500
KEEPING_LOCK = 7_216_901
WORKERS = (Role.TECHNICIAN, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Outlook:
    """What the tables say of all studios, and what follows from it."""

    cut_off: set[int]
    decisions: list[Decision]


def outlook(now: datetime) -> Outlook:
    """Reads only, so that nothing is locked while there is nothing to do."""
    known = _known(now)
    rows = db.session.execute(_presents()).all()
    out_before = [one.place.site_id for one in known if one.place.site_id and one.resolved_at is None]
    out = cut_off((Neighbour(row.site_id, row.health, row.since) for row in rows), out_before)
    falls = _falls(now)
    presents = [
        Present(row.studio_id, row.health, cause_of(row.cause), row.since, falls.get(row.studio_id, 0))
        for row in rows
        # Its monitor has not said yet that it lies in the shadow of its site.
        if not (row.site_id in out and row.health in SILENT)
    ]
    return Outlook(out, decisions(presents, out, known, now))


def keep(now: datetime) -> None:
    """Bring the incidents in line with what the studios' health says now. Of several monitors one at a time does so."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(KEEPING_LOCK)))
    for decision in outlook(now).decisions:
        _carry_out(decision, now)
    for incident in to_escalate(now):
        tell_next_level(incident, now)


# What people do


def acknowledge(incident_id: int, person: Account) -> Incident:
    """The person has seen it and takes it, unless somebody has it already: nobody else is told any more."""
    incident = _locked_open(incident_id)
    if incident.acknowledged_at is not None:
        raise Conflict(_("%(name)s has taken this incident already.", name=_name(incident.acknowledged_by)))
    incident.acknowledged_at, incident.acknowledged_by_id = database_now(), person.id
    if incident.assigned_to_id is None:
        incident.assigned_to_id = person.id
    return _done(incident, "incident.acknowledged", person)


def assign(incident_id: int, to_id: int, person: Account) -> Incident:
    incident = _locked_open(incident_id)
    to = db.session.get(Account, to_id)
    if to is None or to.id not in {each.id for each in assignable()}:
        raise Invalid(_("Only technicians and administrators work on incidents."), "account")
    incident.assigned_to_id = to.id
    return _done(incident, "incident.assigned", person, to=_name(to))


def note(incident_id: int, text: str, person: Account) -> Incident:
    text = text.strip()
    if not text:
        raise Invalid(_("Write what you found."), "text")
    if len(text) > LONGEST_NOTE:
        raise Invalid(_("A note has at most %(most)s characters.", most=LONGEST_NOTE), "text")
    return _done(_locked(incident_id), "incident.noted", person, text=text)


def resolve(incident_id: int, person: Account) -> Incident:
    """Only what is gone: what is still there would come back at once."""
    incident = _locked_open(incident_id)
    if incident.quiet_since is None and _is_still_there(incident):
        raise Conflict(_("The fault is still there. Take the studio out of use to work on it in peace."))
    _end(incident, database_now())
    return _done(incident, "incident.resolved", person)


def reopen(incident_id: int, person: Account) -> Incident:
    """Somebody knows better; it is resolved again when the fault stays away."""
    incident = _locked(incident_id)
    if incident.resolved_at is None:
        raise Conflict(_("This incident is open."))
    place = Incident.studio_id == incident.studio_id if incident.studio_id else Incident.site_id == incident.site_id
    if db.session.scalar(sa.select(Incident.id).where(place, Incident.resolved_at.is_(None))):
        raise Conflict(_("There is a newer incident for the same place."))
    incident.resolved_at, incident.quiet_since = None, database_now()
    return _done(incident, "incident.reopened", person)


def assignable() -> Sequence[Account]:
    """Who may work on incidents."""
    now = database_now()
    holds = sa.select(RoleGrant.account_id).where(
        RoleGrant.role.in_(WORKERS), sa.or_(RoleGrant.expires_at.is_(None), RoleGrant.expires_at > now)
    )
    query = db.select(Account).where(Account.id.in_(holds), Account.disabled_at.is_(None))
    return db.session.scalars(query.order_by(Account.name, Account.id)).all()


def _name(account: Account | None) -> str:
    return (account.name or account.email) if account else ""


def _done(incident: Incident, kind: str, person: Account, **details: object) -> Incident:
    _add_event(incident, kind, database_now(), person.id, **details)
    record(kind, f"incident {incident.id}", after=details)
    return incident


def _locked(incident_id: int) -> Incident:
    found = db.session.scalar(db.select(Incident).where(Incident.id == incident_id).with_for_update())
    if found is None:
        raise NotFound(_("There is no such incident."))
    return found


def _locked_open(incident_id: int) -> Incident:
    incident = _locked(incident_id)
    if incident.resolved_at is not None:
        raise Conflict(_("This incident is resolved. Reopen it first."))
    return incident


def _is_still_there(incident: Incident) -> bool:
    if incident.site_id is not None:
        return True  # else it would be quiet
    query = (
        sa.select(EndpointStatus.health, EndpointStatus.cause)
        .join(Endpoint)
        .where(Endpoint.studio_id == incident.studio_id)
    )
    row = db.session.execute(query).first()
    return row is not None and fault_of(row.health, cause_of(row.cause)) is not None


# What health tells


def _carry_out(decision: Decision, now: datetime) -> None:
    step, fault = decision.step, decision.fault
    if step is Step.OPEN:
        incident = Incident(
            studio_id=decision.place.studio_id,
            site_id=decision.place.site_id,
            cause=str(fault.cause),
            severity=fault.severity,
            opened_at=now,
        )
        db.session.add(incident)
        db.session.flush()
        _add_event(incident, "incident.opened", now, cause=str(fault.cause))
        tell_first(incident, now)
        return
    incident = db.session.get_one(Incident, decision.incident_id)
    if step is Step.QUIETEN:
        incident.quiet_since = now
    elif step is Step.RESOLVE:
        _end(incident, now)
        _add_event(incident, "incident.resolved", now)
    else:
        _go_on(incident, fault, step, now)


def _go_on(incident: Incident, fault: Fault, step: Step, now: datetime) -> None:
    """The fault is back, or is another one: of one that was not worth a message people are told now, if it is."""
    incident.cause, incident.severity, incident.quiet_since = str(fault.cause), fault.severity, None
    if step is Step.CHANGE:
        _add_event(incident, "incident.changed", now, cause=incident.cause)
    else:
        incident.times += 1
    if step is Step.REOPEN:
        incident.resolved_at = incident.acknowledged_at = incident.acknowledged_by_id = None
        incident.level, incident.told_at = 0, None
        _add_event(incident, "incident.returned", now, cause=incident.cause)
    if incident.level == 0 and incident.acknowledged_at is None:
        tell_first(incident, now)


def _end(incident: Incident, now: datetime) -> None:
    incident.resolved_at = now
    tell_over(incident, now)


def _add_event(incident: Incident, kind: str, now: datetime, person_id: int | None = None, **details: object) -> None:
    whose = {"incident_id": incident.id, "studio_id": incident.studio_id, "account_id": person_id}
    db.session.add(Event(at=now, kind=kind, details=details, **whose))


def _presents() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Studio.id.label("studio_id"),
            Studio.site_id,
            EndpointStatus.health,
            EndpointStatus.cause,
            EndpointStatus.since,
        )
        .join(Endpoint, Endpoint.studio_id == Studio.id)
        .join(EndpointStatus, EndpointStatus.endpoint_id == Endpoint.id)
        .where(Studio.retired_at.is_(None))
        .order_by(Studio.id)
    )


def _falls(now: datetime) -> dict[int, int]:
    """How often each studio fell silent or ill of late; those in the shadow of their site did not fall themselves."""
    query = (
        sa.select(Endpoint.studio_id, sa.func.count())
        .join(StatusChange, StatusChange.endpoint_id == Endpoint.id)
        .where(StatusChange.at > now - FLAPPING_WITHIN)
        .where(StatusChange.from_health == Health.OK, StatusChange.to_health.in_((Health.DOWN, Health.DEGRADED)))
        .group_by(Endpoint.studio_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _known(now: datetime) -> list[Known]:
    query = sa.select(Incident).where(sa.or_(Incident.resolved_at.is_(None), Incident.resolved_at > now - SAME_AGAIN))
    return [
        Known(
            row.id,
            Place(row.studio_id, row.site_id),
            Fault(cause_of(row.cause), row.severity),
            row.quiet_since,
            row.resolved_at,
        )
        for row in db.session.scalars(query.order_by(Incident.id))
    ]
