"""What may look different on the status page since it was last told: rows that changed, and moments that passed.

A page asks with a cursor: the database's time of the last answer, and marks of what it was told lately. Transactions
commit out of order, so each question looks a little further back than the last answer; the marks keep that from being
told twice.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from models import Closure, Conference, Endpoint, EndpointStatus, Event, Leg, Studio, db
from monitoring.agenda import MISSED_AFTER
from monitoring.tiles import SOON

# How late a transaction may commit after the time it wrote, clocks of several machines included.
OVERLAP = timedelta(seconds=10)
# A page that slept for longer is fetched whole.
LONGEST_NAP = timedelta(hours=1)
# More marks would make the address too long; what falls out is only told twice.
MOST_MARKS = 400


class Kind(StrEnum):
    STATUS = "status"
    STALE = "stale"
    LEG = "leg"
    EVENT = "event"
    NEAR = "near"
    SOON = "soon"
    START = "start"
    LATE = "late"
    END = "end"
    CLOSED = "closed"
    OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Stirring:
    """One thing that happened, to a studio or to all studios of a conference."""

    kind: Kind
    at: datetime
    studio_id: int | None
    conference_id: int | None

    @property
    def mark(self) -> str:
        text = f"{self.kind} {self.studio_id} {self.conference_id} {self.at.timestamp():.6f}"
        return f"{zlib.crc32(text.encode()):x}"


@dataclass(frozen=True, slots=True)
class Cursor:
    since: datetime
    marks: frozenset[str] = frozenset()

    @staticmethod
    def parse(since: str, marks: str) -> "Cursor":
        """Raises ValueError when it is none of ours."""
        moment = datetime.fromtimestamp(int(since) / 1e6, UTC)
        return Cursor(moment, frozenset(marks.split(".")[:MOST_MARKS]) if marks else frozenset())

    def __str__(self) -> str:
        return str(round(self.since.timestamp() * 1e6))

    @property
    def reach(self) -> datetime:
        """How far back to look for what was not seen then."""
        return self.since - OVERLAP

    def is_asleep(self, now: datetime) -> bool:
        return now - self.since > LONGEST_NAP

    def fresh(self, found: Iterable[Stirring]) -> list[Stirring]:
        """What this page has not been told yet."""
        return [stirring for stirring in found if stirring.mark not in self.marks]


def cursor_after(found: Iterable[Stirring], now: datetime) -> Cursor:
    """The cursor that goes out with an answer. What lies further back than the overlap is never found again."""
    recent = sorted((one for one in found if one.at > now - OVERLAP), key=lambda one: one.at, reverse=True)
    return Cursor(now, frozenset(one.mark for one in recent[:MOST_MARKS]))


def stirrings(after: datetime, now: datetime, *, stale_after: timedelta, risk_ahead: timedelta) -> list[Stirring]:
    """All that happened after that moment. Rows may bear a time ahead of `now`: clocks differ."""
    moments = [
        (Kind.START, Conference.starts_at, timedelta()),
        (Kind.LATE, Conference.starts_at, -MISSED_AFTER),
        (Kind.SOON, Conference.starts_at, SOON),
        (Kind.NEAR, Conference.starts_at, risk_ahead),
        (Kind.END, Conference.ends_at, timedelta()),
    ]
    parts = [
        _of_studio(Kind.STATUS, EndpointStatus.changed_at).where(EndpointStatus.changed_at > after),
        _of_studio(Kind.STALE, EndpointStatus.last_poll_at).where(
            EndpointStatus.last_poll_at.between(after - stale_after, now - stale_after)
        ),
        _select(Kind.LEG, Leg.changed_at, conference_id=Leg.conference_id).where(Leg.changed_at > after),
        _select(Kind.EVENT, Event.at, Event.studio_id, Event.conference_id).where(Event.at > after),
        *(
            _select(kind, column, conference_id=Conference.id)
            .where(column > after + ahead, column <= now + ahead)
            # For the index: nothing that ends now started days ago.
            .where(Conference.starts_at > after - timedelta(days=2))
            for kind, column, ahead in moments
        ),
        *(_of_closure(kind, column).where(column > after, column <= now) for kind, column in _CLOSURE_ENDS),
    ]
    shifts = {Kind.STALE: stale_after, **{kind: -ahead for kind, _, ahead in moments}}
    return [
        Stirring(kind := Kind(row.kind), row.at + shifts.get(kind, timedelta()), row.studio_id, row.conference_id)
        for row in db.session.execute(sa.union_all(*parts))
    ]


_CLOSURE_ENDS = ((Kind.CLOSED, Closure.starts_at), (Kind.OPENED, Closure.ends_at))


def _select(kind: Kind, at: Any, studio_id: Any = None, conference_id: Any = None) -> sa.Select[*tuple[Any, ...]]:
    nothing = sa.cast(sa.null(), sa.Integer)
    return sa.select(
        sa.literal(str(kind)).label("kind"),
        at.label("at"),
        (nothing if studio_id is None else studio_id).label("studio_id"),
        (nothing if conference_id is None else conference_id).label("conference_id"),
    )


def _of_studio(kind: Kind, at: Any) -> sa.Select[*tuple[Any, ...]]:
    return _select(kind, at, Endpoint.studio_id).join(Endpoint, Endpoint.id == EndpointStatus.endpoint_id)


def _of_closure(kind: Kind, at: Any) -> sa.Select[*tuple[Any, ...]]:
    closed = sa.or_(Studio.id == Closure.studio_id, Studio.site_id == Closure.site_id)
    return _select(kind, at, Studio.id).join(Studio, closed)
