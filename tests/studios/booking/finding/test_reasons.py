"""What is said of a time that does not work, and of one that works in spite of something."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from studios.booking.finding.question import Blocker, Question, Remark, Room, Seat, Taken, TooFew, Why
from studios.booking.finding.search import find
from studios.calendars.rules import Span
from tests.studios.booking.finding.oracle import utc

OSLO = ZoneInfo("Europe/Oslo")
TROMSO, BODO, OSLO_SITE = 1, 2, 3


def at(clock: str) -> datetime:
    return utc(f"2026-11-26 {clock}")


def span(begin: str, end: str) -> Span:
    return Span(at(begin), at(end))


def taken(begin: str, end: str, key: int = 4711) -> Taken:
    return at(begin), at(end), key


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def room(key: int, *reserved: Taken, **changes: Any) -> Room:
    return Room(key, **{"site_id": key, "reserved": reserved, "capacity": 4, **changes})


def question(*rooms: Room, **changes: Any) -> Question:
    values: dict[str, Any] = {
        "seats": [Seat((each.id,)) for each in rooms],
        "length": minutes(60),
        "within": [span("08:00", "12:00")],
        "now": at("06:00"),
        "zone": OSLO,
    }
    return Question(rooms={each.id: each for each in rooms}, **{**values, **changes})


def test_only_one_party_blocks_and_by_how_much_its_conference_would_have_to_move():
    answer = find(question(room(TROMSO), room(BODO, taken("09:15", "10:15")), preferred=at("10:00")))
    assert answer.missed.alone.party == 1
    assert answer.missed.alone.blockers == (
        Blocker(Why.RESERVED, BODO, span("09:15", "10:15"), 4711, move=minutes(-15)),
    )
    assert answer.suggestions[0].start == at("10:15")


def test_a_blocker_moves_later_where_that_is_shorter_or_earlier_is_over():
    later = find(question(room(BODO, taken("10:50", "11:30")), preferred=at("10:00")))
    assert later.missed.alone.blockers[0].move == minutes(10)
    running = find(question(room(BODO, taken("09:00", "10:10")), preferred=at("10:00"), now=at("08:55")))
    assert running.missed.alone.blockers[0].move == minutes(120)


def test_our_own_buffers_count_when_a_blocker_has_to_move():
    answer = find(question(room(BODO, taken("09:00", "10:00"), setup=minutes(10)), preferred=at("10:00")))
    assert answer.missed.alone.blockers[0].move == minutes(-10)
    assert answer.suggestions[0].start == at("10:10")


def test_nobody_blocks_alone_when_two_do():
    answer = find(
        question(room(BODO, taken("10:00", "11:00")), room(TROMSO, taken("10:30", "11:00")), preferred=at("10:00"))
    )
    assert [seat.party for seat in answer.missed.seats] == [0, 1]
    assert answer.missed.alone is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"closures": [taken("10:30", "10:40", 7)]}, Blocker(Why.CLOSED, BODO, span("10:30", "10:40"), 7)),
        ({"shut": [span("10:59", "14:00")]}, Blocker(Why.HOURS, BODO, span("10:59", "14:00"))),
    ],
)
def test_closures_and_hours_are_named_as_such(change, why):
    assert find(question(room(BODO, **change), preferred=at("10:00"))).missed.alone.blockers == (why,)


def test_buffers_may_lie_outside_bookable_hours_but_not_in_a_closure():
    buffered = room(BODO, setup=minutes(15), clear_down=minutes(15), shut=[span("00:00", "10:00")])
    assert find(question(buffered, preferred=at("10:00"))).suggestions[0].start == at("10:00")
    closed = replace(buffered, closures=[taken("11:00", "12:00")])
    assert find(question(closed, preferred=at("10:00"))).missed.alone.blockers[0].why is Why.CLOSED


def test_what_concerns_the_whole_meeting_is_named_without_a_studio():
    asked = question(room(BODO), barred=[span("10:30", "12:00")], now=at("10:20"), within=[span("10:00", "10:50")])
    missed = find(replace(asked, preferred=at("10:00"))).missed
    assert [blocker.why for blocker in missed.general] == [Why.TOO_SOON, Why.OUTSIDE, Why.PORTS]
    assert missed.alone is None


def test_without_a_preferred_start_the_one_where_the_fewest_are_in_the_way_is_explained():
    answer = find(
        question(
            room(TROMSO, taken("07:00", "10:00", 1)),
            room(BODO, taken("07:00", "13:00", 2)),
            room(OSLO_SITE, taken("11:00", "13:00", 3)),
        )
    )
    assert answer.missed.start == at("10:00")
    assert [blocker.key for blocker in answer.missed.alone.blockers] == [2]


def test_a_pool_is_blocked_by_all_its_studios_and_the_first_to_give_way_are_named():
    rooms = [room(key, taken("09:00", f"10:{key:02}", key)) for key in range(1, 11)]
    seat = Seat(tuple(each.id for each in rooms))
    missed = find(question(*rooms, seats=[seat], preferred=at("10:00"))).missed
    assert missed.alone.studios == 10
    assert [blocker.room for blocker in missed.alone.blockers] == [1, 2, 3]


def test_two_parties_with_one_free_studio_between_them_are_too_few_then():
    rooms = [room(1), room(2, taken("10:00", "11:00"))]
    answer = find(question(*rooms, seats=[Seat((1, 2)), Seat((1, 2))], preferred=at("10:00")))
    assert answer.missed.too_few == TooFew((0, 1), (1,))
    assert answer.suggestions[0].start == at("09:00")


def test_a_pool_with_fewer_studios_than_parties_is_said_instead_of_any_time():
    answer = find(question(room(1), seats=[Seat((1,)), Seat((1,))]))
    assert answer.too_few == TooFew((0, 1), (1,))
    assert not answer.suggestions


def test_a_window_that_is_too_short_is_said_to_be():
    missed = find(question(room(BODO), within=[span("10:00", "10:10")])).missed
    assert [blocker.why for blocker in missed.general] == [Why.OUTSIDE]


def test_a_studio_that_is_down_comes_last_when_the_meeting_is_soon_and_is_named():
    pool = [room(1, is_down=True, capacity=2), room(2, capacity=9)]
    found = find(question(*pool, seats=[Seat((1, 2), 2)], now=at("07:55"), limit=1)).suggestions
    assert found[0].rooms == (2,)
    alone = find(question(room(1, is_down=True), now=at("07:55"), within=[span("08:00", "09:00")])).suggestions
    assert alone[0].remarks == ((0, Remark.DOWN),)


def test_a_studio_that_is_down_now_is_no_worse_for_later_but_is_named():
    pool = [room(1, is_down=True, capacity=2), room(2, capacity=9)]
    found = find(question(*pool, seats=[Seat((1, 2), 2)], limit=1)).suggestions
    assert found[0].rooms == (1,)
    assert found[0].remarks == ((0, Remark.DOWN_BUT_LATER),)


def test_when_all_that_is_soon_is_down_the_preferred_start_says_so():
    answer = find(question(room(BODO, is_down=True), preferred=at("08:00"), now=at("07:55")))
    assert [blocker.why for blocker in answer.missed.alone.blockers] == [Why.DOWN]


def test_studios_are_chosen_by_test_then_fit_then_nearness_then_use():
    named = room(TROMSO, latitude=69.65, longitude=18.96)
    untested = room(11, quality_ok=False, capacity=2)
    large = room(12, capacity=30)
    far = room(13, capacity=6, latitude=59.9, longitude=10.7)
    used = room(14, taken("06:30", "07:00"), capacity=6, site_id=TROMSO)
    unused = room(15, capacity=6, site_id=TROMSO)
    pool, chosen = [untested, large, far, used, unused], []
    while pool:
        seats = [Seat((TROMSO,)), Seat(tuple([each.id for each in pool] + [TROMSO]), 2)]
        found = find(question(named, *pool, seats=seats)).suggestions[0]
        chosen.append(found.rooms[1])
        pool = [each for each in pool if each.id != found.rooms[1]]
    assert chosen == [15, 14, 13, 12, 11]


def test_suggestions_start_on_quarters_and_half_an_hour_apart_after_the_nearest_of_all():
    found = find(question(room(BODO, taken("09:40", "10:10")), preferred=at("10:00"))).suggestions
    assert [f"{each.start:%H:%M}" for each in found] == ["10:10", "10:30", "10:45", "08:30", "08:00"]


def test_a_meeting_that_fits_nowhere_is_shifted_and_shortened_and_says_by_how_much():
    shifted = find(question(room(BODO, taken("08:00", "11:15")))).suggestions
    assert (shifted[0].start, shifted[0].shifted, shifted[0].shortened) == (at("11:15"), minutes(15), minutes(0))
    shortened = find(question(room(BODO, taken("08:00", "11:10"), taken("12:00", "13:00")))).suggestions
    assert [(each.start, each.shifted, each.shortened) for each in shortened] == [
        (at("11:10"), minutes(0), minutes(10))
    ]


def test_a_night_when_the_clock_moves_is_searched_in_real_time():
    spring = question(
        room(BODO), within=[Span(utc("2026-03-29 00:30"), utc("2026-03-29 01:30"))], now=utc("2026-03-28")
    )
    assert [(each.start, each.end) for each in find(spring).suggestions] == [
        (utc("2026-03-29 00:30"), utc("2026-03-29 01:30"))  # 01:30 to 03:30 on the wall
    ]
    autumn = question(
        room(BODO, (utc("2026-10-25 00:00"), utc("2026-10-25 00:30"), 1)),  # 02:00 to 02:30, summer time
        within=[Span(utc("2026-10-25 01:00"), utc("2026-10-25 01:30"))],  # the same, winter time
        length=minutes(30),
        now=utc("2026-10-24"),
    )
    assert find(autumn).suggestions[0].start == utc("2026-10-25 01:00")
