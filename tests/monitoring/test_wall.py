import random
from itertools import count

from models import OrganisationKind
from monitoring.tiles import Tile, TileState
from monitoring.wall import alphabetical, number, wall

_keys = count(1)


def tile(name: str, site: str = "UNN Tromsø", **changes: object) -> Tile:
    values: dict[str, object] = {
        "studio_id": next(_keys),
        "code": "X",
        "name": name,
        "site_id": abs(hash(site)),
        "site": site,
        "kind": OrganisationKind.HEALTH_TRUST,
        "region": "Nord",
        "county": "Troms",
        "municipality": "Tromsø",
        "town": "Tromsø",
        "state": TileState.IDLE,
        "in_call": False,
        "since": None,
        "cause": "",
        "polled_at": None,
    }
    return Tile(**{**values, **changes})  # type: ignore[arg-type]


def municipal(name: str, place: str, county: str = "Troms") -> Tile:
    kind = OrganisationKind.MUNICIPALITY
    return tile(name, f"{place} rådhus", kind=kind, municipality=place, town=place, county=county)


def test_regions_stand_from_north_to_south_and_unknown_ones_last():
    tiles = [tile("a 1", region=region) for region in ("Sør-Øst", "Utlandet", "Nord", "Vest", "Midt")]
    assert [region.name for region in wall(tiles)] == ["Nord", "Midt", "Vest", "Sør-Øst", "Utlandet"]


def test_every_studio_has_its_place_and_the_same_one_each_time():
    tiles = [tile(f"Studio {number}", site) for site in ("B", "A", "Å", "Ø") for number in (10, 9, 1)]
    shuffled = random.Random(1).sample(tiles, len(tiles))
    assert wall(tiles) == wall(shuffled)
    assert [group.site for group in wall(tiles)[0].groups] == ["A", "B", "Ø", "Å"]
    assert [mark.text for mark in wall(tiles)[0].groups[0].marks] == ["1", "9", "10"]


def test_two_hospitals_of_one_name_are_not_mixed():
    tiles = [tile(f"{site} {number}", "Legevakta", site_id=site) for number in (1, 2) for site in (1, 2)]
    assert [[mark.tile.site_id for mark in group.marks] for group in wall(tiles)[0].groups] == [[1, 1], [2, 2]]


def test_municipalities_stand_together_by_county_after_the_hospitals():
    tiles = [municipal("Vadsø rådhus, Studio 1", "Vadsø", "Finnmark"), municipal("Alta rådhus, Studio 1", "Alta")]
    groups = wall([*tiles, tile("1")])[0].groups
    assert [(group.site, group.county) for group in groups] == [("UNN Tromsø", ""), ("", "Finnmark"), ("", "Troms")]


def test_a_small_site_is_marked_by_its_place_and_by_a_number_only_where_it_has_several():
    alta = [municipal(f"Alta rådhus, Studio {number}", "Alta") for number in (1, 2)]
    group = wall([*alta, municipal("Dyrøy rådhus, Studio 1", "Dyrøy")])[0].groups[0]
    assert [mark.text for mark in group.marks] == ["Alta 1", "Alta 2", "Dyrøy"]


def test_a_studio_without_a_number_takes_it_from_its_code_and_else_shows_its_name():
    assert number(tile("Auditorium", code="UNN-07")) == "7"
    assert [mark.text for mark in wall([tile("Auditorium", code="AUD")])[0].groups[0].marks] == ["Audi"]


def test_the_alphabet_ends_with_ae_oe_aa():
    assert sorted(["Ås", "Ørsta", "Ærø", "Zoo"], key=alphabetical) == ["Zoo", "Ærø", "Ørsta", "Ås"]
