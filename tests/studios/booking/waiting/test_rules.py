from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.booking import Purpose, RequestState
from studios.booking.waiting.rules import (
    after_silence,
    around,
    first_start,
    hours_of,
    in_order,
    is_past,
    offer_expires_at,
    settled,
    swap_expires_at,
    window_around,
)
from studios.booking.wishes import Booking, GuestWish, PoolWish, StudioWish
from studios.calendars.rules import Span

OSLO = ZoneInfo("Europe/Oslo")
NOON = datetime(2027, 3, 24, 12, tzinfo=UTC)  # a Wednesday; the clock moves on the 28th
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NO_LEAD = timedelta()


def test_who_let_an_offer_pass_comes_after_those_who_did_not():
    assert in_order({1: 1, 2: 0, 3: 0, 4: 1}) == [2, 3, 1, 4]


@pytest.mark.parametrize(
    ("start", "lead", "until"),
    [
        (NOON + 9 * HOUR, NO_LEAD, NOON + 2 * HOUR),
        (NOON + HOUR, NO_LEAD, NOON + 55 * MINUTE),
        (NOON + 2 * HOUR, HOUR, NOON + HOUR),
    ],
)
def test_an_offer_ends_while_others_can_still_have_the_time(start, lead, until):
    assert offer_expires_at(start, NOON, 2 * HOUR, lead) == until


@given(st.integers(0, 500), st.integers(0, 300), st.integers(1, 300))
def test_whatever_is_offered_leaves_a_quarter_of_an_hour_for_the_answer_or_the_patience(ahead, lead, patience):
    lead, patience = lead * MINUTE, patience * MINUTE
    start = first_start(NOON + ahead * MINUTE, NOON, lead)
    assert offer_expires_at(start, NOON, patience, lead) - NOON >= min(patience, 15 * MINUTE)


def test_a_window_is_past_when_nothing_in_it_can_be_offered_any_more():
    assert not is_past(NOON + 80 * MINUTE, HOUR, NOON, NO_LEAD)
    assert is_past(NOON + 79 * MINUTE, HOUR, NOON, NO_LEAD)


def test_the_second_unanswered_offer_is_the_last():
    assert after_silence(1, past=False) is RequestState.WAITING
    assert after_silence(1, past=True) is RequestState.EXPIRED
    assert after_silence(2, past=False) is RequestState.EXPIRED


def test_a_window_of_several_days_means_its_hours_of_each():
    first, last = datetime(2027, 3, 24, 8, tzinfo=OSLO), datetime(2027, 3, 30, 16, tzinfo=OSLO)
    assert hours_of(first, last, HOUR, OSLO) == (time(8), time(16))
    assert hours_of(first, first.replace(hour=16), HOUR, OSLO) is None
    assert hours_of(last, first + timedelta(days=9), HOUR, OSLO) is None


def test_a_week_around_a_conference_keeps_the_hours_of_the_day_when_the_clock_moves():
    found = window_around(NOON, NOON + HOUR, OSLO)
    assert found == Span(datetime(2027, 3, 17, 6, tzinfo=UTC), datetime(2027, 3, 31, 15, tzinfo=UTC))
    assert hours_of(found.start, found.end, HOUR, OSLO) == (time(7), time(17))


@given(st.integers(0, 24 * 60 * 14), st.integers(5, 12 * 60))
def test_the_window_around_a_conference_holds_the_conference(minutes, length):
    start = NOON + minutes * MINUTE
    end = start + length * MINUTE
    window = window_around(start, end, OSLO)
    assert window.start < start
    assert end < window.end
    hours = hours_of(window.start, window.end, end - start, OSLO)
    if hours:
        assert hours[0] <= start.astimezone(OSLO).time()
        assert end.astimezone(OSLO).time() <= hours[1]


def test_near_a_span_is_where_a_meeting_could_touch_it():
    span, window = Span(NOON, NOON + HOUR), Span(NOON - HOUR / 2, NOON + 9 * HOUR)
    assert around(span, 2 * HOUR, window) == Span(NOON - HOUR / 2, NOON + 3 * HOUR)


def test_what_is_offered_names_the_studios_in_the_order_of_the_table_and_keeps_guests():
    parties = (
        PoolWish(site="Ward", capacity=4, equipment=frozenset({"x"})),
        GuestWish("+4777000001"),
        StudioWish(7, 3),
    )
    booking = Booking("Title", Purpose.TEST, 1, NOON, NOON + HOUR, parties)
    found = settled(booking, NOON + HOUR, NOON + 2 * HOUR, [5, 8])
    assert found.parties == (StudioWish(5, 4, frozenset({"x"})), GuestWish("+4777000001"), StudioWish(8, 3))
    assert (found.start, found.end) == (NOON + HOUR, NOON + 2 * HOUR)


def test_nobody_agrees_to_a_swap_whose_time_has_come():
    assert swap_expires_at(NOON, [NOON + 99 * HOUR, NOON + 60 * HOUR]) == NOON + 48 * HOUR
    assert swap_expires_at(NOON, [NOON + 99 * HOUR, NOON + HOUR]) == NOON + HOUR
