"""Which studios the demonstration inventory has: about 900 at real Norwegian places, the same for the same seed."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from demonstration.places import Hospital, Place
from models import ControlDriver, OrganisationKind, SnmpVersion
from studios.inventory.rules import StudioRow

CODEC_CREDENTIAL, SNMP_CREDENTIAL, SNMP_V3_CREDENTIAL = "demo-codec", "demo-snmp", "demo-snmp-v3"
# Every fifth studio still has an agent that speaks version 2c only.
OLD_AGENTS = 5
CONTROL_PORT, SNMP_PORT = 8080, 1161
CONTACT_NAME = "Studiokontakt"
NORTH = "Nord"
OWNER = "Helsenettets eier"
AUTHORITIES = {
    "Nord": ("Helse Nord RHF", "Bodø", "NORD"),
    "Midt": ("Helse Midt-Norge RHF", "Stjørdal", "MIDT"),
    "Vest": ("Helse Vest RHF", "Stavanger", "VEST"),
    "Sør-Øst": ("Helse Sør-Øst RHF", "Hamar", "SOROST"),
}
OWNER_STUDIOS = {"Trondheim": 3, "Tromsø": 2, "Oslo": 2}
SUPPLIERS = {
    "Alfa": "Oslo", "Bravo": "Oslo", "Charlie": "Bergen", "Delta": "Trondheim", "Ekko": "Stavanger",
    "Foxtrot": "Tromsø", "Golf": "Kristiansand", "Hotell": "Drammen", "India": "Bodø", "Juliett": "Arendal",
}  # fmt: skip

# Studios in the north, and in the rest of the country.
MUNICIPAL_STUDIOS = (130, 170)
MUNICIPALITIES_IN_THE_REST = 130
LARGE_TOWNS = 40
PRACTICES = {
    OrganisationKind.GP: (30, 40),
    OrganisationKind.DENTAL: (10, 15),
    OrganisationKind.PHARMACY: (8, 12),
}
PRACTICE_CODES = {OrganisationKind.GP: "LEGE", OrganisationKind.DENTAL: "TANN", OrganisationKind.PHARMACY: "APO"}
MUNICIPAL_HOUSES = ("rådhus", "helsehus", "legevakt", "omsorgssenter")
# GeoNames has none for many small towns, and all of the urban area for Oslo.
SMALLEST_TOWN, LARGEST_TOWN = 400, 300_000

CAPACITIES = {
    OrganisationKind.HEALTH_TRUST: (4, 6, 6, 8, 8, 8, 10, 10, 12, 16, 20, 24),
    OrganisationKind.MUNICIPALITY: (4, 6, 6, 8, 8, 10, 12, 16),
    OrganisationKind.GP: (2, 3, 4, 4, 6),
    OrganisationKind.DENTAL: (2, 3, 4),
    OrganisationKind.PHARMACY: (2, 2, 4),
    OrganisationKind.SUPPLIER: (4, 6, 8, 12),
    OrganisationKind.NETWORK_OWNER: (6, 8, 12, 20),
    OrganisationKind.REGIONAL_AUTHORITY: (8, 12, 16, 24),
}
CLINICAL = {OrganisationKind.HEALTH_TRUST, OrganisationKind.MUNICIPALITY, OrganisationKind.GP}
# How many of a hundred studios have a piece, and whether it belongs to clinical work only.
EQUIPMENT_SHARES = {
    "document-camera": (45, False),
    "examination-camera": (30, True),
    "examination-couch": (20, True),
    "hearing-loop": (35, False),
    "height-adjustable-table": (25, False),
    "second-screen": (60, False),
    "stethoscope": (15, True),
    "tracking-camera": (30, False),
    "wheelchair-access": (85, False),
    "whiteboard": (40, False),
}
# Invented numbers, 7x 00 00 nn; the second digit by county.
PHONE_DIGITS = {
    "18": 5, "55": 7, "56": 8, "21": 9, "50": 3, "15": 1, "46": 2, "11": 4,
    "03": 0, "31": 0, "32": 0, "33": 0, "34": 6, "39": 6, "40": 6, "42": 6,
}  # fmt: skip


@dataclass(frozen=True)
class PlannedSite:
    """A site and how many studios it gets; `code` begins the code of each."""

    code: str
    name: str
    organisation: str
    kind: OrganisationKind
    place: Place
    studios: int


def plan_sites(seed: int, hospitals: Sequence[Hospital], municipalities: Sequence[Place]) -> list[PlannedSite]:
    """All sites of the demonstration, 900 studios in all."""
    random = Random(seed)
    seats = {place.municipality: place for place in municipalities}
    return [
        *(
            PlannedSite(found.code, found.name, found.trust, OrganisationKind.HEALTH_TRUST, found.place, found.studios)
            for found in hospitals
        ),
        *_municipal_sites(random, municipalities),
        *(site for kind in PRACTICES for site in _practices(random, kind, municipalities)),
        *_authorities(seats),
        *_suppliers(seats),
    ]


def plan_studios(seed: int, sites: Sequence[PlannedSite]) -> list[StudioRow]:
    random = Random(seed + 1)
    rooms = [(site, number) for site in sites for number in range(1, site.studios + 1)]
    return [_studio(random, site, number, index) for index, (site, number) in enumerate(rooms, start=1)]


def plan_phones(sites: Sequence[PlannedSite]) -> list[str]:
    """The invented number of each site's contact."""
    used: dict[int, int] = {}
    numbers = []
    for site in sites:
        digit = PHONE_DIGITS[site.place.county_no]
        used[digit] = used.get(digit, 0) + 1
        numbers.append(f"7{digit} 00 {used[digit] // 100:02} {used[digit] % 100:02}")
    return numbers


