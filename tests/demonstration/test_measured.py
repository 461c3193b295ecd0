"""The week of measurements that a demonstration shows."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from demonstration.measured import HOURS, POLLS, write_measurements
from models import Health, Measurement, Span, StatusChange, db
from monitoring.measurements import roll_up
from tests import factories

NOW = datetime(2026, 11, 26, 9, 40, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


def test_each_endpoint_has_a_week_that_tells_of_its_silences(app):
    well, ill = (factories.endpoint(factories.studio()).id for _ in range(2))
    for minutes, before, after in ((150, Health.OK, Health.DOWN), (70, Health.DOWN, Health.OK)):
        at = NOW - timedelta(minutes=minutes)
        db.session.add(StatusChange(endpoint_id=ill, at=at, from_health=before, to_health=after, cause="no-answer"))
    db.session.commit()
    assert write_measurements(1, NOW) == 2 * HOURS
    rows = db.session.scalars(sa.select(Measurement).order_by(Measurement.starts_at)).all()
    assert {row.endpoint_id for row in rows} == {well, ill}
    assert (rows[0].starts_at, rows[-1].starts_at) == (
        NOW.replace(hour=9, minute=0) - timedelta(days=7),
        NOW.replace(hour=8, minute=0),
    )
    silent = {row.starts_at.hour: row.misses for row in rows if row.endpoint_id == ill and row.misses > 1}
    assert silent == {7: POLLS * 50 // 60, 8: POLLS * 30 // 60}  # from 07:10 to 08:30


def test_it_is_written_once_and_what_is_measured_goes_on_after_it(app):
    factories.endpoint(factories.studio())
    assert write_measurements(1, NOW) == HOURS
    assert write_measurements(1, NOW) == 0
    assert roll_up() == 0


def test_one_that_was_cut_short_is_carried_on_and_what_was_really_measured_is_left_alone(app):
    key = factories.endpoint(factories.studio()).id
    write_measurements(1, NOW)
    cut = NOW - timedelta(days=3)
    db.session.execute(sa.delete(Measurement).where(Measurement.starts_at > cut))
    real = {
        "span": Span.FIVE_MINUTES,
        "starts_at": NOW - timedelta(hours=2),
        "endpoint_id": key,
        "polls": 30,
        "misses": 0,
    }
    db.session.execute(sa.insert(Measurement), [real])
    db.session.commit()
    write_measurements(1, NOW)
    hours = db.session.scalars(sa.select(Measurement.starts_at).where(Measurement.span == Span.HOUR)).all()
    assert len(hours) == HOURS  # the two before it that were missing, none of the two after it
    assert max(hours) == NOW.replace(hour=6, minute=0)
