from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.monitoring import Health
from monitoring.rules import Cause, Patience, Poll, Pulse, Surroundings, Verdict, after, fault, is_doubtful, verdict

START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
PATIENCE = Patience()
AROUND = Surroundings(watched_since=START)

# A history: what each poll said, and how many tenths of a second after the one before it was asked and settled.
Steps = list[tuple[Poll, int]]
steps = st.lists(st.tuples(st.sampled_from([Poll.ANSWERED, Poll.MISSED, Poll.LATE]), st.integers(1, 40)), max_size=30)


def lived(history: Steps, patience: Patience = PATIENCE) -> tuple[Pulse, datetime]:
    pulse, now = Pulse(), START
    for poll, tenths in history:
        asked_at, now = now, now + timedelta(seconds=tenths / 10)
        pulse = after(pulse, poll, asked_at=asked_at, now=now, patience=patience)
    return pulse, now


def health(pulse: Pulse, now: datetime, around: Surroundings = AROUND) -> Health:
    return verdict(pulse, around, now=now, patience=PATIENCE).health


def down_by_definition(history: Steps, patience: Patience) -> bool:
    """Down as its sentence says it: search the whole history for a long enough run of misses with no answer since."""
    conclusive, now = [], START
    for poll, tenths in history:
        asked_at, now = now, now + timedelta(seconds=tenths / 10)
        if poll is not Poll.LATE:
            conclusive.append((poll, asked_at, now))
    down, run = False, []
    for poll, asked_at, settled_at in conclusive:
        run = [] if poll is Poll.ANSWERED else [*run, (asked_at, settled_at)]
        if poll is Poll.ANSWERED:
            down = False
        elif len(run) >= patience.misses and run[-1][1] - run[0][0] >= patience.over:
            down = True
    return down


@given(steps)
def test_down_is_enough_misses_in_a_row_over_enough_time_and_no_answer_since(history: Steps) -> None:
    assert lived(history)[0].down == down_by_definition(history, PATIENCE)


@given(steps, st.data())
def test_late_polls_change_nothing_wherever_they_stand(history: Steps, data: st.DataObject) -> None:
    pulse, now = lived(history)
    for _ in range(3):
        pulse = after(pulse, Poll.LATE, asked_at=now, now=now + timedelta(seconds=60), patience=PATIENCE)
    assert pulse == lived(history)[0]


@given(st.lists(st.integers(1, 40), max_size=20))
def test_one_lost_packet_between_answers_changes_nothing(gaps: list[int]) -> None:
    history = [(Poll.ANSWERED, 1)]
    for gap in gaps:
        history += [(Poll.MISSED, gap), (Poll.ANSWERED, gap)]
        assert health(*lived(history[:-1])) is Health.OK
    assert health(*lived(history)) is Health.OK


@given(steps)
def test_an_answer_ends_every_outage(history: Steps) -> None:
    assert health(*lived([*history, (Poll.ANSWERED, 1)])) is Health.OK


@given(steps, st.booleans(), st.booleans(), st.sampled_from([Cause.NONE, Cause.CONTROL_SILENT]))
def test_every_history_has_exactly_one_health_and_the_first_reason_wins(
    history: Steps, closed: bool, site_silent: bool, fault: Cause
) -> None:
    pulse, now = lived(history)
    around = Surroundings(START, closed, site_silent, fault)
    found = verdict(pulse, around, now=now, patience=PATIENCE).health
    expected = [
        (closed, Health.MAINTENANCE),
        (site_silent and pulse.misses > 0, Health.UNREACHABLE),
        (pulse.down, Health.DOWN),
        (pulse.answered_at is None, Health.UNKNOWN),
        (bool(fault), Health.DEGRADED),
        (True, Health.OK),
    ]
    assert found is next(health for holds, health in expected if holds)


@given(steps)
def test_ok_is_never_said_without_an_answer(history: Steps) -> None:
    if not any(poll is Poll.ANSWERED for poll, _ in history):
        assert health(*lived(history)) in {Health.UNKNOWN, Health.DOWN}


def test_recovery_can_ask_for_more_than_one_answer() -> None:
    patience = Patience(answers=2)
    outage: Steps = [(Poll.ANSWERED, 10), *[(Poll.MISSED, 10)] * 3]
    assert lived([*outage, (Poll.ANSWERED, 10)], patience)[0].down
    assert lived([*outage, (Poll.ANSWERED, 10), (Poll.MISSED, 10), (Poll.ANSWERED, 10)], patience)[0].down
    assert not lived([*outage, *[(Poll.ANSWERED, 10)] * 2], patience)[0].down


def test_a_clock_that_is_set_back_amid_misses_puts_off_nothing_for_long() -> None:
    pulse, now = lived([(Poll.ANSWERED, 1), (Poll.MISSED, 10)])
    now -= timedelta(hours=1)
    for _ in range(3):
        asked_at, now = now, now + timedelta(seconds=1)
        pulse = after(pulse, Poll.MISSED, asked_at=asked_at, now=now, patience=PATIENCE)
    assert pulse.down


