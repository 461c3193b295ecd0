from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import (
    Account,
    Closure,
    Conference,
    Endpoint,
    EndpointStatus,
    Health,
    Organisation,
    OrganisationKind,
    Party,
    Purpose,
    Reservation,
    Role,
    StatusChange,
    Studio,
    db,
)
from monitoring.rules import Cause
from studios.inventory.present import present_health
from studios.inventory.views import blueprint
from studios.inventory.wording import CAUSES, FACES, KINDS
from tests import factories

OSLO = ZoneInfo("Europe/Oslo")

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Ask = Callable[..., TestResponse]


@pytest.fixture
def pages(app: Flask) -> Flask:
    if blueprint.name not in app.blueprints:
        app.register_blueprint(blueprint)
    if "booking.conferences" not in app.view_functions:
        app.add_url_rule("/conferences/", "booking.conferences", lambda: "")
    return app


@pytest.fixture
def ask(pages: Flask, client_for: Callable[[Account], FlaskClient]) -> Ask:
    """Ask for an address as a person with a role; each request has a context of its own, as in the server."""

    def get(
        address: str, role: Role | None = Role.COORDINATOR, owner: Organisation | None = None, **headers: str
    ) -> TestResponse:
        client = client_for(factories.account(role=role, organisation=owner))
        client.set_cookie("language", "en")
        with pages.app_context():
            return client.get(address, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return get


def polled(endpoint: Endpoint, health: Health = Health.OK, **changes: object) -> EndpointStatus:
    status = db.session.get_one(EndpointStatus, endpoint.id)
    status.health, status.last_poll_at = health, datetime.now(UTC)
    for name, value in changes.items():
        setattr(status, name, value)
    db.session.commit()
    return status


def booked(studio: Studio, owner: Organisation, title: str) -> Conference:
    noon = datetime.now(OSLO).replace(hour=12, minute=0, second=0, microsecond=0)  # of the day that the page shows
    conference = Conference(
        title=title,
        purpose=Purpose.CLINICAL,
        organisation_id=owner.id,
        starts_at=noon,
        ends_at=noon + timedelta(hours=1),
        created_at=noon,
    )
    reservation = Reservation(
        studio_id=studio.id, conference=conference, starts_at=noon, ends_at=noon + timedelta(hours=1)
    )
    conference.parties = [Party(position=0, reservation=reservation, organisation_id=studio.site.organisation_id)]
    db.session.add(conference)
    db.session.commit()
    return conference


def test_the_list_shows_studios_and_their_state_in_words(ask: Ask) -> None:
    studio = factories.studio(code="UNN-1", name="UNN Tromsø, Studio 1")
    polled(factories.endpoint(studio), Health.DOWN)
    page = ask("/studios/?q=tromso").text
    assert "1 studio<" in page
    assert "UNN Tromsø, Studio 1" in page
    assert "Down" in page
    assert 'href="/studios/UNN-1"' in page


IN_CLEAR = "SNMP v2c: not encrypted"


@pytest.fixture
def watched_studios(app: Flask) -> None:
    factories.endpoint(factories.studio(code="CLEAR-1"))
    factories.endpoint(factories.studio(code="SEALED-1"), snmp_version="3")
    factories.endpoint(factories.studio(code="ALONE-1"), snmp_host=None)


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.ADMINISTRATOR])
def test_who_can_mend_it_sees_where_snmp_is_not_encrypted(ask: Ask, watched_studios: None, role: Role) -> None:
    part = ask("/studios/", role, HX_Request="true").text
    assert part.count(IN_CLEAR) == 1
    assert IN_CLEAR in ask("/studios/CLEAR-1", role).text
    assert IN_CLEAR not in ask("/studios/SEALED-1", role).text
    assert IN_CLEAR not in ask("/studios/ALONE-1", role).text
    listed = ask("/studios/?snmp=2c", role, HX_Request="true").text
    assert [code in listed for code in ("CLEAR-1", "SEALED-1", "ALONE-1")] == [True, False, False]


def test_nobody_else_is_told_where_snmp_is_not_encrypted(ask: Ask, watched_studios: None) -> None:
    for address in ("/studios/", "/studios/?snmp=2c", "/studios/CLEAR-1"):
        assert IN_CLEAR not in ask(address, Role.COORDINATOR).text
    assert "SEALED-1" in ask("/studios/?snmp=2c", Role.COORDINATOR).text


def test_an_htmx_request_gets_the_table_alone(ask: Ask) -> None:
    factories.studio(code="UNN-1")
    whole, part = ask("/studios/"), ask("/studios/", HX_Request="true")
    assert part.text.lstrip().startswith('<section class="panel" id="studios"')
    assert part.text.strip() in whole.text
    assert "HX-Request" in part.headers["Vary"]


@pytest.mark.parametrize(
    "query",
    ["page=x", "page=99999999999999999999", "kind=none", "region=nowhere", "region=%00", "q=%00", f"q={'x' * 9000}"],
)
def test_an_odd_query_is_answered(ask: Ask, query: str) -> None:
    assert ask(f"/studios/?{query}").status_code == 200


def test_the_page_shows_place_equipment_and_contact(ask: Ask) -> None:
    studio = factories.studio(code="UNN-1", name="UNN, Studio 1", equipment=["second-screen", "smoke machine"])
    polled(factories.endpoint(studio))
    page = ask("/studios/UNN-1").text
    for told in ("UNN, Studio 1", "Tromsø", "Second screen", "smoke machine", "77 00 00 01", "sip:unn-1@", "OK"):
        assert told in page


