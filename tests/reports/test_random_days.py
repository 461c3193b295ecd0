"""Whatever happened in a day, its facts are those that minute by minute and plain SQL give."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import Settings
from models import ConferenceState, ConferenceUsage, Health, HourUsage, StudioUsage, db
from reports.usage import keep_days
from tests import factories
from tests.reports import oracle
from tests.reports.past import FarEnd, happened, watched

STALE = timedelta(seconds=Settings().stale_after)
# The days of the zone, as the time-zone tables have them: winter, summer, the two changes of clocks, New Year's Eve.
DAYS = {
    date(2026, 11, 24): (datetime(2026, 11, 23, 23, tzinfo=UTC), 24),
    date(2026, 7, 1): (datetime(2026, 6, 30, 22, tzinfo=UTC), 24),
    date(2027, 3, 28): (datetime(2027, 3, 27, 23, tzinfo=UTC), 23),
    date(2027, 10, 31): (datetime(2027, 10, 30, 22, tzinfo=UTC), 25),
    date(2026, 10, 25): (datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
    date(2026, 12, 31): (datetime(2026, 12, 30, 23, tzinfo=UTC), 24),
}
TABLES = (
    *("conference_usage", "studio_usage", "hour_usage", "report", "call_record", "leg", "event", "party"),
    *("reservation", "conference", "status_change", "endpoint_status", "endpoint", "studio", "site", "organisation"),
)
CAUSES = st.one_of(
    st.lists(st.sampled_from(["no-answer", "not-answered"]), min_size=1, max_size=2),
    st.lists(st.sampled_from(["no-answer", "not-answered", "busy", "unreachable"]), max_size=3),
)
STATES = st.sampled_from([*ConferenceState])


def minutes(low: int, high: int) -> st.SearchStrategy[timedelta]:
    return st.integers(low, high).map(lambda number: timedelta(minutes=number))


@st.composite
def far_ends(draw: st.DrawFn) -> list[tuple[timedelta, timedelta | None]]:
    """Calls in minutes after the start: drops and returns, an open one last."""
    calls: list[tuple[timedelta, timedelta | None]] = []
    at = draw(st.one_of(minutes(-2, 3), minutes(-2, 40)))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 3]))):
        end = at + draw(minutes(0, 90))
        calls.append((at, end))
        at = end + draw(minutes(0, 15))
    if calls and draw(st.integers(0, 5)) == 0:
        calls[-1] = (calls[-1][0], None)
    return calls


def empty() -> None:
    for table in TABLES:
        db.session.execute(sa.text(f"DELETE FROM {table}"))
    db.session.commit()


def invent(draw: st.DataObject, start: datetime, hours: int) -> tuple[list, dict[int, datetime]]:
    """Three studios with their health, and conferences that follow one another, some across midnight."""
    site = factories.site()
    studios = [factories.studio(site) for _ in range(3)]
    known_until = {}
    for studio in studios:
        changes = draw.draw(
            st.lists(st.tuples(minutes(-300, hours * 60 + 300), st.sampled_from([*Health])), max_size=6)
        )
        polled = start + draw.draw(minutes(-100, hours * 60 + 200))
        watched(studio, *((start + after, health) for after, health in sorted(changes)), last_poll_at=polled)
        last = max((start + after for after, _health in changes), default=polled)
        known_until[studio.id] = max(polled, last) + STALE
    at = start + draw.draw(minutes(-180, 300))
    for _ in range(draw.draw(st.integers(1, 5))):
        length = draw.draw(st.integers(15, 300))
        ends = draw.draw(st.lists(far_ends(), min_size=1, max_size=2))
        others = [
            FarEnd(
                studio,
                [(at + begun, None if ended is None else at + ended) for begun, ended in calls],
                draw.draw(CAUSES),
            )
            for studio, calls in zip(studios[1:], ends, strict=False)
        ]
        happened(studios[0], *others, start=at, minutes=length, state=draw.draw(STATES))
        at += timedelta(minutes=length) + draw.draw(minutes(0, 400))
    return studios, known_until


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data(), day=st.sampled_from(sorted(DAYS)))
def test_the_facts_of_a_day_are_those_of_each_minute(app, draw, day):
    empty()
    start, hours = DAYS[day]
    end = start + timedelta(hours=hours)
    now = end + draw.draw(minutes(0, 300))
    studios, known_until = invent(draw, start, hours)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.usage.database_now", lambda: now)
        keep_days([day])
    facts = {row.conference_id: row for row in db.session.scalars(db.select(ConferenceUsage))}
    assert {
        name: (str(row.outcome), (row.late_seconds or 0) > 60, row.as_booked) for name, row in facts.items()
    } == oracle.outcomes(start, end, now)
    rows = list(db.session.scalars(db.select(HourUsage).order_by(HourUsage.starts_at)))
    assert [row.starts_at for row in rows] == [start + timedelta(hours=hour) for hour in range(hours)]
    assert [row.conferences for row in rows] == oracle.busiest(start, end)
    usages = {row.studio_id: row for row in db.session.scalars(db.select(StudioUsage))}
    assert sum(row.used_seconds for row in rows) == sum(usage.used_seconds for usage in usages.values())
    assert sum(row.booked_seconds for row in rows) == sum(usage.booked_seconds for usage in usages.values())
    for studio in studios:
        usage = usages[studio.id]
        assert usage.used_seconds == 60 * oracle.minutes_used(studio.id, start, end)
        assert usage.booked_seconds == 60 * oracle.minutes_booked(studio.id, start, end)
        assert usage.booked == usage.held + usage.failed + usage.no_shows + usage.running
        health = oracle.minutes_of_health(studio.endpoint.id, known_until[studio.id], start, end)
        assert usage.healthy_seconds == 60 * health.get("ok", 0)
        assert usage.maintenance_seconds == 60 * health.get("maintenance", 0)
        assert usage.faulty_seconds == 60 * sum(health.get(word, 0) for word in ("degraded", "down", "unreachable"))
        assert usage.unknown_seconds == 60 * health.get("unknown", 0)