def studio_address(number: int) -> str:
    """The loopback address of studio 1, 2, ...: 127.1.x.y without .0 and .255; 127.1.0.1 is the fleet's own."""
    return f"127.1.{number // 254}.{number % 254 + 1}"


def slug(name: str) -> str:
    """The name in capital letters A-Z and digits, as codes are written: Tromsø becomes TROMSO."""
    plain = name.upper().replace("Æ", "AE").replace("Ø", "O").replace("Đ", "D").replace("Ŧ", "T")
    return "".join(letter for letter in unicodedata.normalize("NFD", plain) if letter.isascii() and letter.isalnum())


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Shares of `total` in whole numbers, by largest remainder; the earlier of two equal ones first."""
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: (shares[index] - exact[index], index))
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares


def _people(place: Place) -> int:
    return min(max(place.population, SMALLEST_TOWN), LARGEST_TOWN)


def _by_size(places: Sequence[Place]) -> list[Place]:
    return sorted(places, key=lambda place: (-_people(place), place.label))


def _north_and_rest(places: Sequence[Place]) -> tuple[list[Place], list[Place]]:
    ordered = _by_size(places)
    return (
        [place for place in ordered if place.health_region == NORTH],
        [place for place in ordered if place.health_region != NORTH],
    )


def _municipal_sites(random: Random, municipalities: Sequence[Place]) -> Iterator[PlannedSite]:
    """Every municipality in the north; elsewhere the large ones and some of the others. Large ones get more studios."""
    north, rest = _north_and_rest(municipalities)
    some = rest[:LARGE_TOWNS] + random.sample(rest[LARGE_TOWNS:], MUNICIPALITIES_IN_THE_REST - LARGE_TOWNS)
    for places, total in zip((north, _by_size(some)), MUNICIPAL_STUDIOS, strict=True):
        more = apportion(total - len(places), [math.sqrt(_people(place)) for place in places])
        for place, extra in zip(places, more, strict=True):
            name = f"{place.label} {random.choice(MUNICIPAL_HOUSES)}"
            owner = _suffixed(place, "kommune")
            yield PlannedSite(f"KOM-{_code(place)}", name, owner, OrganisationKind.MUNICIPALITY, place, 1 + extra)


def _suffixed(place: Place, word: str) -> str:
    """The word behind the municipality's name and before the county: Herøy kommune (Nordland)."""
    return place.label.replace(place.municipality, f"{place.municipality} {word}", 1)


