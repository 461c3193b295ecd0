"""Storing what polling found: the present of each endpoint always, its changes as rows of their own."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from models import Endpoint, EndpointStatus, Event, StatusChange, Studio, database_now, db
from monitoring.profiles import Identity
from monitoring.trap_receiver import Told
from monitoring.watched import Change, Watched

STATUS = cast(sa.Table, EndpointStatus.__table__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be stored of one endpoint, copied out of memory so that polling goes on meanwhile."""

    endpoint_id: int
    studio_id: int
    row: dict[str, Any]
    tile_changed: bool
    changes: tuple[Change, ...]
    learned: Identity | None


def finding(watched: Watched) -> Finding:
    equipment = watched.equipment
    return Finding(
        equipment.endpoint_id,
        equipment.studio_id,
        watched.row(),
        watched.tile_changed,
        tuple(watched.changes),
        watched.learned,
    )


@dataclass(frozen=True, slots=True)
class Saved:
    """`lost`: endpoints that meanwhile belong to another monitor, of which nothing was stored."""

    at: datetime
    lost: frozenset[int]


def save(worker: str, findings: Iterable[Finding], lease: timedelta) -> Saved:
    """Store all findings of endpoints that are still ours, and renew their leases. The caller commits.

    May be run again after a commit whose answer was lost: changes that the row already knows are not written twice.
    """
    found = {finding.endpoint_id: finding for finding in findings}
    now = database_now()
    known_since = _ours(worker, found)
    ours = [found[key] for key in known_since]
    if ours:
        _update_statuses(ours, now, now + lease)
    for one in ours:
        _add_changes(one, known_since[one.endpoint_id])
        _learn(one)
    return Saved(now, frozenset(found.keys() - known_since.keys()))


def pass_on(told: Iterable[Told], wanted: Collection[int]) -> None:
    """Lines for the studios' timelines, and the endpoints that other monitors shall poll. The caller commits."""
    if wanted:
        want(wanted)
    db.session.add_all(
        Event(at=one.at, kind="studio.trap", studio_id=one.studio_id, details={"trap": one.trap}) for one in told
    )


def want(endpoint_ids: Collection[int]) -> None:
    """Have these polled at once, whoever watches them. The caller commits."""
    which = EndpointStatus.endpoint_id.in_(endpoint_ids)
    wish = sa.update(EndpointStatus).where(which).values(wanted_at=database_now())
    db.session.execute(wish.execution_options(synchronize_session=False))


def _ours(worker: str, found: Iterable[int]) -> dict[int, datetime]:
    """Since when the row has its present health, of each endpoint that is still ours; locked, in one order for all."""
    rows = db.session.execute(
        sa.select(EndpointStatus.endpoint_id, EndpointStatus.since)
        .where(EndpointStatus.endpoint_id.in_(found), EndpointStatus.lease_owner == worker)
        .order_by(EndpointStatus.endpoint_id)
        .with_for_update()
    )
    return {row.endpoint_id: row.since for row in rows}


def _update_statuses(ours: list[Finding], now: datetime, lease_until: datetime) -> None:
    """`changed_at` is the storing transaction's time: a page that asks "what changed since" misses nothing."""
    rows = []
    for one in ours:
        changed_at = now if one.tile_changed else one.row["changed_at"]
        rows.append({**one.row, "changed_at": changed_at, "lease_until": lease_until, "this": one.endpoint_id})
    statement = STATUS.update().where(STATUS.c.endpoint_id == sa.bindparam("this"))
    columns: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if name != "this"}
    db.session.connection().execute(statement.values(columns), rows)


def _add_changes(one: Finding, known_since: datetime) -> None:
    for change in _unwritten(one.changes, known_since):
        cause = str(change.cause)
        db.session.add(
            StatusChange(
                endpoint_id=one.endpoint_id,
                at=change.at,
                from_health=change.from_health,
                to_health=change.to_health,
                cause=cause,
            )
        )
        details = {"from": change.from_health, "to": change.to_health, "cause": cause}
        db.session.add(Event(at=change.at, kind=f"studio.{change.to_health}", studio_id=one.studio_id, details=details))


def _unwritten(changes: tuple[Change, ...], known_since: datetime) -> tuple[Change, ...]:
    """What follows the change that the row already shows; all of them when it shows none of these."""
    moments = [change.at for change in changes]
    return changes[moments.index(known_since) + 1 :] if known_since in moments else changes


def _learn(one: Finding) -> None:
    """What it says of itself. Who says to be another studio's equipment is believed, and told of: somebody has mixed up
    two addresses, or two devices."""
    if one.learned is None:
        return
    who = one.learned
    values = {"vendor": who.vendor, "model": who.model, "serial": who.serial, "software": who.software}
    mine = Endpoint.id == one.endpoint_id
    known = db.session.scalar(sa.select(Endpoint.serial).where(mine))
    db.session.execute(sa.update(Endpoint).where(mine).values(values).execution_options(synchronize_session=False))
    if who.serial is None or who.serial == known:
        return
    query = sa.select(Studio.name).join(Endpoint, Endpoint.studio_id == Studio.id).order_by(Studio.id)
    others = query.where(Endpoint.serial == who.serial, Endpoint.id != one.endpoint_id, Studio.retired_at.is_(None))
    if other := db.session.scalar(others.limit(1)):
        details = {"other": other, "serial": who.serial}
        event = Event(at=database_now(), kind="studio.mistaken", studio_id=one.studio_id, details=details)
        db.session.add(event)
