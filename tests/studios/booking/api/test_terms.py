"""Programs of administrators set the terms of studios and look after the bridges."""

import pytest

from models import AuditEntry, Role, db
from tests import factories
from tests.studios.booking.api.asking import at, wish
from tests.studios.booking.api.conftest import program

BRIDGE = {"address": "https://bridge.example.org", "ports": 40, "dial_domain": "vc.example.org"}
EVERY_DAY = {day: ["10:00-15:30"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@pytest.fixture
def local(app, network):
    """The program of an administrator of UNN alone."""
    return program(app, factories.account(role=Role.ADMINISTRATOR, organisation=network.unn))


@pytest.fixture
def chief(app, network):
    """The program of an administrator for all."""
    return program(app, factories.account(role=Role.ADMINISTRATOR))


def test_what_is_named_of_a_studios_terms_is_changed_and_the_rest_stays(local, unn):
    answer = local("PATCH", "/studios/TRO-1", json={"bookable_hours": EVERY_DAY, "setup_minutes": 15})
    assert answer.status_code == 200, answer.json
    assert answer.json == {
        "studio": "TRO-1", "bookable_hours": EVERY_DAY, "setup_minutes": 15, "clear_down_minutes": 0, "shared": True,
        "needs_approval": False, "clinical": True, "start_mode": "muted",
    }  # fmt: skip
    assert unn("POST", "/conferences", json=wish()).json["conflicts"][0]["kind"] == "outside_hours"
    again = local("PATCH", "/studios/TRO-1", json={"shared": False, "needs_approval": True, "setup_minutes": None})
    assert (again.json["shared"], again.json["setup_minutes"], again.json["bookable_hours"]) == (False, 15, EVERY_DAY)
    assert local("PATCH", "/studios/TRO-1", json={"bookable_hours": None}).json["bookable_hours"] is None
    assert unn("POST", "/conferences", json=wish()).status_code == 201
    entries = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "studio.terms")).all()
    assert [each.object for each in entries] == ["TRO-1"] * 3


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"setup_minutes": 241}, "setup_minutes"),
        ({"bookable_hours": {}}, "bookable_hours"),
        ({"bookable_hours": {"mon": ["12:00-11:00"]}}, "bookable_hours"),
        ({"bookable_hours": {"mon": ["noon"]}}, "bookable_hours.mon.0"),
        ({"bookable_hours": {"monday": ["08:00-11:00"]}}, "bookable_hours.monday.[key]"),
        ({"capacity": 4}, "capacity"),
    ],
)
def test_terms_that_make_no_sense_are_refused_with_their_field(local, terms, field):
    answer = local("PATCH", "/studios/TRO-1", json=terms)
    assert (answer.status_code, [each["field"] for each in answer.json["problems"]]) == (422, [field])


def test_only_administrators_of_its_organisation_set_the_terms_of_a_studio(local, chief, unn):
    assert local("PATCH", "/studios/BOD-1", json={"shared": False}).status_code == 403
    assert unn("PATCH", "/studios/TRO-1", json={"shared": False}).status_code == 403
    assert chief("PATCH", "/studios/BOD-1", json={"shared": False}).status_code == 200
    assert local("PATCH", "/studios/NO-1", json={"shared": False}).status_code == 404


def test_bridges_are_added_changed_and_retired(chief):
    added = chief("PUT", "/bridges/North", json=BRIDGE)
    assert added.status_code == 201, added.json
    assert added.json == {
        "name": "North", "driver": "pexip", "health_region": "", "retired": False, "system_location": "",
        "credential": "", **BRIDGE,
    }  # fmt: skip
    changed = chief("PUT", "/bridges/North", json={**BRIDGE, "ports": 20})
    assert (changed.status_code, changed.json["ports"]) == (200, 20)
    assert chief("DELETE", "/bridges/North").json["retired"]
    assert chief("GET", "/bridges/North").json == {**changed.json, "retired": True}
    assert [each["name"] for each in chief("GET", "/bridges").json["bridges"]] == ["North"]
    assert not chief("PUT", "/bridges/North", json=BRIDGE).json["retired"]
    assert (chief("GET", "/bridges/South").status_code, chief("DELETE", "/bridges/South").status_code) == (404, 404)


def test_ports_that_are_promised_stay(chief, unn):
    chief("PUT", "/bridges/North", json=BRIDGE)
    guest = {"guest": "sip:anne@example.org"}
    answer = unn("POST", "/conferences", json=wish({"studio": "TRO-1"}, {"studio": "BOD-1"}, guest, end=at(10)))
    assert answer.json["bridge"] == "North"
    assert chief("PUT", "/bridges/North", json={**BRIDGE, "ports": answer.json["ports"] - 1}).status_code == 409


def test_a_bridge_that_makes_no_sense_is_refused(chief):
    for wrong in ({"ports": -1}, {"ports": 10_001}, {"address": ""}, {"address": " "}):
        assert chief("PUT", "/bridges/North", json={**BRIDGE, **wrong}).status_code == 422
    for name in ("N" * 101, "North%20", "North%0AWest", "North%07"):
        assert chief("PUT", f"/bridges/{name}", json=BRIDGE).status_code == 422, name


def test_bridges_are_for_administrators_for_all(local, unn):
    for send in (local, unn):
        assert send("GET", "/bridges").status_code == 403
        assert send("GET", "/bridges/North").status_code == 403
        assert send("PUT", "/bridges/North", json=BRIDGE).status_code == 403
        assert send("DELETE", "/bridges/North").status_code == 403
