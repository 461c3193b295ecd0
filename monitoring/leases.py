"""Which monitor polls which endpoints: a lease on each endpoint's status row, shared evenly by all that are alive.

A lease is free when nobody has it, when it ran out, when its owner's heartbeat stopped, or when it reaches further
ahead than two terms (a clock was stepped; one would not do, since it may have been taken after the time was asked for).
Time is the database's. The caller commits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import sqlalchemy as sa

from models import Endpoint, EndpointStatus, Health, Studio, Worker, database_now, db, insert
from models.heartbeat import fall_silent

KIND = "monitor"


@dataclass(frozen=True, slots=True)
class Terms:
    """`lease` without renewal, `silence` of a heartbeat: after either, another monitor may take over."""

    lease: timedelta = timedelta(seconds=30)
    silence: timedelta = timedelta(seconds=8)


@dataclass(frozen=True, slots=True)
class Lease:
    endpoint_id: int
    owner: str | None
    until: datetime | None

    def is_free(self, alive: set[str], now: datetime, term: timedelta) -> bool:
        if self.owner not in alive or self.until is None:
            return True
        return not now <= self.until <= now + 2 * term


def division(
    leases: Iterable[Lease], worker: str, alive: set[str], now: datetime, term: timedelta
) -> tuple[list[int], list[int]]:
    """The endpoints to take and to give up, so that each monitor alive has an even share. Pure."""
    leases = sorted(leases, key=lambda lease: lease.endpoint_id)
    alive = alive | {worker}
    share = ceil(len(leases) / len(alive))
    mine = [lease.endpoint_id for lease in leases if lease.owner == worker]
    free = [lease.endpoint_id for lease in leases if lease.owner != worker and lease.is_free(alive, now, term)]
    return free[: max(0, share - len(mine))], mine[share:]


def claim(worker: str, terms: Terms) -> bool:
    """Take what is free up to this worker's share, give up what is more, renew the rest; whether anything moved."""
    _complete_statuses()
    now = database_now()
    take, give = division(_leases(), worker, _alive(now, terms.silence), now, terms.lease)
    if give:
        _lease(EndpointStatus.endpoint_id.in_(give), EndpointStatus.lease_owner == worker, owner=None, until=None)
    # Asked again in the update itself: another monitor may have been quicker.
    free = sa.or_(
        EndpointStatus.lease_owner.is_(None),
        EndpointStatus.lease_until.is_(None),
        EndpointStatus.lease_until < now,
        EndpointStatus.lease_until > now + 2 * terms.lease,
        EndpointStatus.lease_owner.not_in(_alive(now, terms.silence)),
    )
    until = now + terms.lease
    if take:
        _lease(EndpointStatus.endpoint_id.in_(take), free, owner=worker, until=until)
    # Saving results renews a lease too; this is for endpoints of which there was nothing to save.
    tired = EndpointStatus.lease_until < now + terms.lease / 2
    _lease(EndpointStatus.lease_owner == worker, tired, owner=worker, until=until)
    return bool(take or give)


def release(worker: str) -> None:
    """Give up all leases and the heartbeat, so that others carry on at once."""
    _lease(EndpointStatus.lease_owner == worker, owner=None, until=None)
    fall_silent(worker)


def _lease(*which: sa.ColumnElement[bool], owner: str | None, until: datetime | None) -> None:
    statement = sa.update(EndpointStatus).where(*which).values(lease_owner=owner, lease_until=until)
    db.session.execute(statement.execution_options(synchronize_session=False))


def _alive(now: datetime, silence: timedelta) -> set[str]:
    recently = Worker.beat_at.between(now - silence, now + silence)  # not from before a clock was set back
    alive = sa.select(Worker.name).where(Worker.kind == KIND, recently)
    return set(db.session.scalars(alive))


def _leases() -> list[Lease]:
    """Of all endpoints that can be watched at all."""
    rows = db.session.execute(
        sa.select(EndpointStatus.endpoint_id, EndpointStatus.lease_owner, EndpointStatus.lease_until)
        .join(Endpoint)
        .join(Studio)
        .where(Studio.retired_at.is_(None))
        .where(sa.or_(Endpoint.snmp_host.is_not(None), Endpoint.control_driver.is_not(None)))
    )
    return [Lease(*row) for row in rows]


def _complete_statuses() -> None:
    """Every endpoint has its status row, whoever wrote the endpoint."""
    missing = db.session.scalars(
        sa.select(Endpoint.id).where(~sa.exists().where(EndpointStatus.endpoint_id == Endpoint.id))
    ).all()
    if not missing:
        return
    now = database_now()
    rows = [
        {"endpoint_id": key, "health": Health.UNKNOWN, "since": now, "changed_at": now, "cause": "", "misses": 0}
        for key in missing
    ]
    # Another monitor may just have inserted the same.
    db.session.execute(insert(EndpointStatus).on_conflict_do_nothing(), [{**row, "in_call": False} for row in rows])
