"""Whether a studio is fit for what is about to begin there, told as sentences."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.incidents import Light
from monitoring.preflight_rules import AHEAD, Check, Probe, Result, checked, due_minutes, light

START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
WELL = Probe(True, True, True, (True, False), (True,), 0)


@pytest.mark.parametrize(
    ("minutes_ahead", "due"),
    [(31, None), (30, 30), (29.9, 30), (15.1, 30), (15, 15), (5.1, 15), (5, 5), (0.1, 5), (0, None), (-1, None)],
)
def test_each_look_is_due_until_the_next_and_none_once_it_has_begun(minutes_ahead: float, due: int | None) -> None:
    assert due_minutes(START, START - timedelta(minutes=minutes_ahead)) == due


def shown(probe: Probe, minutes: int = 30, in_use: bool = False) -> Light:
    return light(checked(probe, in_use), minutes)


def test_a_studio_where_all_is_well_is_green() -> None:
    assert shown(WELL) is Light.GREEN
    assert set(checked(WELL, False).values()) == {Result.OK}


@pytest.mark.parametrize(
    ("probe", "check"),
    [
        (Probe(True, False), Check.REACHABLE),
        (Probe(False, None), Check.REACHABLE),
        (Probe(True, True, False, (True,), (True,), 0), Check.REGISTERED),
        (Probe(True, True, True, (False, False), (True,), 0), Check.CAMERA),
        (Probe(True, True, True, (True,), (False,), 0), Check.MICROPHONE),
    ],
)
def test_one_thing_that_is_missing_is_red_at_any_time(probe: Probe, check: Check) -> None:
    assert checked(probe, False)[check] is Result.FAILED
    assert {shown(probe, minutes) for minutes in AHEAD} == {Light.RED}


def test_a_call_that_is_still_up_may_end_until_the_last_look() -> None:
    talking = Probe(True, True, True, (True,), (True,), 1)
    assert [shown(talking, minutes) for minutes in AHEAD] == [Light.AMBER, Light.AMBER, Light.RED]


def test_the_calls_of_the_conference_before_say_nothing() -> None:
    talking = Probe(True, True, True, (True,), (True,), 1)
    assert {shown(talking, minutes, in_use=True) for minutes in AHEAD} == {Light.GREEN}


def test_equipment_that_nobody_steers_is_fit_where_it_answers_and_uncertain_where_it_cannot_be_asked() -> None:
    assert shown(Probe(answered=True)) is Light.GREEN
    assert shown(Probe()) is Light.AMBER


def test_what_lives_but_cannot_be_steered_cannot_be_called() -> None:
    assert shown(Probe(answered=True, steered=False)) is Light.RED
    assert shown(Probe(answered=False, steered=True)) is Light.GREEN  # a wrong community harms no call


maybe = st.none() | st.booleans()
some = st.lists(st.booleans(), max_size=3).map(tuple)


@given(
    st.builds(Probe, maybe, maybe, maybe, some, some, st.none() | st.integers(0, 2)),
    st.sampled_from(AHEAD),
    st.booleans(),
)
def test_green_never_hides_anything_that_failed(probe: Probe, minutes: int, in_use: bool) -> None:
    if Result.FAILED in checked(probe, in_use).values():
        assert shown(probe, minutes, in_use) is not Light.GREEN
