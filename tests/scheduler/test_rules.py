from datetime import UTC, datetime, timedelta

import pytest

from models import LegState, Wanted
from scheduler.rules import Action, LegView, LiveCall, Move, Sight, decide

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
HOST, FAR = "sip:host@127.1.0.1", "sip:far@127.1.0.2"


def leg(wanted: Wanted, state: LegState, **changes) -> LegView:
    values = {"attempts": 1, "remote_call_id": "3", "dialled_at": NOW - timedelta(minutes=5)}
    return LegView(1, 2, wanted, state, FAR, "K-10001/1", **{**values, **changes})


def move(leg: LegView, host: Sight, far: Sight = None, host_address: str = HOST) -> Move:
    return decide([leg], host, {1: far}, {}, host_address, 1, NOW, NOW)[0]


@pytest.mark.parametrize("word", ["Disconnecting", "Idle"])
def test_a_call_that_is_about_to_go_is_waited_for_and_not_taken_for_one_that_nobody_answers(word):
    going = LiveCall("3", word, FAR, "K-10001/1")
    assert move(leg(Wanted.UP, LegState.CONNECTED), [going]) == Move(1, Action.WAIT, LegState.CONNECTED)


def test_a_call_that_people_made_between_the_same_studios_is_left_to_them_at_the_end():
    by_hand, seen_from_afar = LiveCall("9", "Connected", FAR), LiveCall("4", "Connected", HOST)
    stopped = move(leg(Wanted.DOWN, LegState.FAILED), [by_hand], [seen_from_afar])
    assert (stopped.action, stopped.state) == (Action.RECORD, LegState.STOPPED)


def test_a_call_left_over_at_the_far_end_alone_is_ended_there():
    left_over = LiveCall("4", "Connected", HOST)
    assert move(leg(Wanted.DOWN, LegState.FAILED), [], [left_over]).action is Action.HANG_UP_FAR_END


def test_a_call_from_nowhere_is_not_taken_for_one_from_a_host_without_an_address():
    unnamed = LiveCall("4", "Connected", "")
    assert move(leg(Wanted.DOWN, LegState.FAILED), [], [unnamed], host_address="").action is Action.RECORD
