from contextlib import nullcontext
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import downgrade, upgrade
from sqlalchemy.exc import DBAPIError, IntegrityError

from app import create_app
from models import (
    AuditEntry,
    Bridge,
    BridgeDriver,
    Closure,
    Conference,
    ConferenceState,
    Reservation,
    Studio,
    db,
)
from models.guards import is_closed, is_out_of_ports, is_overlap
from tests import factories
from tests.conftest import settings_for
from tests.factories import START

HOUR = timedelta(hours=1)


def reserve(studio: Studio, start: datetime, end: datetime, released: bool = False) -> None:
    db.session.add(
        Reservation(studio_id=studio.id, starts_at=start, ends_at=end, released_at=start if released else None)
    )
    db.session.commit()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, START + HOUR),
        (START - HOUR, START + HOUR / 60),
        (START + HOUR - timedelta(microseconds=1), START + 2 * HOUR),
        (START + HOUR / 4, START + HOUR / 2),
        (START - HOUR, START + 2 * HOUR),
    ],
)
def test_the_database_refuses_an_overlap(app, start, end):
    studio = factories.studio()
    reserve(studio, START, START + HOUR)
    with pytest.raises(DBAPIError) as refused:
        reserve(studio, start, end)
    assert is_overlap(refused.value)


def test_back_to_back_released_and_other_studios_do_not_overlap(app):
    studio, other = factories.studio(), factories.studio()
    reserve(studio, START, START + HOUR)
    reserve(studio, START + HOUR, START + 2 * HOUR)
    reserve(studio, START - HOUR, START)
    reserve(studio, START, START + HOUR, released=True)
    reserve(other, START, START + HOUR)


def test_a_released_reservation_is_not_taken_back_over_another(app):
    studio = factories.studio()
    reserve(studio, START, START + HOUR, released=True)
    reserve(studio, START, START + HOUR)
    with pytest.raises(DBAPIError) as refused:
        db.session.execute(sa.update(Reservation).values(released_at=None))
    assert is_overlap(refused.value)


def test_an_end_before_its_start_is_refused(app):
    studio = factories.studio()
    with pytest.raises(IntegrityError):
        reserve(studio, START, START - HOUR)


@pytest.mark.parametrize("statement", [sa.update(AuditEntry).values(action="x"), sa.delete(AuditEntry)])
def test_an_audit_entry_is_neither_changed_nor_deleted(app, statement):
    db.session.add(AuditEntry(at=START, action="sign-in", object="account 1"))
    db.session.commit()
    with pytest.raises(DBAPIError, match="audit_append_only"):
        db.session.execute(statement)


def _reserve_by_sql(studio_id: int, minutes: int) -> None:
    """Plain SQL over the columns that every revision has: the model is only right for the newest one."""
    start = datetime(2026, 11, 26, 9, minutes)  # noqa: DTZ001 - text for SQL
    table = sa.table("reservation", *map(sa.column, ("studio_id", "starts_at", "ends_at", "kind")))
    utc = "+00:00" if db.engine.dialect.name == "postgresql" else ""
    values = {
        "studio_id": studio_id,
        "starts_at": sa.literal_column(f"'{start:%Y-%m-%d %H:%M}:00.000000{utc}'"),
        "ends_at": sa.literal_column(f"'{start + HOUR:%Y-%m-%d %H:%M}:00.000000{utc}'"),
        "kind": "conference",
    }
    with db.engine.begin() as connection:
        connection.execute(sa.insert(table).values(values))


def test_the_guard_stands_at_every_revision_up_and_down(empty_database_url):
    with create_app(settings_for(empty_database_url)).app_context():
        scripts = ScriptDirectory(str(current_app.extensions["migrate"].directory))
        revisions = [script.revision for script in scripts.walk_revisions()][::-1]
        for revision in revisions:
            upgrade(revision=revision)
            _assert_overlap_is_refused()
        for revision in revisions[-2::-1]:
            downgrade(revision=revision)
            _assert_overlap_is_refused()
        downgrade(revision="base")
        assert set(sa.inspect(db.engine).get_table_names()) == {"alembic_version"}
        upgrade()
        db.session.remove()
        db.engine.dispose()


def _assert_overlap_is_refused() -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM reservation"))
    studio_id = _any_studio_id()
    _reserve_by_sql(studio_id, 0)
    with pytest.raises(DBAPIError) as refused:
        _reserve_by_sql(studio_id, 30)
    assert is_overlap(refused.value)


def _any_studio_id() -> int:
    studio_id = db.session.scalar(sa.text("SELECT id FROM studio")) or factories.studio().id
    db.session.rollback()  # an open reading transaction would stop PostgreSQL from dropping tables
    return studio_id


@pytest.mark.parametrize("hours", [49, 48.001])
def test_a_reservation_of_more_than_two_days_is_refused(app, hours):
    studio = factories.studio()
    reserve(studio, START, START + 48 * HOUR)
    with pytest.raises(DBAPIError, match="reservation_length"):
        reserve(factories.studio(), START, START + hours * HOUR)


