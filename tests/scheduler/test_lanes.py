"""Which work on a conference waits for which."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from models import ConferenceState, db
from scheduler.clock import Lane
from scheduler.jobs import lane_of
from scheduler.queries import due_within
from tests import factories

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("state", "starts_in", "due_in", "joined", "lane"),
    [
        (ConferenceState.PLANNED, 5 * MINUTE, -MINUTE, False, Lane.AHEAD),
        (ConferenceState.PLANNED, -MINUTE, -MINUTE, False, Lane.STARTS),
        (ConferenceState.PLANNED, 5 * MINUTE, -MINUTE, True, Lane.STARTS),
        (ConferenceState.STARTING, -MINUTE, -MINUTE / 2, False, Lane.CALLS),
        (ConferenceState.RUNNING, -5 * MINUTE, -MINUTE, False, Lane.CALM),
        (ConferenceState.RUNNING, -30 * MINUTE, MINUTE / 2, False, Lane.CALLS),
        (ConferenceState.DEGRADED, -5 * MINUTE, -MINUTE, False, Lane.TROUBLED),
    ],
)
def test_a_start_has_a_lane_of_its_own_and_calls_that_are_up_wait(
    app: Flask, state: ConferenceState, starts_in: timedelta, due_in: timedelta, joined: bool, lane: Lane
) -> None:
    now = datetime.now(UTC)
    start = now + starts_in
    values = {"state": state, "due_at": now + due_in, "joined_at": now if joined else None}
    made = factories.conference(factories.studio(), start=start, end=start + 30 * MINUTE, **values)
    db.session.rollback()
    (due,) = due_within(MINUTE)
    assert (due.conference_id, due.at, lane_of(due)) == (made.id, now + due_in, lane)