def test_data_nobody_has_refreshed_for_long_are_unknown() -> None:
    pulse, now = lived([(Poll.ANSWERED, 10)])
    assert health(pulse, now + PATIENCE.stale) is Health.OK
    stale = verdict(pulse, AROUND, now=now + PATIENCE.stale + timedelta(seconds=1), patience=PATIENCE)
    assert stale == Verdict(Health.UNKNOWN, Cause.STALE)


def test_a_restarted_monitor_believes_the_table_until_it_had_time_to_poll() -> None:
    yesterday = START - timedelta(days=1)
    was_down = Pulse(misses=3, polled_at=yesterday, answered_at=yesterday, down=True, cause=Cause.NO_ANSWER)
    assert health(was_down, START + timedelta(seconds=5)) is Health.DOWN
    assert health(was_down, START + PATIENCE.stale + timedelta(seconds=5)) is Health.UNKNOWN


@given(steps)
def test_what_refuses_our_keys_is_unknown_and_never_down(history: Steps) -> None:
    pulse, now = lived(history)
    refused = after(pulse, Poll.REFUSED, asked_at=now, now=now, patience=PATIENCE, cause=Cause.SNMP_KEYS)
    assert verdict(refused, AROUND, now=now, patience=PATIENCE) == Verdict(Health.UNKNOWN, Cause.SNMP_KEYS)
    # One lost packet says nothing else of it; enough of them do, and an answer ends it.
    missed = after(refused, Poll.MISSED, asked_at=now, now=now, patience=PATIENCE)
    assert verdict(missed, AROUND, now=now, patience=PATIENCE) == Verdict(Health.UNKNOWN, Cause.SNMP_KEYS)
    dead, at = refused, now
    for _ in range(PATIENCE.misses):
        dead, at = after(dead, Poll.MISSED, asked_at=at, now=at, patience=PATIENCE), at + timedelta(seconds=1.5)
    assert verdict(dead, AROUND, now=at, patience=PATIENCE) == Verdict(Health.DOWN, Cause.NO_ANSWER)
    well = after(refused, Poll.ANSWERED, asked_at=now, now=now, patience=PATIENCE)
    assert health(well, now) is Health.OK


def test_what_can_not_be_asked_is_unknown_and_not_down() -> None:
    pulse, now = lived([(Poll.ANSWERED, 10), *[(Poll.MISSED, 10)] * 3])
    pulse = after(pulse, Poll.IMPOSSIBLE, asked_at=now, now=now, patience=PATIENCE, cause=Cause.CREDENTIAL)
    assert verdict(pulse, AROUND, now=now, patience=PATIENCE) == Verdict(Health.UNKNOWN, Cause.CREDENTIAL)


def test_the_cause_of_down_tells_silence_from_garbage() -> None:
    pulse = Pulse()
    for n in range(3):
        asked = START + timedelta(seconds=n)
        pulse = after(
            pulse,
            Poll.MISSED,
            asked_at=asked,
            now=asked + timedelta(seconds=1),
            patience=PATIENCE,
            cause=Cause.BAD_ANSWER,
        )
    now = START + timedelta(seconds=4)
    assert verdict(pulse, AROUND, now=now, patience=PATIENCE) == Verdict(Health.DOWN, Cause.BAD_ANSWER)


def test_only_what_is_missed_and_unconfirmed_is_asked_again_at_once() -> None:
    one, _ = lived([(Poll.ANSWERED, 10), (Poll.MISSED, 10)])
    three, _ = lived([(Poll.ANSWERED, 10), *[(Poll.MISSED, 10)] * 3])
    assert [is_doubtful(pulse) for pulse in (Pulse(), one, three)] == [False, True, False]


def test_a_camera_is_missing_when_the_codec_lists_sockets_and_none_has_one() -> None:
    assert fault(Cause.NONE, cameras=[False, False], microphones=[]) is Cause.CAMERA
    assert fault(Cause.NONE, cameras=[False, True], microphones=[]) is Cause.NONE
    assert fault(Cause.NONE, cameras=[], microphones=[]) is Cause.NONE


def test_a_missing_camera_is_told_before_a_missing_microphone() -> None:
    assert fault(Cause.NONE, cameras=[False], microphones=[False]) is Cause.CAMERA
    assert fault(Cause.NONE, cameras=[True], microphones=[False]) is Cause.MICROPHONE


def test_a_codec_that_cannot_be_steered_is_told_before_what_is_plugged_in_there() -> None:
    for control in (Cause.CONTROL_SILENT, Cause.CONTROL_REFUSED):
        assert fault(control, cameras=[False], microphones=[False]) is control


def test_a_missing_camera_degrades_a_studio_that_answers_and_says_nothing_of_one_that_does_not() -> None:
    around = Surroundings(START, fault=Cause.CAMERA)
    pulse, now = lived([(Poll.ANSWERED, 10)])
    assert verdict(pulse, around, now=now, patience=PATIENCE) == Verdict(Health.DEGRADED, Cause.CAMERA)
    pulse, now = lived([(Poll.ANSWERED, 10), *[(Poll.MISSED, 10)] * 3])
    assert verdict(pulse, around, now=now, patience=PATIENCE) == Verdict(Health.DOWN, Cause.NO_ANSWER)
    closed = Surroundings(START, closed=True, fault=Cause.CAMERA)
    assert verdict(pulse, closed, now=now, patience=PATIENCE) == Verdict(Health.MAINTENANCE, Cause.CLOSURE)
