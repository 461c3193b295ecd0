"""The working day around now as rows of real databases, and what a year leaves alone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Settings
from demonstration import days, people
from demonstration.commands import demo
from demonstration.day_plan import plan_day
from demonstration.storing import network
from models import (
    CallRecord,
    Conference,
    ConferenceState,
    Event,
    Party,
    Report,
    Reservation,
    StatusChange,
    Studio,
    StudioUsage,
    db,
)
from reports import figures
from simulation.inventory import read_inventory
from studios.booking.rules import first_look
from tests import factories
from tests.demonstration.conftest import DAYS, NOW, OVERLAPS, no_progress

OSLO = ZoneInfo("Europe/Oslo")
FIRST, LAST = date(2026, 11, 23), date(2026, 11, 25)


def number(statement: str, **values: object) -> int:
    return int(db.session.execute(sa.text(statement), values).scalar() or 0)


def counts() -> list[int]:
    tables = (Conference, Reservation, Party, CallRecord, Event, StatusChange, StudioUsage, Report)
    return [db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables]


def test_a_year_that_was_cut_short_is_carried_on(installed: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        days.write_year(1, NOW, cut_short, DAYS)
    assert days.write_year(1, NOW, no_progress, DAYS) == DAYS - days.AT_ONCE
    planned = sum(len(plan_day(1, day, OSLO, network(1), {})) for day in (FIRST, FIRST + timedelta(days=1), LAST))
    assert counts()[0] == planned
    assert len(figures.reported_days(FIRST, LAST)) == DAYS


def test_what_people_booked_before_stays_and_is_planned_around(installed: Flask) -> None:
    studios = db.session.scalars(sa.select(Studio).order_by(Studio.id).limit(100)).all()
    start = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    own = factories.conference(*studios, start=start, end=start + timedelta(hours=5))
    days.write_year(1, NOW, no_progress, DAYS)
    assert db.session.get_one(Conference, own.id).title == "Lung meeting"
    assert number(OVERLAPS) == 0


def test_the_day_has_a_past_that_is_over_and_a_future_that_falls_due(installed: Flask) -> None:
    written = days.write_day(1, NOW)
    assert written
    assert written.conferences == counts()[0] > 180
    over = db.session.scalars(sa.select(Conference).where(Conference.starts_at < NOW)).all()
    assert len(over) == written.over
    assert {row.due_at for row in over} == {None}
    coming = db.session.scalars(sa.select(Conference).where(Conference.starts_at >= NOW)).all()
    assert all(
        row.due_at == (None if row.state is ConferenceState.CANCELLED else first_look(row.starts_at)) for row in coming
    )
    assert number("SELECT count(*) FROM call_record WHERE ended_at IS NULL") == 0
    hosts = "SELECT count(*) FROM (SELECT conference_id FROM party WHERE host GROUP BY 1 HAVING count(*) = 1) AS one"
    assert number(hosts) == written.conferences
    assert number(OVERLAPS) == 0


def test_what_begins_with_three_parties_or_more_has_ports_of_a_bridge_that_the_fleet_plays(installed: Flask) -> None:
    days.write_day(1, NOW)
    parties = "(SELECT count(*) FROM party WHERE party.conference_id = conference.id)"
    to_come = f"FROM conference WHERE state = 'planned' AND starts_at >= :now AND {parties}"
    assert number(f"SELECT count(*) {to_come} > 2", now=NOW) > 10
    assert number(f"SELECT count(*) {to_come} > 2 AND ports <> {parties}", now=NOW) == 0
    assert number(f"SELECT count(*) {to_come} = 2 AND bridge_id IS NOT NULL", now=NOW) == 0
    assert len(read_inventory().bridges) == 4


def test_the_coordinator_has_conferences_of_the_own_organisation_soon(installed: Flask) -> None:
    days.write_day(1, NOW)
    person = people.coordinator()
    assert person
    own = db.session.scalars(sa.select(Conference).filter_by(organiser_id=person.id)).all()
    assert len(own) == 2
    assert {row.organisation_id for row in own} == {person.grants[0].organisation_id}
    assert min(row.starts_at for row in own) < NOW + timedelta(minutes=2)


def test_a_fresh_day_is_planned_only_when_the_last_has_run_dry(installed: Flask) -> None:
    days.write_day(1, NOW)
    before = counts()[0]
    assert days.write_day(1, NOW + timedelta(minutes=40)) is None
    assert counts()[0] == before
    tomorrow = days.write_day(1, NOW + timedelta(days=1))
    assert tomorrow
    assert tomorrow.conferences > 100
    evening = days.write_day(1, NOW + timedelta(days=1, hours=10))
    assert evening
    assert evening.over == 0, "the day's past is there already"
    assert number(OVERLAPS) == 0


def test_people_book_on_after_it(installed: Flask) -> None:
    """Keys that were given out in bulk are not given out again."""
    written = days.write_day(1, NOW)
    assert written
    assert factories.conference(factories.studio(), start=NOW).id > written.conferences


def test_other_studios_are_never_touched(app: Flask) -> None:
    factories.studio()
    refused = app.test_cli_runner().invoke(demo, ["--day"])
    assert refused.exit_code == 1
    assert "other studios" in refused.output
    quiet = app.test_cli_runner().invoke(demo, ["--day", "--if-empty"])
    assert (quiet.exit_code, counts()[0]) == (0, 0)


def test_an_owner_can_leave_the_demonstration_out(app: Flask) -> None:
    found: Settings = app.config["STUDIONETT"]
    app.config["STUDIONETT"] = Settings(database_url=found.database_url, secret_key="a key", demo=False)
    left_out = app.test_cli_runner().invoke(demo, ["--day", "--if-empty"])
    assert "STUDIONETT_DEMO is off" in left_out.output
    assert db.session.scalar(sa.select(sa.func.count(Studio.id))) == 0