@pytest.mark.parametrize("whole_site", [False, True])
def test_a_new_reservation_within_a_closure_is_refused_and_an_old_one_stays(app, whole_site):
    studio = factories.studio()
    reserve(studio, START, START + HOUR)
    place = {"site_id": studio.site_id} if whole_site else {"studio_id": studio.id}
    db.session.add(Closure(**place, starts_at=START, ends_at=START + 8 * HOUR, reason="Painting"))
    db.session.commit()
    with pytest.raises(DBAPIError) as refused:
        reserve(studio, START + 7 * HOUR, START + 9 * HOUR)
    assert is_closed(refused.value)
    db.session.rollback()
    reserve(studio, START + 8 * HOUR, START + 9 * HOUR)
    reserve(factories.studio(), START, START + HOUR)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"ends_at": START + HOUR / 2}, False),
        ({"released_at": START}, False),
        ({"ends_at": START + 2 * HOUR}, True),
        ({"starts_at": START - HOUR}, True),
    ],
)
def test_a_reservation_that_a_closure_has_hit_may_shrink_and_never_grow(app, change, refused):
    studio = factories.studio()
    reserve(studio, START, START + HOUR)
    db.session.add(Closure(studio_id=studio.id, starts_at=START - HOUR, ends_at=START + 8 * HOUR, reason="Painting"))
    db.session.commit()
    with pytest.raises(DBAPIError, match="reservation_closed") if refused else nullcontext():
        db.session.execute(sa.update(Reservation).values(change))
        db.session.commit()


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ("planned", "running", False),
        ("planned", "cancelled", False),
        ("cancelled", "planned", False),
        ("running", "ended", False),
        ("stopping", "starting", False),
        ("running", "planned", True),
        ("running", "cancelled", True),
        ("cancelled", "running", True),
        ("ended", "planned", True),
        ("failed", "running", True),
    ],
)
def test_a_conference_comes_only_to_states_that_the_machine_reaches(app, before, after, refused):
    conference = factories.conference(factories.studio(), state=before)
    with pytest.raises(DBAPIError, match="conference_state") if refused else nullcontext():
        db.session.execute(sa.update(Conference).where(Conference.id == conference.id).values(state=after))
        db.session.commit()


def bridged(bridge: Bridge, ports: int, start: datetime, end: datetime, **changes: object) -> Conference:
    return factories.conference(factories.studio(), start=start, end=end, bridge_id=bridge.id, ports=ports, **changes)


def bridge_of(ports: int) -> Bridge:
    row = Bridge(name="Bridge", driver=BridgeDriver.PEXIP, address="https://127.0.0.1", ports=ports)
    db.session.add(row)
    db.session.commit()
    return row


def test_a_bridge_gives_out_no_more_ports_at_any_instant_than_it_has(app):
    bridge = bridge_of(10)
    bridged(bridge, 6, START, START + HOUR)
    bridged(bridge, 6, START + HOUR, START + 2 * HOUR)
    # Each overlaps this one, but never both at once: what counts is the peak, not the sum.
    bridged(bridge, 4, START, START + 2 * HOUR)
    with pytest.raises(DBAPIError) as refused:
        bridged(bridge, 1, START + HOUR / 2, START + 3 * HOUR)
    assert is_out_of_ports(refused.value)
    db.session.rollback()
    bridged(bridge, 10, START + 2 * HOUR, START + 3 * HOUR)
    bridged(bridge, 10, START, START + HOUR, state=ConferenceState.CANCELLED)


@pytest.mark.parametrize("change", [{"ports": 5}, {"starts_at": START}, {"state": "planned"}])
def test_a_conference_that_comes_to_want_more_ports_than_are_free_is_refused(app, change):
    bridge = bridge_of(10)
    bridged(bridge, 6, START, START + HOUR)
    state = "cancelled" if "state" in change else "planned"
    wanted = {"ports": 6, "starts_at": START + HOUR, "state": state} | (
        {} if "starts_at" in change else {"starts_at": START}
    )
    if "ports" in change:
        wanted["ports"] = 4
    later = bridged(bridge, wanted["ports"], wanted["starts_at"], START + 2 * HOUR, state=wanted["state"])
    with pytest.raises(DBAPIError, match="bridge_ports"):
        db.session.execute(sa.update(Conference).where(Conference.id == later.id).values(change))


@pytest.mark.parametrize(
    "change", [{"state": "starting"}, {"ends_at": START + HOUR / 2}, {"ports": 2}, {"bridge_id": None, "ports": 0}]
)
def test_what_wants_no_more_ports_is_never_refused(app, change):
    bridge = bridge_of(10)
    conferences = [bridged(bridge, 3, START, START + HOUR) for _ in range(2)]
    db.session.execute(sa.update(Bridge).values(ports=4))
    db.session.execute(sa.update(Conference).where(Conference.id == conferences[0].id).values(change))
    db.session.commit()


def test_what_lasts_a_day_still_counts_near_its_end(app):
    bridge = bridge_of(10)
    bridged(bridge, 6, START, START + 24 * HOUR)
    with pytest.raises(DBAPIError, match="bridge_ports"):
        bridged(bridge, 6, START + 23 * HOUR, START + 24 * HOUR)
