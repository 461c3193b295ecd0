"""The status page and its small answers, on both databases."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import (
    Account,
    Closure,
    Conference,
    ConferenceState,
    Endpoint,
    EndpointStatus,
    Event,
    Health,
    Leg,
    LegState,
    OrganisationKind,
    Party,
    Reservation,
    Role,
    StatusChange,
    Studio,
    Wanted,
    Worker,
    database_now,
    db,
)
from monitoring.stirrings import LONGEST_NAP, OVERLAP
from tests import factories

ENGLISH = {"Accept-Language": "en"}
HTMX = {**ENGLISH, "HX-Request": "true"}
ClientFor = Callable[[Account], FlaskClient]


@pytest.fixture
def technician(client_for: ClientFor) -> FlaskClient:
    return client_for(factories.account(role=Role.TECHNICIAN))


def keep(row: Any) -> Any:
    db.session.add(row)
    db.session.commit()
    return row


def watched(site: Any = None, *, health: Health = Health.OK, name: str | None = None, **changes: Any) -> Studio:
    """A studio that was polled just now; changed long ago, so that nothing of it is news."""
    studio = factories.studio(site, **({"name": name} if name else {}))
    endpoint = factories.endpoint(studio)
    now = database_now()
    long_ago = now - timedelta(hours=5)
    values = {"health": health, "last_poll_at": now, "changed_at": long_ago, "since": long_ago, **changes}
    db.session.execute(sa.update(EndpointStatus).where(EndpointStatus.endpoint_id == endpoint.id).values(values))
    db.session.commit()
    return studio


def turn(studio: Studio, **changes: Any) -> None:
    """The monitor stores something of a studio."""
    of_studio = sa.select(Endpoint.id).where(Endpoint.studio_id == studio.id).scalar_subquery()
    values = {"changed_at": database_now(), **changes}
    db.session.execute(sa.update(EndpointStatus).where(EndpointStatus.endpoint_id == of_studio).values(values))
    db.session.commit()


def falls(studio: Studio) -> None:
    turn(studio, health=Health.DOWN, cause="no-answer", since=database_now())


def conference(*studios: Studio, minutes: float, lasts: float = 60, **changes: Any) -> Conference:
    start = database_now() + timedelta(minutes=minutes)
    long_ago = start - timedelta(days=3)
    end = start + timedelta(minutes=lasts)
    return factories.conference(*studios, start=start, end=end, created_at=long_ago, **changes)


def call(*studios: Studio, connected: int = 9, **changes: Any) -> Conference:
    """A running conference whose first legs are connected, and have been for long."""
    row = conference(*studios, minutes=-20, **{"state": ConferenceState.RUNNING, **changes})
    for number, party in enumerate(db.session.scalars(sa.select(Party).filter_by(conference_id=row.id, host=False))):
        state = LegState.CONNECTED if number < connected else LegState.RINGING
        leg = Leg(conference_id=row.id, party_id=party.id, wanted=Wanted.UP, state=state, token=f"token {party.id}")
        leg.changed_at = database_now() - timedelta(minutes=19)
        keep(leg)
    return row


def a_monitor(seconds_ago: float = 1, **details: float) -> Worker:
    beat = database_now() - timedelta(seconds=seconds_ago)
    return keep(Worker(name="monitor-1", kind="monitor", started_at=beat, beat_at=beat, details=details))


def page(client: FlaskClient, **filters: Any) -> str:
    answer = client.get("/status", query_string=filters, headers=ENGLISH)
    assert answer.status_code == 200
    return answer.text


def tile(text: str, studio: Studio) -> str:
    """The state that a tile of the page shows in words."""
    found = re.search(rf'<a id="t{studio.id}"[^>]*aria-label="([^"]*)"', text)
    assert found, f"no tile of {studio.name}"
    return found[1].rpartition(": ")[2]


def next_address(text: str) -> str:
    found = re.search(r'<div id="live"[^>]*hx-get="([^"]*)"', text)
    assert found
    return found[1].replace("&amp;", "&")


class OpenPage:
    """A page that somebody has open, asking what changed as the browser would."""

    def __init__(self, client: FlaskClient, **filters: Any) -> None:
        self._client = client
        self.address = next_address(page(client, **filters))
        while self.ask().status_code == 200:  # what was set up a moment ago is told once
            pass

    def ask(self) -> TestResponse:
        answer = self._client.get(self.address, headers=HTMX)
        if answer.status_code == 200:
            self.address = next_address(answer.text)
        return answer

    def told(self) -> str:
        answer = self.ask()
        assert answer.status_code == 200, answer.status
        assert "HX-Refresh" not in answer.headers
        return answer.text


def is_quiet(answer: TestResponse) -> bool:
    return answer.status_code == 204 and "HX-Refresh" not in answer.headers


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
    assert f'href="/studios/{studio.code}"' in text


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
    studio = watched(name="Studio 3")
    now = database_now()
    for minute in range(25):
        change = StatusChange(endpoint_id=studio.endpoint.id, at=now - timedelta(minutes=minute), cause="no-answer")
        change.from_health, change.to_health = Health.OK, Health.DOWN
        db.session.add(change)
    db.session.commit()
    text = page(technician).partition('id="changes"')[2]
    moments = re.findall(r'<time class="soft small" datetime="([^"]+)"', text)
    assert len(moments) == 20
    assert moments == sorted(moments, reverse=True)
    assert "does not answer" in text


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
    assert len(after) <= len(before) <= 8


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


# What changed


def test_nothing_travels_when_nothing_changed(technician):
    watched()
    opened = OpenPage(technician)
    answer = opened.ask()
    assert is_quiet(answer)
    assert answer.data == b""


def test_only_the_tile_that_changed_travels(technician):
    studio, other = watched(), watched()
    opened = OpenPage(technician)
    falls(studio)
    text = opened.told()
    assert tile(text, studio) == "down"
    assert f'id="t{other.id}"' not in text
    assert re.search(r"<dt>.*?Down</dt><dd>1</dd>", text)


def test_what_was_told_is_not_told_again(technician):
    studio = watched()
    opened = OpenPage(technician)
    falls(studio)
    opened.told()
    assert is_quiet(opened.ask())
    assert is_quiet(opened.ask())


def test_a_change_that_was_committed_late_is_not_missed(technician):
    """Its time lies before the last answer, since its transaction took long."""
    studio, slow = watched(), watched()
    opened = OpenPage(technician)
    written_at = database_now()
    falls(studio)
    opened.told()
    turn(slow, health=Health.DOWN, changed_at=written_at)
    assert tile(opened.told(), slow) == "down"


def test_a_change_by_a_clock_that_is_ahead_is_told_once(technician):
    studio = watched()
    opened = OpenPage(technician)
    turn(studio, in_call=True, changed_at=database_now() + timedelta(seconds=4))
    assert tile(opened.told(), studio) == "in call"
    assert is_quiet(opened.ask())


def test_a_call_that_comes_up_changes_the_tiles_of_all_its_studios(technician):
    host, other = watched(), watched()
    row = call(host, other, connected=0)
    opened = OpenPage(technician)
    values = {"state": LegState.CONNECTED, "changed_at": database_now()}
    db.session.execute(sa.update(Leg).where(Leg.conference_id == row.id).values(values))
    db.session.commit()
    text = opened.told()
    assert [tile(text, host), tile(text, other)] == ["in call", "in call"]


def test_a_booking_for_the_next_minutes_shows_at_once_and_so_does_its_end(technician):
    studio = watched()
    opened = OpenPage(technician)
    row = conference(studio, minutes=10)
    keep(Event(at=database_now(), kind="conference.booked", conference_id=row.id, details={}))
    assert tile(opened.told(), studio) == "booked"
    row.state = ConferenceState.CANCELLED
    db.session.execute(sa.update(Reservation).values(released_at=database_now()))
    keep(Event(at=database_now(), kind="conference.cancelled", conference_id=row.id, details={}))
    assert tile(opened.told(), studio) == "idle"


# By time alone: each moment passes between two questions, one of which bears the time before it.


def at_last(client: FlaskClient, seconds_ago: float, now_has: Studio) -> str:
    """The state that a page last answered so long ago is told, if any."""
    since = database_now() - timedelta(seconds=seconds_ago)
    studios = db.session.scalar(sa.select(sa.func.count()).select_from(Studio))
    query = {"since": round(since.timestamp() * 1e6), "studios": studios}
    answer = client.get("/status/changes", query_string=query, headers=HTMX)
    return tile(answer.text, now_has) if answer.status_code == 200 else ""


BEFORE = (OVERLAP + timedelta(seconds=20)).total_seconds()


@pytest.mark.parametrize(
    ("minutes", "lasts", "state"),
    [(15, 60, "booked"), (0, 60, "booked"), (-60, 60, "idle")],
    ids=["soon", "begun", "over"],
)
def test_a_conference_changes_the_tile_by_the_clock_alone(technician, minutes, lasts, state):
    studio = watched()
    conference(studio, minutes=minutes - 5 / 60, lasts=lasts)
    assert at_last(technician, BEFORE, studio) == state


def test_a_conference_that_comes_within_the_hour_makes_its_faulty_studio_news(technician):
    studio = watched(health=Health.DOWN)
    conference(studio, minutes=60 - 5 / 60)
    assert at_last(technician, BEFORE, studio) == "down"


def test_data_that_grows_old_changes_the_tile_by_the_clock_alone(technician):
    studio = watched(last_poll_at=database_now() - timedelta(seconds=180 + 5))
    assert at_last(technician, BEFORE, studio) == "unknown"


@pytest.mark.parametrize(("begins", "ends", "state"), [(-5, 600, "maintenance"), (-600, -5, "idle")])
def test_a_closure_changes_the_tiles_of_its_site_when_it_begins_and_when_it_ends(technician, begins, ends, state):
    studio = watched()
    now = database_now()
    from_, until = now + timedelta(seconds=begins), now + timedelta(seconds=ends)
    keep(Closure(site_id=studio.site_id, starts_at=from_, ends_at=until, reason="Power"))
    assert at_last(technician, BEFORE, studio) == state


def test_what_is_long_past_or_still_ahead_is_no_news(technician):
    studio = watched()
    now = database_now()
    conference(studio, minutes=-40, lasts=30)
    conference(studio, minutes=30, lasts=20)
    keep(Closure(studio_id=studio.id, starts_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=2), reason="x"))
    assert at_last(technician, BEFORE, studio) == ""


# The words


def news(text: str) -> str:
    found = re.search(r'hx-target="#news"[^>]*>([^<]*)<', text)
    assert found
    return found[1].strip()


def test_a_change_of_health_is_told_in_a_sentence(technician):
    studio = watched(factories.site(name="UNN Tromsø"), name="Studio 12")
    opened = OpenPage(technician)
    falls(studio)
    assert news(opened.told()) == "UNN Tromsø, Studio 12: down."


def test_calls_that_come_and_go_are_not_read_out(technician):
    studio = watched()
    opened = OpenPage(technician)
    turn(studio, in_call=True)
    assert news(opened.told()) == ""


def test_many_changes_at_once_are_told_as_a_number(technician):
    place = factories.site()
    studios = [watched(place) for _ in range(5)]
    opened = OpenPage(technician)
    for studio in studios:
        falls(studio)
    assert news(opened.told()) == "5 studios changed their state."


def test_the_heading_of_a_changed_tile_tells_the_new_sum(technician):
    place = factories.site(factories.organisation(kind=OrganisationKind.HEALTH_TRUST))
    studio, _ = watched(place), watched(place, health=Health.DOWN)
    opened = OpenPage(technician)
    falls(studio)
    assert re.search(r'<span id="g\d+" hx-swap-oob="outerMorph">2 down</span>', opened.told())


# Whole pages and wrong questions


def test_a_page_that_slept_is_fetched_whole(technician):
    watched()
    since = database_now() - LONGEST_NAP - timedelta(seconds=1)
    answer = technician.get(f"/status/changes?since={round(since.timestamp() * 1e6)}&studios=1", headers=HTMX)
    assert answer.headers["HX-Refresh"] == "true"


def test_a_page_is_fetched_whole_when_studios_come_or_go(technician):
    watched()
    opened = OpenPage(technician)
    turn(watched(), health=Health.OK)
    assert opened.ask().headers["HX-Refresh"] == "true"


@pytest.mark.parametrize("since", ["", "soon", "1e9", "9" * 40, "-" + "9" * 30])
def test_a_cursor_of_nobody_s_is_refused_with_a_sentence(technician, since):
    answer = technician.get("/status/changes", query_string={"since": since}, headers=HTMX)
    assert answer.status_code == 422
    assert "Reload the page" in answer.text


def test_questions_of_the_page_are_no_sign_of_a_person(app):
    views = app.view_functions
    assert views["monitoring.changes"].polled
    assert views["monitoring.beat"].polled
    assert not hasattr(views["monitoring.status"], "polled")


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
