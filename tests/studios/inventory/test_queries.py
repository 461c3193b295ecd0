import sqlalchemy as sa
from flask import Flask

from models import OrganisationKind, Site, Studio, db
from studios.inventory.queries import PAGE, health_regions, list_studios, studio_by_code
from tests import factories


def place(town: str, region: str = "Nord", kind: OrganisationKind = OrganisationKind.HEALTH_TRUST) -> Site:
    owner = factories.organisation(f"{town} organisasjon", kind=kind)
    return factories.site(owner, name=f"{town} sykehus", town=town, municipality=town, health_region=region)


def codes(studios: list[Studio]) -> list[str]:
    return [studio.code for studio in studios]


def test_a_studio_is_found_by_its_code_with_its_place(app: Flask) -> None:
    factories.endpoint(factories.studio(place("Tromsø"), code="UNN-1"))
    db.session.expunge_all()
    found = studio_by_code("UNN-1")
    assert found is not None
    db.session.expunge_all()  # what was not loaded can no longer be
    assert found.site.organisation.name == "Tromsø organisasjon"
    assert found.endpoint is not None
    assert studio_by_code("UNN-2") is None


def found(text: str) -> list[str]:
    return codes([line.studio for line in list_studios(text).lines])


def test_the_best_hits_come_first_with_sites_and_organisations_loaded(app: Flask) -> None:
    tromso, narvik = place("Tromsø"), place("Narvik")
    for number in (1, 3, 13):
        factories.studio(narvik, code=f"NAR-{number}", name=f"Studio {number}")
    factories.studio(tromso, code="TRO-3", name="Studio 3")
    db.session.expunge_all()
    hits = [line.studio for line in list_studios("narvik 3").lines]
    db.session.expunge_all()
    assert codes(hits) == ["NAR-3", "NAR-13"]
    assert hits[0].site.organisation.name == "Narvik organisasjon"
    assert found("tromso") == ["TRO-3"]
    assert len(found("  ")) == 4


def test_a_page_takes_as_many_statements_however_many_studios_there_are(app: Flask) -> None:
    tromso = place("Tromsø")
    for number in range(20):
        factories.studio(tromso, code=f"S-{number}")
    statements: list[str] = []
    db.session.commit()
    sa.event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert len(found("tromsø")) == 20
    many = len(statements)
    statements.clear()
    db.session.rollback()
    assert found("S-7")[0] == "S-7"
    assert len(statements) == many


def test_retired_studios_are_not_offered(app: Flask) -> None:
    factories.studio(place("Tromsø"), code="OLD", retired_at=factories.START)
    assert list_studios("old").total == 0
    assert studio_by_code("OLD") is not None


def test_the_list_is_paged_in_the_order_people_count(app: Flask) -> None:
    tromso = place("Tromsø")
    for number in range(PAGE + 2, 0, -1):
        factories.studio(tromso, code=f"S-{number}")
    first, second, beyond = list_studios(), list_studios(page=2), list_studios(page=99)
    assert (first.total, first.pages, len(first.lines)) == (PAGE + 2, 2, PAGE)
    assert codes([line.studio for line in first.lines[:3]]) == ["S-1", "S-2", "S-3"]
    assert codes([line.studio for line in second.lines]) == [f"S-{PAGE + 1}", f"S-{PAGE + 2}"]
    assert beyond.page == 2
    assert list_studios(page=-1).page == 1


def test_the_list_is_narrowed_by_region_and_kind(app: Flask) -> None:
    factories.studio(place("Tromsø"), code="TRO")
    factories.studio(place("Bergen", "Vest"), code="BER")
    factories.studio(place("Voss", "Vest", OrganisationKind.MUNICIPALITY), code="VOS")
    assert health_regions() == ["Nord", "Vest"]
    assert [line.studio.code for line in list_studios(region="Vest").lines] == ["BER", "VOS"]
    assert [line.studio.code for line in list_studios(kind=OrganisationKind.MUNICIPALITY).lines] == ["VOS"]
    assert list_studios("bergen", region="Nord").total == 0


def test_the_list_has_the_state_of_endpoints(app: Flask) -> None:
    tromso = place("Tromsø")
    endpoint = factories.endpoint(factories.studio(tromso, code="A"))
    factories.studio(tromso, code="B")
    with_endpoint, without = list_studios().lines
    assert with_endpoint.status is not None
    assert with_endpoint.status.endpoint_id == endpoint.id
    assert without.status is None
