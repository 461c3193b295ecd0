from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from accounts.people import password_fits
from accounts.queries import access_of, account_by_email
from config import settings
from demonstration import inventory, people
from demonstration.commands import demo
from demonstration.inventory_plan import (
    PlannedSite,
    apportion,
    plan_phones,
    plan_sites,
    plan_studios,
    slug,
    studio_address,
)
from demonstration.places import COUNTIES, Hospital, Place, hospitals, municipalities
from errors import Conflict
from models import Credential, EndpointStatus, Organisation, Role, Site, SnmpVersion, Studio, db, write
from studios.inventory.equipment import EQUIPMENT
from studios.inventory.exporting import export_csv
from studios.inventory.rules import StudioRow
from tests import factories

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def towns() -> list[Place]:
    return municipalities()


@pytest.fixture(scope="module")
def hospital_list() -> list[Hospital]:
    return hospitals()


@pytest.fixture(scope="module")
def sites(hospital_list: list[Hospital], towns: list[Place]) -> list[PlannedSite]:
    return plan_sites(1, hospital_list, towns)


@pytest.fixture(scope="module")
def studios(sites: list[PlannedSite]) -> list[StudioRow]:
    return plan_studios(1, sites)


def install(sites: list[PlannedSite], studios: list[StudioRow]) -> None:
    write(lambda: inventory.install(sites, studios, NOW, lambda done, total: None))


def test_all_municipalities_have_a_place_in_norway(towns: list[Place]) -> None:
    assert len(towns) == 357
    assert {town.county_no for town in towns} == COUNTIES.keys() - {"21"}
    assert all(57 < town.latitude < 72 and 4 < town.longitude < 32 for town in towns)
    assert len({town.label for town in towns}) == 357


def test_there_are_900_studios_in_the_right_proportions(studios: list[StudioRow]) -> None:
    assert Counter(studio.organisation_kind.value for studio in studios) == {
        "health_trust": 460,
        "municipality": 300,
        "gp": 70,
        "dental": 25,
        "pharmacy": 20,
        "supplier": 10,
        "regional_authority": 8,
        "network_owner": 7,
    }
    outside = [studio for studio in studios if studio.organisation_kind != "health_trust"]
    north = [studio for studio in outside if studio.health_region == "Nord"]
    # A tenth of the people live there.
    assert len(north) > 0.4 * len(outside)


def test_every_municipality_in_the_north_has_a_studio(studios: list[StudioRow], towns: list[Place]) -> None:
    owners = {studio.municipality for studio in studios if studio.organisation_kind == "municipality"}
    assert {town.municipality for town in towns if town.health_region == "Nord"} <= owners


def test_codes_and_addresses_are_unique_and_short(studios: list[StudioRow]) -> None:
    assert len({studio.code for studio in studios}) == 900
    assert all(studio.code.isascii() and len(studio.code) <= 20 for studio in studios)
    assert len({studio.snmp_host for studio in studios}) == 900
    assert "127.1.0.1" not in {studio.snmp_host for studio in studios}
    assert (studio_address(1), studio_address(253), studio_address(254)) == ("127.1.0.2", "127.1.0.254", "127.1.1.1")


def test_four_fifths_of_the_agents_speak_snmpv3_and_the_others_2c(studios: list[StudioRow]) -> None:
    assert Counter((studio.snmp_version, studio.snmp_credential) for studio in studios) == {
        (SnmpVersion.V3, "demo-snmp-v3"): 720,
        (SnmpVersion.V2C, "demo-snmp"): 180,
    }


def test_phone_numbers_are_invented_and_each_site_has_its_own(sites: list[PlannedSite]) -> None:
    numbers = plan_phones(sites)
    assert len(set(numbers)) == len(sites)
    assert all(number[0] == "7" and number[2:6] in (" 00 ",) for number in numbers)


def test_pages_have_a_name_for_every_piece_of_equipment(studios: list[StudioRow]) -> None:
    assert {piece for studio in studios for piece in studio.equipment} == EQUIPMENT.keys()


def test_the_order_that_places_come_in_is_of_no_account_to_who_gets_studios(
    hospital_list: list[Hospital], towns: list[Place], sites: list[PlannedSite]
) -> None:
    assert plan_sites(1, hospital_list, towns[::-1]) == sites
    assert plan_sites(2, hospital_list, towns) != sites


def test_shares_add_up() -> None:
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(0, [5, 1]) == [0, 0]
    assert sum(apportion(97, [3.3, 0.1, 12, 7])) == 97


