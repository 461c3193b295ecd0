"""The facts of a day found another way: by looking at each minute, and by plain SQL.

Everything must happen on whole minutes.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from models import db

MINUTE = timedelta(minutes=1)

CALLS = """
SELECT call_record.studio_id, call_record.conference_id, call_record.connected_at, call_record.ended_at
FROM call_record
"""
HOSTS = """
SELECT party.conference_id, reservation.studio_id
FROM party JOIN reservation ON reservation.id = party.reservation_id WHERE party.host
"""
BOOKED = """
SELECT reservation.studio_id, conference.starts_at, conference.ends_at
FROM conference JOIN party ON party.conference_id = conference.id
JOIN reservation ON reservation.id = party.reservation_id
WHERE conference.state <> 'cancelled' OR conference.id IN (SELECT conference_id FROM call_record)
"""
# Each conference that began in the day, with what decides its outcome.
CONFERENCES = """
SELECT conference.id,
       EXISTS (SELECT 1 FROM call_record WHERE call_record.conference_id = conference.id) AS was_up,
       conference.state = 'cancelled' AS cancelled,
       conference.state IN ('ended', 'failed') OR conference.ends_at <= :now AS is_over,
       (SELECT count(*) FROM party WHERE party.conference_id = conference.id AND NOT party.host) AS dialled,
       (SELECT count(*) FROM party JOIN reservation ON reservation.id = party.reservation_id
        WHERE party.conference_id = conference.id AND NOT party.host
        AND EXISTS (SELECT 1 FROM event WHERE event.conference_id = conference.id
                    AND event.studio_id = reservation.studio_id AND event.kind = 'leg.failed')
        AND NOT EXISTS (SELECT 1 FROM event WHERE event.conference_id = conference.id
                        AND event.studio_id = reservation.studio_id AND event.kind = 'leg.failed'
                        AND CAST(event.details AS TEXT) NOT LIKE '%answer%')) AS silent,
       (SELECT count(DISTINCT leg_id) FROM call_record WHERE call_record.conference_id = conference.id) AS connected,
       conference.starts_at AS starts_at,
       (SELECT min(connected_at) FROM call_record WHERE call_record.conference_id = conference.id) AS first_up
FROM conference WHERE conference.starts_at >= :start AND conference.starts_at < :end
"""


def rows(query: str, **values: Any) -> list[Any]:
    """SQLite keeps instants as text without a zone, which is UTC."""
    instants = {"starts_at", "ends_at", "connected_at", "ended_at", "first_up", "at", "start", "end", "now"}
    sqlite = db.engine.dialect.name == "sqlite"
    given = {name: _text(value) if sqlite and isinstance(value, datetime) else value for name, value in values.items()}
    found = db.session.execute(sa.text(query), given).mappings()
    return [
        {name: _instant(value) if name in instants and value is not None else value for name, value in row.items()}
        for row in found
    ]


def outcomes(start: datetime, end: datetime, now: datetime) -> dict[int, tuple[str, bool, bool]]:
    """By conference: what became of it, whether it was late, whether it was as booked."""
    found = {}
    for row in rows(CONFERENCES, start=start, end=end, now=now):
        late = bool(row["was_up"]) and row["first_up"] - row["starts_at"] > MINUTE
        complete = row["connected"] == row["dialled"]
        found[row["id"]] = (_outcome(row), late, bool(row["was_up"]) and complete and not late)
    return found


def minutes_used(studio_id: int, start: datetime, end: datetime) -> int:
    hosted = {row["conference_id"] for row in rows(HOSTS) if row["studio_id"] == studio_id}
    spans = [
        (row["connected_at"], row["ended_at"] or end)
        for row in rows(CALLS)
        if row["studio_id"] == studio_id or row["conference_id"] in hosted
    ]
    return sum(any(begun <= minute < ended for begun, ended in spans) for minute in _minutes(start, end))


def minutes_booked(studio_id: int, start: datetime, end: datetime) -> int:
    spans = [(row["starts_at"], row["ends_at"]) for row in rows(BOOKED) if row["studio_id"] == studio_id]
    return sum(begun <= minute < ended for minute in _minutes(start, end) for begun, ended in spans)


def minutes_of_health(endpoint_id: int, known_until: datetime, start: datetime, end: datetime) -> dict[str, int]:
    """By the word of the monitor; unknown where it had none, or was no longer there."""
    changes = rows(
        "SELECT at, to_health FROM status_change WHERE endpoint_id = :endpoint ORDER BY at, id", endpoint=endpoint_id
    )
    seconds: dict[str, int] = {}
    for minute in _minutes(start, end):
        word = next((row["to_health"] for row in reversed(changes) if row["at"] <= minute), "unknown")
        word = word if minute < known_until else "unknown"
        seconds[word] = seconds.get(word, 0) + 1
    return seconds


def busiest(start: datetime, end: datetime) -> list[int]:
    """For each hour, the most conferences that were up in one minute."""
    calls = [(row["conference_id"], row["connected_at"], row["ended_at"] or end) for row in rows(CALLS)]
    up = [len({name for name, begun, ended in calls if begun <= minute < ended}) for minute in _minutes(start, end)]
    return [max(up[hour : hour + 60]) for hour in range(0, len(up), 60)]


def _outcome(row: Any) -> str:
    if row["was_up"]:
        return "held"
    if row["cancelled"]:
        return "cancelled"
    if not row["is_over"]:
        return "running"
    return "no_show" if row["dialled"] and row["silent"] == row["dialled"] else "failed"


def _minutes(start: datetime, end: datetime) -> list[datetime]:
    return [start + number * MINUTE for number in range((end - start) // MINUTE)]


def _text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S.%f")


def _instant(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
