"""What users of other booking systems complain about, one test each, asked through the API as a user would.

In brackets: the complaint, in the issue tracker of the system that has it.
"""

import re
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from models import Reservation, db
from studios.booking.waiting.minding import mind_who_waits
from tests import factories
from tests.studios.booking.api.conftest import program
from tests.studios.booking.pages import counted_queries

HOUR = timedelta(hours=1)


@pytest.fixture
def start() -> datetime:
    """A Monday at nine in Oslo, within winter time: a series of a few weeks stays in it."""
    return datetime(2027, 1, 11, 8, tzinfo=UTC)


def wish(*codes: str, start: datetime, **more: Any) -> dict[str, Any]:
    body = {"title": "Lung meeting", "purpose": "clinical", "parties": [{"studio": code} for code in codes]}
    return {**body, "start": start.isoformat(), "end": (start + HOUR).isoformat(), **more}


def standing() -> int:
    """How much is reserved, in plain SQL."""
    db.session.rollback()
    return int(db.session.scalar(sa.text("SELECT count(*) FROM reservation WHERE released_at IS NULL")))


def test_two_people_at_once_never_get_the_same_room(app, network, start):
    """[LibreBooking#147, mrbs-code#522, cal.diy#10789]"""
    programs = [program(app, person) for person in (network.coordinator, network.neighbour) for _ in range(3)]
    barrier, answers = Barrier(len(programs)), []

    def book(send):
        barrier.wait(10)
        answers.append(send("POST", "/conferences", json=wish("TRO-1", "BOD-1", start=start)))

    threads = [Thread(target=book, args=(send,)) for send in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    winner = next(answer.json["reference"] for answer in answers if answer.status_code == 201)
    for answer in answers:
        if answer.status_code == 409:
            assert {conflict["reference"] for conflict in answer.json["conflicts"]} == {winner}
            assert answer.json["alternatives"]
    assert standing() == 2


def test_changing_ones_own_series_leaves_everybody_elses_booking_alone(unn, nlsh, start):
    """[indico#6550]"""
    week = timedelta(days=7)
    theirs = nlsh("POST", "/conferences", json=wish("BOD-1", "BOD-2", start=start + week + HOUR)).json
    mine = unn("POST", "/series", json=wish("TRO-1", "BOD-1", start=start, rule="FREQ=WEEKLY;COUNT=3")).json
    first = mine["conferences"][0]["reference"]
    moved = {"scope": "all", "start": (start + HOUR).isoformat()}
    refused = unn("PATCH", f"/conferences/{first}/series", json=moved)
    assert refused.status_code == 409
    assert theirs["reference"] in refused.text
    assert nlsh("GET", f"/conferences/{theirs['reference']}").json == theirs
    starts = [unn("GET", f"/conferences/{each['reference']}").json["start"] for each in mine["conferences"]]
    assert starts == [each["start"] for each in mine["conferences"]]


def test_one_meeting_of_a_series_is_cancelled_and_no_later_edit_brings_it_back(unn, start):
    """[LibreBooking#1416, mrbs-code#2429]"""
    series = unn("POST", "/series", json=wish("TRO-1", "BOD-1", start=start, rule="FREQ=WEEKLY;COUNT=3")).json
    first, second, third = (each["reference"] for each in series["conferences"])
    assert unn("DELETE", f"/conferences/{second}").status_code == 200
    moved = {"scope": "all", "start": (start + HOUR).isoformat(), "title": "Heart meeting"}
    assert unn("PATCH", f"/conferences/{first}/series", json=moved).status_code == 200
    states = [unn("GET", f"/conferences/{each}").json["state"] for each in (first, second, third)]
    assert states == ["planned", "cancelled", "planned"]
    assert standing() == 4


def test_meetings_of_a_series_that_clash_are_never_saved(unn, nlsh, start):
    """[GRR#402, #456]"""
    taken = start + timedelta(days=7)
    nlsh("POST", "/conferences", json=wish("BOD-1", "BOD-2", start=taken))
    asked = wish("TRO-1", "BOD-1", start=start, rule="FREQ=WEEKLY;COUNT=3")
    assert unn("POST", "/series", json=asked).status_code == 409
    assert standing() == 2
    skipping = asked | {"choices": [{"day": f"{taken:%Y-%m-%d}", "skip": True}]}
    saved = unn("POST", "/series", json=skipping)
    assert (saved.status_code, saved.json["booked"], saved.json["skipped"]) == (201, 2, 1)
    assert standing() == 6


def test_a_weekly_meeting_keeps_its_hour_when_the_clock_is_moved(unn):
    """[cal.diy#1092, #19589, mrbs-code#383, indico#3105]"""
    before = datetime(2027, 3, 22, 8, tzinfo=UTC)  # nine in Oslo, and so is 07:00 a week later
    series = unn("POST", "/series", json=wish("TRO-1", "BOD-1", start=before, rule="FREQ=WEEKLY;COUNT=2")).json
    assert [each["start"] for each in series["conferences"]] == ["2027-03-22T08:00:00Z", "2027-03-29T07:00:00Z"]


def test_many_rooms_and_times_are_searched_at_once(unn, nlsh, start):
    """[mrbs-code#1383, #2467, LibreBooking#1614, #344]"""
    nlsh("POST", "/conferences", json=wish("BOD-1", "BOD-2", start=start))
    asked = {
        "duration_minutes": 60,
        "start": start.isoformat(),
        "end": (start + 4 * HOUR).isoformat(),
        "parties": [{"any_of": {"town": "Tromsø"}}, {"any_of": {"town": "Bodø"}}],
    }
    first = unn("POST", "/find-time", json=asked).json["suggestions"][0]
    assert first["start"] == f"{start + HOUR:%Y-%m-%dT%H:%M:%SZ}"
    assert [code[:3] for code in first["studios"]] == ["TRO", "BOD"]


def test_who_finds_nothing_waits_and_is_offered_what_comes_free(unn, nlsh, start):
    """[indico#5786]"""
    taken = nlsh("POST", "/conferences", json=wish("BOD-1", "BOD-2", start=start)).json
    body = {key: value for key, value in wish("TRO-1", "BOD-1", start=start).items() if key not in ("start", "end")}
    window = {"duration_minutes": 60, "earliest": start.isoformat(), "latest": (start + HOUR).isoformat()}
    request = unn("POST", "/waiting-requests", json=body | window).json
    mind_who_waits()
    assert unn("GET", f"/waiting-requests/{request['id']}").json["state"] == "waiting"
    nlsh("DELETE", f"/conferences/{taken['reference']}")
    mind_who_waits()
    assert unn("GET", f"/waiting-requests/{request['id']}").json["state"] == "offered"
    assert nlsh("POST", "/conferences", json=wish("BOD-1", "BOD-2", start=start)).status_code == 409
    assert unn("POST", f"/waiting-requests/{request['id']}/accept").status_code == 201


def test_a_room_has_time_to_be_set_up_and_cleared(unn, network, start):
    """[mrbs-code#2754]"""
    studio = factories.studio(network.tromso_1.site, code="TRO-9", setup_minutes=10, clear_down_minutes=15)
    unn("POST", "/conferences", json=wish(studio.code, "BOD-1", start=start))
    early = unn("POST", "/conferences", json=wish(studio.code, "BOD-2", start=start + HOUR + timedelta(minutes=20)))
    late = unn("POST", "/conferences", json=wish(studio.code, "BOD-2", start=start + HOUR + timedelta(minutes=25)))
    assert (early.status_code, late.status_code) == (409, 201)


def test_the_rooms_follow_the_meeting_when_it_moves(unn, start):
    """[indico#4068]"""
    booked = unn("POST", "/conferences", json=wish("TRO-1", "BOD-1", start=start)).json
    later = {"start": (start + 3 * HOUR).isoformat()}
    assert unn("PATCH", f"/conferences/{booked['reference']}", json=later).status_code == 200
    times = db.session.execute(sa.select(Reservation.starts_at).where(Reservation.released_at.is_(None))).scalars()
    assert set(times) == {start + 3 * HOUR}


def test_a_room_is_freed_though_the_meeting_has_begun(unn, nlsh, network):
    """[indico#6133]"""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    running = factories.conference(
        network.tromso_1, network.bodo_1, network.bodo_2, start=now - HOUR / 2, end=now + HOUR, state="running"
    )
    assert unn("POST", f"/conferences/{running.reference}/parties/3/release").status_code == 200
    soon = now + timedelta(minutes=2)
    assert nlsh("POST", "/conferences", json=wish("BOD-2", "TRO-2", start=soon)).status_code == 201


def test_the_grid_of_many_rooms_takes_no_more_queries_than_that_of_few(app, unn, network, start):
    """[LibreBooking#373, #370, indico#440]"""
    window = {"from": start.isoformat(), "to": (start + 24 * HOUR).isoformat(), "limit": "900"}

    def asked() -> tuple[int, int]:
        with counted_queries() as queries:
            found = unn("GET", "/availability", query_string=window).json["studios"]
        return len(found), len(queries)

    asked()  # notes that the token was used, once a minute
    factories.conference(network.tromso_1, start=start)
    few, for_few = asked()
    for number in range(20):
        studio = factories.studio(network.tromso_1.site, code=f"MANY-{number}")
        factories.conference(studio, start=start)
    many, for_many = asked()
    assert (few, many) == (4, 24)
    assert for_many == for_few


def test_health_is_a_word_beside_every_colour_and_every_field_has_a_label(coordinator):
    """[LibreBooking#438]"""
    page = coordinator.get("/book", query_string={"studio": ["TRO-1", "BOD-1"]}).text
    chips = re.findall(r'class="chip is-(\w+)".*?class="chip__state">([^<]+)<', page, re.S)
    assert chips == [("unknown", "Unknown"), ("unknown", "Unknown")]
    fields = re.findall(r'<(?:input|select)(?![^>]*type="(?:hidden|submit|radio|checkbox)")[^>]*\bid="([^"]+)"', page)
    assert fields
    assert not [field for field in fields if f'for="{field}"' not in page]


def test_everything_is_there_for_programs_and_described(unn):
    """[indico#5787, mrbs-code#3730, LibreBooking#376, #1220]"""
    paths = unn("GET", "/openapi.json").json["paths"]
    assert len(paths) > 30
    assert all(operation["summary"] for each in paths.values() for operation in each.values())
