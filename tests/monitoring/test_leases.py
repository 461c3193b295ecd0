from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from models import EndpointStatus, Worker, db, write
from models.heartbeat import beat
from monitoring import leases
from monitoring.leases import Lease, Terms, division
from tests import factories

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TERM = timedelta(seconds=30)
VALID = NOW + timedelta(seconds=20)


def held(owners: list[str | None], until: datetime | None = VALID) -> list[Lease]:
    return [Lease(key, owner, until) for key, owner in enumerate(owners)]


@pytest.mark.parametrize(
    ("owner", "until", "free"),
    [
        (None, None, True),
        ("a", VALID, False),
        ("a", NOW - timedelta(seconds=1), True),
        ("gone", VALID, True),
        ("a", NOW + TERM + timedelta(seconds=1), False),
        ("a", NOW + 2 * TERM + timedelta(seconds=1), True),
        ("a", None, True),
    ],
)
def test_a_lease_is_free_when_it_binds_nobody(owner: str | None, until: datetime | None, free: bool) -> None:
    assert Lease(1, owner, until).is_free({"a", "b"}, NOW, TERM) is free


def test_a_newcomer_takes_nothing_by_force_and_the_rich_give_up_their_surplus() -> None:
    all_mine = held(["a"] * 10)
    assert division(all_mine, "b", {"a", "b"}, NOW, TERM) == ([], [])
    assert division(all_mine, "a", {"a", "b"}, NOW, TERM) == ([], [5, 6, 7, 8, 9])


@given(
    st.lists(st.sampled_from([None, "a", "b", "c", "gone"]), max_size=40),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=24, max_size=60),
)
def test_monitors_come_to_an_even_share_whoever_acts_when(owners: list[str | None], turns: list[str]) -> None:
    alive = {"a", "b", "c"}
    table = held(owners)
    for worker in [*turns, "a", "b", "c", "a", "b", "c"]:
        take, give = division(table, worker, alive, NOW, TERM)
        table = [
            Lease(lease.endpoint_id, worker if lease.endpoint_id in take else None, VALID)
            if lease.endpoint_id in take + give
            else lease
            for lease in table
        ]
    counts = [sum(lease.owner == worker for lease in table) for worker in alive]
    assert sum(counts) == len(owners)
    assert max(counts) <= -(-len(owners) // 3)


def owner() -> str | None:
    db.session.rollback()
    return db.session.scalar(sa.select(EndpointStatus.lease_owner))


def test_a_silent_monitor_loses_its_endpoints_long_before_its_leases_run_out(app: Flask) -> None:
    factories.endpoint(factories.studio())
    terms = Terms()
    write(lambda: beat("first", leases.KIND, NOW, {}))
    write(lambda: leases.claim("first", terms))
    write(lambda: beat("second", leases.KIND, NOW, {}))
    write(lambda: leases.claim("second", terms))
    assert owner() == "first"
    heart_stopped(datetime.now(UTC) - terms.silence)
    write(lambda: leases.claim("second", terms))
    assert owner() == "second"


def test_a_heartbeat_from_the_future_keeps_nothing(app: Flask) -> None:
    factories.endpoint(factories.studio())
    write(lambda: beat("first", leases.KIND, NOW, {}))
    write(lambda: leases.claim("first", Terms()))
    heart_stopped(datetime.now(UTC) + timedelta(hours=1))
    write(lambda: leases.claim("second", Terms()))
    assert owner() == "second"


def heart_stopped(at: datetime) -> None:
    first = sa.update(Worker).where(Worker.name == "first")
    write(lambda: db.session.execute(first.values(beat_at=at)))


def test_leaving_gives_up_endpoints_and_heartbeat_at_once(app: Flask) -> None:
    factories.endpoint(factories.studio())
    write(lambda: beat("first", leases.KIND, NOW, {}))
    write(lambda: leases.claim("first", Terms()))
    write(lambda: leases.release("first"))
    assert owner() is None
    assert db.session.scalars(sa.select(Worker)).all() == []
