from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studios.calendars.rules import (
    STEP,
    STEPS,
    Block,
    Buffers,
    Kind,
    Span,
    Taken,
    Window,
    barred,
    clashes,
    lane_blocks,
    next_step,
    openings,
    place_in,
    window_around,
)

OSLO = ZoneInfo("Europe/Oslo")
DAY = date(2026, 11, 26)
TEN_MINUTES = Buffers(timedelta(minutes=10), timedelta(minutes=10))


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=OSLO).astimezone(UTC)


def span(start: tuple[int, int], end: tuple[int, int]) -> Span:
    return Span(at(*start), at(*end))


def shown(window: Window) -> tuple[str, str]:
    ends = (each.astimezone(OSLO) for each in (window.start, window.span.end))
    return tuple(f"{each:%d %H:%M}" for each in ends)  # type: ignore[return-value]


def blocks(taken: list[Taken], meeting: Span | None, buffers: Buffers = TEN_MINUTES) -> list[tuple[Kind, int, int]]:
    found = lane_blocks(Window(at(7)), taken, [], buffers, meeting)
    return [(block.kind, block.first, block.last) for block in found]


def test_a_day_without_a_meeting_shows_the_office_hours() -> None:
    assert shown(window_around(DAY, None, OSLO)) == ("26 07:00", "26 17:00")


@pytest.mark.parametrize(
    ("meeting", "window"),
    [
        (((7, 0), (8, 0)), ("26 07:00", "26 17:00")),
        (((16, 0), (17, 0)), ("26 07:00", "26 17:00")),
        (((16, 30), (17, 30)), ("26 12:00", "26 22:00")),
        (((6, 0), (7, 30)), ("26 01:00", "26 11:00")),
        (((0, 5), (1, 0)), ("26 00:00", "26 10:00")),
        (((22, 0), (23, 55)), ("26 14:00", "27 00:00")),
    ],
)
def test_a_meeting_outside_them_stands_in_the_middle_of_its_own_day(
    meeting: tuple[tuple[int, int], tuple[int, int]], window: tuple[str, str]
) -> None:
    assert shown(window_around(DAY, span(*meeting), OSLO)) == window


def test_a_meeting_over_midnight_is_shown_whole() -> None:
    night = Span(at(23, 30), at(23, 30) + timedelta(hours=1))
    assert shown(window_around(DAY, night, OSLO)) == ("26 19:00", "27 05:00")


def test_a_meeting_longer_than_the_window_is_shown_from_its_start() -> None:
    long = span((6, 30), (18, 0))
    assert shown(window_around(DAY, long, OSLO))[0] == "26 06:00"


@given(st.integers(0, 24 * 60 - 1), st.integers(5, 9 * 60))
def test_the_window_always_holds_the_whole_meeting(minute: int, length: int) -> None:
    start = at(0) + timedelta(minutes=minute)
    meeting = Span(start, start + timedelta(minutes=length))
    window = window_around(DAY, meeting, OSLO)
    assert window.start <= meeting.start
    assert meeting.end <= window.span.end


def test_the_axis_of_the_short_night_misses_an_hour_and_that_of_the_long_night_has_it_twice() -> None:
    short, long = Window(at(0, day=date(2027, 3, 28))), Window(at(0, day=date(2027, 10, 31)))
    assert [tick.hour for tick in short.ticks(OSLO)] == [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]
    assert [tick.hour for tick in long.ticks(OSLO)] == [0, 1, 2, 2, 3, 4, 5, 6, 7, 8]
    assert [tick.column for tick in long.ticks(OSLO)] == list(range(0, STEPS, 12))


def test_a_block_covers_every_step_that_it_touches_and_ends_with_the_window() -> None:
    window = Window(at(7))
    assert window.columns(span((8, 0), (9, 0))) == (12, 24)
    assert window.columns(span((8, 2), (8, 58))) == (12, 24)
    assert window.columns(span((6, 0), (18, 0))) == (0, STEPS)
    assert window.columns(span((6, 0), (7, 0))) is None
    assert window.columns(span((17, 0), (18, 0))) is None


