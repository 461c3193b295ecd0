"""Who is told of an incident: those on call, step by step until somebody takes it, and again when it is over.

Only what was told is ever said to be over, and only to those who were told of it. The caller commits.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from config import settings
from messages.outbox import queue
from models import Account, Closure, Event, Incident, OnCall, Severity, db
from monitoring.incident_rules import is_to_escalate
from monitoring.threats import Threat, threats_of
from monitoring.wording import SEVERITIES, cause_word
from studios.booking.letters import moment, send

# Faults of quality are seen on the pages; nobody is called from their bed for one.
WORTH_A_MESSAGE = (Severity.MAJOR, Severity.CRITICAL)
LISTED = 20
OVER_WITHIN = timedelta(hours=12)
TOLD, RETURNED = "incident.told", "incident.returned"


def tell_first(incident: Incident, now: datetime) -> None:
    if incident.severity in WORTH_A_MESSAGE:
        tell_next_level(incident, now)


def tell_over(incident: Incident, now: datetime) -> None:
    """To those who were told that it began, whoever is on call by now."""
    people, programs = set[int](), set[int]()
    for event in db.session.scalars(_told(incident)):
        if event.kind == RETURNED:
            break  # what was told before was over once, and that was told
        people |= set(event.details["people"])
        programs |= set(event.details["programs"])
    accounts = db.session.scalars(db.select(Account).where(Account.id.in_(people)).order_by(Account.id)).all()
    entries = db.session.scalars(db.select(OnCall).where(OnCall.id.in_(programs)).order_by(OnCall.id)).all()
    _write_to(accounts, entries, incident, "resolved", incident.level, now)


def to_escalate(now: datetime) -> list[Incident]:
    """Those of which the next level is to be told. Reads only."""
    after, highest = timedelta(minutes=settings().escalate_minutes), _highest_level(now)
    query = db.select(Incident).where(Incident.resolved_at.is_(None), Incident.level.between(1, highest - 1))
    return [
        one
        for one in db.session.scalars(query.order_by(Incident.id))
        if is_to_escalate(
            one.acknowledged_at is not None,
            one.quiet_since is not None,
            _is_closed(one, now),
            one.told_at,
            after,
            now,
        )
    ]


def tell_next_level(incident: Incident, now: datetime) -> None:
    """Levels at which nobody is on call now are passed over."""
    highest = _highest_level(now)
    while incident.level < highest:
        incident.level += 1
        incident.told_at = now
        on_call = _on_call(incident.level, incident.where.health_region, now)
        people = [each.account for each in on_call if each.account and each.account.disabled_at is None]
        programs = [each for each in on_call if each.url]
        if people or programs:
            _write_to(people, programs, incident, "opened" if incident.level == 1 else "escalated", incident.level, now)
            _remember(incident, people, programs, now)
            return


def _remember(incident: Incident, people: Sequence[Account], programs: Sequence[OnCall], now: datetime) -> None:
    details = {
        "level": incident.level,
        "told": [person.name or person.email for person in people] + [each.url for each in programs],
        "people": [person.id for person in people],
        "programs": [each.id for each in programs],
    }
    whose = {"incident_id": incident.id, "studio_id": incident.studio_id}
    db.session.add(Event(at=now, kind=TOLD, details=details, **whose))


def _told(incident: Incident) -> sa.Select[Any]:
    """The newest first."""
    kinds = (Event.incident_id == incident.id, Event.kind.in_((TOLD, RETURNED)))
    return db.select(Event).where(*kinds).order_by(Event.at.desc(), Event.id.desc())


def _write_to(
    people: Sequence[Account], programs: Sequence[OnCall], incident: Incident, what: str, level: int, now: datetime
) -> None:
    """Mail for people, a signed post for programs."""
    key = f"incident/{incident.id}/{incident.times}/{what}/{level}"
    hit = threats_of([incident], now)[incident.id]
    send(key, people, _mail(incident, what, hit))
    body = json.dumps(_post(incident, what, level, hit, now), ensure_ascii=False)
    for each in programs:
        queue(
            key=f"{key}/program {each.id}",
            recipient=each.url or "",
            subject=what,
            body=body,
            expires_after=OVER_WITHIN,
            signed_with_id=each.credential_id,
        )


def on_call_now(now: datetime) -> list[OnCall]:
    """Who is told of what fails now, the first to be told first."""
    query = db.select(OnCall).where(*_is_on_call(now), OnCall.account_id.is_not(None))
    return list(db.session.scalars(query.options(joinedload(OnCall.account)).order_by(OnCall.level, OnCall.id)))


def _on_call(level: int, region: str, now: datetime) -> list[OnCall]:
    """Of this region and of all."""
    query = db.select(OnCall).where(
        OnCall.level == level,
        OnCall.health_region.in_(("", region)),
        *_is_on_call(now),
    )
    return list(db.session.scalars(query.options(joinedload(OnCall.account)).order_by(OnCall.id)))


def _highest_level(now: datetime) -> int:
    return db.session.scalar(sa.select(sa.func.max(OnCall.level)).where(*_is_on_call(now))) or 0


def _is_on_call(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return OnCall.starts_at <= now, sa.or_(OnCall.ends_at.is_(None), OnCall.ends_at > now)


def _is_closed(incident: Incident, now: datetime) -> bool:
    """Whether somebody works there already."""
    place = sa.or_(Closure.studio_id == incident.studio_id, Closure.site_id == incident.where.id)
    query = sa.select(Closure.id).where(place, Closure.starts_at <= now, Closure.ends_at > now)
    return db.session.scalar(query.limit(1)) is not None


def _place(incident: Incident) -> str:
    return f"{incident.studio.name} ({incident.studio.code})" if incident.studio else incident.where.name


def _mail(incident: Incident, what: str, hit: list[Threat]) -> Callable[[], tuple[str, list[str]]]:
    def text() -> tuple[str, list[str]]:
        place, fault = _place(incident), cause_word(incident.cause)
        if what == "resolved":
            return _("Over: %(place)s", place=place), [
                _("%(place)s: %(fault)s", place=place, fault=fault),
                _("This is over since %(time)s.", time=moment(incident.resolved_at or incident.opened_at)),
                *_link(incident),
            ]
        subject = f"{SEVERITIES[incident.severity]}: {_('%(place)s: %(fault)s', place=place, fault=fault)}"
        lines = [_("Since %(time)s.", time=moment(incident.opened_at))]
        if what == "escalated":
            lines.append(_("Nobody has taken this yet."))
        lines += ["", _("Conferences that it hits within 24 hours:") if hit else _("It hits no conference soon.")]
        lines += [f"  {moment(each.starts_at)}  {each.reference}  {each.studio}" for each in hit[:LISTED]]
        return subject, [*lines, *_link(incident)]

    return text


def _post(incident: Incident, what: str, level: int, hit: list[Threat], now: datetime) -> dict[str, object]:
    return {
        "event": f"incident.{what}",
        "incident": incident.id,
        "studio": incident.studio.code if incident.studio else None,
        "site": incident.where.name,
        "cause": incident.cause,
        "severity": incident.severity,
        "level": level,
        "opened_at": incident.opened_at.isoformat(),
        "at": now.isoformat(),
        "conferences": [
            {"reference": each.reference, "start": each.starts_at.isoformat(), "studio": each.code}
            for each in hit[:LISTED]
        ],
    }


def _link(incident: Incident) -> list[str]:
    address = settings().public_url
    if not address or not incident.studio:
        return []
    return ["", f"{address}/studios/{incident.studio.code}"]
