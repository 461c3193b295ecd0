import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studios.inventory.search import Entry, best, in_order, words_of

UNN = "Universitetssykehuset Nord-Norge HF"
STUDIOS = [
    Entry(1, "UNN-TROMSO-04", "UNN Tromsø, Studio 4", ("UNN Tromsø", "Tromsø", UNN)),
    Entry(2, "UNN-TROMSO-14", "UNN Tromsø, Studio 14", ("UNN Tromsø", "Tromsø", UNN)),
    Entry(3, "UNN-NARVIK-03", "UNN Narvik, Studio 3", ("UNN Narvik", "Narvik", UNN)),
    Entry(4, "UNN-NARVIK-13", "UNN Narvik, Studio 13", ("UNN Narvik", "Narvik", UNN)),
    Entry(5, "KOM-NARVIK-01", "Narvik rådhus, Studio 1", ("Narvik rådhus", "Narvik", "Narvik kommune")),
    Entry(
        6, "HMR-ALESUND-01", "Ålesund sjukehus, Studio 1", ("Ålesund sjukehus", "Ålesund", "Helse Møre og Romsdal HF")
    ),
    Entry(7, "FIN-KARASJOK-01", "Sámi klinihkka, Studio 1", ("Sámi klinihkka", "Karasjok", "Finnmarkssykehuset HF")),
    Entry(8, "VV-BAERUM-10", "Bærum sykehus, Studio 10", ("Bærum sykehus", "Sandvika", "Vestre Viken HF")),
]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("tromso", [1, 2]),
        ("TROMSØ", [1, 2]),
        ("tromsoe 4", [1, 2]),
        ("tromsö 04", [1]),
        ("narvik 3", [3, 4]),
        ("narvik 03", [3]),
        ("narvik rådhus", [5]),
        ("narvik", [5, 3, 4]),
        ("unn-narvik-1", [4]),
        ("unn-tromso-0", [1]),
        ("studio 4 tromsø", [1, 2]),
        ("alesund", [6]),
        ("aalesund", [6]),
        ("romsdal", [6]),
        ("sami", [7]),
        ("sámi karasjok", [7]),
        ("baerum", [8]),
        ("barum", [8]),
        ("sandvika", [8]),
        ("nord-norge 13", [4]),
        ("bergen", []),
        ("narvik bergen", []),
    ],
)
def test_studios_are_found_as_people_type(typed: str, found: list[int]) -> None:
    assert best(STUDIOS, typed)[: len(found) or 1] == found


def test_a_code_or_name_that_begins_so_comes_before_a_place() -> None:
    town = Entry(9, "A-1", "Another", ("Studio Vest", "Studio", ""))
    assert best([town, Entry(10, "Z-1", "Studio 1", ("", "", ""))], "studio") == [10, 9]


def test_the_beginning_of_a_word_comes_before_a_part_within_one() -> None:
    within = Entry(9, "A-1", "Studio 1", ("Vestvågøy",))
    beginning = Entry(10, "B-1", "Studio 1", ("Vågan",))
    assert best([within, beginning], "våg") == [10, 9]


def test_codes_are_counted_as_people_count() -> None:
    codes = ["S-10", "S-2", "s-1", "S-02-1"]
    assert sorted(codes, key=in_order) == ["s-1", "S-2", "S-02-1", "S-10"]


def test_what_is_typed_is_cut_to_a_bearable_length() -> None:
    assert words_of("x" * 10_000) == ["x" * 200]


@settings(deadline=None)
@given(st.text(), st.text(), st.integers(0, 100))
def test_every_studio_is_found_by_its_own_name(code: str, name: str, number: int) -> None:
    entry = Entry(1, code, f"{name[:50]} {number}", ())
    assert best([entry], entry.name) == [1]
    assert best([entry], code[:50]) == [1]


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_searched_for(typed: str) -> None:
    assert set(best(STUDIOS, typed)) <= set(range(1, 9))
