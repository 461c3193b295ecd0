"""What polling is made to have measured in the week before now, by the hour: what the charts of studios show."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import sqlalchemy as sa

from models import Endpoint, Health, Measurement, Span, StatusChange, db, write

HOUR = timedelta(hours=1)
HOURS = 7 * 24
POLLS = 360  # an hour: a sign of life every ten seconds
Silence = tuple[datetime, datetime]
SILENT = (Health.DOWN, Health.UNREACHABLE)


def write_measurements(seed: int, now: datetime) -> int:
    """Of the week before anything was really measured; how many were written. One that was cut short is carried on."""
    five_minutes = Measurement.span == Span.FIVE_MINUTES
    measured = db.session.scalar(sa.select(sa.func.min(Measurement.starts_at)).where(five_minutes)) or now
    end = measured.replace(minute=0, second=0, microsecond=0)
    first = end - HOURS * HOUR
    hourly = sa.select(Measurement.starts_at).where(Measurement.span == Span.HOUR, Measurement.starts_at >= first)
    known = set(db.session.scalars(hourly.distinct()))
    missing = [hour for number in range(HOURS) if (hour := first + number * HOUR) not in known]
    silences = _silences(first, end) if missing else {}
    keys = list(db.session.scalars(sa.select(Endpoint.id).order_by(Endpoint.id)))
    random = Random(f"{seed} measured")
    usual = {key: random.uniform(2.0, 28.0) for key in keys}
    for hour in missing:
        rows = [_row(key, hour, usual[key], silences.get(key, ()), random) for key in keys]
        write(lambda rows=rows: db.session.execute(sa.insert(Measurement), rows))  # type: ignore[misc]
    return len(missing) * len(keys)


def _row(key: int, hour: datetime, usual: float, silences: Sequence[Silence], random: Random) -> dict[str, object]:
    after = hour + HOUR
    here = [(max(start, hour), min(end, after)) for start, end in silences if start < after and end > hour]
    silent = sum((end - start).total_seconds() for start, end in here)
    misses = round(POLLS * silent / HOUR.total_seconds()) or (random.random() < 0.02)
    busy = 1.3 if 7 <= hour.hour <= 15 else 1.0  # networks are slower while people work
    round_trip = round(usual * busy * random.uniform(0.9, 1.15), 2)
    in_call = 7 <= hour.hour <= 15 and random.random() < 0.2
    return {
        "span": Span.HOUR,
        "starts_at": hour,
        "endpoint_id": key,
        "polls": POLLS,
        "misses": int(misses),
        "round_trip_ms": None if misses == POLLS else round_trip,
        "longest_round_trip_ms": None if misses == POLLS else round(round_trip * random.uniform(1.2, 4.0), 2),
        "loss_percent": round(random.expovariate(4.0), 2) if in_call else None,
        "jitter_ms": round(random.uniform(1.0, 12.0), 1) if in_call else None,
    }


def _silences(first: datetime, last: datetime) -> dict[int, list[Silence]]:
    """When each endpoint was silent, as its changes of health tell."""
    query = sa.select(StatusChange.endpoint_id, StatusChange.at, StatusChange.to_health)
    rows = db.session.execute(query.where(StatusChange.at > first - timedelta(days=2)).order_by(StatusChange.at))
    since: dict[int, datetime] = {}
    found: dict[int, list[Silence]] = {}
    for key, at, health in rows:
        if (began := since.pop(key, None)) is not None:
            found.setdefault(key, []).append((began, at))
        if health in SILENT:
            since[key] = at
    for key, began in since.items():
        found.setdefault(key, []).append((began, last))
    return found
