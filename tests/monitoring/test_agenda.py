from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from models import ConferenceState
from monitoring.agenda import Seat, agenda_of, at_risk
from monitoring.tiles import TileState
from tests.monitoring.test_wall import tile

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
RUNNING, PLANNED = ConferenceState.RUNNING, ConferenceState.PLANNED
_conferences = count(1)


def table(*studios: int, start: int = -10, end: int = 30, state: ConferenceState = RUNNING, **changes: object):
    """A conference of these studios, the first its host; minutes from now."""
    key = next(_conferences)
    values: dict[str, object] = {
        "conference_id": key,
        "state": state,
        "starts_at": NOW + timedelta(minutes=start),
        "ends_at": NOW + timedelta(minutes=end),
        "released": False,
    }
    connected = changes.pop("connected", ())
    return [
        Seat(**{**values, "studio_id": studio, "host": place == 0, "connected": studio in connected, **changes})
        for place, studio in enumerate(studios)
    ]


def test_the_host_is_in_call_as_soon_as_one_of_the_others_is():
    assert agenda_of(table(1, 2, 3, connected=(3,)), NOW).in_call == {1, 3}


def test_a_conference_whose_legs_all_ring_has_nobody_in_call():
    found = agenda_of(table(1, 2, 3), NOW)
    assert not found.in_call
    assert found.meetings[0].connected == 0


def test_a_call_counts_its_host_among_the_connected():
    (call,) = agenda_of(table(1, 2, 3, connected=(3,)), NOW).calls
    assert (call.connected, call.parties, call.missing) == (2, 3, 1)


def test_a_guest_takes_a_place_but_no_studio():
    host, guest = table(1, 0)
    found = agenda_of([host, replace(guest, studio_id=None, connected=True)], NOW)
    assert found.in_call == {1}
    assert found.meetings[0].parties == 2


def test_a_planned_conference_is_no_call_yet():
    assert agenda_of(table(1, 2, start=5, state=PLANNED), NOW).calls == []


def test_the_worst_calls_stand_first():
    seats = [
        *table(1, 2, connected=(2,)),
        *table(3, 4, 5, connected=(4,), state=ConferenceState.DEGRADED),
        *table(6, 7, state=ConferenceState.FAILED),
    ]
    states = [call.state for call in agenda_of(seats, NOW).calls]
    assert states == [ConferenceState.FAILED, ConferenceState.DEGRADED, RUNNING]


def test_a_studio_is_booked_by_the_conference_that_runs_before_the_one_that_comes():
    found = agenda_of([*table(1, 2), *table(1, 2, start=35, end=60, state=PLANNED)], NOW)
    assert found.booked_from(1) == NOW - timedelta(minutes=10)
    assert found.booked_from(9) is None


def test_a_conference_that_outlasts_its_time_books_nothing_and_is_still_a_call():
    found = agenda_of(table(1, 2, end=-1, connected=(2,), state=ConferenceState.STOPPING), NOW)
    assert found.booked_from(1) is None
    assert found.in_call == {1, 2}


def test_a_studio_that_was_given_back_is_not_booked():
    assert agenda_of(table(1, 2, start=5, state=PLANNED, released=True), NOW).booked_from(1) is None


def risks(state: TileState, in_call: bool = False, **changes: object) -> list[str]:
    tiles = {1: tile("One 1", studio_id=1, state=state, in_call=in_call)}
    found = at_risk(tiles, agenda_of(table(1, 2, **changes), NOW), NOW)  # type: ignore[arg-type]
    return [risk.tile.name for risk in found]


def test_a_faulty_studio_with_a_conference_ahead_is_at_risk():
    for state in (TileState.DEGRADED, TileState.DOWN, TileState.CUT, TileState.MAINTENANCE, TileState.UNKNOWN):
        assert risks(state, start=20) == ["One 1"]


def test_a_well_studio_is_never_at_risk():
    assert risks(TileState.SOON, start=20) == []


def test_a_faulty_studio_that_misses_its_running_conference_stays_at_risk():
    assert risks(TileState.DOWN) == ["One 1"]
    assert risks(TileState.DEGRADED, in_call=True) == []


def test_risks_stand_by_start():
    tiles = {key: tile(f"{key} 1", studio_id=key, state=TileState.DOWN) for key in (1, 2)}
    seats = [*table(2, start=5), *table(1, start=40, end=60)]
    assert [risk.tile.studio_id for risk in at_risk(tiles, agenda_of(seats, NOW), NOW)] == [2, 1]
