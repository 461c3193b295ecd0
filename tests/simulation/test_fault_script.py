"""The script of faults: a plan that knows no clock."""

from dataclasses import replace
from itertools import islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from demonstration.inventory_plan import CODEC_CREDENTIAL
from simulation.fault_script import LASTS, SITE_STUDIOS, Candidate, Mishap, Scene, scenes, whom
from simulation.inventory import DEMONSTRATION

SEEDS = st.integers(0, 2**32)


def network(sites: int = 300, studios: int = 3) -> list[Candidate]:
    return [Candidate(f"S{site}-{number}", f"Site {site}") for site in range(sites) for number in range(studios)]


def first_of(mishap: Mishap, seed: int = 1, **changes) -> Scene:
    return replace(next(scene for scene in scenes(seed) if scene.mishap is mishap), **changes)


@given(SEEDS)
def test_the_same_seed_tells_the_same_story(seed: int):
    assert list(islice(scenes(seed), 50)) == list(islice(scenes(seed), 50))


def test_another_seed_tells_another_story():
    assert list(islice(scenes(1), 8)) != list(islice(scenes(2), 8))


@given(SEEDS)
def test_the_first_comes_after_a_minute_and_another_every_two_to_four(seed: int):
    found = list(islice(scenes(seed), 50))
    assert found[0].at == 60
    assert all(120 <= later.at - earlier.at <= 240 for earlier, later in pairwise(found))


@given(SEEDS)
def test_each_kind_comes_and_lasts_as_long_as_its_kind_does(seed: int):
    found = list(islice(scenes(seed), 40))
    for begin in range(0, 40, 4):
        assert {scene.mishap for scene in found[begin : begin + 4]} == set(Mishap)
    assert all(LASTS[scene.mishap][0] <= scene.lasts <= LASTS[scene.mishap][1] for scene in found)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(0, 120), st.integers(1, 9))
def test_never_more_than_one_in_a_hundred_suffers_and_all_come_back(seed: int, sites: int, studios: int):
    everybody = network(sites, studios)
    ends: dict[str, float] = {}
    for scene in islice(scenes(seed), 12):
        ends = {code: end for code, end in ends.items() if end > scene.at}
        chosen = whom(scene, [replace(one, ailing=one.code in ends) for one in everybody])
        assert not ends.keys() & set(chosen)
        ends |= dict.fromkeys(chosen, scene.at + scene.lasts)
        assert len(ends) <= len(everybody) / 100


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_line_takes_a_whole_small_site_and_nothing_else(seed: int):
    everybody = [*network(200, 3), *(Candidate(f"L{n}", "Large") for n in range(300)), Candidate("A", "Alone")]
    chosen = whom(first_of(Mishap.LINE, seed), everybody)
    (site,) = {one.site for one in everybody if one.code in chosen}
    assert sorted(chosen) == sorted(one.code for one in everybody if one.site == site)
    assert SITE_STUDIOS[0] <= len(chosen) <= SITE_STUDIOS[1]


def test_a_site_where_something_ails_already_keeps_its_line():
    everybody = [replace(one, ailing=one.code == "S0-1") for one in network(1, 3)]
    others = [Candidate(f"X{n}", f"X{n}") for n in range(600)]
    assert whom(first_of(Mishap.LINE), [*everybody, *others]) == []


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sampled_from(Mishap))
def test_every_other_scene_looks_for_a_conference_that_begins_soon(seed: int, mishap: Mishap):
    everybody = [replace(one, soon=one.code in {"S7-1", "S9-0"}) for one in network()]
    scene = first_of(mishap, seed, soon=True)
    assert {code[:2] for code in whom(scene, everybody)} <= {"S7", "S9"}
    assert whom(scene, network())
    assert [found.soon for found in islice(scenes(seed), 4)] == [True, False, True, False]


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_private_call_comes_to_nobody_who_is_in_a_call(seed: int):
    everybody = [replace(one, in_call=one.code != "S4-2") for one in network()]
    assert whom(first_of(Mishap.PRIVATE_CALL, seed), everybody) == ["S4-2"]


def test_in_a_small_network_nothing_happens():
    for scene in islice(scenes(1), 8):
        assert whom(scene, network(20, 3)) == []
        assert whom(scene, []) == []


def test_the_order_in_which_studios_are_listed_does_not_matter():
    everybody = network()
    for scene in islice(scenes(5), 8):
        assert whom(scene, everybody) == whom(scene, everybody[::-1])


def test_the_script_knows_the_demonstration_by_the_name_of_its_credential():
    assert DEMONSTRATION == CODEC_CREDENTIAL
