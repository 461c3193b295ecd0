from datetime import UTC, datetime
from threading import Thread

import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import (
    Endpoint,
    EndpointStatus,
    Health,
    Organisation,
    OrganisationKind,
    Site,
    SnmpVersion,
    Studio,
    db,
    write,
)
from studios.inventory.exporting import export_csv
from studios.inventory.importing import Outcome, import_inventory
from studios.inventory.rules import read_inventory
from tests import factories
from tests.studios.inventory.files import GOOD, file_of, row, rows

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def import_file(content: bytes, skip_bad: bool = False) -> Outcome:
    return write(lambda: import_inventory(read_inventory(content), NOW, skip_bad))


def counted() -> dict[str, int]:
    tables = (Organisation, Site, Studio, Endpoint, EndpointStatus)
    return {
        table.__tablename__: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables
    }


def stored(code: str) -> Studio:
    db.session.expire_all()
    return db.session.scalars(sa.select(Studio).filter_by(code=code)).one()


def test_a_row_becomes_organisation_site_studio_endpoint_and_status(app: Flask) -> None:
    codec = factories.credential("codec")
    assert import_file(file_of(row(control_credential="codec"))) == Outcome(created=1)
    studio = stored("UNN-TROMSO-04")
    assert (studio.name, studio.capacity, studio.equipment) == (
        "UNN Tromsø, Studio 4",
        10,
        ["document-camera", "second-screen"],
    )
    assert (studio.site.name, studio.site.latitude, studio.site.zone) == ("UNN Tromsø", 69.68, "Europe/Oslo")
    assert studio.site.organisation.kind is OrganisationKind.HEALTH_TRUST
    endpoint = studio.endpoint
    assert endpoint is not None
    assert (endpoint.control_url, endpoint.snmp_host, endpoint.snmp_port, endpoint.snmp_version) == (
        "http://127.203.1.4:8080",
        "127.203.1.4",
        1161,
        SnmpVersion.V2C,
    )
    assert endpoint.control_credential_id == codec.id
    assert endpoint.snmp_credential_id is None
    status = db.session.get_one(EndpointStatus, endpoint.id)
    assert (status.health, status.since, status.changed_at) == (Health.UNKNOWN, NOW, NOW)


def test_studios_get_their_own_endpoints_however_many_there_are(app: Flask) -> None:
    import_file(file_of(*(row(code=f"S-{n}", snmp_host=f"127.203.2.{n}") for n in range(1, 251))))
    query = sa.select(Studio.code, Endpoint.snmp_host).join(Endpoint, Endpoint.studio_id == Studio.id)
    assert dict(db.session.execute(query).all()) == {f"S-{n}": f"127.203.2.{n}" for n in range(1, 251)}


def test_a_second_import_changes_nothing(app: Flask) -> None:
    content = file_of(*rows(5))
    import_file(content)
    before = counted()
    assert import_file(content) == Outcome(unchanged=5)
    assert counted() == before


OTHER_VALUES = {
    "name": "Studio X", "site": "Another", "organisation": "Other HF", "organisation_kind": "municipality",
    "health_region": "Vest", "county": "Vestland", "municipality": "Bergen", "town": "Bergen", "latitude": "60.4",
    "longitude": "5.3", "capacity": "3", "equipment": "", "dial_address": "4711", "control_driver": "",
    "control_url": "https://codec.example", "control_credential": "codec", "snmp_host": "", "snmp_port": "162",
    "snmp_version": "3", "snmp_credential": "codec", "code": "unn-tromso-04",
}  # fmt: skip


def test_a_change_of_any_column_is_stored(app: Flask) -> None:
    factories.credential("codec")
    assert OTHER_VALUES.keys() == GOOD.keys()
    for column, value in OTHER_VALUES.items():
        beside = {"snmp_host": ""} if column == "snmp_version" else {}  # with an address it needs a credential
        import_file(file_of(row(**beside)))
        changed = file_of(row(**{**beside, column: value}))
        assert import_file(changed) == Outcome(changed=1), column
        assert export_csv().encode() == changed
        assert import_file(changed) == Outcome(unchanged=1), column


def test_a_studio_that_the_file_leaves_out_stays_as_it_is(app: Flask) -> None:
    import_file(file_of(*rows(2)))
    assert import_file(file_of(row(code="S-3"))) == Outcome(created=1)
    assert stored("S-1").retired_at is None
    assert counted()["studio"] == 3


def test_what_the_file_does_not_know_is_kept(app: Flask) -> None:
    import_file(file_of(row()))
    studio = stored("UNN-TROMSO-04")
    studio.needs_approval = True
    studio.site.contact_phone = "77 00 00 04"
    db.session.commit()
    import_file(file_of(row(capacity=12, town="Tromsdalen")))
    studio = stored("UNN-TROMSO-04")
    assert (studio.capacity, studio.needs_approval, studio.site.contact_phone) == (12, True, "77 00 00 04")


def test_nothing_is_imported_when_any_row_is_bad(app: Flask) -> None:
    outcome = import_file(file_of(row(), row(code="S-2", capacity=0)))
    assert (outcome.imported, len(outcome.faults)) == (0, 1)
    assert counted() == dict.fromkeys(counted(), 0)


