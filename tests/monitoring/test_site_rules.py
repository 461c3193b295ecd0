"""When a whole site is out of contact."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.monitoring import Health
from monitoring.site_rules import Neighbour, cut_off

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def down(ago: float = 0, site: int = 1, health: Health = Health.DOWN) -> Neighbour:
    return Neighbour(site, health, NOW - timedelta(seconds=ago))


def well(site: int = 1) -> Neighbour:
    return Neighbour(site, Health.OK, NOW - timedelta(days=1))


def test_three_of_five_within_half_a_minute_are_a_silent_site() -> None:
    assert cut_off([down(0), down(20), down(30), well(), well()], set()) == {1}


def test_two_are_never_a_site_and_half_of_them_are_not_enough() -> None:
    assert cut_off([down(), down()], set()) == set()
    assert cut_off([*[down()] * 3, *[well()] * 3], set()) == set()


def test_those_that_fell_one_after_the_other_are_faults_of_their_own() -> None:
    assert cut_off([down(0), down(20), down(31)], set()) == set()


def test_what_nobody_watches_does_not_count() -> None:
    closed, unknown = (Neighbour(1, health, NOW) for health in (Health.MAINTENANCE, Health.UNKNOWN))
    assert cut_off([*[down()] * 3, *[closed] * 5, *[unknown] * 5], set()) == {1}


def test_a_site_that_is_out_stays_so_however_its_studios_fell() -> None:
    slowly = [down(0), down(100, health=Health.UNREACHABLE), down(200), well()]
    assert cut_off(slowly, set()) == set()
    assert cut_off(slowly, {1}) == {1}
    assert cut_off([down(), down(), well(), well()], {1}) == set()


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.integers(0, 90)), max_size=25))
def test_sites_are_judged_each_by_itself(found: list[tuple[int, bool, int]]) -> None:
    """By brute force over all half minutes that begin in a whole second."""
    neighbours = [down(ago, site) if is_down else well(site) for site, is_down, ago in found]
    expected = set()
    for site in (1, 2, 3):
        size = sum(one[0] == site for one in found)
        at_once = [sum(s == site and d and t <= ago <= t + 30 for s, d, ago in found) for t in range(0, 91)]
        if max(at_once) >= 3 and max(at_once) >= 0.6 * size:
            expected.add(site)
    assert cut_off(neighbours, set()) == expected
