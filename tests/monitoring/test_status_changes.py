"""What an open status page is told when something changes, on both databases."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from models import (
    Account,
    Closure,
    ConferenceState,
    Event,
    Health,
    Leg,
    LegState,
    OrganisationKind,
    Reservation,
    Role,
    Studio,
    database_now,
    db,
)
from monitoring.stirrings import LONGEST_NAP, OVERLAP
from tests import factories
from tests.monitoring.open_page import (
    HTMX,
    OpenPage,
    call,
    conference,
    falls,
    is_quiet,
    keep,
    tile,
    turn,
    watched,
)


@pytest.fixture
def technician(client_for: Callable[[Account], FlaskClient]) -> FlaskClient:
    return client_for(factories.account(role=Role.TECHNICIAN))


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
