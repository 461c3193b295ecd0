"""What is reserved and closed in some studios while some meetings last: read in two queries, then asked in memory."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from models import Closure, Reservation, db
from models.database import UTCDateTime
from models.guards import LONGEST_HOURS
from studios.booking.candidates import Candidate
from studios.booking.finding.reading import MOST_LISTED
from studios.booking.hours import is_within
from studios.booking.queries import Closed
from studios.calendars.rules import Span

LONGEST = timedelta(hours=LONGEST_HOURS)
SIBLING = 0
"""The key of time that another meeting of the same request takes: it is no reservation yet."""


class Taken(NamedTuple):
    """Time of a studio that is gone, and the key of the reservation that takes it."""

    start: datetime
    end: datetime
    key: int


def span_of(studio: Candidate, start: datetime, end: datetime) -> Span:
    """The studio's time that a conference takes, buffers included."""
    return Span(start - studio.setup, end + studio.clear_down)


class Diary:
    """The reservations by studio, and the closures, that overlap any of the meetings it was read for."""

    def __init__(self, reserved: Mapping[int, list[Taken]], closures: Sequence[sa.Row[Any]]) -> None:
        self._reserved = dict(reserved)
        self._closures = closures
        self._within: dict[tuple[str, str, datetime, datetime], bool] = {}
        self._hours: dict[int, str] = {}

    def is_free(self, studio: Candidate, meeting: Span) -> bool:
        """Whether the studio can have the meeting, buffers, closures and bookable hours included."""
        taken = studio.id in self._reserved and self.taken(studio, meeting)
        return not taken and not self.closed(studio, meeting) and self.is_open(studio, meeting)

    def taken(self, studio: Candidate, meeting: Span) -> list[Taken]:
        """What overlaps the studio's time for the meeting, by start."""
        span = span_of(studio, meeting.start, meeting.end)
        found = self._reserved.get(studio.id, ())
        return sorted(each for each in found if each.start < span.end and span.start < each.end)

    def closed(self, studio: Candidate, meeting: Span) -> list[Closed]:
        if not self._closures:
            return []
        span = span_of(studio, meeting.start, meeting.end)
        return [
            Closed(studio, row.starts_at, row.ends_at, row.reason)
            for row in self._closures
            if (row.studio_id == studio.id or row.site_id == studio.site_id)
            and span.overlaps(Span(row.starts_at, row.ends_at))
        ]

    def is_open(self, studio: Candidate, meeting: Span) -> bool:
        """Whether the meeting lies within the studio's bookable hours; many studios have the same."""
        if studio.hours is None:
            return True
        if studio.id not in self._hours:
            self._hours[studio.id] = json.dumps(studio.hours)
        key = (self._hours[studio.id], studio.zone, meeting.start, meeting.end)
        if key not in self._within:
            self._within[key] = is_within(studio.hours, ZoneInfo(studio.zone), meeting)
        return self._within[key]

    def hold(self, studio: Candidate, meeting: Span) -> None:
        """Take the studio's time for a meeting of the same request, so that no other of its meetings gets it too."""
        span = span_of(studio, meeting.start, meeting.end)
        self._reserved.setdefault(studio.id, []).append(Taken(span.start, span.end, SIBLING))


def read(studios: Collection[Candidate], meetings: Sequence[Span], but: Collection[int] = ()) -> Diary:
    """What stands in these studios at the times of these meetings. `but`: conferences that are moved away."""
    if not studios or not meetings:
        return Diary({}, ())
    before, after = max(each.setup for each in studios), max(each.clear_down for each in studios)
    spans = merged([meeting.widened(before, after) for meeting in meetings])
    reserved: dict[int, list[Taken]] = {}
    for studio_id, start, end, key in db.session.execute(_reserved({each.id for each in studios}, spans, but)):
        reserved.setdefault(studio_id, []).append(Taken(start, end, key))
    return Diary(reserved, db.session.execute(_closures(spans)).all())


def merged(spans: Collection[Span]) -> list[Span]:
    """The same time in as few spans as can be, in order."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def overlapping(
    query: sa.Select[*tuple[Any, ...]],
    starts: InstrumentedAttribute[datetime],
    ends: InstrumentedAttribute[datetime],
    spans: Sequence[Span],
) -> sa.Select[*tuple[Any, ...]]:
    """Of the query's rows those that overlap one of these spans, each once.

    Several spans are joined as rows, and each is looked up in the index of the starts: conditions that are or-ed let
    SQLite read all from the first span to the last.
    """
    if len(spans) == 1:
        (span,) = spans
        return query.where(starts > span.start - LONGEST, starts < span.end, ends > span.start)
    names = ("bound", "opens", "closes")
    rows = [(span.start - LONGEST, span.start, span.end) for span in spans]
    each = sa.values(*(sa.column(name, UTCDateTime) for name in names), name="span").data(rows).cte("span")
    within = sa.and_(starts > each.c.bound, starts < each.c.closes, ends > each.c.opens)
    return query.join(each, within).distinct()


def _reserved(studio_ids: Collection[int], spans: Sequence[Span], but: Collection[int]) -> sa.Select[*tuple[Any, ...]]:
    query = sa.select(Reservation.studio_id, Reservation.starts_at, Reservation.ends_at, Reservation.id).where(
        Reservation.is_held(datetime.now(UTC))
    )
    if but:
        moved = Reservation.conference_id.in_(but)
        query = query.where(sa.or_(Reservation.conference_id.is_(None), sa.not_(moved)))
    if len(studio_ids) <= MOST_LISTED:
        query = query.where(Reservation.studio_id.in_(studio_ids))
    return overlapping(query, Reservation.starts_at, Reservation.ends_at, spans)


def _closures(spans: Sequence[Span]) -> sa.Select[*tuple[Any, ...]]:
    """Closures can be long, and are few."""
    return sa.select(Closure.studio_id, Closure.site_id, Closure.starts_at, Closure.ends_at, Closure.reason).where(
        Closure.starts_at < spans[-1].end, Closure.ends_at > spans[0].start
    )