def _practices(random: Random, kind: OrganisationKind, municipalities: Sequence[Place]) -> Iterator[PlannedSite]:
    for places, total in zip(_north_and_rest(municipalities), PRACTICES[kind], strict=True):
        for place in _by_size(random.sample(places[: 2 * total], total)):
            organisation, site = _practice_names(kind, place)
            yield PlannedSite(f"{PRACTICE_CODES[kind]}-{_code(place)}", site, organisation, kind, place, 1)


def _practice_names(kind: OrganisationKind, place: Place) -> tuple[str, str]:
    """Organisation and site. Dental clinics belong to their county's public dental service."""
    if kind is OrganisationKind.DENTAL:
        return f"Tannhelsetjenesten i {place.county}", f"Tannklinikken i {place.label}"
    name = f"{'Fastlegene' if kind is OrganisationKind.GP else 'Apoteket'} i {place.label}"
    return name, name


def _authorities(seats: dict[str, Place]) -> Iterator[PlannedSite]:
    for town, studios in OWNER_STUDIOS.items():
        name = f"{OWNER}, {town}"
        yield PlannedSite(f"EIER-{slug(town)}", name, OWNER, OrganisationKind.NETWORK_OWNER, seats[town], studios)
    for name, town, code in AUTHORITIES.values():
        yield PlannedSite(f"RHF-{code}", name, name, OrganisationKind.REGIONAL_AUTHORITY, seats[town], 2)


def _suppliers(seats: dict[str, Place]) -> Iterator[PlannedSite]:
    for word, town in SUPPLIERS.items():
        name = f"Leverandør {word}"
        yield PlannedSite(f"LEV-{slug(word)}", f"{name}, {town}", name, OrganisationKind.SUPPLIER, seats[town], 1)


def _code(place: Place) -> str:
    """At most 12 characters; municipalities of one name are told apart by the county's number."""
    if place.label == place.municipality:
        return slug(place.municipality)[:12]
    return slug(place.municipality)[:10] + place.county_no


def _studio(random: Random, site: PlannedSite, number: int, index: int) -> StudioRow:
    """Studio `number` of its site and `index` of all; both count from 1."""
    code, address, is_old = f"{site.code}-{number:02}", studio_address(index), index % OLD_AGENTS == 0
    return StudioRow(
        code=code,
        name=f"{site.name}, Studio {number}",
        site=site.name,
        organisation=site.organisation,
        organisation_kind=site.kind,
        health_region=site.place.health_region,
        county=site.place.county,
        municipality=site.place.municipality,
        town=site.place.town,
        latitude=site.place.latitude,
        longitude=site.place.longitude,
        capacity=random.choice(CAPACITIES[site.kind]),
        equipment=tuple(_equipment(random, site.kind in CLINICAL)),
        dial_address=f"sip:{code.lower()}@{address}",
        control_driver=ControlDriver.CISCO_XAPI,
        control_url=f"http://{address}:{CONTROL_PORT}",
        control_credential=CODEC_CREDENTIAL,
        snmp_host=address,
        snmp_port=SNMP_PORT,
        snmp_version=SnmpVersion.V2C if is_old else SnmpVersion.V3,
        snmp_credential=SNMP_CREDENTIAL if is_old else SNMP_V3_CREDENTIAL,
    )


def _equipment(random: Random, clinical: bool) -> Iterator[str]:
    for piece, (share, for_clinical_work) in EQUIPMENT_SHARES.items():
        # Drawn for every studio alike, so that one studio's equipment doesn't move that of all after it.
        drawn = random.random() * 100 < share
        if drawn and (clinical or not for_clinical_work):
            yield piece
