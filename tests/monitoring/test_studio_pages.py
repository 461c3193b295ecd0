"""A studio's page for technicians."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from models import (
    Closure,
    Endpoint,
    EndpointStatus,
    Event,
    Health,
    Incident,
    Measurement,
    Role,
    Severity,
    Span,
    StatusChange,
    Studio,
    database_now,
    db,
)
from monitoring.charts import Range, window
from monitoring.studio_reads import samples
from tests import factories
from tests.monitoring.open_page import keep, live_address, turn, watched
from tests.studios.booking.pages import counted_queries, in_english, text_of

MOST_QUERIES = 14


@pytest.fixture
def technician(client_for):
    return in_english(client_for(factories.account(role=Role.TECHNICIAN)))


def endpoint_of(studio: Studio) -> int:
    found = db.session.scalar(sa.select(Endpoint.id).where(Endpoint.studio_id == studio.id))
    assert found is not None
    return found


def measured(studio: Studio, span: Span, hours_ago: float, round_trip: float, misses: int = 0) -> None:
    at = database_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours_ago)
    values = {"polls": 30, "misses": misses, "round_trip_ms": round_trip}
    keep(Measurement(span=span, starts_at=at, endpoint_id=endpoint_of(studio), **values))


def page(client, studio: Studio, query: str = ""):
    return client.get(f"/status/studios/{studio.code}{query}")


def test_it_tells_how_the_studio_is_what_happened_and_what_is_wrong(technician):
    plugged = {"cameras": {"1": True}, "microphones": {"1": False}}
    studio = watched(name="Studio 12", health=Health.DEGRADED, cause="microphone", peripherals=plugged, registered=True)
    keep(
        Incident(
            studio_id=studio.id,
            cause="microphone",
            severity=Severity.MAJOR,
            opened_at=database_now() - timedelta(minutes=9),
        )
    )
    keep(Event(at=database_now(), kind="studio.trap", studio_id=studio.id, details={"trap": "link-down"}))
    text = text_of(page(technician, studio))
    for words in (
        "Degraded",
        "Microphone unplugged",
        "Camera 1",
        "Microphone 1 missing",
        "Incident",
        "A line of it is down",
    ):
        assert words in text


def test_what_was_measured_is_drawn_with_its_figures(technician):
    studio = watched()
    for hour, round_trip in ((3, 10.0), (2, 20.0), (1, 60.0)):
        measured(studio, Span.FIVE_MINUTES, hour, round_trip, misses=3)
    text = text_of(page(technician, studio))
    assert "least 10, mean 30, most 60 ms" in text
    assert "least 90, mean 90, most 90 %" in text
    assert "Loss in calls nothing was measured" in text


def test_a_month_is_made_of_hours_and_of_five_minutes_where_no_hour_is_summed_up_yet(technician):
    studio = watched()
    measured(studio, Span.HOUR, 48, 5.0)
    measured(studio, Span.HOUR, 47, 6.0)
    measured(studio, Span.FIVE_MINUTES, 47, 99.0)  # is in the hour already
    measured(studio, Span.FIVE_MINUTES, 1, 7.0)
    found = samples(endpoint_of(studio), Range.MONTH, window(Range.MONTH, database_now()))
    assert [one.round_trip_ms for one in found] == [5.0, 6.0, 7.0]
    assert "least 5, mean 6, most 7 ms" in text_of(page(technician, studio, "?range=month"))


def test_states_are_told_as_shares_of_the_time(technician):
    studio = watched()
    now, key = database_now(), endpoint_of(studio)
    for hours, before, after in ((12, Health.OK, Health.DOWN), (6, Health.DOWN, Health.OK)):
        at = now - timedelta(hours=hours)
        keep(StatusChange(endpoint_id=key, at=at, from_health=before, to_health=after, cause=""))
    assert "OK 75.0 %, Down 25.0 %" in text_of(page(technician, studio))


def test_an_open_page_is_told_what_changed(technician):
    studio = watched()
    address = live_address(page(technician, studio).text)
    assert technician.get(address).status_code == 204
    turn(studio, health=Health.DOWN, cause="no-answer", since=database_now())
    assert "Does not answer" in text_of(technician.get(address))


def test_a_closure_is_shown_and_old_data_are_no_health(technician):
    studio = watched()
    now = database_now()
    keep(
        Closure(
            studio_id=studio.id, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1), reason="Paint"
        )
    )
    assert "Maintenance" in text_of(page(technician, studio))
    assert "Paint" in text_of(page(technician, studio))
    stale = watched(last_poll_at=now - timedelta(hours=2))
    assert "No fresh data" in text_of(page(technician, stale))


def test_asking_is_for_those_who_look_after_it(technician, client_for):
    studio = watched()
    assert technician.post(f"/status/studios/{studio.code}/poll").status_code == 303
    db.session.rollback()
    assert db.session.scalar(sa.select(EndpointStatus.wanted_at)) is not None
    stranger = in_english(client_for(factories.account(organisation=factories.organisation(), role=Role.TECHNICIAN)))
    assert stranger.post(f"/status/studios/{studio.code}/poll").status_code == 403
    assert "Ask it now" not in text_of(page(stranger, studio))


@pytest.mark.parametrize("query", ["", "?range=week", "?range=month", "?range=century"])
def test_a_studio_without_equipment_has_a_page(technician, query):
    studio = factories.studio()
    text = text_of(page(technician, studio, query))
    assert "no equipment that is watched" in text
    assert technician.get("/status/studios/NOWHERE").status_code == 404


def test_the_page_takes_few_queries(technician):
    studio = watched()
    for hour in range(20):
        measured(studio, Span.FIVE_MINUTES, hour, 5.0)
        keep(Event(at=database_now(), kind="studio.trap", studio_id=studio.id, details={"trap": "link-down"}))
    with counted_queries() as sent:
        page(technician, studio)
    assert len(sent) <= MOST_QUERIES
