"""The days before today as rows of real databases, against plain SQL."""

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Flask

from demonstration import days
from demonstration.day_plan import plan_day
from demonstration.storing import network
from models import (
    CallRecord,
    Conference,
    ConferenceState,
    EndpointStatus,
    Event,
    Health,
    Party,
    Report,
    Reservation,
    StatusChange,
    StudioUsage,
    db,
)
from reports import figures
from tests.demonstration.conftest import DAYS, NOW, OVERLAPS, no_progress

OSLO = ZoneInfo("Europe/Oslo")
FIRST, LAST = date(2026, 11, 23), date(2026, 11, 25)


def number(statement: str, **values: object) -> int:
    return int(db.session.execute(sa.text(statement), values).scalar() or 0)


def counts() -> list[int]:
    tables = (Conference, Reservation, Party, CallRecord, Event, StatusChange, StudioUsage, Report)
    return [db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables]


def test_the_days_are_stored_as_they_are_planned(year: Flask) -> None:
    there = network(1)
    planned = [
        meeting for day in (FIRST, FIRST + timedelta(days=1), LAST) for meeting in plan_day(1, day, OSLO, there, {})
    ]
    stored = db.session.scalars(sa.select(Conference).order_by(Conference.id)).all()
    assert [(row.title, row.starts_at, row.ends_at, row.purpose) for row in stored] == [
        (meeting.title, meeting.starts_at, meeting.ends_at, meeting.purpose) for meeting in planned
    ]
    assert [[party.studio_id for party in row.parties] for row in stored[:50]] == [
        [room.studio_id for room in meeting.rooms] for meeting in planned[:50]
    ]
    assert number(OVERLAPS) == 0


def test_the_reports_figures_are_those_of_the_rows(year: Flask) -> None:
    assert figures.reported_days(FIRST, LAST) == [FIRST, FIRST + timedelta(days=1), LAST]
    found = figures.network(FIRST, LAST)
    assert found.booked == number("SELECT count(*) FROM conference WHERE state <> 'cancelled'")
    assert found.cancelled == number("SELECT count(*) FROM conference WHERE state = 'cancelled'")
    assert found.held == number("SELECT count(DISTINCT conference_id) FROM call_record")
    assert found.failed + found.no_shows == number("SELECT count(*) FROM conference WHERE state = 'failed'")
    spans = db.session.execute(
        sa.select(Reservation.starts_at, Reservation.ends_at).where(Reservation.released_at.is_(None))
    )
    assert found.booked_seconds == sum((row.ends_at - row.starts_at).seconds for row in spans)
    assert found.unknown_seconds == 0
    assert min(found.held, found.failed, found.no_shows, found.cancelled, found.late, found.faulty_seconds) > 0


def test_faults_are_as_long_in_the_reports_as_in_the_changes(year: Flask) -> None:
    rows = (
        db.session.execute(sa.select(StatusChange).order_by(StatusChange.endpoint_id, StatusChange.at)).scalars().all()
    )
    faulty = sum(
        int(after.at.timestamp()) - int(before.at.timestamp())
        for before, after in pairwise(rows)
        if before.endpoint_id == after.endpoint_id and before.to_health is not Health.OK
    )
    assert figures.network(FIRST, LAST).faulty_seconds == faulty
    chained = [
        before.to_health is after.from_health
        for before, after in pairwise(rows)
        if before.endpoint_id == after.endpoint_id
    ]
    assert all(chained)


def test_the_present_of_each_endpoint_is_its_last_change(year: Flask) -> None:
    for status in db.session.scalars(sa.select(EndpointStatus)):
        last = sa.select(StatusChange).filter_by(endpoint_id=status.endpoint_id).order_by(StatusChange.at.desc())
        change = db.session.scalars(last.limit(1)).one()
        assert (status.health, status.since, status.last_poll_at) == (change.to_health, change.at, NOW)


def test_an_old_conference_tells_its_story(year: Flask) -> None:
    told = sa.select(Event.kind).join(Conference, Conference.id == Event.conference_id)
    states = (ConferenceState.ENDED, ConferenceState.FAILED, ConferenceState.CANCELLED)
    kinds = {state: set(db.session.scalars(told.where(Conference.state == state))) for state in states}
    assert kinds[ConferenceState.ENDED] >= {"conference.booked", "conference.starting", "conference.running"}
    assert kinds[ConferenceState.FAILED] >= {"conference.booked", "leg.failed", "conference.failed"}
    assert kinds[ConferenceState.CANCELLED] == {"conference.booked", "conference.cancelled"}


def test_a_second_run_adds_nothing_and_leaves_the_days_since_to_their_nights(year: Flask) -> None:
    before = counts()
    assert days.write_year(1, NOW + timedelta(hours=3), no_progress, DAYS) == 0
    assert days.write_year(1, NOW + timedelta(days=2), no_progress, DAYS) == 0
    assert counts() == before
