from datetime import UTC, datetime, timedelta

import pytest

from models import Health
from monitoring.rules import Cause
from monitoring.tiles import SILENT_AFTER, Seen, TileState, Watch, tile_cause, tile_state, watch

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
STALE = timedelta(minutes=3)


def state_of(health: Health | None = Health.OK, **changes: object) -> TileState:
    seen = Seen(**{"health": health, "polled_at": NOW - timedelta(seconds=20), **changes})  # type: ignore[arg-type]
    return tile_state(seen, NOW, STALE)


def in_minutes(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("health", "state"),
    [
        (Health.OK, TileState.IDLE),
        (Health.DEGRADED, TileState.DEGRADED),
        (Health.DOWN, TileState.DOWN),
        (Health.UNREACHABLE, TileState.CUT),
        (Health.MAINTENANCE, TileState.MAINTENANCE),
        (Health.UNKNOWN, TileState.UNKNOWN),
    ],
)
def test_a_tile_shows_the_stored_health(health, state):
    assert state_of(health) is state


def test_a_studio_without_equipment_is_unknown():
    assert tile_state(Seen(), NOW, STALE) is TileState.UNKNOWN


def test_a_studio_that_was_never_polled_is_unknown():
    assert state_of(polled_at=None) is TileState.UNKNOWN


def test_data_grows_old_without_anybody_saying_so():
    assert state_of(polled_at=NOW - STALE) is TileState.IDLE
    assert state_of(polled_at=NOW - STALE - timedelta(microseconds=1)) is TileState.UNKNOWN


def test_old_data_of_a_studio_that_was_down_is_unknown_too():
    assert state_of(Health.DOWN, polled_at=NOW - timedelta(minutes=4)) is TileState.UNKNOWN


def test_a_closure_comes_before_everything():
    assert state_of(Health.DOWN, closed=True, polled_at=None) is TileState.MAINTENANCE
    assert state_of(closed=True, in_call=True) is TileState.MAINTENANCE


def test_a_call_comes_before_a_booking():
    assert state_of(in_call=True, booked_from=in_minutes(-5)) is TileState.CALL


def test_a_fault_comes_before_a_call():
    assert state_of(Health.DEGRADED, in_call=True) is TileState.DEGRADED


def test_a_studio_is_booked_from_a_quarter_of_an_hour_before_the_start():
    assert state_of(booked_from=in_minutes(15.01)) is TileState.IDLE
    assert state_of(booked_from=in_minutes(15)) is TileState.SOON


def test_a_studio_whose_conference_has_begun_without_it_is_still_booked():
    assert state_of(booked_from=in_minutes(-10)) is TileState.SOON


def test_the_cause_is_that_of_what_the_tile_shows():
    assert tile_cause(TileState.DOWN, "no-answer", NOW) == "no-answer"
    assert tile_cause(TileState.MAINTENANCE, "no-answer", NOW) == Cause.CLOSURE
    assert tile_cause(TileState.UNKNOWN, "no-answer", NOW) == Cause.STALE
    assert tile_cause(TileState.UNKNOWN, "", None) == Cause.NEVER_POLLED
    assert tile_cause(TileState.UNKNOWN, "credential", None) == Cause.CREDENTIAL
    assert tile_cause(TileState.CALL, "no-answer", NOW) == ""


def test_a_page_without_any_monitor_is_not_to_be_trusted():
    assert watch(None, NOW, stale=0, polled=0) is Watch.SILENT


def test_a_monitor_that_gives_no_sign_of_life_is_silent():
    assert watch(NOW - SILENT_AFTER, NOW, stale=0, polled=900) is Watch.RUNNING
    assert watch(NOW - SILENT_AFTER - timedelta(seconds=1), NOW, stale=0, polled=900) is Watch.SILENT


def test_a_few_studios_with_old_data_are_a_warning_and_many_are_an_alarm():
    assert watch(NOW, NOW, stale=1, polled=900) is Watch.BEHIND
    assert watch(NOW, NOW, stale=91, polled=900) is Watch.SILENT
