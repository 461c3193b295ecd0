"""Whose conference it is to work on: a lease taken by a conditional update, with a version that fences a late worker.

Conferences are leased, not legs: two workers on one point-to-point call could dial across each other. Time is the
database's. A lease further ahead than one term is void: a clock was stepped.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import sqlalchemy as sa

from models import Conference, database_now, db, write
from scheduler.queries import DUE, Due, due_of

TERM = timedelta(seconds=9)
# The whole time one order to an endpoint may take; it must fit into what is left of the lease.
ORDER = timedelta(seconds=8)
# The rows of a lease are nobody's objects: they need not be brought in line with what is loaded.
APART = {"synchronize_session": False}


class LeaseLost(Exception):
    """Another worker has the conference now; nothing more may be sent or written for it here."""


@dataclass
class Lease:
    """`runs_out` is by this process's own monotonic clock, taken before the database was asked: never too late.
    `taken_at` is the database's time."""

    conference_id: int
    worker: str
    version: int
    runs_out: float
    taken_at: datetime

    def renew(self) -> None:
        """Make sure that a whole order fits into the lease; call before each."""
        if self.runs_out - monotonic() < ORDER.total_seconds():
            write(self._extend)

    def hold(self) -> Conference:
        """The conference, its row locked in the running transaction if the lease is still ours."""
        mine = db.select(Conference).where(*self._mine()).with_for_update()
        conference = db.session.scalar(mine)
        if conference is None:
            raise LeaseLost
        return conference

    def give_back(self, due_at: datetime | None, seen_version: int, now: datetime) -> Due | None:
        """Let go, and say when to look next: at once where a person changed the conference meanwhile."""
        changed = Conference.version != seen_version
        values = {"lease_owner": None, "lease_until": None, "due_at": sa.case((changed, now), else_=due_at)}
        let_go = sa.update(Conference).where(*self._mine()).values(values)
        return due_of(db.session.execute(let_go.returning(*DUE), execution_options=APART).one_or_none())

    def _extend(self) -> None:
        runs_out = _runs_out()
        until = database_now() + TERM
        longer = sa.update(Conference).where(*self._mine()).values(lease_until=until, due_at=until)
        found = db.session.execute(longer, execution_options=APART)
        if found.rowcount == 0:  # type: ignore[attr-defined]
            raise LeaseLost
        self.runs_out = runs_out

    def _mine(self) -> tuple[sa.ColumnElement[bool], ...]:
        return Conference.id == self.conference_id, Conference.lease_version == self.version


def claim(conference_id: int, worker: str) -> Lease | None:
    """Take the lease if nobody holds it. Until it is given back the conference falls due again when it runs out."""
    runs_out, now = _runs_out(), database_now()
    free = sa.or_(Conference.lease_until.is_(None), Conference.lease_until <= now, Conference.lease_until > now + TERM)
    until = now + TERM
    taken = db.session.execute(
        sa.update(Conference)
        .where(Conference.id == conference_id, Conference.due_at.is_not(None), Conference.due_at <= now, free)
        .values(lease_owner=worker, lease_until=until, lease_version=Conference.lease_version + 1, due_at=until)
        .returning(Conference.lease_version),
        execution_options=APART,
    ).scalar()
    return None if taken is None else Lease(conference_id, worker, taken, runs_out, now)


def _runs_out() -> float:
    return monotonic() + TERM.total_seconds()
