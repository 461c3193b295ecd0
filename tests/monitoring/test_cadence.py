from hypothesis import given
from hypothesis import strategies as st

from monitoring.cadence import (
    LONGEST_BACK_OFF,
    Cadence,
    calls_interval,
    first_turn,
    is_full,
    next_turn,
    refused_interval,
)

CADENCE = Cadence()
keys = st.integers(1, 100_000)
nows = st.floats(0, 1e7)


@given(keys, nows)
def test_the_next_turn_is_one_interval_away_at_most(key: int, now: float) -> None:
    turn = next_turn(key, now, 10.0)
    assert now < turn <= now + 10.001
    assert abs(next_turn(key, turn, 10.0) - turn - 10.0) < 0.001


@given(keys, nows)
def test_every_sixth_turn_is_full(key: int, now: float) -> None:
    turns, turn = [], now
    for _ in range(12):
        turn = next_turn(key, turn, CADENCE.alive)
        turns.append(is_full(key, turn, CADENCE))
    assert sum(turns) == 2
    assert turns[:6] == turns[6:]


@given(st.integers(1, 50_000), nows)
def test_900_endpoints_come_evenly_and_so_do_their_full_reads(first: int, now: float) -> None:
    keys = range(first, first + 900)
    turns = [(key, next_turn(key, now, CADENCE.alive)) for key in keys]
    each_second = [sum(now + n < turn <= now + n + 1 for _, turn in turns) for n in range(10)]
    assert all(86 <= count <= 94 for count in each_second)
    assert 145 <= sum(is_full(key, turn, CADENCE) for key, turn in turns) <= 155


@given(keys, nows)
def test_the_first_turn_comes_soon(key: int, now: float) -> None:
    assert now <= first_turn(key, now, CADENCE.first) <= now + CADENCE.first


def test_codecs_that_fail_are_left_alone_longer_and_longer() -> None:
    waits = [calls_interval(CADENCE, busy=False, failures=n) for n in range(10)]
    assert waits[:3] == [60, 120, 240]
    assert max(waits) == LONGEST_BACK_OFF
    assert calls_interval(CADENCE, busy=True, failures=0) == 15


def test_who_refuses_our_keys_is_asked_less_and_less_often() -> None:
    assert [refused_interval(CADENCE, n) for n in (1, 2, 3, 4, 50)] == [20, 40, 80, 160, LONGEST_BACK_OFF]
    assert refused_interval(Cadence(alive=600), 9) == 600


def test_alone_a_full_read_is_every_turn() -> None:
    assert is_full(7, next_turn(7, 100.0, 60.0), Cadence(full=60, alive=60))
