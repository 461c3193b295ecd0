"""A scheduler killed with SIGKILL between its dial and its commit, and another that carries on: real processes."""

import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from app import create_app
from devices.pexip import PexipClient
from devices.xapi import XapiClient
from models import ConferenceState, Event, db
from scheduler import calls
from scheduler.equipment import Equipment
from simulation.studio import CallState
from tests.conftest import DIALECTS, settings_for
from tests.scheduler.conftest import wait_for


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _dial_and_die(url: str, conference_id: int) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    calls.record = die
    with create_app(settings_for(url)).app_context():
        calls.reconcile(conference_id, "the one that dies", Equipment(XapiClient(), PexipClient(), at_once=1))


def test_a_call_dialled_by_a_killed_scheduler_is_adopted_by_the_next_and_ended_once(
    network, running_now, database_url, start_scheduler
):
    conference = running_now("TROMSO", "BODO")
    conference_id = conference.id
    db.session.rollback()
    doomed = multiprocessing.get_context("forkserver").Process(target=_dial_and_die, args=(database_url, conference_id))
    doomed.start()
    doomed.join(20)
    assert doomed.exitcode == -signal.SIGKILL
    assert len(network.calls("TROMSO")) == 1, "it was dialled before the kill"

    start_scheduler()
    state = lambda: db.session.scalar(db.select(type(conference).state).filter_by(id=conference_id))  # noqa: E731
    wait_for(lambda: state() is ConferenceState.RUNNING, 25)
    assert [call.state for call in network.calls("TROMSO")] == [CallState.CONNECTED]
    assert [call.state for call in network.calls("BODO")] == [CallState.CONNECTED]
    told = list(db.session.scalars(db.select(Event.kind).order_by(Event.id)))
    assert told.count("leg.dialled") == 1
    assert "leg.adopted" in told


def test_calls_left_up_by_a_killed_scheduler_come_down_at_their_end(network, running_now, start_scheduler):
    conference = running_now("TROMSO", "BODO", end=datetime.now(UTC) + timedelta(seconds=8))
    conference_id, model = conference.id, type(conference)
    db.session.rollback()
    first = start_scheduler()
    wait_for(lambda: any(call.state is CallState.CONNECTED for call in network.calls("BODO")), 15)
    first.send_signal(signal.SIGKILL)
    first.wait(5)
    time.sleep(5)
    start_scheduler()
    state = lambda: db.session.scalar(db.select(model.state).filter_by(id=conference_id))  # noqa: E731
    wait_for(lambda: state() is ConferenceState.ENDED, 30)
    assert not network.calls("TROMSO")
    assert not network.calls("BODO")
