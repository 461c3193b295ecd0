"""What programs are told of the studios' equipment, beside what the tables say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from accounts.rules import Scope
from models import (
    Closure,
    Endpoint,
    EndpointStatus,
    Event,
    Health,
    Incident,
    Light,
    Preflight,
    Role,
    Severity,
    Studio,
    db,
    write,
)
from tests import factories

MINUTE = timedelta(minutes=1)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def program(app: Flask) -> dict[str, str]:
    return {**factories.token(factories.account(role=Role.TECHNICIAN)), "Accept-Language": "en"}


def ask(client: FlaskClient, program: dict[str, str], path: str) -> Any:
    response = client.get(f"/api/v1{path}", headers=program)
    assert response.status_code == 200, response.text
    return response.json


def a_studio(
    code: str, health: Health = Health.OK, cause: str = "", ago: timedelta = MINUTE / 2, **changes: Any
) -> Studio:
    studio = factories.studio(changes.pop("site", None), code=code)
    endpoint = factories.endpoint(studio, vendor=changes.pop("vendor", "Cisco"))
    row = db.session.get_one(EndpointStatus, endpoint.id)
    row.health, row.cause, row.last_poll_at = health, cause, datetime.now(UTC) - ago
    for name, value in changes.items():
        setattr(row, name, value)
    db.session.commit()
    return studio


def codes(client: FlaskClient, program: dict[str, str], query: str) -> list[str]:
    return [one["code"] for one in ask(client, program, f"/status?{query}")["studios"]]


def test_each_studio_with_its_state_its_cause_and_the_age_of_it_all(
    client: FlaskClient, program: dict[str, str]
) -> None:
    a_studio("A", in_call=True, call_peer="oslo@nhn.example", loss_percent=1.5)
    a_studio("B", Health.DOWN, "no-answer")
    a_studio("C", ago=timedelta(hours=1))
    closed = a_studio("D", Health.DOWN, "no-answer")
    factories.studio(code="E")
    now = datetime.now(UTC)
    closure = Closure(studio_id=closed.id, starts_at=now - MINUTE, ends_at=now + MINUTE, reason="Painting")
    write(lambda: db.session.add(closure))
    found = {one["code"]: one for one in ask(client, program, "/status")["studios"]}
    assert [(code, one["state"], one["cause"]) for code, one in found.items()] == [
        ("A", "ok", ""),
        ("B", "down", "no-answer"),
        ("C", "unknown", "stale"),
        ("D", "maintenance", "closure"),
        ("E", "unknown", "never-polled"),
    ]
    assert (found["A"]["in_call"], found["A"]["peer"], found["A"]["loss_percent"]) == (True, "oslo@nhn.example", 1.5)
    assert found["B"]["fault"] == "does not answer"
    assert 29 < found["A"]["age_seconds"] < 60
    assert (found["E"]["age_seconds"], found["C"]["since"]) == (None, None)


def test_every_filter_and_several_together(client: FlaskClient, program: dict[str, str]) -> None:
    north = factories.site(factories.organisation("UNN"), name="Tromsø", health_region="Nord")
    west = factories.site(factories.organisation("Bergen"), name="Bergen", health_region="Vest")
    a_studio("N1", site=north)
    a_studio("N2", Health.DOWN, site=north, vendor="Poly")
    a_studio("W1", Health.DOWN, site=west)
    assert codes(client, program, "region=Nord") == ["N1", "N2"]
    assert codes(client, program, "organisation=Bergen") == ["W1"]
    assert codes(client, program, "site=Troms%C3%B8&site=Bergen") == ["N1", "N2", "W1"]
    assert codes(client, program, "vendor=Poly") == ["N2"]
    assert codes(client, program, "state=down&region=Nord") == ["N2"]
    assert codes(client, program, "state=ok&state=down") == ["N1", "N2", "W1"]
    assert client.get("/api/v1/status?state=broken", headers=program).status_code == 422


def an_incident(studio: Studio, **changes: Any) -> int:
    fault = {"cause": "no-answer", "severity": Severity.CRITICAL, "opened_at": datetime.now(UTC)}
    row = Incident(studio_id=studio.id, **{**fault, **changes})
    write(lambda: (db.session.add(row), db.session.flush()))
    return row.id


def test_incidents_come_by_urgency_with_what_they_hit(client: FlaskClient, program: dict[str, str]) -> None:
    unused, booked = an_incident(a_studio("A", Health.DOWN)), an_incident(studio := a_studio("B", Health.DOWN))
    an_incident(a_studio("C"), resolved_at=datetime.now(UTC))
    conference = factories.conference(studio, factories.studio(), start=datetime.now(UTC) + 20 * MINUTE)
    found = ask(client, program, "/incidents")["incidents"]
    assert [one["id"] for one in found] == [booked, unused]
    assert [each["reference"] for each in found[0]["conferences"]] == [conference.reference]
    assert found[0]["priority"] > found[1]["priority"] == 0
    assert [one["studio"] for one in ask(client, program, "/incidents?resolved=true")["incidents"]] == ["C"]
    assert ask(client, program, "/incidents?severity=minor")["incidents"] == []


def test_a_program_takes_notes_and_resolves(client: FlaskClient, program: dict[str, str]) -> None:
    number = an_incident(a_studio("A"))

    def do(word: str, body: Any = None) -> Any:
        return client.post(f"/api/v1/incidents/{number}/{word}", headers=program, json=body)

    assert do("acknowledge").json["acknowledged_by"] == "Person"
    assert do("acknowledge").status_code == 409
    assert do("notes", {"text": "No power."}).status_code == 200
    assert do("notes", {"text": ""}).status_code == 422
    assert do("assign", {"account": "nobody@example.org"}).status_code == 422
    assert do("resolve").json["resolved_at"]
    told = do("reopen").json["events"]
    assert [each["kind"].removeprefix("incident.") for each in told] == [
        "reopened",
        "resolved",
        "noted",
        "acknowledged",
    ]
    assert told[2]["text"] == "No power."


def test_only_those_who_look_after_the_studios_work_on_incidents(client: FlaskClient, app: Flask) -> None:
    number = an_incident(a_studio("A"))
    other = factories.account(role=Role.TECHNICIAN, organisation=factories.organisation("Elsewhere"))
    for person in (other, factories.account(role=Role.COORDINATOR)):
        answer = client.post(f"/api/v1/incidents/{number}/acknowledge", headers=factories.token(person))
        assert answer.status_code == 403
    reader = factories.token(factories.account(role=Role.TECHNICIAN), Scope.READ)
    assert client.post(f"/api/v1/incidents/{number}/acknowledge", headers=reader).status_code == 403
    assert db.session.get_one(Incident, number).acknowledged_at is None


def test_a_studio_is_asked_now(client: FlaskClient, program: dict[str, str], app: Flask) -> None:
    a_studio("A")
    db.session.execute(sa.update(EndpointStatus).values(wanted_at=None))
    db.session.commit()
    stranger = factories.account(role=Role.TECHNICIAN, organisation=factories.organisation("Elsewhere"))
    answers = [
        client.post("/api/v1/status/A/poll", headers=factories.token(stranger)).status_code,
        client.post("/api/v1/status/B/poll", headers=program).status_code,
    ]
    assert answers == [403, 404]
    assert db.session.scalars(sa.select(EndpointStatus.wanted_at)).one() is None
    assert client.post("/api/v1/status/A/poll", headers=program).status_code == 202
    db.session.rollback()
    assert db.session.scalars(sa.select(EndpointStatus.wanted_at)).one() is not None


def test_looks_before_conferences(client: FlaskClient, program: dict[str, str]) -> None:
    studio = a_studio("A")
    now = datetime.now(UTC)
    soon, later = (
        factories.conference(studio, factories.studio(), start=now + ahead, end=now + ahead + MINUTE)
        for ahead in (10 * MINUTE, 70 * MINUTE)
    )
    for conference in (soon, later):
        look = Preflight(
            conference_id=conference.id,
            studio_id=studio.id,
            minutes=15,
            checked_at=now,
            light=Light.RED,
            checks={"reachable": "failed"},
        )
        write(lambda look=look: db.session.add(look))  # type: ignore[misc]
    [found] = ask(client, program, "/preflights")["preflights"]
    assert (found["reference"], found["light"], found["checks"]) == (soon.reference, "red", {"reachable": "failed"})
    assert len(ask(client, program, f"/preflights?reference={later.reference}")["preflights"]) == 1
    assert ask(client, program, "/preflights?light=green")["preflights"] == []


def test_what_happened_newest_first(client: FlaskClient, program: dict[str, str]) -> None:
    studio, now = a_studio("A"), datetime.now(UTC)
    for ago, kind in ((3, "studio.down"), (1, "studio.ok"), (2, "leg.dialled")):
        event = Event(at=now - ago * MINUTE, kind=kind, studio_id=studio.id, details={"cause": "no-answer"})
        write(lambda event=event: db.session.add(event))  # type: ignore[misc]
    found = ask(client, program, "/events?studio=A")["events"]
    assert [(one["kind"], one["studio"], one["cause"]) for one in found] == [
        ("studio.ok", "A", "no-answer"),
        ("studio.down", "A", "no-answer"),
    ]
    assert ask(client, program, "/events?studio=B")["events"] == []
    assert db.session.scalar(sa.select(sa.func.count(Endpoint.id))) == 1
