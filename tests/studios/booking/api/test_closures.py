"""Studios and sites are taken out of use and put back by programs."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Closure, Role, db
from tests import factories
from tests.studios.booking.api.asking import at, booked, wish
from tests.studios.booking.api.conftest import program


def closing(**place):
    return {"start": at(8), "end": at(16), "reason": "Painting", **(place or {"studio": "BOD-1"})}


def test_a_closed_studio_names_what_it_threatens_and_takes_nothing_new(unn, nlsh):
    threatened = booked(unn)
    answer = nlsh("POST", "/closures", json=closing())
    assert answer.status_code == 201, answer.json
    told = answer.json
    assert told["threatened"] == [
        {"reference": threatened["reference"], "start": at(9), "end": at(10), "studio": "BOD-1", "owner": "UNN"}
    ]
    assert (told["studio"], told["site"], told["organisation"]) == ("BOD-1", "NLSH Bodø", "NLSH")
    assert answer.headers["Location"] == f"/api/v1/closures/{told['id']}"
    assert nlsh("GET", f"/closures/{told['id']}").json == told
    refused = unn("POST", "/conferences", json=wish(start=at(11), end=at(12)))
    [conflict] = refused.json["conflicts"]
    assert (conflict["kind"], conflict["studio"], conflict["reason"]) == ("closed", "BOD-1", "Painting")
    del told["threatened"]
    assert unn("GET", "/closures").json == {"closures": [told], "next": None}


def test_a_whole_site_is_closed_by_its_name_with_its_organisation_where_there_are_two(app, unn, nlsh, network):
    factories.site(network.unn, name="NLSH Bodø")
    send = program(app, factories.account(role=Role.ADMINISTRATOR))
    ambiguous = send("POST", "/closures", json=closing(site="nlsh bodø"))
    assert (ambiguous.status_code, ambiguous.json["problems"][0]["field"]) == (422, "organisation")
    told = send("POST", "/closures", json=closing(site="nlsh bodø", organisation="NLSH")).json
    assert (told["studio"], told["site"]) == (None, "NLSH Bodø")
    assert unn("POST", "/conferences", json=wish()).json["conflicts"][0]["kind"] == "closed"


def test_only_those_who_look_after_a_studio_close_and_reopen_it(app, unn, nlsh, network):
    for role, organisation, expected in (
        (Role.TECHNICIAN, network.nlsh, 201),
        (Role.COORDINATOR, network.nlsh, 201),
        (Role.TECHNICIAN, network.unn, 403),
        (Role.ADMINISTRATOR, None, 201),
        (Role.MANAGER, None, 403),
    ):
        send = program(app, factories.account(role=role, organisation=organisation))
        assert send("POST", "/closures", json=closing()).status_code == expected
    key = nlsh("POST", "/closures", json=closing()).json["id"]
    assert unn("DELETE", f"/closures/{key}").status_code == 403
    assert nlsh("DELETE", f"/closures/{key}").status_code == 204
    assert nlsh("DELETE", f"/closures/{key}").status_code == 404


def test_a_closure_that_has_begun_ends_now_and_one_that_is_over_stays(nlsh):
    now = datetime.now(UTC)
    body = {**closing(), "start": (now - timedelta(hours=1)).isoformat(), "end": (now + timedelta(hours=1)).isoformat()}
    key = nlsh("POST", "/closures", json=body).json["id"]
    assert nlsh("DELETE", f"/closures/{key}").status_code == 204
    db.session.rollback()
    assert db.session.get_one(Closure, key).ends_at < datetime.now(UTC)
    assert nlsh("DELETE", f"/closures/{key}").status_code == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"studio": "NO-1"}, "studio"),
        ({"studio": None, "site": "Nowhere"}, "site"),
        ({"site": "NLSH Bodø"}, "studio"),
        ({"end": at(8)}, "end"),
        ({"start": at(8, -3), "end": at(9, -3)}, "end"),
        ({"reason": " "}, "reason"),
        ({"reason": "Pasient 01020300082"}, "reason"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_field(nlsh, changes, field):
    answer = nlsh("POST", "/closures", json={**closing(), **changes})
    assert (answer.status_code, [each["field"] for each in answer.json["problems"]]) == (422, [field])


def test_the_list_goes_on_where_it_ended(nlsh):
    made = [nlsh("POST", "/closures", json={**closing(), "start": at(hour)}).json["id"] for hour in (10, 9, 11)]
    first = nlsh("GET", "/closures?limit=2").json
    second = nlsh("GET", f"/closures?limit=2&cursor={first['next']}").json
    found = [each["id"] for each in first["closures"] + second["closures"]]
    assert (found, second["next"]) == ([made[1], made[0], made[2]], None)


def test_what_a_closure_hits_is_moved_in_one_step(app, unn, nlsh, network):
    hit = booked(unn)
    number = nlsh("POST", "/closures", json=closing()).json["id"]
    [move] = nlsh("GET", f"/closures/{number}/moves").json["moves"]
    assert (move["reference"], move["studio"]) == (hit["reference"], "BOD-1")
    asked = {name: move[name] for name in ("reference", "version", "party")} | {"studio": move["proposed"]}
    assert move["proposed"] is not None
    [done] = nlsh("POST", f"/closures/{number}/moves", json={"moves": [asked]}).json["moves"]
    assert done["refused"] is None
    assert nlsh("GET", f"/closures/{number}/moves").json["moves"] == []
    elsewhere = nlsh("POST", f"/closures/{number}/moves", json={"moves": [asked]})
    assert (elsewhere.status_code, elsewhere.json["problems"][0]["field"]) == (422, "moves")
    stranger = program(app, factories.account(role=Role.TECHNICIAN, organisation=network.unn))
    assert stranger("GET", f"/closures/{number}/moves").status_code == 403