def test_names_become_plain_capitals() -> None:
    assert [slug(name) for name in ("Tromsø", "Bærum", "Kárášjohka", "Nore og Uvdal")] == [
        "TROMSO",
        "BAERUM",
        "KARASJOHKA",
        "NOREOGUVDAL",
    ]


def test_the_demonstration_is_stored_with_parents_contacts_and_statuses(
    app: Flask, sites: list[PlannedSite], studios: list[StudioRow]
) -> None:
    install(sites, studios)
    assert db.session.scalar(db.select(db.func.count()).select_from(EndpointStatus)) == 900
    unn = db.session.scalars(db.select(Organisation).filter_by(name="Universitetssykehuset Nord-Norge HF")).one()
    assert db.session.get_one(Organisation, unn.parent_id).name == "Helse Nord RHF"
    narvik = db.session.scalars(db.select(Site).filter_by(name="UNN Narvik")).one()
    assert (narvik.contact_name, narvik.contact_phone[:9]) == ("Studiokontakt", "75 00 00 ")  # type: ignore[index]
    credentials = {row.name: row for row in db.session.scalars(db.select(Credential))}
    privacy = credentials["demo-snmp-v3"].open_privacy()
    secrets = [*(row.open() for row in credentials.values()), privacy or ""]
    assert (len(credentials), len(set(secrets))) == (4, 5)
    assert min(map(len, secrets)) >= 20
    assert [name for name, row in credentials.items() if row.suits_snmp_3] == ["demo-snmp-v3"]


def test_the_same_seed_gives_the_same_file_and_a_second_time_keeps_what_people_changed(
    app: Flask, sites: list[PlannedSite], studios: list[StudioRow], hospital_list: list[Hospital], towns: list[Place]
) -> None:
    install(sites, studios)
    first = export_csv()
    again = plan_sites(1, hospital_list, towns)
    assert plan_studios(1, again) == studios
    assert first.count("\n") == 901
    studio = db.session.scalars(db.select(Studio).filter_by(code="UNN-TROMSO-04")).one()
    studio.capacity = 99
    db.session.commit()
    install(again, plan_studios(1, again))
    db.session.expire_all()
    assert studio.capacity == 99


def test_a_database_in_use_is_refused(app: Flask, sites: list[PlannedSite], studios: list[StudioRow]) -> None:
    factories.studio()
    with pytest.raises(Conflict):
        install(sites, studios)
    runner = app.test_cli_runner()
    refused = runner.invoke(demo, [])
    assert (refused.exit_code, "other studios" in refused.stderr) == (1, True)
    assert runner.invoke(demo, ["--if-empty"]).exit_code == 0
    assert account_by_email("administrator@demo.example") is None
    assert runner.invoke(demo, ["--accounts"]).output.strip() == ""


def test_the_command_writes_all_and_a_second_time_nothing(app: Flask) -> None:
    runner = app.test_cli_runner()
    first, second = runner.invoke(demo, []), runner.invoke(demo, ["--if-empty"])
    assert first.output.splitlines()[0].endswith("sites, 900 created, 0 changed, 0 unchanged.")
    assert "5 added" in first.output
    assert "there already" in second.output
    assert "added" not in second.output
    assert [line.split()[:2] for line in runner.invoke(demo, ["--accounts"]).output.splitlines()] == [
        [account.email, people.PASSWORD] for account in people.ACCOUNTS
    ]


def test_demonstration_accounts_sign_in_and_hold_their_roles(
    app: Flask, sites: list[PlannedSite], studios: list[StudioRow]
) -> None:
    install(sites, studios)
    write(people.keep_accounts)
    unn = db.session.scalars(db.select(Organisation.id).filter_by(name="Universitetssykehuset Nord-Norge HF")).one()
    password = people.PASSWORD
    coordinator, administrator = map(account_by_email, ("koordinator@demo.example", "administrator@demo.example"))
    assert coordinator is not None
    assert administrator is not None
    for account in (coordinator, administrator):
        assert password_fits(account.email, password, "127.203.1.1", settings())
    assert access_of(coordinator).organisation_ids(Role.COORDINATOR) == {unn}
    assert access_of(administrator).everywhere(Role.ADMINISTRATOR)


def test_nearly_every_studio_has_passed_a_quality_test_and_some_have_not(
    app: Flask, sites: list[PlannedSite], studios: list[StudioRow]
) -> None:
    install(sites, studios)
    tests = db.session.execute(db.select(Studio.quality_tested_on, Studio.quality_test_passed)).all()
    half_a_year_ago = (NOW - timedelta(days=183)).date()
    valid = sum(bool(passed and tested_on >= half_a_year_ago) for tested_on, passed in tests)
    assert 0.9 < valid / len(tests) < 1
    assert {passed for _, passed in tests} == {True, False, None}
