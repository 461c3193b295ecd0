"""Who is told of an incident: those on call, step by step until somebody takes it, and again when it is over.

Only what was told is ever said to be over, and only to those who were told of it. The caller commits.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from config import settings
from messages.outbox import queue
from models import Closure, Event, Incident, OnCall, Severity, db
from monitoring.incident_rules import is_to_escalate
from monitoring.threats import Threat, threats_of
from monitoring.wording import SEVERITIES, cause_word
from studios.booking.letters import moment, send

# Faults of quality are seen on the pages; nobody is called from their bed for one.
WORTH_A_MESSAGE = (Severity.MAJOR, Severity.CRITICAL)
LISTED = 20
OVER_WITHIN = timedelta(hours=12)


def tell_first(incident: Incident, now: datetime) -> None:
    if incident.severity in WORTH_A_MESSAGE:
        _tell_next_level(incident, now)


def tell_over(incident: Incident, now: datetime) -> None:
    """To all levels that were told."""
    for level in range(1, incident.level + 1):
        _tell(incident, level, "resolved", now)


def escalate(now: datetime) -> int:
    """Those on call of the next level are told of what nobody has taken; returns of how many incidents."""
    after = timedelta(minutes=settings().escalate_minutes)
    waiting = (
        Incident.resolved_at.is_(None),
        Incident.acknowledged_at.is_(None),
        Incident.quiet_since.is_(None),
        Incident.told_at <= now - after,
    )
    done = 0
    for incident in db.session.scalars(db.select(Incident).where(*waiting).order_by(Incident.id)):
        due = is_to_escalate(False, False, _is_closed(incident, now), incident.told_at, after, now)
        if due and incident.level < _highest_level(now):
            _tell_next_level(incident, now)
            done += 1
    return done


def _tell_next_level(incident: Incident, now: datetime) -> None:
    """Levels at which nobody is on call now are passed over."""
    highest = _highest_level(now)
    while incident.level < highest:
        incident.level += 1
        incident.told_at = now
        if names := _tell(incident, incident.level, "opened" if incident.level == 1 else "escalated", now):
            details = {"level": incident.level, "told": names}
            whose = {"incident_id": incident.id, "studio_id": incident.studio_id}
            db.session.add(Event(at=now, kind="incident.told", details=details, **whose))
            return


def _tell(incident: Incident, level: int, what: str, now: datetime) -> list[str]:
    """Mail for people, a signed post for programs; the names of whoever is told."""
    key = f"incident/{incident.id}/{incident.times}/{what}/{level}"
    hit = threats_of([incident], now)[incident.id]
    on_call = _on_call(level, _region(incident), now)
    people = [each.account for each in on_call if each.account and each.account.disabled_at is None]
    send(key, people, _mail(incident, what, hit))
    for each in on_call:
        if each.url and each.credential_id:
            body = json.dumps(_post(incident, what, level, hit, now), ensure_ascii=False)
            queue(
                key=f"{key}/program {each.id}",
                recipient=each.url,
                subject=what,
                body=body,
                expires_after=OVER_WITHIN,
                signed_with_id=each.credential_id,
            )
    return [person.name or person.email for person in people] + [each.url for each in on_call if each.url]


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
    place = [Closure.site_id == incident.site_id]
    if incident.studio:
        place = [Closure.studio_id == incident.studio_id, Closure.site_id == incident.studio.site_id]
    query = sa.select(Closure.id).where(sa.or_(*place), Closure.starts_at <= now, Closure.ends_at > now)
    return db.session.scalar(query.limit(1)) is not None


def _region(incident: Incident) -> str:
    site = incident.studio.site if incident.studio else incident.site
    return site.health_region if site else ""


def place_name(incident: Incident) -> str:
    if incident.studio:
        return f"{incident.studio.name} ({incident.studio.code})"
    return incident.site.name if incident.site else ""


def _mail(incident: Incident, what: str, hit: list[Threat]) -> Callable[[], tuple[str, list[str]]]:
    def text() -> tuple[str, list[str]]:
        place, fault = place_name(incident), cause_word(incident.cause)
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
        "site": (incident.studio.site if incident.studio else incident.site).name,  # type: ignore[union-attr]
        "cause": incident.cause,
        "severity": incident.severity,
        "level": level,
        "opened_at": incident.opened_at.isoformat(),
        "at": now.isoformat(),
        "conferences": [
            {"reference": each.reference, "start": each.starts_at.isoformat(), "studio": each.studio}
            for each in hit[:LISTED]
        ],
    }


def _link(incident: Incident) -> list[str]:
    address = settings().public_url
    if not address or not incident.studio:
        return []
    return ["", f"{address}/studios/{incident.studio.code}"]
