from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Endpoint, EndpointStatus, Event, Health, StatusChange, db, write
from models.heartbeat import beat
from monitoring import leases
from monitoring.leases import Terms
from monitoring.profiles import Identity
from monitoring.roster import Secrets, roster, watched_from
from monitoring.rules import Patience
from monitoring.snmp.engine import Outcome, Reading
from monitoring.statuses import Finding, Saved, finding, save
from monitoring.watched import Watched
from tests import factories

LEASE = timedelta(seconds=30)


@pytest.fixture
def watched(app: Flask) -> Watched:
    """The one endpoint, leased by `me`, that has just died."""
    factories.endpoint(factories.studio(), control_driver=None, control_url=None)
    write(lambda: beat("me", leases.KIND, datetime.now(UTC), {}))
    write(lambda: leases.claim("me", Terms()))
    now = datetime.now(UTC)
    [listed] = roster("me", Secrets(), now).listed
    watched = watched_from(listed, now, Patience())
    watched.heard(Reading(1, Outcome.ANSWERED, now, 0.01), asked_at=now)
    for n in range(1, 4):
        at = now + timedelta(seconds=n)
        watched.heard(Reading(1, Outcome.TIMEOUT, at), asked_at=at - timedelta(seconds=1))
    return watched


def saved(worker: str, *findings: Finding) -> Saved:
    return write(lambda: save(worker, findings, LEASE))


def changes() -> list[tuple[str, str]]:
    db.session.rollback()
    rows = db.session.scalars(sa.select(StatusChange).order_by(StatusChange.id))
    return [(row.from_health, row.to_health) for row in rows]


def test_every_change_is_a_row_and_an_event_and_the_present_is_one_row(watched: Watched) -> None:
    saved("me", finding(watched))
    assert changes() == [(Health.UNKNOWN, Health.OK), (Health.OK, Health.DOWN)]
    events = db.session.scalars(sa.select(Event).order_by(Event.id)).all()
    assert [event.kind for event in events] == ["studio.ok", "studio.down"]
    assert events[1].details == {"from": "ok", "to": "down", "cause": "no-answer"}
    status = db.session.scalars(sa.select(EndpointStatus)).one()
    assert (status.health, status.cause, status.misses) == (Health.DOWN, "no-answer", 3)
    assert status.since == watched.since == events[1].at


def test_equipment_that_answers_as_another_studio_s_is_told_of_once(watched: Watched) -> None:
    factories.endpoint(factories.studio(name="Bodø 1"), "127.0.0.2", serial="FTT1")
    watched.learned = Identity("Cisco", "SX80", "FTT2", "ce9")
    saved("me", finding(watched))
    assert mistaken() == []
    watched.learned = Identity("Cisco", "SX80", "FTT1", "ce9")
    for _ in range(2):
        saved("me", finding(watched))
    assert mistaken() == [{"other": "Bodø 1", "serial": "FTT1"}]


def mistaken() -> list[dict[str, str]]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Event.details).where(Event.kind == "studio.mistaken")))


def test_storing_again_after_a_lost_commit_repeats_no_change(watched: Watched) -> None:
    stored = finding(watched)
    saved("me", stored)
    saved("me", stored)
    assert len(changes()) == 2
    watched.heard(Reading(1, Outcome.ANSWERED, watched.since + timedelta(seconds=5)), asked_at=watched.since)
    saved("me", finding(watched))
    assert changes()[2:] == [(Health.DOWN, Health.OK)]


def test_after_a_clock_was_set_back_every_change_is_a_row_still_and_in_order(watched: Watched) -> None:
    saved("me", finding(watched))
    hour_before = watched.since - timedelta(hours=1)
    for outcome in [Outcome.ANSWERED, *[Outcome.TIMEOUT] * 4, Outcome.ANSWERED]:
        hour_before += timedelta(seconds=1)
        watched.heard(Reading(1, outcome, hour_before), asked_at=hour_before)
        saved("me", finding(watched))
    assert changes()[2:] == [(Health.DOWN, Health.OK), (Health.OK, Health.DOWN), (Health.DOWN, Health.OK)]
    moments = list(db.session.scalars(sa.select(StatusChange.at).order_by(StatusChange.id)))
    assert moments == sorted(set(moments))


def test_nothing_is_stored_of_an_endpoint_that_another_monitor_has_taken(watched: Watched) -> None:
    write(lambda: db.session.execute(sa.update(EndpointStatus).values(lease_owner="other")))
    assert saved("me", finding(watched)).lost == {watched.equipment.endpoint_id}
    assert changes() == []
    assert db.session.scalars(sa.select(EndpointStatus.health)).one() is Health.UNKNOWN


def test_changed_at_moves_only_when_a_tile_shows_something_else(watched: Watched) -> None:
    saved("me", finding(watched))
    shown = db.session.scalars(sa.select(EndpointStatus.changed_at)).one()
    watched.stored(2, None, shown)
    watched.tile_changed = False
    at = watched.since + timedelta(seconds=9)
    watched.heard(Reading(1, Outcome.TIMEOUT, at), asked_at=at)
    saved("me", finding(watched))
    status = db.session.scalars(sa.select(EndpointStatus)).one()
    assert (status.changed_at, status.last_poll_at) == (shown, at)


def test_what_was_learned_is_kept_and_what_is_left_out_stays_known(watched: Watched) -> None:
    watched.learned = Identity("Cisco").updated(Identity(serial="FTT1"))
    saved("me", finding(watched))
    endpoint = db.session.scalars(sa.select(Endpoint)).one()
    assert (endpoint.vendor, endpoint.serial) == ("Cisco", "FTT1")
