"""When people are told that a process is silent."""

from datetime import UTC, datetime, timedelta

import pytest

from operation.rules import GRACE, SILENT_AFTER, Kind, Silence, is_silent, silences

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LONG = timedelta(hours=1)
ALIVE = {Kind.SCHEDULER: NOW - timedelta(seconds=5), Kind.MONITOR: NOW - timedelta(seconds=2)}


def told(**beats: datetime) -> list[Silence]:
    return silences(beats, NOW, LONG)


def test_nothing_is_said_while_one_of_each_gives_signs_of_life():
    assert told(**ALIVE) == []


@pytest.mark.parametrize("kind", [Kind.SCHEDULER, Kind.MONITOR])
def test_a_kind_that_is_silent_is_told_with_its_last_sign_of_life(kind):
    last = NOW - timedelta(minutes=46)
    assert told(**(ALIVE | {kind: last})) == [Silence(kind, last)]


@pytest.mark.parametrize("kind", [Kind.SCHEDULER, Kind.MONITOR])
def test_a_kind_that_was_stopped_on_purpose_or_never_started_is_told_without_a_time(kind):
    assert told(**{one: at for one, at in ALIVE.items() if one is not kind}) == [Silence(kind, None)]


def test_the_calls_come_before_the_watching():
    assert [one.kind for one in told()] == [Kind.SCHEDULER, Kind.MONITOR]


def test_silence_begins_after_some_signs_of_life_were_missed():
    assert not is_silent(NOW - SILENT_AFTER, NOW)
    assert is_silent(NOW - SILENT_AFTER - timedelta(seconds=1), NOW)


def test_a_sign_of_life_from_before_the_clock_was_set_back_tells_nothing_of_now():
    assert not is_silent(NOW + timedelta(seconds=5), NOW)
    assert is_silent(NOW + timedelta(minutes=5), NOW)
    assert told(**(ALIVE | {Kind.MONITOR: NOW + timedelta(minutes=5)})) == [Silence(Kind.MONITOR, None)]


def test_nothing_is_said_in_the_first_seconds_in_which_the_processes_start():
    assert silences({}, NOW, GRACE - timedelta(seconds=1)) == []
    assert silences({}, NOW, GRACE) != []


def test_a_demonstrations_fleet_and_other_web_processes_are_not_waited_for():
    old = NOW - timedelta(days=2)
    assert told(**(ALIVE | {Kind.WEB: old, Kind.FLEET: old})) == []