def test_old_data_is_shown_as_unknown(ask: Ask) -> None:
    polled(factories.endpoint(factories.studio(code="UNN-1")), last_poll_at=datetime.now(UTC) - timedelta(hours=1))
    page = ask("/studios/UNN-1").text
    assert "is-unknown" in page
    assert "is-ok badge--large" not in page


def test_a_studio_in_call_names_the_other_end(ask: Ask) -> None:
    other = factories.studio(code="BODO-1", name="Bodø, Studio 1")
    factories.endpoint(other, "127.203.3.2")
    studio = factories.studio(code="UNN-1")
    polled(factories.endpoint(studio), in_call=True, call_peer="sip:bodo-1@127.203.3.2")
    page = ask("/studios/UNN-1").text
    assert "In call with" in page
    assert 'href="/studios/BODO-1"' in page


def test_a_title_is_for_the_organisations_around_the_table(ask: Ask) -> None:
    studio, owner = factories.studio(code="UNN-1"), factories.organisation("Helse Bergen HF")
    conference = booked(studio, owner, "Lung meeting")
    own = ask("/studios/UNN-1", owner=owner).text
    foreign = ask("/studios/UNN-1", owner=factories.organisation()).text
    assert "Lung meeting" in own
    assert f'href="/conferences/{conference.reference}"' in own
    assert "block--own" in own
    assert "Lung meeting" not in foreign
    assert "Busy" in foreign
    assert conference.reference in foreign
    assert "Helse Bergen HF" in foreign
    assert "block--busy" in foreign


def test_the_day_is_shown_where_something_is_booked(ask: Ask) -> None:
    studio, other = factories.studio(code="UNN-1"), factories.studio(code="UNN-2")
    factories.studio(code="UNN-3")
    midnight = datetime.now(OSLO).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    factories.conference(studio, other, start=midnight, end=midnight + timedelta(days=1, hours=2))
    assert 'class="hour from-0">00<' in ask("/studios/UNN-1").text
    assert 'class="hour from-0">07<' in ask("/studios/UNN-3").text, "nothing is booked: office hours"


def test_released_time_is_not_shown(ask: Ask) -> None:
    studio = factories.studio(code="UNN-1")
    conference = booked(studio, factories.organisation(), "Lung meeting")
    conference.reservations[0].released_at = NOW
    db.session.commit()
    assert "Nothing is booked" in ask("/studios/UNN-1").text


def test_changes_of_health_are_told_newest_first(ask: Ask) -> None:
    endpoint = factories.endpoint(factories.studio(code="UNN-1"))
    for minute, (before, after, cause) in enumerate(
        [(Health.UNKNOWN, Health.OK, ""), (Health.OK, Health.DOWN, "no-answer")]
    ):
        at = NOW + minute * MINUTE
        db.session.add(StatusChange(endpoint_id=endpoint.id, at=at, from_health=before, to_health=after, cause=cause))
    db.session.commit()
    page = ask("/studios/UNN-1").text
    assert page.index("Down: does not answer") < page.index("before: Unknown")


def test_a_closure_is_told_with_its_reason(ask: Ask) -> None:
    studio = factories.studio(code="UNN-1")
    polled(factories.endpoint(studio))
    now = datetime.now(UTC)
    db.session.add(Closure(site_id=studio.site_id, starts_at=now - MINUTE, ends_at=now + MINUTE, reason="New carpet"))
    db.session.commit()
    page = ask("/studios/UNN-1").text
    assert "New carpet" in page
    assert "is-maint badge--large" in page
    assert "Maintenance" in ask("/studios/").text


@pytest.mark.parametrize("code", ["NOBODY", "%00", "x" * 5000, "%F0%9F%93%B7", "..%2f", "<script>"])
def test_an_unknown_code_is_not_found(ask: Ask, code: str) -> None:
    answer = ask(f"/studios/{code}")
    assert answer.status_code == 404
    assert "<script>" not in answer.text.replace("<script src", "")


def test_pages_ask_for_sign_in_and_a_role(pages: Flask, ask: Ask) -> None:
    factories.studio(code="UNN-1")
    for address in ("/studios/", "/studios/UNN-1"):
        assert pages.test_client().get(address).status_code == 302
        assert ask(address, role=None).status_code == 403
        for role in Role:
            assert ask(address, role=role).status_code == 200


def test_a_closure_outweighs_all_and_silence_of_the_monitor_outweighs_health() -> None:
    stale_after = timedelta(minutes=3)
    fresh, old = NOW - MINUTE, NOW - 4 * MINUTE
    assert present_health(Health.OK, fresh, False, NOW, stale_after) is Health.OK
    assert present_health(Health.DOWN, fresh, False, NOW, stale_after) is Health.DOWN
    assert present_health(Health.OK, old, False, NOW, stale_after) is Health.UNKNOWN
    assert present_health(Health.DOWN, old, True, NOW, stale_after) is Health.MAINTENANCE
    assert present_health(None, None, False, NOW, stale_after) is Health.UNKNOWN


def test_there_is_a_word_for_every_state_kind_and_cause() -> None:
    assert FACES.keys() == set(Health)
    assert KINDS.keys() == set(OrganisationKind)
    assert CAUSES.keys() == {cause.value for cause in Cause} - {""}
