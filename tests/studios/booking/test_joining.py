"""Who joins a conference that is under way, and who takes the place of a studio that fails."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models import Answer, Bridge, BridgeDriver, Conference, ConferenceState, EndpointStatus, Event, Health, db, write
from studios.booking.drawing import own_of
from studios.booking.joining import join, replace_studio
from studios.booking.obstacles import NoPorts, StudioTaken
from studios.booking.proposals import replacements
from studios.booking.wishes import GuestWish, StudioWish
from tests import factories
from tests.studios.booking.pages import Network, in_english, text_of
from tests.studios.booking.test_conference_page import LegState, address, call, conference_of

HOUR = timedelta(hours=1)


@pytest.fixture
def running(network: Network) -> Conference:
    """Tromsø 1, which carries the calls, and Bodø 1."""
    start = datetime.now(UTC) - timedelta(minutes=5)
    return factories.conference(network.tromso_1, network.bodo_1, start=start, state=ConferenceState.RUNNING)


def anew(conference: Conference) -> Conference:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Conference, conference.id)


def table(conference: Conference) -> list[tuple[str | None, bool]]:
    """Who sits there and who does no longer, in order."""
    return [
        (party.reservation.studio.code if party.reservation else party.guest_address, _is_there(party))
        for party in anew(conference).parties
    ]


def _is_there(party) -> bool:
    return party.reservation is None or party.reservation.released_at is None


def bridge(ports: int) -> int:
    row = Bridge(name="North", driver=BridgeDriver.PEXIP, address="https://bridge", ports=ports)
    return write(lambda: db.session.add(row) or db.session.flush() or row.id)


def test_a_studio_joins_from_now_to_the_end_and_is_to_be_called_at_once(network, running):
    network.tromso_2.setup_minutes = network.tromso_2.clear_down_minutes = 10
    db.session.commit()
    before = datetime.now(UTC)
    write(lambda: join(running.id, StudioWish(network.tromso_2.id), 1, network.coordinator).id)
    assert table(running) == [("TRO-1", True), ("BOD-1", True), ("TRO-2", True)]
    newcomer = anew(running).parties[2]
    assert before <= newcomer.reservation.starts_at <= datetime.now(UTC)
    assert newcomer.reservation.ends_at == running.ends_at + timedelta(minutes=10)
    assert (newcomer.answer, newcomer.host) == (Answer.NOT_ASKED, False)
    assert anew(running).due_at <= datetime.now(UTC)
    assert anew(running).version == 2


def test_who_is_of_another_organisation_is_asked_and_called_meanwhile(network, running):
    write(lambda: join(running.id, StudioWish(network.bodo_2.id), 1, network.coordinator).id)
    assert anew(running).parties[2].answer is Answer.WAITING


def test_what_is_taken_later_in_the_hour_cannot_join(network, running):
    soon = running.ends_at - timedelta(minutes=10)
    other = factories.conference(network.tromso_2, network.bodo_2, start=soon, end=soon + HOUR)
    with pytest.raises(StudioTaken) as refused:
        write(lambda: join(running.id, StudioWish(network.tromso_2.id), 1, network.coordinator).id)
    assert [clash.reference for clash in refused.value.clashes] == [other.reference]
    assert len(table(running)) == 2


@pytest.mark.parametrize(("ports", "fits"), [(3, True), (2, False)])
def test_one_more_takes_one_more_port_or_stays_out(network, running, ports, fits):
    running.bridge_id, running.ports = bridge(ports), 2
    db.session.commit()

    def joins() -> None:
        write(lambda: join(running.id, GuestWish("sip:guest@example.org"), 1, network.coordinator).id)

    if fits:
        joins()
    else:
        with pytest.raises(NoPorts):
            joins()
    assert (anew(running).ports, len(table(running))) == ((3, 3) if fits else (2, 2))


def test_two_who_add_the_same_studio_to_two_conferences_at_once_get_it_once(app: Flask, network, running):
    other = factories.conference(
        network.bodo_2, start=running.starts_at, end=running.ends_at, state=ConferenceState.RUNNING
    )
    ids, studio_id, person_id = (running.id, other.id), network.tromso_2.id, network.coordinator.id
    db.session.rollback()
    ready, refused = Barrier(2), list[Exception]()

    def joins(conference_id: int) -> None:
        with app.app_context():
            person = db.session.get(type(network.coordinator), person_id)
            ready.wait(10)
            try:
                write(lambda: join(conference_id, StudioWish(studio_id), 1, person).id)
            except StudioTaken as error:
                refused.append(error)

    threads = [Thread(target=joins, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(refused) == 1
    held = [code for each in (running, other) for code, there in table(each) if there]
    assert sorted(held) == ["BOD-1", "BOD-2", "TRO-1", "TRO-2"]


def test_the_place_of_a_studio_is_taken_before_the_start_as_by_any_change(network):
    planned = factories.conference(network.tromso_1, network.bodo_1, start=datetime.now(UTC) + HOUR)
    write(lambda: replace_studio(planned.id, 0, network.tromso_2.id, 1, network.coordinator).id)
    assert table(planned) == [("TRO-2", True), ("BOD-1", True)]
    assert [party.host for party in anew(planned).parties] == [True, False]


def test_the_place_of_a_host_that_nobody_reached_is_taken_and_another_hosts(network, running):
    call(running, 1, LegState.FAILED)
    write(lambda: replace_studio(running.id, 0, network.tromso_2.id, 1, network.coordinator).id)
    assert table(running) == [("TRO-1", False), ("BOD-1", True), ("TRO-2", True)]
    assert [party.host for party in anew(running).parties] == [False, True, False]


def test_a_host_that_carries_calls_is_not_replaced_under_them(coordinator: FlaskClient, network, running):
    call(running, 1, LegState.CONNECTED)
    form = {"studio": network.tromso_2.id, "version": 1}
    answer = coordinator.post(address(running, "/replace/0"), data=form)
    assert answer.status_code == 409
    assert "carries the calls of the others" in text_of(answer)
    assert table(running) == [("TRO-1", True), ("BOD-1", True)]


def test_the_nearest_free_studio_that_works_is_proposed(network, running):
    near = factories.studio(network.bodo_1.site, code="BOD-3")
    broken = factories.studio(network.bodo_1.site, code="BOD-4")
    far = factories.studio(factories.site(network.unn, name="Vadsø", latitude=70.07, longitude=29.75), code="VAD-1")
    factories.studio(network.bodo_1.site, code="BOD-5", needs_approval=True)
    endpoint_id, now = factories.endpoint(broken, "127.60.9.9").id, datetime.now(UTC)
    down = {"health": Health.DOWN, "since": now, "changed_at": now, "last_poll_at": now}
    write(lambda: db.session.execute(db.update(EndpointStatus).filter_by(endpoint_id=endpoint_id).values(down)))
    soon = running.ends_at - timedelta(minutes=10)
    factories.conference(network.bodo_2, network.tromso_2, start=soon, end=soon + HOUR)
    found = replacements(running, running.parties[1], own_of(network.coordinator), datetime.now(UTC), 9)
    assert [each.studio.code for each in found] == [near.code, far.code]
    assert found[0].kilometres == 0
    assert 400 < found[1].kilometres < 430  # by the map, from where all sites of these tests stand


def test_what_could_stand_in_is_offered_on_the_page_and_taken_with_one_press(coordinator, network):
    conference = conference_of(network, ConferenceState.DEGRADED)
    call(conference, 1, LegState.FAILED, attempts=2, cause="unreachable")
    page = coordinator.get(address(conference))
    assert "UNN Tromsø, Studio 2 could stand in for NLSH Bodø, Studio 1" in text_of(page)
    form = {"studio": network.tromso_2.id, "version": conference.version}
    assert coordinator.post(address(conference, "/replace/1"), data=form).status_code == 303
    assert table(conference)[1:] == [("BOD-1", False), ("BOD-2", True), ("TRO-2", True)]
    told = text_of(coordinator.get(address(conference)))
    assert "UNN Tromsø, Studio 2 takes a place at the table" in told
    assert "Instead of NLSH Bodø, Studio 1" in told


def test_who_joins_is_searched_for_and_added(coordinator, network, running):
    page = coordinator.get(address(running, "/join?q=studio"))
    assert "UNN Tromsø, Studio 2" in text_of(page)
    assert "UNN Tromsø, Studio 1" not in text_of(page)  # sits there
    form = {"studio": network.tromso_2.id, "version": 1}
    assert coordinator.post(address(running, "/join"), data=form).status_code == 303
    assert table(running)[2:] == [("TRO-2", True)]
    twice = coordinator.post(address(running, "/join"), data={**form, "version": 2})
    assert (twice.status_code, "takes part already" in text_of(twice)) == (409, True)


def test_what_is_no_address_stays_as_it_was_typed(coordinator, running):
    answer = coordinator.post(address(running, "/join"), data={"guest": "nobody <here>", "version": 1})
    assert answer.status_code == 422
    assert 'value="nobody &lt;here&gt;"' in answer.text
    good = {"guest": "sip:guest@example.org", "version": 1}
    assert coordinator.post(address(running, "/join"), data=good).status_code == 303
    assert table(running)[2:] == [("sip:guest@example.org", True)]


def test_nobody_joins_what_is_not_under_way_or_is_somebody_elses(coordinator, neighbour, network, running):
    planned = factories.conference(network.tromso_2, network.bodo_2, start=datetime.now(UTC) + HOUR)
    guest = {"guest": "sip:guest@example.org", "version": 1}
    assert coordinator.post(address(planned, "/join"), data=guest).status_code == 409
    for path in ("/join", "/replace/0", "/reroute"):
        assert neighbour.get(address(running, path)).status_code == 403
        assert in_english(neighbour).post(address(running, path), data=guest).status_code == 403
    assert len(table(running)) == 2


def test_a_bridge_is_left_only_where_there_is_another_way(coordinator, network, running):
    none = coordinator.post(address(running, "/reroute"), data={"version": 1})
    assert (none.status_code, "go by no bridge" in text_of(none)) == (409, True)
    running.bridge_id, running.ports = bridge(9), 2
    db.session.commit()
    assert coordinator.post(address(running, "/reroute"), data={"version": 1}).status_code == 303
    assert anew(running).bridge_id is None
    told = db.session.scalars(db.select(Event).filter_by(kind="conference.rerouted")).one()
    assert (told.details["bridge"], told.details["other"]) == ("North", network.tromso_1.name)
