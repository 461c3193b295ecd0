"""How conferences are let into studios, seen at the simulated studios' own microphones, cameras and panels."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import waitress
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from models import Admission, Conference, ConferenceState, StartMode, db, write
from scheduler.admission import Door, Step, after, bar, step
from scheduler.calls import reconcile
from scheduler.panels import press_address
from simulation.studio import Fault
from studios.booking import conferences as writes
from studios.booking import running
from tests import factories
from tests.scheduler.test_calls import connected, is_in, kinds, look_now, passes_until, set_end

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture
def panels(app: Flask) -> Iterator[None]:
    """The pages, served for the codecs to post presses to."""
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    settings = app.config["STUDIONETT"]
    object.__setattr__(settings, "panel_url", f"http://127.0.0.1:{server.effective_port}")
    yield
    object.__setattr__(settings, "panel_url", "")
    server.close()
    thread.join(5)


def modes(studios, **wanted: StartMode) -> None:
    for code, mode in wanted.items():
        studios[code].start_mode = mode
    db.session.commit()


def is_silent(network, code: str) -> bool:
    studio = network.fleet.studios[code]
    return studio.muted and studio.camera_off


def admissions() -> dict[str, Admission]:
    db.session.rollback()
    return {row.party.reservation.studio.code: row for row in db.session.scalars(db.select(Admission))}


def pass_after_pass(conference: Conference, equipment, times: int = 6) -> None:
    for _ in range(times):
        look_now(conference)
        reconcile(conference.id, "tester", equipment)
        db.session.rollback()


def listen(network, *codes: str) -> list[bool]:
    """Whether each of these studios is silent, at every moment when a call is dialled or comes in there."""
    heard: list[bool] = []
    for code in codes:
        studio = network.fleet.studios[code]
        for name in ("receive", "dial"):
            _note_before(studio, name, lambda code=code: heard.append(is_silent(network, code)))
    return heard


def _note_before(studio, name: str, note) -> None:
    do = getattr(studio, name)
    setattr(studio, name, lambda *call: (note(), do(*call))[1])


def test_a_muted_studio_is_silent_before_it_is_called_and_until_the_end(network, running_now, equipment):
    heard = listen(network, "TROMSO", "BODO")
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert heard == [True, True], "both were silent at the moment of the call"
    pass_after_pass(conference, equipment)
    questions = [network.fleet.studios[code].question for code in ("TROMSO", "BODO")]
    assert [question.buttons for question in questions] == [("Slå på",)] * 2
    set_end(conference, datetime.now(UTC))
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference))
    assert not any(is_silent(network, code) for code in ("TROMSO", "BODO")), "the rooms are given back as they were"


def test_a_codec_that_switches_its_microphone_on_by_itself_is_silenced_again(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    network.fleet.studios["BODO"].muted = False  # as software does that unmutes when a call comes up
    pass_after_pass(conference, equipment, 2)
    assert is_silent(network, "BODO")


def test_who_switches_the_camera_on_at_the_codec_is_seen_to_be_open(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    pass_after_pass(conference, equipment)
    network.fleet.studios["BODO"].camera_off = False
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    write(lambda: db.session.execute(db.update(Admission).values(muted_at=long_ago)))
    pass_after_pass(conference, equipment, 2)
    assert admissions()["BODO"].opened_at
    assert not admissions()["TROMSO"].opened_at


def test_a_press_on_the_panel_switches_camera_and_microphone_on(network, running_now, equipment, panels):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    pass_after_pass(conference, equipment)
    network.press("BODO")
    passes_until(conference, equipment, lambda: "studio.opened" in kinds(conference))
    assert not is_silent(network, "BODO")
    assert is_silent(network, "TROMSO")
    assert kinds(conference).count("studio.pressed") == 1


def test_a_studio_that_waits_for_a_press_is_not_called_before_it(network, running_now, equipment, studios, panels):
    modes(studios, TROMSO=StartMode.OPEN, BODO=StartMode.PRESS)
    conference = running_now("TROMSO", "BODO")
    pass_after_pass(conference, equipment)
    assert not network.calls("TROMSO")
    assert not network.calls("BODO")
    assert network.fleet.studios["BODO"].question.buttons == ("Begynn",)
    network.press("BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert connected(network, "BODO") == 1
    assert not is_silent(network, "BODO")


def test_rooms_that_nobody_came_to_are_given_back_where_that_is_wanted(
    app, network, running_now, equipment, studios, panels
):
    modes(studios, TROMSO=StartMode.PRESS, BODO=StartMode.PRESS)
    conference = running_now("TROMSO", "BODO")
    pass_after_pass(conference, equipment)
    began = datetime.now(UTC) - timedelta(minutes=20)
    write(lambda: db.session.execute(db.update(Conference).values(starts_at=began)))
    pass_after_pass(conference, equipment)
    assert "conference.nobody_came" not in kinds(conference)  # nobody said after how long
    object.__setattr__(app.config["STUDIONETT"], "no_show_minutes", 15)
    try:
        pass_after_pass(conference, equipment)
    finally:
        object.__setattr__(app.config["STUDIONETT"], "no_show_minutes", 0)
    assert kinds(conference).count("conference.nobody_came") == 1
    passes_until(conference, equipment, is_in(ConferenceState.FAILED, conference))
    found = db.session.get_one(Conference, conference.id)
    assert found.ends_at <= datetime.now(UTC)
    assert all(each.ends_at <= datetime.now(UTC) for each in found.reservations)
    assert connected(network, "BODO") == 0


def test_people_may_begin_before_the_start_where_both_rooms_press(network, running_now, equipment, studios, panels):
    modes(studios, TROMSO=StartMode.PRESS, BODO=StartMode.PRESS)
    conference = running_now("TROMSO", "BODO", since=timedelta(minutes=-4))
    pass_after_pass(conference, equipment, 2)
    network.press("TROMSO")
    pass_after_pass(conference, equipment, 2)
    assert not network.calls("BODO"), "one has not pressed"
    network.press("BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert connected(network, "BODO") == 1


def test_nobody_begins_early_in_a_room_that_is_somebody_else_s_until_then(
    network, running_now, equipment, studios, panels
):
    modes(studios, TROMSO=StartMode.PRESS, BODO=StartMode.PRESS)
    start = datetime.now(UTC) + timedelta(minutes=4)
    factories.conference(
        studios["BODO"], studios["ALTA"], start=start - timedelta(hours=1), end=start, due_at=None, video=False
    )
    conference = running_now("TROMSO", "BODO", since=timedelta(minutes=-4))
    pass_after_pass(conference, equipment, 2)
    for code in ("TROMSO", "BODO"):
        network.press(code)
        pass_after_pass(conference, equipment, 2)
    assert not network.calls("TROMSO")
    assert is_in(ConferenceState.PLANNED, conference)()


def open_up(network, conference, equipment, *codes: str) -> None:
    """Somebody there switches camera and microphone on, and the scheduler sees it."""
    pass_after_pass(conference, equipment, 3)
    for code in codes:
        network.fleet.studios[code].muted = network.fleet.studios[code].camera_off = False
    earlier = datetime.now(UTC) - timedelta(seconds=20)
    write(lambda: db.session.execute(db.update(Admission).values(muted_at=earlier)))
    pass_after_pass(conference, equipment, 2)


def test_who_is_called_again_is_silent_again_whatever_was_open_before(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO", "ALTA")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    open_up(network, conference, equipment, "TROMSO", "BODO")
    write(lambda: running.hang_up(conference.id, 1, None))
    passes_until(conference, equipment, lambda: not network.calls("BODO"))
    pass_after_pass(conference, equipment, 2)
    heard = listen(network, "BODO")
    write(lambda: running.call_again(conference.id, 1, None))
    passes_until(conference, equipment, lambda: connected(network, "BODO") == 1)
    assert heard == [True]
    assert not is_silent(network, "TROMSO"), "who stayed is not muted"


def test_a_room_whose_people_hung_up_is_given_back_and_silent_when_it_is_called_again(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    pass_after_pass(conference, equipment, 2)
    network.hang_up("BODO")
    pass_after_pass(conference, equipment, 4)
    assert not is_silent(network, "BODO")
    assert not is_silent(network, "TROMSO"), "nobody is left to show it to"
    heard = listen(network, "TROMSO", "BODO")
    write(lambda: running.call_again(conference.id, 1, None))
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert heard == [True, True]


def test_a_room_that_was_silenced_long_before_it_is_called_is_silenced_anew(network, running_now, equipment):
    network.suffer("BODO", Fault.DECLINES)
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, lambda: "leg.failed" in kinds(conference))
    network.suffer("BODO", Fault.CLEAR)
    network.fleet.studios["BODO"].muted = network.fleet.studios["BODO"].camera_off = False
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    write(lambda: db.session.execute(db.update(Admission).values(muted_at=long_ago)))
    heard = listen(network, "BODO")
    look_now(conference)
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    assert heard == [True]


def test_an_open_studio_is_called_as_it_is(network, running_now, equipment, studios):
    modes(studios, TROMSO=StartMode.OPEN, BODO=StartMode.OPEN)
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    pass_after_pass(conference, equipment, 3)
    assert not is_silent(network, "BODO")
    assert network.fleet.studios["BODO"].question is None


def test_what_cannot_be_silenced_is_not_called(network, running_now, equipment):
    stuck = network.fleet.studios["BODO"]
    stuck.__class__ = type("Stuck", (type(stuck),), {"camera_off": property(lambda _: False, lambda *_: None)})
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, lambda: "leg.failed" in kinds(conference))
    assert not network.calls("BODO")
    assert "studio.not_muted" in kinds(conference)


def test_nobody_s_microphone_is_taken_in_the_middle_of_another_call(network, running_now, equipment):
    network.suffer("BODO", Fault.BUSY)
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, lambda: "leg.failed" in kinds(conference))
    assert not network.fleet.studios["BODO"].muted
    assert not network.fleet.studios["BODO"].camera_off


def test_rooms_silenced_for_a_conference_that_is_cancelled_are_given_back(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO", since=timedelta(seconds=-15))
    pass_after_pass(conference, equipment, 1)
    assert is_silent(network, "BODO")
    write(lambda: writes.cancel(conference.id, 1, None))
    reconcile(conference.id, "tester", equipment)
    assert not is_silent(network, "BODO")
    assert not is_silent(network, "TROMSO")
    assert is_in(ConferenceState.CANCELLED, conference)()
    assert not network.calls("BODO")


def test_a_call_that_people_began_by_hand_is_the_conference_s_and_their_rooms_are_not_muted(
    network, running_now, equipment, studios
):
    modes(studios, BODO=StartMode.PRESS)
    network.dial("TROMSO", network.specs["BODO"].uri)
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    pass_after_pass(conference, equipment, 3)
    assert "leg.begun_by_hand" in kinds(conference)
    assert not {"leg.dialled", "studio.not_muted"} & set(kinds(conference))
    assert all(row.opened_at for row in admissions().values())
    assert not is_silent(network, "TROMSO")
    assert (connected(network, "TROMSO"), connected(network, "BODO")) == (1, 1)
    set_end(conference, datetime.now(UTC))
    passes_until(conference, equipment, is_in(ConferenceState.ENDED, conference))
    assert not network.calls("BODO")


def test_who_hung_up_is_not_called_again_by_itself(network, running_now, equipment):
    conference = running_now("TROMSO", "BODO")
    passes_until(conference, equipment, is_in(ConferenceState.RUNNING, conference))
    network.hang_up("BODO")
    pass_after_pass(conference, equipment)
    assert "leg.left" in kinds(conference)
    assert kinds(conference).count("leg.dialled") == 1
    assert not network.calls("BODO")


@pytest.mark.parametrize("forged", ["nonsense", "1.nonsense"])
def test_an_address_that_was_not_given_to_a_codec_takes_no_press(app, forged):
    assert app.test_client().post(f"/panels/{forged}", data=b"<Event/>").status_code == 404


def test_the_address_of_a_codec_is_not_written_to_the_log(app):
    with capture_logs() as lines:
        app.test_client().post("/panels/1.the-secret", data=b"<Event/>")
    assert [line["path"] for line in lines if "path" in line] == ["/panels/<signed>"]


def press_body(token: str) -> bytes:
    ids = f"<FeedbackId>{token}</FeedbackId><OptionId>1</OptionId>"
    response = f"<Prompt><Response>{ids}</Response></Prompt>"
    return f"<Event><UserInterface><Message>{response}</Message></UserInterface></Event>".encode()


def test_a_codec_presses_only_for_its_own_studio_and_only_while_it_is_asked(app, running_now, studios):
    client = app.test_client()
    conference = running_now("TROMSO", "BODO")
    party = conference.parties[1]
    write(lambda: db.session.add(Admission(party_id=party.id, mode=StartMode.PRESS)))
    token = f"{conference.reference}/{party.id}"
    with app.test_request_context():
        addresses = {code: press_address(studios[code].id).partition("/panels/")[2] for code in ("TROMSO", "BODO")}

    def pressed() -> bool:
        db.session.rollback()
        return db.session.get_one(Admission, party.id, populate_existing=True).pressed_at is not None

    for address, body in (
        (addresses["TROMSO"], press_body(token)),
        (addresses["BODO"], press_body(f"K-10999/{party.id}")),
        (addresses["BODO"], b"no xml"),
        (addresses["BODO"], b"<Status/>"),
    ):
        assert client.post(f"/panels/{address}", data=body).status_code == 204
        assert not pressed()
    assert client.post(f"/panels/{addresses['BODO']}", data=press_body(token)).status_code == 204
    assert pressed()


instants = st.none() | st.integers(-900, 900).map(lambda seconds: NOW + timedelta(seconds=seconds))
doors = st.builds(
    Door,
    party_id=st.just(1),
    studio_id=st.just(2),
    mode=st.sampled_from(StartMode),
    steered=st.booleans(),
    prompted_at=instants,
    pressed_at=instants,
    muted_at=instants,
    opened_at=instants,
    next_attempt_at=instants,
)


@given(doors)
def test_no_call_opens_into_a_room_that_is_neither_silent_nor_agreed_to(door):
    if bar(door, NOW) or not door.steered or door.mode is StartMode.OPEN:
        return
    just_silenced = door.muted_at and door.muted_at > NOW - timedelta(minutes=1)
    assert door.opened_at or (just_silenced if door.mode is StartMode.MUTED else door.pressed_at)


@given(doors, st.booleans())
def test_a_microphone_is_switched_on_only_after_a_press(door, is_connected):
    if step(door, NOW, is_connected, NOW) is Step.OPEN:
        assert door.pressed_at


@given(doors, st.booleans(), st.sampled_from(Step))
def test_each_step_leads_on(door, is_connected, done):
    """No step is asked for again at once, whatever it was that was done."""
    if step(door, NOW, is_connected, NOW) is not done:
        return
    turned, _event = after(door, done, True, NOW)
    assert step(turned, NOW, is_connected, NOW) is not done
