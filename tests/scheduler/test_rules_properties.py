"""What the reconciler decides, whatever the rows and the codecs say: no call is dialled twice, no foreign one ended."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from models.calls import LegState, Wanted
from scheduler.rules import PREVIOUS, Action, LegView, LiveCall, Sight, Silence, backoff, decide

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOST, FAR, STRANGER = "sip:host@127.0.0.1", "sip:far@127.0.0.2", "sip:stranger@127.0.0.9"

instants = st.none() | st.integers(-900, 900).map(lambda seconds: NOW + timedelta(seconds=seconds))
legs = st.builds(
    LegView,
    leg_id=st.just(1),
    studio_id=st.just(2),
    wanted=st.sampled_from(Wanted),
    state=st.sampled_from(LegState),
    address=st.just(FAR),
    token=st.just("K-10001/1"),
    remote_call_id=st.sampled_from([None, "3", "4"]),
    attempts=st.integers(0, 12),
    next_attempt_at=instants,
    dialled_at=instants,
    connected_at=instants,
)
calls = st.lists(
    st.builds(
        LiveCall,
        call_id=st.sampled_from(["3", "4", "5"]),
        status=st.sampled_from(["Dialling", "Ringing", "Connected", "Disconnecting", "OnHold"]),
        remote=st.sampled_from([FAR, STRANGER, HOST]),
        token=st.sampled_from([None, "K-10001/1", "K-99999/7"]),
    ),
    max_size=3,
    unique_by=lambda call: call.call_id,
)
sights = st.none() | calls | st.builds(Silence, cause=st.just("unreachable"), lasting=st.booleans())


def move_of(leg: LegView, host: Sight, far: Sight = None, barred: Collection[int] = ()):
    bars = dict.fromkeys(barred, PREVIOUS)
    return decide([leg], host, {1: far}, bars, HOST, 1, NOW - timedelta(minutes=1), NOW)[0]


@settings(max_examples=800)
@given(legs, sights, sights, st.frozensets(st.sampled_from([1, 2])))
def test_a_call_is_dialled_only_where_nothing_stands_against_it(leg, host, far, occupied):
    if move_of(leg, host, far, occupied).action is not Action.DIAL:
        return
    assert leg.wanted is Wanted.UP
    assert isinstance(host, list), "the host told its calls"
    assert not host, "of which there are none: ours would be adopted, and somebody else's is left in peace"
    assert not occupied, "the conference before has been seen to end at both"
    assert leg.state not in (LegState.DIALLING, LegState.RINGING, LegState.CONNECTED), "none can be on its way"
    assert leg.next_attempt_at is None or leg.next_attempt_at <= NOW


@settings(max_examples=800)
@given(legs, sights, sights)
def test_a_call_is_ended_at_the_host_only_if_it_is_ours(leg, host, far):
    move = move_of(leg, host, far)
    if move.action is not Action.HANG_UP:
        return
    ended = next(call for call in host if call.call_id == move.call_id)
    assert ended.token in (leg.token, None), "another conference's call"
    assert ended.token or leg.remote_call_id == ended.call_id or ended.remote == FAR, "a call to somebody else"


@settings(max_examples=800)
@given(legs, sights, sights)
def test_a_call_is_ended_at_the_far_end_only_if_it_comes_from_our_host(leg, host, far):
    move = move_of(leg, host, far)
    if move.action is Action.HANG_UP_FAR_END:
        assert leg.wanted is Wanted.DOWN
        assert next(call for call in far if call.call_id == move.call_id).remote == HOST


@settings(max_examples=800)
@given(legs, sights, sights)
def test_a_leg_that_may_have_been_up_is_stopped_only_when_no_end_is_silent(leg, host, far):
    ordered = leg.dialled_at is not None and leg.attempts > 0 and leg.state is not LegState.STOPPED
    if leg.wanted is Wanted.DOWN and ordered and Silence in (type(host), type(far)):
        assert move_of(leg, host, far).state is not LegState.STOPPED


@given(st.integers(1, 50), st.floats(-1, 1))
def test_retries_are_spread_by_a_fifth_around_growing_pauses(attempts, jitter):
    pause = (5, 10, 20, 40, 60)[min(attempts, 5) - 1]
    assert 0.8 * pause <= backoff(attempts, jitter).total_seconds() <= 1.2 * pause
