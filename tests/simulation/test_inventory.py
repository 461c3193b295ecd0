"""Which studios of the inventory the fleet serves, and how."""

from datetime import UTC, datetime

import pytest

from models import ControlDriver, Endpoint, Site, SnmpVersion, Studio, db
from simulation.inventory import Secrets, read_inventory, spec_of
from simulation.sockets import FleetError
from simulation.studio import SnmpUser
from tests import factories


def test_a_studio_on_loopback_is_served_with_its_ports_and_secrets(app):
    codec = factories.credential("codec", "admin", "hemmelig")
    community = factories.credential("snmp", "", "lese")
    studio = factories.studio(code="OUS01", name="Møterom 1")
    factories.endpoint(
        studio,
        dial_address="sip:rom1@127.1.0.5:5070",
        control_url="http://127.1.0.5:8081",
        control_credential_id=codec.id,
        snmp_host="127.1.0.5",
        snmp_port=1162,
        snmp_credential_id=community.id,
    )
    (spec,) = read_inventory().studios
    assert (spec.code, spec.name, spec.address) == ("OUS01", "Møterom 1", "127.1.0.5")
    assert (spec.http_port, spec.sip_port, spec.snmp_port) == (8081, 5070, 1162)
    assert (spec.username, spec.password, spec.community) == ("admin", "hemmelig", "lese")
    assert spec.uri == "sip:rom1@127.1.0.5:5070"
    assert spec.answers_to("ROM1")
    assert spec.answers_to("ous01")
    assert not spec.answers_to("rom2")
    assert spec.serial.startswith("FTT")


def test_a_studio_of_version_3_is_served_with_both_pass_phrases_and_no_community(app):
    credential = factories.credential("snmp", "leser", "godkjenning")
    credential.seal_privacy("hemmelighet")
    details = {"address": "127.1.0.5", "snmp_version": SnmpVersion.V3}
    factories.endpoint(factories.studio(code="OUS01"), snmp_credential_id=credential.id, **details)
    factories.endpoint(factories.studio(code="OUS02"), **{**details, "address": "127.1.0.6"})
    first, second = read_inventory().studios
    assert (first.snmp_user, first.community) == (SnmpUser("leser", "godkjenning", "hemmelighet"), "")
    # Without a credential it has an agent all the same, which knows nobody.
    assert (second.snmp_user, second.community) == (SnmpUser("", "", ""), "")
    assert "godkjenning" not in repr(first)


def test_equipment_elsewhere_or_none_is_counted_and_a_retired_studio_is_not(app):
    factories.endpoint(factories.studio(), address="192.0.2.9")
    factories.endpoint(factories.studio(), address="studio.example")
    factories.studio()
    factories.endpoint(factories.studio(retired_at=datetime.now(UTC)), address="127.1.0.7")
    inventory = read_inventory()
    assert (inventory.specs, inventory.skipped) == ([], 3)


@pytest.mark.parametrize(
    ("changes", "ports"),
    [
        ({"dial_address": ""}, (8080, None, 1161)),
        ({"dial_address": "rom@video.example"}, (8080, None, 1161)),
        ({"control_driver": None}, (None, 5060, 1161)),
        ({"control_url": None}, (None, 5060, 1161)),
        ({"control_url": "https://127.1.0.5"}, (None, 5060, 1161)),
        ({"control_url": "http://127.1.0.5:99999"}, (None, 5060, 1161)),
        ({"control_url": "http://127.1.0.5"}, (80, 5060, 1161)),
        ({"snmp_host": None}, (8080, 5060, None)),
        ({"snmp_host": "127.0.0.1"}, (8080, 5060, None)),
        ({"snmp_version": SnmpVersion.V3}, (8080, 5060, 1161)),
    ],
)
def test_of_an_endpoint_is_served_what_is_on_its_own_address(changes: dict, ports: tuple):
    details = {
        "dial_address": "sip:rom@127.1.0.5",
        "control_driver": ControlDriver.CISCO_XAPI,
        "control_url": "http://127.1.0.5:8080",
        "snmp_host": "127.1.0.5",
        "snmp_port": 1161,
        "snmp_version": SnmpVersion.V2C,
    }
    site = Site(name="Ullevål", town="Oslo")
    studio = Studio(code="OUS01", name="Rom 1", site=site, endpoint=Endpoint(**{**details, **changes}))
    spec = spec_of(studio, Secrets())
    assert spec
    assert (spec.http_port, spec.sip_port, spec.snmp_port) == ports


def test_a_secret_of_another_key_is_a_sentence(app):
    credential = factories.credential()
    factories.endpoint(factories.studio(), address="127.1.0.5", control_credential_id=credential.id)
    app.config["SECRET_KEY"] = "another key"
    with pytest.raises(FleetError, match="codec was stored with another STUDIONETT_SECRET_KEY"):
        read_inventory()


def test_a_database_without_tables_is_a_sentence(app):
    db.drop_all()
    with pytest.raises(FleetError, match="studionett db upgrade"):
        read_inventory()
