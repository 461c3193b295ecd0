from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import downgrade, upgrade
from sqlalchemy.exc import DBAPIError, IntegrityError

from app import create_app
from models import AuditEntry, Reservation, Studio, db
from models.guards import is_overlap
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