def test_a_reservation_is_its_buffers_and_the_meeting_between_them() -> None:
    other = Taken(span((7, 50), (9, 10)), span((8, 0), (9, 0)), "K-10007")
    assert blocks([other], None) == [(Kind.BUFFER, 10, 12), (Kind.BUSY, 12, 24), (Kind.BUFFER, 24, 26)]


def test_an_own_reservation_looks_like_one() -> None:
    own = Taken(span((8, 0), (9, 0)), span((8, 0), (9, 0)), "K-10007", own=True)
    window = Window(at(7))
    assert lane_blocks(window, [own], [], Buffers(), None) == [Block(Kind.OWN, 12, 24, own.meeting, "K-10007")]


def test_a_free_lane_shows_the_chosen_time_with_its_buffers() -> None:
    chosen = blocks([], span((8, 0), (9, 0)))
    assert chosen == [(Kind.BUFFER, 10, 12), (Kind.CHOSEN, 12, 24), (Kind.BUFFER, 24, 26)]


def test_a_taken_lane_shows_where_it_clashes_and_no_chosen_time() -> None:
    other = Taken(span((8, 30), (9, 30)), span((8, 30), (9, 30)))
    found = blocks([other], span((8, 0), (9, 0)))
    assert (Kind.CLASH, 18, 26) in found
    assert Kind.CHOSEN not in {kind for kind, _first, _last in found}


def test_buffers_clash_where_meetings_would_not() -> None:
    taken = [span((9, 5), (10, 0))]
    assert clashes(span((8, 0), (9, 0)), Buffers(), taken, []) == []
    assert clashes(span((8, 0), (9, 0)), TEN_MINUTES, taken, []) == [span((9, 5), (9, 10))]


def test_a_closure_bars_the_meeting_but_not_its_buffers() -> None:
    closed = [span((9, 5), (10, 0))]
    assert clashes(span((8, 0), (9, 0)), TEN_MINUTES, [], closed) == []
    assert clashes(span((8, 0), (9, 30)), TEN_MINUTES, [], closed) == [span((9, 5), (9, 30))]


def test_everyone_is_free_between_what_bars_anybody() -> None:
    bars = [span((9, 0), (10, 0)), span((9, 30), (11, 0)), span((15, 0), (18, 0)), span((5, 0), (6, 0))]
    assert openings(span((7, 0), (17, 0)), bars) == [span((7, 0), (9, 0)), span((11, 0), (15, 0))]
    assert openings(span((7, 0), (17, 0)), []) == [span((7, 0), (17, 0))]
    assert openings(span((7, 0), (17, 0)), [span((6, 0), (18, 0))]) == []


def test_a_meeting_moves_into_an_opening_by_as_little_as_it_must() -> None:
    meeting = span((9, 0), (10, 0))
    assert place_in(span((7, 0), (9, 30)), meeting) == span((8, 30), (9, 30))
    assert place_in(span((11, 0), (15, 0)), meeting) == span((11, 0), (12, 0))
    assert place_in(span((8, 0), (12, 0)), meeting) == meeting
    assert place_in(span((8, 0), (8, 45)), meeting) is None


@given(st.lists(st.tuples(st.integers(0, 119), st.integers(1, 30)), max_size=8), st.integers(1, 24))
def test_a_meeting_fits_where_step_by_step_search_says_so(reservations: list[tuple[int, int]], length: int) -> None:
    def steps(first: int, last: int) -> Span:
        return Span(at(7) + first * STEP, at(7) + last * STEP)

    taken = [steps(first, first + count) for first, count in reservations]
    free = openings(Span(at(7), at(17)), barred(taken, [], TEN_MINUTES))
    for first in range(STEPS - length + 1):
        meeting = steps(first, first + length)
        fits = any(opening.start <= meeting.start and meeting.end <= opening.end for opening in free)
        assert fits == (not clashes(meeting, TEN_MINUTES, taken, []))


def test_a_step_begins_every_five_minutes() -> None:
    assert next_step(at(9, 1)) == at(9, 5)
    assert next_step(at(9, 5)) == at(9, 5)
    assert next_step(at(9, 5) + timedelta(seconds=1)) == at(9, 10)
