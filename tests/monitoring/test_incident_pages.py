"""The pages of incidents: what they show, and what people do on them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from models import Account, EndpointStatus, Event, Health, Incident, OnCall, Role, Severity, Studio, database_now, db
from tests import factories
from tests.monitoring.open_page import conference, keep, live_address, watched
from tests.studios.booking.pages import counted_queries, in_english, text_of

MOST_QUERIES = 12
SignIn = Callable[[Account], FlaskClient]


@pytest.fixture
def person(app) -> Account:
    return factories.account(role=Role.TECHNICIAN, name="Tora Tekniker")


@pytest.fixture
def technician(person: Account, client_for: SignIn) -> FlaskClient:
    return in_english(client_for(person))


def an_incident(studio: Studio | None = None, **changes: object) -> Incident:
    studio = studio or watched(health=Health.DOWN, cause="no-answer")
    values = {"cause": "no-answer", "severity": Severity.CRITICAL, "opened_at": database_now() - timedelta(minutes=5)}
    return keep(Incident(**{"studio_id": studio.id, **values, **changes}))


def of_site(site, **changes: object) -> Incident:
    return an_incident(watched(site), studio_id=None, site_id=site.id, cause="site-outage", **changes)


def anew(incident: Incident) -> Incident:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Incident, incident.id)


def press(client: FlaskClient, incident: Incident, act: str, **fields: str):
    number = incident.id
    db.session.rollback()  # SQLite refuses a write after a read of what the page has changed since
    return client.post(f"/status/incidents/{number}/{act}", data=fields)


# The list


def test_the_most_urgent_stands_first_with_its_next_conference(technician):
    idle, busy = watched(name="Quiet", health=Health.DOWN), watched(name="Busy", health=Health.DOWN)
    an_incident(idle), an_incident(busy)
    soon = conference(busy, watched(), minutes=10)
    page = technician.get("/status/incidents")
    text = text_of(page)
    assert "2 incidents" in text
    assert text.index("Busy") < text.index("Quiet")
    assert "10 min" in text
    assert "None soon" in text
    assert soon.reference not in text.split("Quiet")[1]


def test_what_is_over_stands_in_a_list_of_its_own(technician):
    an_incident(watched(name="Gone"), resolved_at=database_now())
    assert "Nothing fails" in text_of(technician.get("/status/incidents"))
    assert "Gone" in text_of(technician.get("/status/incidents?over=1"))


def test_the_list_can_be_narrowed(technician, person):
    an_incident(watched(factories.site(health_region="Vest"), name="Western"))
    mine = an_incident(watched(factories.site(health_region="Nord"), name="Northern"))
    mine.assigned_to_id, mine.acknowledged_at = person.id, database_now()
    db.session.commit()
    found = {
        words: [
            name for name in ("Western", "Northern") if name in text_of(technician.get(f"/status/incidents?{words}"))
        ]
        for words in ("mine=1", "untaken=1", "region=Vest", "region=Mars")
    }
    assert found == {
        "mine=1": ["Northern"],
        "untaken=1": ["Western"],
        "region=Vest": ["Western"],
        "region=Mars": ["Western", "Northern"],
    }


def test_an_open_list_is_told_only_what_is_new(technician):
    incident = an_incident()
    text = technician.get("/status/incidents").text
    address = live_address(text)
    assert technician.get(address).status_code == 204
    incident.acknowledged_at = database_now()
    db.session.commit()
    again = technician.get(address)
    assert again.status_code == 200
    assert "Main menu" not in again.text


def test_the_list_takes_at_most_twelve_queries_however_long_it_is(technician):
    for _ in range(15):
        an_incident()
    with counted_queries() as sent:
        technician.get("/status/incidents")
    assert len(sent) <= MOST_QUERIES


# One incident


def test_one_incident_tells_what_it_hits_who_was_told_and_what_the_equipment_said(technician, person):
    studio = watched(name="Studio 12", health=Health.DOWN)
    incident = an_incident(studio)
    hit = conference(studio, watched(), minutes=30)
    keep(Event(at=database_now(), kind="studio.trap", studio_id=studio.id, details={"trap": "cold-start"}))
    told = {"told": ["Tora Tekniker"], "people": [person.id], "programs": []}
    keep(Event(at=database_now(), kind="incident.told", incident_id=incident.id, studio_id=studio.id, details=told))
    text = text_of(technician.get(f"/status/incidents/{incident.id}"))
    for words in (
        "Studio 12",
        "Critical",
        "Does not answer",
        hit.reference,
        "It has started",
        "Those on call were told",
    ):
        assert words in text


def test_an_incident_of_a_site_lists_the_conferences_of_all_its_studios(technician):
    site = factories.site(name="UNN Narvik")
    incident = of_site(site)
    one, other = watched(site, name="One"), watched(site, name="Other")
    hits = [conference(studio, watched(), minutes=20).reference for studio in (one, other)]
    text = text_of(technician.get(f"/status/incidents/{incident.id}"))
    assert all(reference in text for reference in hits)
    assert "Ask it now" not in text


def test_take_note_give_on_resolve_and_reopen(technician, person):
    incident, other = an_incident(), factories.account(role=Role.TECHNICIAN, name="Nils Nattevakt")
    assert press(technician, incident, "acknowledge").status_code == 303
    assert anew(incident).acknowledged_by_id == person.id
    assert press(technician, incident, "note", text="The socket was loose").status_code == 303
    assert press(technician, incident, "assign", account=str(other.id)).status_code == 303
    assert anew(incident).assigned_to_id == other.id
    incident.quiet_since = database_now()
    db.session.commit()
    assert press(technician, incident, "resolve").status_code == 303
    assert anew(incident).resolved_at is not None
    assert press(technician, incident, "reopen").status_code == 303
    assert anew(incident).resolved_at is None
    text = text_of(technician.get(f"/status/incidents/{incident.id}"))
    for words in ("The socket was loose", "Given on", "Nils Nattevakt", "Opened again by hand"):
        assert words in text


def test_what_is_refused_says_why_and_keeps_what_was_typed(technician):
    incident = an_incident()
    press(technician, incident, "acknowledge")
    again = press(technician, incident, "acknowledge")
    assert (again.status_code, "has taken this incident already" in text_of(again)) == (409, True)
    still = press(technician, incident, "resolve")
    assert (still.status_code, "The fault is still there" in text_of(still)) == (409, True)
    long = press(technician, incident, "note", text="x" * 501)
    assert long.status_code == 422
    assert "x" * 501 in long.text


def test_a_poll_is_wished_for(technician):
    incident = an_incident()
    assert press(technician, incident, "poll").status_code == 303
    db.session.rollback()
    assert db.session.scalar(sa.select(EndpointStatus.wanted_at).where(EndpointStatus.wanted_at.is_not(None)))


def test_from_the_list_one_comes_back_to_the_list(technician):
    back = press(technician, an_incident(), "acknowledge", back="/status/incidents?untaken=1")
    assert back.location == "/status/incidents?untaken=1"
    away = press(technician, an_incident(), "acknowledge", back="https://evil.example/status")
    assert away.location.startswith("/status/incidents/")


def test_who_looks_after_others_studios_may_read_and_not_act(client_for):
    elsewhere = factories.account(organisation=factories.organisation(), role=Role.TECHNICIAN)
    client, incident = in_english(client_for(elsewhere)), an_incident()
    text = text_of(client.get(f"/status/incidents/{incident.id}"))
    assert "Take it" not in text
    assert "Resolve" not in text
    assert press(client, incident, "acknowledge").status_code == 403
    assert anew(incident).acknowledged_at is None


def test_an_incident_that_is_not_there(technician):
    assert technician.get("/status/incidents/999").status_code == 404


def test_who_is_on_call_stands_on_the_status_page(technician, person):
    keep(OnCall(level=1, account_id=person.id, health_region="Nord", starts_at=database_now() - timedelta(days=1)))
    assert "On call: Tora Tekniker (Nord)" in text_of(technician.get("/status"))
