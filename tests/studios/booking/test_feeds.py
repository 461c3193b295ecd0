"""Calendar files and feeds, read over real HTTP by a calendar library that knows nothing of this program."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import vobject
from flask import Flask
from flask.testing import FlaskClient
from icalevents.icalevents import events
from werkzeug.test import TestResponse

from models import Account, Conference, Feed, db
from tests import factories
from tests.browser.web import Web
from tests.studios.booking.pages import Network, instant, tomorrow


@pytest.fixture
def conference(network: Network) -> Conference:
    return factories.conference(
        network.tromso_1,
        network.bodo_1,
        start=instant(tomorrow(), 9),
        title="Lung meeting",
        organiser_id=network.coordinator.id,
    )


@pytest.fixture
def web(app: Flask) -> Iterator[Web]:
    web = Web(app)
    yield web
    web.stop()


def path_of(answer: TestResponse) -> str:
    found = re.search(r'id="address">[^<]*?(/feeds/[^<]+)<', answer.text)
    assert found, answer.text
    return found[1]


def summaries(client: FlaskClient, path: str) -> list[str]:
    found = vobject.readOne(client.get(path).text)
    return [event.summary.value for event in getattr(found, "vevent_list", [])]


def test_a_conference_is_a_file_with_its_title_for_those_who_take_part(
    coordinator: FlaskClient, conference: Conference
) -> None:
    answer = coordinator.get(f"/conferences/{conference.reference}.ics")
    read = vobject.readOne(answer.text).vevent
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert f"{conference.reference}.ics" in answer.headers["Content-Disposition"]
    assert (read.uid.value, read.summary.value) == (conference.uid, "Lung meeting")
    assert read.dtstart.value == instant(tomorrow(), 9)
    assert b"\r\n" in answer.data


def test_a_stranger_gets_the_file_without_the_title(
    network: Network, conference: Conference, client_for: object
) -> None:
    stranger = factories.account(organisation=factories.organisation("Others"))
    answer = client_for(stranger).get(f"/conferences/{conference.reference}.ics")  # type: ignore[operator]
    assert "Lung" not in answer.text
    assert vobject.readOne(answer.text).vevent.summary.value == conference.reference


@pytest.mark.parametrize("of", ["me", "organisation", "studio"])
def test_a_calendar_program_reads_a_feed(
    coordinator: FlaskClient, network: Network, conference: Conference, web: Web, of: str
) -> None:
    made = coordinator.post("/account/feeds", data={"of": of, "organisation": network.unn.id, "studio": "BOD-1"})
    found = events(url=web.address + path_of(made), end=datetime.now(UTC) + timedelta(days=3))
    assert [(each.summary, each.start) for each in found] == [("Lung meeting", instant(tomorrow(), 9))]


def test_an_unchanged_feed_is_not_sent_again(
    coordinator: FlaskClient, network: Network, conference: Conference, web: Web
) -> None:
    address = web.address + path_of(coordinator.post("/account/feeds", data={"of": "me"}))
    mark = httpx.get(address, trust_env=False).headers["ETag"]
    assert httpx.get(address, headers={"If-None-Match": mark}, trust_env=False).status_code == 304
    conference.title, conference.version = "Heart meeting", 2
    db.session.commit()
    assert "Heart meeting" in httpx.get(address, headers={"If-None-Match": mark}, trust_env=False).text


def test_a_feed_shows_what_its_person_may_see_now(
    app: Flask, coordinator: FlaskClient, neighbour: FlaskClient, network: Network
) -> None:
    factories.conference(network.tromso_1, network.tromso_2, start=instant(tomorrow(), 9), title="Ours alone")
    path = path_of(neighbour.post("/account/feeds", data={"of": "studio", "studio": "TRO-1"}))
    anybody = app.test_client()
    assert summaries(anybody, path) == [db.session.scalars(db.select(Conference)).one().reference]
    factories.grant(network.neighbour, organisation=network.unn)
    assert summaries(anybody, path) == ["Ours alone"]


def test_who_has_lost_their_role_reads_nothing_of_the_organisation_any_more(
    app: Flask, coordinator: FlaskClient, network: Network, conference: Conference
) -> None:
    data = {"of": "organisation", "organisation": network.unn.id}
    path = path_of(coordinator.post("/account/feeds", data=data))
    assert summaries(app.test_client(), path) == ["Lung meeting"]
    db.session.rollback()
    for grant in db.session.get_one(Account, network.coordinator.id).grants:
        grant.organisation_id = network.nlsh.id
    db.session.commit()
    assert app.test_client().get(path).status_code == 404


def test_a_feed_of_another_organisation_is_refused(neighbour: FlaskClient, network: Network) -> None:
    answer = neighbour.post("/account/feeds", data={"of": "organisation", "organisation": network.unn.id})
    assert answer.status_code == 403
    assert db.session.scalars(db.select(Feed)).all() == []


def test_what_is_revoked_or_whose_person_has_gone_is_read_no_more(
    app: Flask, coordinator: FlaskClient, neighbour: FlaskClient, network: Network, conference: Conference
) -> None:
    first, second = (path_of(coordinator.post("/account/feeds", data={"of": "me"})) for _ in range(2))
    anybody, feed = app.test_client(), db.session.scalars(db.select(Feed).order_by(Feed.id)).first()
    assert feed is not None
    assert neighbour.post(f"/account/feeds/{feed.id}/revoke").status_code == 404
    assert coordinator.post(f"/account/feeds/{feed.id}/revoke").status_code == 303
    assert (anybody.get(first).status_code, anybody.get(second).status_code) == (404, 200)
    db.session.rollback()
    db.session.get_one(Account, network.coordinator.id).disabled_at = datetime.now(UTC)
    db.session.commit()
    assert anybody.get(second).status_code == 404
    assert anybody.get("/feeds/nonsense.ics").status_code == 404


def test_the_secret_is_neither_stored_nor_logged(
    coordinator: FlaskClient, app: Flask, capfd: pytest.CaptureFixture[str], network: Network
) -> None:
    path = path_of(coordinator.post("/account/feeds", data={"of": "me"}))
    secret = path.removeprefix("/feeds/").removesuffix(".ics")
    capfd.readouterr()
    app.test_client().get(path)
    written = capfd.readouterr()
    assert secret not in written.out + written.err
    feed = db.session.scalars(db.select(Feed)).one()
    assert secret not in repr(feed.__dict__)
    assert feed.last_read_at is not None