def test_skipping_bad_rows_imports_the_good_ones(app: Flask) -> None:
    content = file_of(row(), row(code="S-2", capacity=0), row(code="S-3", snmp_credential="nobody"), row(code="S-4"))
    outcome = import_file(content, skip_bad=True)
    assert (outcome.created, [fault.line for fault in outcome.faults]) == (2, [3, 4])
    assert counted()["studio"] == 2


def test_an_snmp_3_endpoint_comes_back_from_the_file_as_it_went(app: Flask) -> None:
    secure = factories.credential("secure", "watcher", "auth-auth", privacy="priv-priv")
    content = file_of(row(snmp_version="3", snmp_credential="secure"))
    assert import_file(content) == Outcome(created=1)
    endpoint = db.session.scalars(db.select(Endpoint)).one()
    assert (endpoint.snmp_version, endpoint.snmp_credential_id) == (SnmpVersion.V3, secure.id)
    assert export_csv().encode() == content


def test_a_credential_must_fit_the_version_of_snmp(app: Flask) -> None:
    factories.credential("secure", "watcher", privacy="priv-priv")
    factories.credential("plain")
    outcome = import_file(
        file_of(
            row(code="S-1", snmp_version="3"),
            row(code="S-2", snmp_version="3", snmp_credential="plain"),
            row(code="S-3", snmp_version="2c", snmp_credential="secure"),
        )
    )
    assert outcome.imported == 0
    assert [str(fault) for fault in outcome.faults] == [
        "line 2: snmp_credential: is empty, but SNMP version 3 needs it",
        "line 3: snmp_credential: “plain” lacks what SNMP version 3 needs; set it with --user, --auth and --priv",
        "line 4: snmp_credential: “secure” is for SNMP version 3",
    ]


def test_a_retired_studio_is_not_brought_back(app: Flask) -> None:
    factories.studio(code="S-1", retired_at=NOW)
    outcome = import_file(file_of(row(code="S-1")))
    assert [str(fault) for fault in outcome.faults] == ["line 2: code: the studio S-1 is retired"]


def test_a_studio_without_an_endpoint_gets_one_when_the_file_names_it(app: Flask) -> None:
    studio = factories.studio(code="S-1")
    assert studio.endpoint is None
    assert import_file(file_of(row(code="S-1"))) == Outcome(changed=1)
    assert counted()["endpoint_status"] == 1


def test_an_organisation_lies_where_most_of_its_studios_lie(app: Flask) -> None:
    north = row(code="S-1", organisation="Leverandør Alfa", organisation_kind="supplier", site="Tromsø")
    west = [{**north, "code": f"S-{n}", "site": "Bergen", "health_region": "Vest"} for n in (2, 3)]
    import_file(file_of(north, *west))
    alfa = db.session.scalars(sa.select(Organisation)).one()
    assert alfa.health_region == "Vest"


def test_an_organisation_moves_when_all_of_its_sites_do(app: Flask) -> None:
    import_file(file_of(row()))
    import_file(file_of(row(health_region="Midt")))
    assert db.session.scalars(sa.select(Organisation.health_region)).one() == "Midt"


def test_progress_ends_with_all_rows(app: Flask) -> None:
    seen: list[tuple[int, int]] = []
    reading = read_inventory(file_of(*rows(450)))
    write(lambda: import_inventory(reading, NOW, progress=lambda done, total: seen.append((done, total))))
    assert seen == [(200, 450), (400, 450), (450, 450)]


def test_many_rows_take_few_statements(app: Flask) -> None:
    content = file_of(*(row(code=f"S-{n}", site=f"Site {n % 500}") for n in range(2_000)))
    changed = file_of(*(row(code=f"S-{n}", site=f"Site {n % 500}", capacity=3) for n in range(2_000)))
    statements: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert import_file(content).created == 2_000
    assert import_file(changed).changed == 2_000
    assert import_file(changed).unchanged == 2_000
    assert len(statements) < 200


def test_two_imports_at_once_create_each_studio_once(app: Flask) -> None:
    outcomes: list[Outcome] = []

    def run() -> None:
        with app.app_context():
            outcomes.append(import_file(file_of(*rows(300))))

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.created for outcome in outcomes) == [0, 0, 0, 300]
    assert sorted(outcome.unchanged for outcome in outcomes) == [0, 300, 300, 300]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.builds(lambda tail: file_of(row()) + tail, st.binary()), st.booleans())
def test_any_bytes_are_imported_whole_or_not_at_all(app: Flask, content: bytes, skip_bad: bool) -> None:
    before = counted()
    outcome = import_file(content, skip_bad)
    after = counted()
    assert after["studio"] - before["studio"] == outcome.created
    assert after["endpoint_status"] == after["endpoint"] == after["studio"]
    assert outcome.imported == 0 or skip_bad or not outcome.faults


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({"name": st.text(), "capacity": st.integers(-1, 5), "town": st.text()})))
def test_what_is_exported_is_imported_without_a_change(app: Flask, changes: list[dict[str, object]]) -> None:
    lines = [row(code=f"S-{n}", site=f"Site {n}", **change) for n, change in enumerate(changes)]
    import_file(file_of(GOOD, *lines), skip_bad=True)
    exported = export_csv().encode()
    outcome = import_file(exported)
    assert (outcome.created, outcome.changed, outcome.faults) == (0, 0, ())
    assert export_csv().encode() == exported
