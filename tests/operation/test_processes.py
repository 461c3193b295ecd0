"""The page of the processes, the alarm on every page, and the signs of life behind them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from models import Role, Worker, db, write
from models.database import database_now
from models.heartbeat import Heart, beat, fall_silent
from operation.rules import GRACE, Kind
from tests import factories
from tests.scheduler.conftest import wait_for

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def served_for_long(app):
    app.extensions["serving_since"] = datetime.now(UTC) - 2 * GRACE


@pytest.fixture
def reader(app, client_for):
    """Reads an address in English as somebody with a role."""

    def read(role: Role, address: str) -> str:
        answer = client_for(factories.account(role=role)).get(address, headers=ENGLISH)
        assert answer.status_code == 200
        return answer.text

    return read


def gives_sign(kind: str, ago: timedelta = timedelta(0), name: str = "one", **figures: object) -> datetime:
    """Its last sign of life."""
    at = database_now() - ago

    def tell() -> None:
        beat(f"{kind}-{name}", kind, at - timedelta(hours=1), figures)
        db.session.flush()
        db.session.execute(sa.update(Worker).where(Worker.name == f"{kind}-{name}").values(beat_at=at))

    write(tell)
    return at


def oslo(at: datetime) -> str:
    return at.astimezone(ZoneInfo("Europe/Oslo")).strftime("%H:%M")


def test_nothing_is_said_on_a_healthy_system(reader, served_for_long):
    gives_sign("scheduler")
    gives_sign("monitor")
    assert "is-down" not in reader(Role.MANAGER, "/studios/")


def test_nothing_is_said_just_after_the_start(reader):
    assert "is-down" not in reader(Role.MANAGER, "/studios/")


def test_everybody_is_told_that_calls_do_not_start_and_since_when(reader, served_for_long):
    gives_sign("monitor")
    last = gives_sign("scheduler", timedelta(minutes=3))
    page = reader(Role.MANAGER, "/studios/")
    assert "No scheduler has given a sign of life since" in page
    assert f"{oslo(last)}: calls do not start or stop." in page
    assert "not been watched" not in page
    assert "/operation/processes" not in page, "a manager can do nothing about it there"


def test_everybody_is_told_that_studios_are_not_watched(reader, served_for_long):
    gives_sign("scheduler")
    gives_sign("monitor", timedelta(minutes=3))
    assert "The studios have not been watched since" in reader(Role.COORDINATOR, "/studios/")


@pytest.mark.parametrize("address", ["/status", "/operation/processes"])
def test_pages_that_stay_open_ask_anew_whether_all_is_well(reader, address):
    assert 'hx-get="/operation/alarms"' in reader(Role.TECHNICIAN, address)
    assert 'hx-get="/operation/alarms"' not in reader(Role.TECHNICIAN, "/studios/")


def test_the_alarm_of_an_open_page_comes_and_goes(reader, served_for_long):
    gives_sign("scheduler")
    gives_sign("monitor", timedelta(minutes=3))
    assert "The studios have not been watched since" in reader(Role.MANAGER, "/operation/alarms")
    gives_sign("monitor")
    healthy = reader(Role.MANAGER, "/operation/alarms")
    assert "not been watched" not in healthy
    assert 'hx-get="/operation/alarms"' in healthy, "it goes on asking"


def test_one_silent_scheduler_among_living_ones_alarms_nobody(reader, served_for_long):
    gives_sign("monitor")
    gives_sign("scheduler", timedelta(hours=2), name="dead")
    gives_sign("scheduler", name="alive")
    assert "calls do not start" not in reader(Role.MANAGER, "/studios/")


def test_a_scheduler_stopped_on_purpose_is_missed_without_a_time(reader, served_for_long):
    gives_sign("monitor")
    gives_sign("scheduler")
    write(lambda: fall_silent("scheduler-one"))
    assert "No scheduler is running: calls do not start or stop." in reader(Role.TECHNICIAN, "/studios/")


def test_one_that_was_killed_before_is_not_what_a_stop_on_purpose_is_told_by(reader, served_for_long):
    gives_sign("monitor")
    gives_sign("scheduler", timedelta(hours=2), name="killed")
    gives_sign("scheduler")
    write(lambda: fall_silent("scheduler-one"))
    assert "No scheduler is running: calls do not start or stop." in reader(Role.TECHNICIAN, "/studios/")


def test_one_that_was_killed_stays_while_others_of_its_kind_live(app):
    gives_sign("scheduler", timedelta(hours=2), name="killed")
    gives_sign("scheduler", name="another")
    gives_sign("scheduler")
    write(lambda: fall_silent("scheduler-one"))
    assert sorted(db.session.scalars(db.select(Worker.name))) == ["scheduler-another", "scheduler-killed"]


def test_a_clock_set_back_raises_no_alarm_while_a_process_lives(reader, served_for_long):
    gives_sign("monitor")
    gives_sign("scheduler", -timedelta(hours=1), name="killed")
    gives_sign("scheduler")
    assert "is-down" not in reader(Role.MANAGER, "/studios/")


def test_a_process_that_takes_over_the_name_of_another_runs_since_its_own_start(app):
    began = database_now()
    for start in (began - timedelta(days=2), began):
        write(lambda start=start: beat("scheduler-box-7", "scheduler", start, {}))
    assert db.session.scalars(db.select(Worker.started_at)).one() == began


def test_a_technician_is_led_to_the_processes(reader, served_for_long):
    assert 'href="/operation/processes">See the processes' in reader(Role.TECHNICIAN, "/studios/")


def test_strangers_are_told_nothing(app, served_for_long):
    assert "is-down" not in app.test_client().get("/sign-in", headers=ENGLISH).text


def test_a_page_asks_for_signs_of_life_once_and_a_polled_part_never(app, client_for, served_for_long):
    client = client_for(factories.account(role=Role.TECHNICIAN))
    asked = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    client.get("/studios/")
    assert len([one for one in asked if "worker" in one]) == 1
    asked.clear()
    assert client.get("/status/heartbeat").status_code == 200
    assert not [one for one in asked if "group by worker.kind" in one.lower()]


def test_the_page_names_each_process_with_its_state_and_figures(reader):
    gives_sign("scheduler", conferences=3)
    gives_sign("monitor", timedelta(minutes=3), endpoints=900, lag_ms=1.5, unheard_of="<b>")
    page = reader(Role.TECHNICIAN, "/operation/processes")
    assert "2 processes" in page
    assert "3 conferences under way" in page
    assert "900 endpoints, 1.5 ms of lag" in page
    assert "unheard_of" not in page
    assert page.count("Alive") == 1
    assert page.count("Silent") == 1


def test_the_page_says_which_needed_process_is_missing_and_how_to_start_it(reader):
    gives_sign("monitor")
    page = reader(Role.ADMINISTRATOR, "/operation/processes")
    assert page.count("Not running") == 1
    assert "<code>studionett scheduler</code>" in page


def test_the_page_names_the_database_its_size_and_tables(reader, dialect):
    page = reader(Role.TECHNICIAN, "/operation/processes/now")
    assert {"sqlite": "SQLite 3.", "postgresql": "PostgreSQL 1"}[dialect] in page
    assert " MB" in page
    assert "Up to date" in page
    assert "Version 0." in page
    assert " 04:00<" in page or ">04:00<" in page, "when the next report is due"
    assert "<html" not in page


def test_a_heart_gives_signs_of_life_and_falls_silent_when_stopped_on_purpose(app):
    heart = Heart(Kind.WEB, app.app_context, lambda: {"requests": 7})
    heart.start()
    row = db.select(Worker).filter_by(name=heart.worker)
    wait_for(lambda: db.session.scalar(row), 10)
    worker = db.session.scalar(row)
    assert (worker.kind, worker.details["requests"]) == ("web", 7)
    assert worker.details["host"]
    heart.stop()
    db.session.rollback()
    assert db.session.scalar(row) is None


def test_a_heart_survives_a_database_that_is_away(app, monkeypatch):
    monkeypatch.setattr("models.heartbeat.EVERY", 0.05)
    first_away = _AwayAtFirst()
    monkeypatch.setattr("models.heartbeat.beat", first_away)
    heart = Heart(Kind.WEB, app.app_context)
    heart.start()
    wait_for(lambda: first_away.times > 2, 10)
    heart.stop()
    assert not heart._thread.is_alive()


class _AwayAtFirst:
    times = 0

    def __call__(self, *arguments: object) -> None:
        self.times += 1
        if self.times == 1:
            raise sa.exc.OperationalError("no", {}, Exception("away"))
        beat(*arguments)
