from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from studios.booking.finding.draws import Draws, draws
from studios.booking.finding.matching import cheapest, too_few
from studios.booking.finding.question import Seat, TooFew

_candidates = st.lists(st.lists(st.integers(1, 7), max_size=6, unique=True).map(tuple), max_size=5)


@given(_candidates, st.lists(st.integers(0, 9), min_size=40, max_size=40))
def test_different_studios_are_found_at_the_least_cost(candidates, costs):
    def cost(party: int, room: int) -> int:
        return costs[party * 8 + room]

    sums = [
        sum(cost(party, room) for party, room in enumerate(rooms))
        for rooms in product(*candidates)
        if len(set(rooms)) == len(rooms)
    ]
    found = cheapest([{room: cost(party, room) for room in each} for party, each in enumerate(candidates)])
    if not sums:
        assert found is None
        return
    assert all(room in each for room, each in zip(found, candidates, strict=True))
    assert len(set(found)) == len(found)
    assert sum(cost(party, room) for party, room in enumerate(found)) == min(sums)


@given(_candidates)
def test_parties_that_are_more_than_their_studios_are_found_exactly_when_there_are_some(candidates):
    can_be_seated = any(len(set(rooms)) == len(rooms) for rooms in product(*candidates))
    found = too_few(candidates)
    assert (found is None) == can_be_seated
    if found:
        parties, rooms = found
        assert {room for party in parties for room in candidates[party]} == set(rooms)
        assert len(rooms) < len(parties)


def test_a_pool_leaves_the_studio_that_another_party_asks_for_by_name():
    assert draws([Seat((1, 2, 3)), Seat((2,)), Seat(None)]) == Draws({1: 2}, {0: (1, 3)})


def test_a_pool_with_fewer_studios_than_parties_is_named_with_them():
    assert draws([Seat((9,)), Seat((1, 2)), Seat((1, 2)), Seat((1, 2))]) == TooFew((1, 2, 3), (1, 2))


def test_a_studio_that_is_asked_for_twice_is_too_few():
    assert draws([Seat((1,)), Seat((1,))]) == TooFew((0, 1), (1,))


def test_a_party_that_no_studio_suits_is_too_few_by_itself():
    assert draws([Seat((1,)), Seat(())]) == TooFew((1,), ())
