"""Whether a process is ready: each thing that it needs, taken away."""

import threading

import sqlalchemy as sa

from app import create_app
from models import db, write
from models.guards import drop_guards, missing_guards
from operation import readiness
from operation.readiness import Readiness, unready
from tests.conftest import settings_for


def asked(app) -> tuple[int, str]:
    answer = app.test_client().get("/readyz")
    return answer.status_code, answer.text


def test_it_is_ready_when_all_is_in_place(app):
    assert asked(app) == (200, "ready")


def test_it_is_not_ready_without_tables(empty_database_url):
    assert asked(create_app(settings_for(empty_database_url))) == (503, "the database has no tables")


def test_it_is_not_ready_with_tables_of_another_version(app):
    write(lambda: db.session.execute(sa.text("UPDATE alembic_version SET version_num = '001'")))
    assert asked(app) == (503, "the tables are of another version")


def test_it_is_not_ready_without_guards(app):
    write(lambda: drop_guards(db.session.connection()))
    assert asked(app) == (503, "the database's guards are missing")


def test_each_guard_is_missed_by_name(app, dialect):
    assert missing_guards(db.session.connection()) == []
    for statement, name in DROPPED[dialect]:
        write(lambda statement=statement: db.session.execute(sa.text(statement)))
        assert name in missing_guards(db.session.connection())
    assert len(missing_guards(db.session.connection())) == len(DROPPED[dialect])


DROPPED = {
    "sqlite": [
        (f"DROP TRIGGER {name}", name)
        for name in (
            "reservation_overlap_insert",
            "reservation_overlap_update",
            "audit_append_only_update",
            "audit_append_only_delete",
        )
    ],
    "postgresql": [
        ("ALTER TABLE reservation DROP CONSTRAINT reservation_overlap", "reservation_overlap"),
        # Switched off is as good as gone.
        ("ALTER TABLE audit_entry DISABLE TRIGGER audit_append_only", "audit_append_only"),
    ],
}


def test_it_is_not_ready_while_no_database_answers_and_tells_no_address():
    app = create_app(settings_for("postgresql+psycopg://u:hemmelig@127.0.0.1:9/none"))
    assert asked(app) == (503, "the database does not answer")


def test_a_database_that_hangs_holds_up_nobody_and_is_asked_once(app, monkeypatch):
    hanging, begun = threading.Event(), []

    def hang() -> str:
        begun.append(1)
        hanging.wait(20)
        return unready()

    monkeypatch.setattr(readiness, "unready", hang)
    app.extensions["readiness"] = Readiness(app, patience=0.05)
    for _ in range(3):
        assert asked(app) == (503, "the database does not answer")
    assert len(begun) == 1, "the questions do not pile up"
    hanging.set()
    app.extensions["readiness"]._asking.join(10)
    app.extensions["readiness"]._patience = 20
    assert asked(app) == (200, "ready")
