"""Facts as rows, straight into the tables that a night fills: the pages are tried without the night's work."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from models import Conference, ConferenceUsage, HourUsage, Outcome, Purpose, Report, Studio, StudioUsage, db
from tests import factories

DAY_SECONDS = 86_400
FIVE_MINUTES = timedelta(minutes=5)
_numbers = count()


def report(day: date) -> None:
    db.session.add(Report(day=day, made_at=datetime.combine(day + timedelta(days=1), time(3), UTC)))
    db.session.commit()


def studio_day(studio: Studio, day: date, **values: Any) -> None:
    """A studio's day, healthy throughout unless `values` say otherwise."""
    health = {"healthy_seconds": DAY_SECONDS, "faulty_seconds": 0, "maintenance_seconds": 0, "unknown_seconds": 0}
    db.session.add(StudioUsage(studio_id=studio.id, day=day, **{**health, **values}))
    db.session.commit()


def conference(*studios: Studio, day: date, outcome: Outcome = Outcome.HELD, **values: Any) -> Conference:
    """Each at a time of its own, so that a studio may be in several."""
    start = datetime.combine(day, time(), UTC) + FIVE_MINUTES * (next(_numbers) % 250)
    found = factories.conference(*studios, start=start, end=start + FIVE_MINUTES)
    facts: dict[str, Any] = {
        "purpose": Purpose.CLINICAL,
        "studios": len(studios),
        "booked_seconds": 3600,
        "used_seconds": 3600 if outcome is Outcome.HELD else 0,
        "late_seconds": 0 if outcome is Outcome.HELD else None,
        "as_booked": outcome is Outcome.HELD,
        "cause": None,
    }
    row = ConferenceUsage(
        conference_id=found.id, day=day, organisation_id=found.organisation_id, outcome=outcome, **{**facts, **values}
    )
    db.session.add(row)
    db.session.commit()
    return found


def hour(starts_at: datetime, day: date, conferences: int) -> None:
    db.session.add(
        HourUsage(
            starts_at=starts_at,
            day=day,
            conferences=conferences,
            studios=conferences,
            booked_seconds=0,
            used_seconds=0,
        )
    )
    db.session.commit()
