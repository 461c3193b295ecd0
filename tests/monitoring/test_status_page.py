"""The status page as it opens, its filter and its heartbeat, on both databases."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from models import (
    Account,
    Closure,
    ConferenceState,
    Endpoint,
    EndpointStatus,
    Health,
    Role,
    StatusChange,
    Studio,
    database_now,
    db,
)
from tests import factories
from tests.monitoring.open_page import (
    HTMX,
    OpenPage,
    a_monitor,
    call,
    conference,
    falls,
    keep,
    page,
    tile,
    watched,
)


@pytest.fixture
def technician(client_for: Callable[[Account], FlaskClient]) -> FlaskClient:
    return client_for(factories.account(role=Role.TECHNICIAN))


# The page


@pytest.mark.parametrize("role", Role)
def test_every_role_sees_the_page(client_for, role):
    assert client_for(factories.account(role=role)).get("/status").status_code == 200


def test_every_studio_is_a_tile_that_says_its_state(technician):
    studios = {
        "idle": watched(),
        "degraded": watched(health=Health.DEGRADED),
        "down": watched(health=Health.DOWN),
        "out of contact": watched(health=Health.UNREACHABLE),
        "unknown": watched(last_poll_at=None),
    }
    text = page(technician)
    assert {state: tile(text, studio) for state, studio in studios.items()} == {state: state for state in studios}


def test_a_tile_has_a_name_for_those_who_do_not_see_it_and_leads_to_its_studio(technician):
    place = factories.site(name="UNN Tromsø")
    studio = watched(place, name="Studio 12", health=Health.DOWN)
    text = page(technician)
    assert 'aria-label="UNN Tromsø, Studio 12: down"' in text
    assert f'href="/status/studios/{studio.code}"' in text


def test_names_cannot_smuggle_in_markup(technician):
    watched(factories.site(name='<script>"&'), name='"><b>1')
    text = page(technician)
    assert "<script>&" not in text
    assert "<b>1" not in text


def test_a_retired_studio_is_not_on_the_wall(technician):
    studio = watched()
    studio.retired_at = database_now()
    db.session.commit()
    assert f'id="t{studio.id}"' not in page(technician)


def test_an_endpoint_that_says_it_is_in_a_call_is_in_call(technician):
    studio = watched(in_call=True)
    assert tile(page(technician), studio) == "in call"


def test_studios_of_a_connected_leg_are_in_call_the_host_too_and_those_that_ring_are_not(technician):
    host, connected, ringing = watched(), watched(), watched()
    call(host, connected, ringing, connected=1)
    text = page(technician)
    assert [tile(text, studio) for studio in (host, connected, ringing)] == ["in call", "in call", "booked"]


def test_a_fault_in_a_call_is_a_fault_that_tells_of_the_call(technician):
    host, other = watched(health=Health.DEGRADED), watched()
    call(host, other)
    assert tile(page(technician), host) == "degraded, in call"


def test_a_call_of_a_conference_that_ended_keeps_nobody_in_call(technician):
    host, other = watched(), watched()
    call(host, other, state=ConferenceState.ENDED)
    assert tile(page(technician), other) == "idle"


def test_a_studio_is_booked_within_a_quarter_of_an_hour_of_its_conference(technician):
    near, far, given_up = watched(), watched(), watched()
    conference(near, minutes=14)
    conference(far, minutes=17)
    conference(given_up, minutes=5, state=ConferenceState.CANCELLED)
    text = page(technician)
    assert [tile(text, studio) for studio in (near, far, given_up)] == ["booked", "idle", "idle"]


def test_a_closure_of_the_studio_or_its_site_is_maintenance_while_it_lasts(technician):
    alone, neighbour, later = watched(), watched(), watched()
    now = database_now()
    hour = timedelta(hours=1)
    keep(Closure(studio_id=alone.id, starts_at=now - hour, ends_at=now + hour, reason="Paint"))
    keep(Closure(site_id=neighbour.site_id, starts_at=now - hour, ends_at=now + hour, reason="Power"))
    keep(Closure(studio_id=later.id, starts_at=now + hour, ends_at=now + 2 * hour, reason="Paint"))
    text = page(technician)
    assert [tile(text, studio) for studio in (alone, neighbour, later)] == ["maintenance", "maintenance", "idle"]


def test_the_counts_add_up_to_all_studios(technician):
    call(watched(), watched())
    watched(health=Health.DOWN)
    watched(last_poll_at=None)
    watched(last_poll_at=database_now() - timedelta(minutes=10))
    counts = re.findall(r"</svg>([A-Z][\w ]+)</dt><dd>(\d+)</dd>", page(technician))
    assert dict(counts) == {
        "OK": "2", "Degraded": "0", "Down": "1", "Out of contact": "0", "Maintenance": "0", "Unknown": "2",
    }  # fmt: skip


def test_no_page_tells_a_title(technician):
    call(watched(), watched(), title="Lung meeting of Kari")
    conference(watched(health=Health.DOWN), watched(), minutes=20, title="Lung meeting of Kari")
    assert "Kari" not in page(technician)


def test_running_calls_show_how_many_are_connected(technician):
    row = call(watched(), watched(), watched(), connected=1)
    found = re.search(r'<tr id="c\d+">.*?</tr>', page(technician), re.S)
    assert found
    assert row.reference in found[0]
    assert "2 of 3" in found[0]


def test_a_faulty_studio_with_a_conference_within_the_hour_is_at_risk(technician):
    soon, later, well = watched(health=Health.DOWN), watched(health=Health.DOWN), watched()
    row = conference(soon, well, minutes=30)
    conference(later, minutes=70)
    text = page(technician)
    assert re.findall(r'<tr id="r(\d+)">', text) == [str(soon.id)]
    assert row.reference in text


def test_the_last_twenty_changes_stand_newest_first(technician):
    now = database_now()
    for minute in range(25):
        studio = watched(name=f"Studio {minute}")
        change = StatusChange(endpoint_id=studio.endpoint.id, at=now - timedelta(minutes=minute), cause="no-answer")
        change.from_health, change.to_health = Health.OK, Health.DOWN
        db.session.add(change)
    db.session.commit()
    text = page(technician).partition('id="changes"')[2]
    moments = re.findall(r'<time class="soft small" datetime="([^"]+)"', text)
    assert len(moments) == 20
    assert moments == sorted(moments, reverse=True)
    assert "does not answer" in text


def test_changes_of_one_studio_are_folded_into_its_last(technician):
    studio, other = watched(name="Flapping"), watched(name="Other")
    now = database_now()
    for one, minutes in ((studio, 1), (other, 2), (studio, 3), (studio, 4)):
        change = StatusChange(endpoint_id=one.endpoint.id, at=now - timedelta(minutes=minutes), cause="no-answer")
        change.from_health, change.to_health = Health.OK, Health.DOWN
        db.session.add(change)
    db.session.commit()
    text = page(technician).partition('id="changes"')[2]
    assert len(re.findall(r'<time class="soft small" datetime="([^"]+)"', text)) == 2
    assert text.count("3 changes lately") == 1


def test_the_page_takes_few_queries_however_many_studios_and_calls_there_are(technician, app):
    place = factories.site()
    few = [watched(place) for _ in range(2)]
    call(*few)
    with counted(app) as before:
        page(technician)
    many = [watched(place, health=Health.DOWN) for _ in range(12)]
    call(*many[:4])
    call(*many[4:8])
    conference(*many[8:], minutes=20)
    with counted(app) as after:
        page(technician)
    assert len(after) <= len(before) <= 15


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    statements: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", count)


def test_nine_hundred_tiles_stay_light(technician):
    place = factories.site(name="Nordlandssykehuset Vesterålen")
    now = database_now()
    for number in range(900):
        code = f"NLSH-VESTERALEN-{number:03}"
        studio = Studio(code=code, name=f"{place.name}, Studio {number}", site_id=place.id, capacity=4)
        studio.endpoint = Endpoint(dial_address=f"sip:{number}@example.org")
        db.session.add(studio)
    db.session.flush()
    states = [
        {"endpoint_id": key, "health": Health.OK if key % 4 else Health.DOWN, "since": now, "changed_at": now}
        for key in db.session.scalars(sa.select(Endpoint.id))
    ]
    db.session.execute(sa.insert(EndpointStatus), [{**row, "last_poll_at": now, "cause": ""} for row in states])
    db.session.commit()
    text = page(technician)
    assert text.count('<a id="t') == 900
    assert len(text.encode()) < 200_000


# The filter


def test_a_region_of_the_address_shows_that_region_alone(technician):
    north = watched(factories.site(health_region="Nord"))
    west = watched(factories.site(health_region="Vest"))
    text = page(technician, region="Nord")
    assert f'id="t{north.id}"' in text
    assert f'id="t{west.id}"' not in text
    assert "1 of 2" in text


def test_several_regions_may_be_shown_and_each_link_turns_one_on_or_off(technician):
    for region in ("Nord", "Midt", "Vest"):
        watched(factories.site(health_region=region))
    links = re.findall(r'<a class="pick" href="([^"]*)"( aria-current="true")?>(\w+)', page(technician, region="Nord"))
    assert links[0] == ("/status", ' aria-current="true"', "Nord")
    assert links[1] == ("/status?region=Nord&amp;region=Midt", "", "Midt")


def test_the_filter_of_states_is_in_the_address_and_nonsense_is_no_filter(technician):
    watched()
    watched(health=Health.DOWN)
    assert "wall only-faults" in page(technician, only="faults")
    assert "1 of 2" in page(technician, only="faults")
    assert 'class="wall"' in page(technician, only="nonsense")


def test_asking_for_changes_keeps_the_filter(technician):
    north, west = watched(factories.site(health_region="Nord")), watched(factories.site(health_region="Vest"))
    opened = OpenPage(technician, region="Nord", only="faults")
    falls(north)
    falls(west)
    text = opened.told()
    assert tile(text, north) == "down"
    assert f'id="t{west.id}"' not in text
    assert "region=Nord" in opened.address
    assert "only=faults" in opened.address


# The heartbeat


def heartbeat(client: FlaskClient) -> str:
    answer = client.get("/status/heartbeat", headers=HTMX)
    assert answer.status_code == 200
    return answer.text


def test_the_heartbeat_tells_sweep_lag_and_the_oldest_sample(technician):
    a_monitor(lag_ms=20.0, sweep_seconds=9.8)
    watched(factories.site(name="Near"), last_poll_at=database_now())
    watched(factories.site(name="Longyearbyen"), name="Studio 2", last_poll_at=database_now() - timedelta(seconds=50))
    text = heartbeat(technician)
    assert 'class="beat is-ok"' in text
    assert "9.8 s" in text
    assert "0.02 s" in text
    assert "Longyearbyen, Studio 2" in text


def test_a_silent_monitor_is_an_alarm(technician):
    a_monitor(seconds_ago=30)
    watched()
    text = heartbeat(technician)
    assert 'class="beat is-down"' in text
    assert "The monitor is silent" in text


def test_a_page_that_no_monitor_ever_fed_is_an_alarm(technician):
    assert "no monitor has run yet" in heartbeat(technician)


def test_one_studio_with_old_data_is_a_warning(technician):
    a_monitor()
    place = factories.site()
    for _ in range(11):
        watched(place)
    watched(place, last_poll_at=database_now() - timedelta(minutes=10))
    text = heartbeat(technician)
    assert 'class="beat is-degraded"' in text
    assert "1 studio has old data" in text


def test_another_version_s_figures_do_no_harm(technician):
    a_monitor(lag_ms="quick", endpoints=None)  # type: ignore[arg-type]
    assert 'class="beat is-ok"' in heartbeat(technician)
