"""What polling measured, summed up and summed up again, beside sums in plain Python."""

from datetime import UTC, datetime, timedelta
from random import Random
from statistics import fmean
from time import sleep

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Health, Measurement, Span, db, write
from monitoring import measurements
from monitoring.measurements import KEPT, store
from monitoring.tally import FIVE_MINUTES, Sums, Tally, window_of
from tests import factories
from tests.monitoring import agents as played
from tests.monitoring.running import until, watching
from tests.monitoring.test_monitor import an_endpoint as watched_endpoint
from tests.monitoring.test_monitor import change, is_now

NINE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.usefixtures("app")


def an_endpoint() -> int:
    return factories.endpoint(factories.studio()).id


def rows(span: Span) -> list[Measurement]:
    db.session.rollback()
    query = sa.select(Measurement).where(Measurement.span == span)
    return list(db.session.scalars(query.order_by(Measurement.starts_at, Measurement.endpoint_id)))


def roll_up(now: datetime) -> int:
    return write(lambda: measurements._roll_up(now))


def test_a_tally_is_what_plain_sums_say() -> None:
    chance = Random(1)
    times = [chance.uniform(1, 90) for _ in range(40)]
    tally = Tally()
    for time in times:
        tally.answered(time)
    for _ in range(3):
        tally.missed()
    tally.heard_media(1.0, 10)
    tally.heard_media(2.0, 30)
    assert tally.sums() == Sums(
        43, 3, pytest.approx(fmean(times), abs=0.01), pytest.approx(max(times), abs=0.01), 1.5, 20
    )
    assert Tally(polls=2, misses=2).sums() == Sums(2, 2, None, None, None, None)


def test_every_instant_lies_in_one_window() -> None:
    assert window_of(NINE) == window_of(NINE + FIVE_MINUTES - timedelta(microseconds=1)) == NINE
    assert window_of(NINE + FIVE_MINUTES) == NINE + FIVE_MINUTES


def test_two_monitors_that_shared_five_minutes_are_added_up() -> None:
    key = an_endpoint()
    write(lambda: store(NINE, [(key, Sums(20, 0, 10.0, 12.0, None, None))]))
    write(lambda: store(NINE, [(key, Sums(10, 5, 40.0, 90.0, 1.0, 5.0))]))
    write(lambda: store(NINE, [(key, Sums(3, 3, None, None, None, None))]))
    [row] = rows(Span.FIVE_MINUTES)
    assert (row.polls, row.misses, row.longest_round_trip_ms) == (33, 8, 90.0)
    assert row.round_trip_ms == pytest.approx((20 * 10 + 5 * 40) / 25)
    assert (row.loss_percent, row.jitter_ms) == (1.0, 5.0)


def test_an_hour_is_summed_up_once_it_is_over_and_once_only() -> None:
    keys = [an_endpoint(), an_endpoint()]
    chance, expected = Random(2), {}
    for key in keys:
        found = [(chance.randint(20, 30), chance.randint(0, 5), chance.uniform(1, 90)) for _ in range(12)]
        for number, (polls, misses, time) in enumerate(found):
            sums = Sums(polls, misses, time, time * 2, None, None)
            write(lambda key=key, number=number, sums=sums: store(NINE + number * FIVE_MINUTES, [(key, sums)]))  # type: ignore[misc]
        answers = [polls - misses for polls, misses, _ in found]
        mean = sum(time * weight for (_, _, time), weight in zip(found, answers, strict=True)) / sum(answers)
        expected[key] = (sum(each[0] for each in found), sum(each[1] for each in found), pytest.approx(mean))
    assert roll_up(NINE + HOUR) == 0
    assert roll_up(NINE + HOUR + timedelta(minutes=10)) == 2
    assert roll_up(NINE + HOUR + timedelta(minutes=20)) == 0
    assert {row.endpoint_id: (row.polls, row.misses, row.round_trip_ms) for row in rows(Span.HOUR)} == expected


def test_hours_that_were_slept_through_are_summed_up_later() -> None:
    key = an_endpoint()
    for hour in range(3):
        sums = Sums(10, 0, float(hour), 1.0, None, None)
        write(lambda hour=hour, sums=sums: store(NINE + hour * HOUR, [(key, sums)]))  # type: ignore[misc]
    assert roll_up(NINE + 3 * HOUR + timedelta(minutes=30)) == 3
    assert [row.round_trip_ms for row in rows(Span.HOUR)] == [0.0, 1.0, 2.0]


def test_what_is_too_old_goes() -> None:
    key = an_endpoint()
    sums = Sums(1, 0, 1.0, 1.0, None, None)
    for at in (NINE, NINE + KEPT[Span.FIVE_MINUTES]):
        write(lambda at=at: store(at, [(key, sums)]))  # type: ignore[misc]
    roll_up(NINE + KEPT[Span.FIVE_MINUTES] + FIVE_MINUTES)
    assert [row.starts_at for row in rows(Span.FIVE_MINUTES)] == [NINE + KEPT[Span.FIVE_MINUTES]]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_what_was_measured_while_the_database_was_away_is_stored_when_it_is_back(app: Flask) -> None:
    with played.agents() as agents:
        key = watched_endpoint(agents, "127.202.14.1").id
        with watching(app) as monitor:
            until(lambda: is_now(key, Health.OK))
            change(sa.text("ALTER TABLE measurement RENAME TO away"))
            monitor._window -= FIVE_MINUTES  # they are over now
            sleep(0.5)
            change(sa.text("ALTER TABLE away RENAME TO measurement"))
            [row] = until(lambda: rows(Span.FIVE_MINUTES))
    assert (row.endpoint_id, row.polls > 0, row.misses) == (key, True, 0)
