"""What else needs a look on the status page: red looks, absences, calls without booking, calls by their quality."""

from datetime import timedelta

import pytest

from models import ConferenceState, Event, Health, Light, Preflight, Role, database_now, db
from monitoring.agenda import Quality, absent, agenda_of, calls, quality_of, unbooked
from monitoring.attention import no_shows, red_looks
from monitoring.tiles import TileState
from tests import factories
from tests.monitoring.open_page import call, conference, keep, page, turn, watched
from tests.monitoring.test_agenda import NOW, RUNNING, table
from tests.monitoring.test_wall import tile
from tests.studios.booking.pages import in_english, text_of


@pytest.fixture
def technician(client_for):
    return in_english(client_for(factories.account(role=Role.TECHNICIAN)))


def look(meeting, studio, minutes: int, light: Light, **checks: str) -> None:
    at = database_now() - timedelta(seconds=60 - minutes)
    keep(
        Preflight(
            conference_id=meeting.id,
            studio_id=studio.id,
            minutes=minutes,
            checked_at=at,
            light=light,
            checks=checks or {"camera": "ok"},
        )
    )


def test_only_the_last_look_counts(app):
    ill, well = watched(name="Ill"), watched(name="Well")
    meeting = conference(ill, well, minutes=10)
    for studio, first, then in ((ill, Light.GREEN, Light.RED), (well, Light.RED, Light.GREEN)):
        look(meeting, studio, 30, first)
        db.session.execute(
            db.update(Preflight)
            .where(Preflight.minutes == 30)
            .values(checked_at=database_now() - timedelta(minutes=20))
        )
        look(meeting, studio, 15, then, camera="failed", microphone="ok")
    found = red_looks(database_now())
    assert [(one.reference, one.code, one.failed) for one in found] == [(meeting.reference, ill.code, ("camera",))]


def test_a_studio_that_was_replaced_is_no_longer_spoken_of(app):
    studio = watched()
    meeting = conference(studio, watched(), minutes=10)
    look(meeting, studio, 15, Light.RED)
    meeting.parties[0].reservation.released_at = database_now()
    db.session.commit()
    assert red_looks(database_now()) == []


def test_no_shows_are_told_for_two_hours(app):
    meeting = conference(watched(), watched(), minutes=-60)
    now = database_now()
    for hours in (1, 3):
        keep(
            Event(at=now - timedelta(hours=hours), kind="conference.nobody_came", conference_id=meeting.id, details={})
        )
    assert [one.reference for one in no_shows(now)] == [meeting.reference]


def test_three_minutes_after_the_start_somebody_must_be_in_the_call():
    late, early = table(1, 2, start=-3), table(3, 4, start=-2)
    joined = table(5, 6, start=-10, connected=(6,))
    found = absent(agenda_of([*late, *early, *joined], NOW), NOW)
    assert [one.studios for one in found] == [(1, 2)]


def test_a_call_that_no_booking_explains_is_seen():
    tiles = {number: tile(f"T{number}", studio_id=number, in_call=number != 3) for number in (1, 2, 3, 4)}
    assert [one.studio_id for one in unbooked(tiles, agenda_of(table(1, 2), NOW))] == [4]


def test_calls_stand_with_the_worst_quality_first_and_failed_ones_before_all():
    tiles = {
        1: tile("A", studio_id=1, state=TileState.CALL, loss_percent=0.2),
        2: tile("B", studio_id=2, state=TileState.CALL, loss_percent=1.5),
        3: tile("C", studio_id=3, state=TileState.CALL, loss_percent=7.0, jitter_ms=40.0),
    }
    seats = [
        *table(1, 9, connected=(9,)),
        *table(2, 9, connected=(9,)),
        *table(3, 1, connected=(1,)),
        *table(8, 9, state=ConferenceState.FAILED),
    ]
    found = calls(tiles, agenda_of(seats, NOW))
    assert [(one.meeting.studios[0], one.quality) for one in found] == [
        (8, Quality.UNKNOWN),
        (3, Quality.POOR),
        (2, Quality.WEAK),
        (1, Quality.GOOD),
    ]


@pytest.mark.parametrize(
    ("loss", "quality"),
    [(None, Quality.UNKNOWN), (0.0, Quality.GOOD), (1.0, Quality.GOOD), (1.1, Quality.WEAK), (5.1, Quality.POOR)],
)
def test_quality_goes_by_what_is_lost(loss, quality):
    assert quality_of(loss) is quality


def test_all_of_it_stands_on_the_page(technician):
    ill = watched(name="Ill")
    meeting = conference(ill, watched(), minutes=10)
    look(meeting, ill, 15, Light.RED, camera="failed")
    nobody = conference(watched(), watched(), minutes=-5, state=RUNNING)
    unbooked_studio = watched(name="By hand", in_call=True)
    lossy = watched(name="Lossy", loss_percent=8.0, jitter_ms=55.0)
    call(lossy, watched())
    watched(health=Health.DEGRADED, cause="camera")
    text = text_of(technician.get("/status"))
    assert "Not fit:" in text
    assert meeting.reference in text.split("Not fit:")[1][:300]
    assert nobody.reference in text.split("Nobody in the call:")[1][:40]
    assert unbooked_studio.name in text.split("In a call without booking:")[1][:60]
    assert "8.0 % 55 ms" in text
    assert "Camera unplugged 1" in text


def test_who_looks_can_take_and_move_what_is_at_risk(client_for):
    administrator = in_english(client_for(factories.account(role=Role.ADMINISTRATOR)))
    from tests.monitoring.test_incident_pages import an_incident

    studio = watched(health=Health.DOWN, cause="no-answer")
    meeting = conference(studio, watched(), minutes=10)
    incident = an_incident(studio)
    text = administrator.get("/status").text
    assert f'action="/status/incidents/{incident.id}/acknowledge"' in text
    assert f'href="/conferences/{meeting.reference}/replace/0"' in text


def test_the_wall_can_be_narrowed_to_a_vendor_and_to_what_nobody_has_taken(technician):
    from tests.monitoring.test_incident_pages import an_incident

    cisco, poly = watched(name="C"), watched(name="P", health=Health.DOWN)
    for studio, vendor in ((cisco, "Cisco"), (poly, "Poly")):
        studio.endpoint.vendor = vendor
    db.session.commit()
    an_incident(poly)
    narrowed = page(technician, vendor="Poly")
    assert f'id="t{poly.id}"' in narrowed
    assert f'id="t{cisco.id}"' not in narrowed
    assert "1 of 2" in text_of(technician.get("/status?only=untaken"))
    assert f'<a id="t{poly.id}" class="tile is-down is-untaken"' in page(technician)
    turn(poly, health=Health.OK)
