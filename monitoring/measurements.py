"""What polling measured, for charts: five minutes summed up by the monitors, hours of them by the scheduler.

History is summed up, never raw: 900 endpoints make 900 rows in five minutes however often they are polled. What a
monitor that is killed has measured since the last of them is lost; a chart misses at most that.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from models import Measurement, Span, database_now, db, insert, write
from monitoring.tally import Sums

KEPT = {Span.FIVE_MINUTES: timedelta(days=8), Span.HOUR: timedelta(days=400)}
HOUR = timedelta(hours=1)
# Monitors store their last five minutes a little after those are over.
SETTLED = timedelta(minutes=10)
KEY = ["span", "starts_at", "endpoint_id"]


def store(window: datetime, found: Iterable[tuple[int, Sums]]) -> None:
    """Of each endpoint the five minutes from `window` on. What another monitor measured of them is added up with it.
    The caller commits."""
    rows = [
        {
            "span": Span.FIVE_MINUTES,
            "starts_at": window,
            "endpoint_id": endpoint_id,
            "polls": sums.polls,
            "misses": sums.misses,
            "round_trip_ms": sums.round_trip_ms,
            "longest_round_trip_ms": sums.longest_round_trip_ms,
            "loss_percent": sums.loss_percent,
            "jitter_ms": sums.jitter_ms,
        }
        for endpoint_id, sums in found
    ]
    if not rows:
        return
    statement = insert(Measurement)
    new = statement.excluded
    merged = {
        "polls": Measurement.polls + new.polls,
        "misses": Measurement.misses + new.misses,
        "round_trip_ms": _weighed(Measurement.round_trip_ms, new.round_trip_ms, new),
        "longest_round_trip_ms": sa.case(
            (new.longest_round_trip_ms > Measurement.longest_round_trip_ms, new.longest_round_trip_ms),
            else_=sa.func.coalesce(Measurement.longest_round_trip_ms, new.longest_round_trip_ms),
        ),
        "loss_percent": sa.func.coalesce(new.loss_percent, Measurement.loss_percent),
        "jitter_ms": sa.func.coalesce(new.jitter_ms, Measurement.jitter_ms),
    }
    db.session.execute(statement.on_conflict_do_update(index_elements=KEY, set_=merged), rows)


def _weighed(old: Any, new: Any, row: Any) -> sa.ColumnElement[float]:
    """The mean of both by how many answers each stands for."""
    answers, more = Measurement.polls - Measurement.misses, row.polls - row.misses
    both = sa.func.nullif(answers + more, 0)
    return sa.func.coalesce((old * answers + new * more) / both, old, new)


def roll_up() -> int:
    """Sum up the hours that are over, and throw away what is too old; returns how many rows the hours became. May be
    run at any time, by any number of processes."""
    return write(lambda: _roll_up(database_now()))


def _roll_up(now: datetime) -> int:
    newest = db.session.scalar(sa.select(sa.func.max(Measurement.starts_at)).where(Measurement.span == Span.HOUR))
    since = newest + HOUR if newest else now - KEPT[Span.FIVE_MINUTES]
    fresh = (Measurement.span == Span.FIVE_MINUTES, Measurement.starts_at >= since)
    oldest = db.session.scalar(sa.select(sa.func.min(Measurement.starts_at)).where(*fresh))
    made = 0
    hour = oldest.replace(minute=0, second=0, microsecond=0) if oldest else now
    while hour + HOUR + SETTLED <= now:
        made += _sum_up(hour)
        hour += HOUR
    for span, age in KEPT.items():
        db.session.execute(sa.delete(Measurement).where(Measurement.span == span, Measurement.starts_at < now - age))
    return made


def _sum_up(hour: datetime) -> int:
    answers = Measurement.polls - Measurement.misses
    measured = Measurement.round_trip_ms.is_not(None)
    rows = db.session.execute(
        sa.select(
            Measurement.endpoint_id,
            sa.func.sum(Measurement.polls).label("polls"),
            sa.func.sum(Measurement.misses).label("misses"),
            (
                sa.func.sum(Measurement.round_trip_ms * answers)
                / sa.func.nullif(sa.func.sum(sa.case((measured, answers), else_=0)), 0)
            ).label("round_trip_ms"),
            sa.func.max(Measurement.longest_round_trip_ms).label("longest_round_trip_ms"),
            sa.func.avg(Measurement.loss_percent).label("loss_percent"),
            sa.func.avg(Measurement.jitter_ms).label("jitter_ms"),
        )
        .where(Measurement.span == Span.FIVE_MINUTES)
        .where(Measurement.starts_at >= hour, Measurement.starts_at < hour + HOUR)
        .group_by(Measurement.endpoint_id)
    ).all()
    if rows:
        values = [{"span": Span.HOUR, "starts_at": hour, **row._mapping} for row in rows]
        db.session.execute(insert(Measurement).on_conflict_do_nothing(), values)
    return len(rows)
