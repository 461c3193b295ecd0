"""Studios looked at before their conference, by a real monitor at a simulated fleet, and kept in real tables."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from models import (
    Conference,
    ConferenceState,
    Endpoint,
    Event,
    Light,
    Message,
    Preflight,
    Reservation,
    Role,
    Studio,
    db,
    write,
)
from monitoring import leases, preflights
from monitoring.leases import Terms
from monitoring.preflight_rules import Probe
from monitoring.preflights import due_looks, keep
from monitoring.retention import delete_old
from simulation.studio import Fault
from tests import factories
from tests.monitoring.running import until, watching
from tests.monitoring.test_peripherals import Trial, trial  # noqa: F401 (a fixture)

MINUTE = timedelta(minutes=1)
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])


def looks() -> dict[int, Light]:
    db.session.rollback()
    return {row.minutes: row.light for row in db.session.scalars(sa.select(Preflight))}


def a_conference(studio: Studio, ahead: timedelta, **changes: object) -> Conference:
    return factories.conference(studio, factories.studio(), start=datetime.now(UTC) + ahead, **changes)


def watched_studio() -> Studio:
    studio = factories.studio()
    factories.endpoint(studio)
    write(lambda: leases.claim("me", Terms()))
    return studio


def due(now: datetime | None = None) -> list[tuple[int, int]]:
    return [(each.studio_id, each.minutes) for each in due_looks("me", now or datetime.now(UTC))]


def test_a_camera_that_is_missing_half_an_hour_before_is_a_red_light(app: Flask, trial: Trial) -> None:  # noqa: F811
    studio = db.session.scalars(sa.select(Studio)).one()
    trial.suffer(Fault.CAMERA_UNPLUGGED)
    conference = a_conference(studio, 29 * MINUTE)
    with watching(app):
        until(lambda: looks() == {30: Light.RED})
        event = until(
            lambda: db.session.scalars(sa.select(Event).where(Event.kind == "studio.preflight_failed")).first()
        )
        assert (event.conference_id, event.details["failed"]) == (conference.id, ["camera"])
        trial.suffer(Fault.CLEAR)
        soon = datetime.now(UTC) + 14 * MINUTE
        write(lambda: db.session.execute(sa.update(Conference).values(starts_at=soon)))
        until(lambda: looks() == {30: Light.RED, 15: Light.GREEN})


@on_sqlite
def test_a_dead_studio_is_a_red_light_and_is_tried_more_than_once(app: Flask, trial: Trial) -> None:  # noqa: F811
    studio = db.session.scalars(sa.select(Studio)).one()
    trial.suffer(Fault.DEAD)
    a_conference(studio, 4 * MINUTE)
    with watching(app):
        until(lambda: looks() == {5: Light.RED})


def test_each_look_is_made_once(app: Flask) -> None:
    studio = watched_studio()
    a_conference(studio, 29 * MINUTE)
    found = due_looks("me", datetime.now(UTC))
    now = datetime.now(UTC)
    well = Probe(True, True, True, (True,), (True,), 0)
    write(lambda: keep([(each, well) for each in found], now))
    write(lambda: keep([(each, Probe(False, False)) for each in found], now))
    assert (due(), looks()) == ([], {30: Light.GREEN})
    assert db.session.scalars(sa.select(Event)).all() == []


def test_only_what_is_planned_with_video_and_reserved_is_looked_at(app: Flask) -> None:
    studio = watched_studio()
    conference = a_conference(studio, 10 * MINUTE)
    assert due() == [(studio.id, 15)]
    for change in (
        sa.update(Conference).values(video=False),
        sa.update(Conference).values(video=True, state=ConferenceState.CANCELLED),
    ):
        write(lambda change=change: db.session.execute(change))  # type: ignore[misc]
        assert due() == []
    write(lambda: db.session.execute(sa.update(Conference).values(state=ConferenceState.PLANNED)))
    assert due() == [(studio.id, 15)]
    write(lambda: db.session.execute(sa.update(Reservation).values(released_at=datetime.now(UTC))))
    assert due() == []
    assert due(conference.starts_at) == []


def test_a_conference_before_it_is_told_apart(app: Flask) -> None:
    studio = watched_studio()
    now = datetime.now(UTC)
    before = factories.conference(studio, factories.studio(), start=now - 30 * MINUTE, end=now + 4 * MINUTE)
    after = factories.conference(studio, factories.studio(), start=now + 4 * MINUTE)
    [found] = due_looks("me", now)
    assert (found.conference_id, found.in_use) == (after.id, True)
    write(
        lambda: db.session.execute(
            sa.update(Reservation).where(Reservation.conference_id == before.id).values(released_at=now)
        )
    )
    assert not due_looks("me", now)[0].in_use


def test_what_another_monitor_watches_is_left_to_it(app: Flask) -> None:
    a_conference(watched_studio(), 10 * MINUTE)
    assert due_looks("another", datetime.now(UTC)) == []


def test_whoever_organises_it_is_told_once(app: Flask) -> None:
    studio = watched_studio()
    organiser = factories.account(role=Role.COORDINATOR, language="en")
    conference = a_conference(studio, 29 * MINUTE, organiser_id=organiser.id)
    endpoint_id = db.session.scalars(sa.select(Endpoint.id)).one()
    for minutes in (30, 15):
        look = preflights.Due(conference.id, studio.id, endpoint_id, minutes, False)
        write(lambda look=look: keep([(look, Probe(False, False))], datetime.now(UTC)))  # type: ignore[misc]
    [mail] = db.session.scalars(sa.select(Message)).all()
    assert mail.recipient == organiser.email
    assert "cannot be reached" in mail.body


def test_looks_are_kept_for_ninety_days(app: Flask) -> None:
    conference = a_conference(factories.studio(), 29 * MINUTE)
    now = datetime.now(UTC)
    for minutes, days in ((30, 91), (15, 89)):
        look = {"minutes": minutes, "light": Light.GREEN, "checks": {}, "checked_at": now - timedelta(days=days)}
        row = Preflight(conference_id=conference.id, studio_id=conference.parties[0].studio_id, **look)
        write(lambda row=row: db.session.add(row))  # type: ignore[misc]
    delete_old()
    assert looks() == {15: Light.GREEN}
