"""Studios added, changed, moved, retired, brought in and taken out in the browser."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models import Endpoint, EndpointStatus, Role, Studio, db
from studios.inventory.exporting import export_csv
from tests import factories
from tests.studios.booking.pages import Network, SignIn, in_english, text_of

NEW = {
    "code": "TRO-9",
    "name": "UNN Tromsø, Studio 9",
    "site": "UNN Tromsø",
    "organisation": "UNN",
    "capacity": "6",
    "equipment": "document camera; second screen",
    "dial_address": "sip:tro9@example.org",
    "snmp_host": "10.1.2.3",
    "snmp_port": "161",
    "snmp_version": "2c",
}


@pytest.fixture
def network(app: Flask) -> Network:
    return Network()


@pytest.fixture
def technician(network: Network, client_for: SignIn) -> FlaskClient:
    return in_english(client_for(factories.account(organisation=network.unn, role=Role.TECHNICIAN)))


@pytest.fixture
def administrator(network: Network, client_for: SignIn) -> FlaskClient:
    return in_english(client_for(factories.account(role=Role.ADMINISTRATOR)))


def studio(code: str) -> Studio | None:
    db.session.rollback()
    db.session.expire_all()
    found: Studio | None = db.session.scalar(db.select(Studio).where(Studio.code == code))
    return found


def add(client: FlaskClient, **changes: str):
    return client.post("/inventory/studios/new", data={**NEW, **changes})


def test_a_studio_is_added_at_a_site_that_is_known(technician):
    assert add(technician).location == "/studios/TRO-9"
    found = studio("TRO-9")
    assert found is not None
    assert found.endpoint is not None
    assert (found.site.name, found.capacity, found.equipment) == ("UNN Tromsø", 6, ["document camera", "second screen"])
    assert (found.endpoint.snmp_host, found.endpoint.dial_address) == ("10.1.2.3", "sip:tro9@example.org")
    assert db.session.get(EndpointStatus, found.endpoint.id) is not None  # it is watched from now on


def test_a_site_that_is_new_needs_all_that_makes_a_site(technician):
    refused = add(technician, site="UNN Åsgård")
    assert refused.status_code == 422
    assert studio("TRO-9") is None
    place = {"organisation_kind": "health_trust", "health_region": "Nord", "county": "Troms", "municipality": "Tromsø"}
    added = add(technician, site="UNN Åsgård", town="Tromsø", latitude="69.6", longitude="18.9", **place)
    assert added.status_code == 303
    found = studio("TRO-9")
    assert found is not None
    assert found.site.name == "UNN Åsgård"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "has a blank"}, "no code"),
        ({"capacity": "many"}, "not a whole number"),
        ({"snmp_host": "10.0.0.256"}, "neither an IP address nor a host name"),
        ({"control_driver": "cisco-xapi"}, "the control driver needs it"),
        ({"snmp_credential": "nobodys"}, "There is no credential named “nobodys”"),
        ({"snmp_version": "3"}, "SNMP version 3 needs it"),
        ({"code": "tro-1"}, "There is a studio with this code already"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_stays_as_typed(technician, changes, words):
    answer = add(technician, name="A name to keep", **changes)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert 'value="A name to keep"' in answer.text
    assert studio("TRO-9") is None
    assert studio("has a blank") is None


def test_a_studio_is_changed_and_moved_to_another_site(technician, network):
    other = factories.site(network.unn, name="UNN Narvik")
    typed = technician.get("/inventory/studios/TRO-1").text
    assert 'value="UNN Tromsø, Studio 1"' in typed
    endpoint = db.session.scalar(db.select(Endpoint).where(Endpoint.studio_id == network.tromso_1.id))
    data = {**NEW, "name": "Moved", "site": other.name, "snmp_host": endpoint.snmp_host or ""}
    assert technician.post("/inventory/studios/TRO-1", data=data).status_code == 303
    found = studio("TRO-1")
    assert found is not None
    assert (found.name, found.site.name, found.id) == ("Moved", "UNN Narvik", network.tromso_1.id)
    assert studio("TRO-9") is None  # a code is never changed


def test_what_others_look_after_is_not_theirs_to_change(technician):
    assert technician.get("/inventory/studios/BOD-1").status_code == 403
    assert technician.post("/inventory/studios/BOD-1", data=NEW).status_code == 403
    assert add(technician, site="NLSH Bodø", organisation="NLSH").status_code == 403
    assert add(technician, organisation="A new one", site="Here").status_code in (403, 422)
    assert studio("TRO-9") is None


def test_a_studio_is_retired_and_taken_back(technician, network):
    assert "Retire" in text_of(technician.get("/inventory/studios/TRO-2/retire"))
    assert technician.post("/inventory/studios/TRO-2/retire").status_code == 303
    assert studio("TRO-2").retired_at is not None
    assert technician.post("/inventory/studios/TRO-2/retire").status_code == 303
    assert studio("TRO-2").retired_at is None


def test_what_is_booked_is_not_retired(technician, network):
    factories.conference(network.tromso_2, network.bodo_1, start=datetime.now(UTC) + timedelta(days=2))
    answer = technician.post("/inventory/studios/TRO-2/retire")
    assert (answer.status_code, "1 conference is booked there" in text_of(answer)) == (409, True)
    assert studio("TRO-2").retired_at is None


def test_what_is_taken_out_can_be_brought_in_again(administrator):
    taken = administrator.get("/inventory/export")
    assert taken.text == export_csv()
    answer = administrator.post("/inventory/import", data={"file": (io.BytesIO(taken.data), "studios.csv")})
    assert answer.status_code == 200
    assert "As they are 4" in text_of(answer)


def test_a_file_is_shown_before_it_changes_anything(administrator):
    content = export_csv().replace("UNN Tromsø, Studio 1", "Another name").encode()
    seen = administrator.post("/inventory/import", data={"file": (io.BytesIO(content), "studios.csv")})
    assert "Changed 1" in text_of(seen)
    assert studio("TRO-1").name == "UNN Tromsø, Studio 1"
    done = administrator.post("/inventory/import", data={"content": content.decode(), "sure": "1"})
    assert done.status_code == 303
    assert studio("TRO-1").name == "Another name"


def test_a_file_with_faults_changes_nothing_and_each_is_named(administrator):
    content = export_csv().replace("TRO-2", "TRO 2").encode()
    answer = administrator.post("/inventory/import", data={"file": (io.BytesIO(content), "studios.csv")})
    assert answer.status_code == 422
    assert "Line 5: code: “TRO 2” is no code" in text_of(answer)
    assert administrator.post("/inventory/import", data={}).status_code == 422
    assert administrator.post("/inventory/import", data={"content": "\x00\xff"}).status_code == 422
