"""Places: each site with how its studios are, in a table and on a map that say the same."""

import re
from math import cos, radians

import pytest

from models import Health, Role
from monitoring.agenda import agenda_of
from monitoring.map_drawing import HEIGHT, WIDTH, drawing, projected
from monitoring.outline import norway
from monitoring.places import places
from monitoring.tiles import TileState
from tests import factories
from tests.monitoring.open_page import conference, live_address, turn, watched
from tests.monitoring.test_agenda import NOW, table
from tests.monitoring.test_wall import tile
from tests.studios.booking.pages import in_english, text_of


@pytest.fixture
def technician(client_for):
    return in_english(client_for(factories.account(role=Role.TECHNICIAN)))


def tiles(*states: TileState, site_id: int = 1, first: int = 1):
    made = [tile("A", studio_id=first + number, site_id=site_id, state=state) for number, state in enumerate(states)]
    return {one.studio_id: one for one in made}


def found(known, seats=()):
    return places(known, agenda_of(seats, NOW), NOW)


def test_a_place_shows_the_worst_of_its_studios_and_counts_those_that_are_well():
    [place] = found(tiles(TileState.IDLE, TileState.CALL, TileState.DEGRADED, TileState.DOWN))
    assert (place.state, place.well, place.studios, place.tone) == (TileState.DOWN, 2, 4, "down")
    [well] = found(tiles(TileState.IDLE, TileState.SOON))
    assert well.tone == "ok"


def test_the_place_with_the_smallest_share_that_is_well_comes_first():
    known = {
        **tiles(TileState.DOWN, TileState.IDLE, TileState.IDLE, site_id=1),
        **tiles(TileState.DOWN, site_id=2, first=10),
        **tiles(TileState.IDLE, site_id=3, first=20),
        **tiles(TileState.MAINTENANCE, site_id=4, first=30),
    }
    assert [place.site_id for place in found(known)] == [2, 1, 4, 3]


def test_conferences_are_counted_once_for_each_place():
    known = {**tiles(TileState.IDLE, TileState.IDLE, site_id=1), **tiles(TileState.IDLE, site_id=2, first=3)}
    one, other = found(known, [*table(1, 2, 3), *table(1, 3, start=5)])
    assert {one.conferences, other.conferences} == {2}


def test_the_outline_is_norways():
    rings = norway()
    assert len(rings) > 10
    mainland = max(rings, key=len)
    longitudes, latitudes = [x for x, _ in mainland], [y for _, y in mainland]
    assert 57.9 < min(latitudes) < 58.5
    assert 70.5 < max(latitudes) < 71.5
    assert 4.5 < min(longitudes) < 6
    assert 30 < max(longitudes) < 31.5


def test_the_projection_keeps_areas_and_the_middle_in_its_place():
    assert projected(15.0, 65.0) == pytest.approx((0.0, 0.0))
    step = 1e-4

    def area(longitude: float, latitude: float) -> float:
        (x, y), (right, _), (_, up) = (
            projected(longitude, latitude),
            projected(longitude + step, latitude),
            projected(longitude, latitude + step),
        )
        # Parallelogram of the two steps, by the cross product.
        dx, dy = projected(longitude + step, latitude)[1] - y, projected(longitude, latitude + step)[0] - x
        return ((right - x) * (up - y) - dx * dy) / cos(radians(latitude))

    assert area(30.0, 70.0) == pytest.approx(area(15.0, 65.0), rel=1e-3)
    assert area(5.5, 58.5) == pytest.approx(area(15.0, 65.0), rel=1e-3)


def test_north_is_up_and_all_is_on_the_map():
    known = {
        **{1: tile("A", studio_id=1, site_id=1, latitude=70.66, longitude=23.68)},
        **{2: tile("A", studio_id=2, site_id=2, latitude=58.15, longitude=8.0)},
        **{3: tile("A", studio_id=3, site_id=3, latitude=78.22, longitude=15.65)},
    }
    drawn = drawing(found(known))
    marks = {mark.place.site_id: mark for mark in drawn.marks}
    assert set(marks) == {1, 2}
    assert [mark.place.site_id for mark in drawn.north] == [3]
    assert marks[1].y < marks[2].y
    assert marks[1].x > marks[2].x
    assert all(0 < mark.x < WIDTH and 0 < mark.y < HEIGHT for mark in marks.values())
    assert drawn.land.startswith("M")


def test_the_table_says_what_the_map_says(technician):
    down, well = factories.site(name="Hammerfest"), factories.site(name="Kirkenes")
    watched(down, health=Health.DOWN), watched(down), watched(well)
    text = technician.get("/status/places").text
    on_map = dict(re.findall(r'<g class="map__mark is-(?:\w+)" data-site="(\d+)"><title>[^:]+: ([^<]+)</title>', text))
    rows = re.findall(r'<tr id="p(\d+)">.*?</tr>', text, re.DOTALL)
    in_table = {
        site: re.search(rf'<tr id="p{site}">.*?<span class="badge[^>]*>.*?</svg>([^<]+)</span>', text, re.DOTALL)[1]
        for site in rows
    }
    assert on_map == in_table
    assert set(on_map.values()) == {"Down", "OK"}


def test_an_open_map_is_told_only_what_is_new(technician):
    studio = watched(factories.site(name="Alta"))
    conference(studio, watched(), minutes=20)
    text = technician.get("/status/places").text
    address = live_address(text)
    assert technician.get(address).status_code == 204
    turn(studio, health=Health.DOWN)
    assert "map__mark is-down" in technician.get(address).text


def test_a_network_without_studios_has_a_map(technician):
    assert "Places" in text_of(technician.get("/status/places"))
