"""Conferences are booked by programs: everything or nothing, and what is in the way is told in full."""

from datetime import UTC, datetime

import pytest

from models import Account, AuditEntry, Conference, Role, RoleGrant, db
from tests import factories
from tests.studios.booking.api.asking import at, booked, wish
from tests.studios.booking.api.conftest import program
from tests.studios.booking.pages import counted_queries


def count():
    return db.session.scalar(db.select(db.func.count()).select_from(Conference))


def test_a_conference_is_booked_and_told_as_it_is_stored(unn):
    answer = unn("POST", "/conferences", json=wish({"studio": "TRO-1"}, {"studio": "BOD-1"}))
    assert answer.status_code == 201, answer.json
    told = answer.json
    assert answer.headers["Location"] == f"/api/v1/conferences/{told['reference']}"
    assert (told["studios"], told["title"], told["purpose"], told["state"], told["organisation"]) == (
        ["TRO-1", "BOD-1"], "Lung meeting", "clinical", "planned", "UNN",
    )  # fmt: skip
    assert (told["start"], told["end"], told["version"], told["ports"]) == (at(9), at(10), 1, 0)
    assert [(each["number"], each["answer"]) for each in told["parties"]] == [(1, "not_asked"), (2, "waiting")]
    again = unn("GET", f"/conferences/{told['reference']}")
    assert (again.status_code, again.json, again.headers["ETag"]) == (200, told, '"1"')


def test_pools_guests_and_places_by_any_of_their_names(unn, network):
    factories.organisation("Third", number="912345678")
    parties = (
        {"any_of": {"site": "unn tromsø", "capacity": 4}},
        {"any_of": {"town": "BODØ", "organisation": "nlsh"}},
        {"guest": "sip:anne@example.org"},
    )
    told = booked(unn, *parties)
    assert told["studios"] == ["TRO-1", "BOD-1", None]
    assert [each["kind"] for each in told["parties"]] == ["pool", "pool", "guest"]
    assert told["parties"][2]["guest"] == "sip:anne@example.org"


@pytest.mark.parametrize(
    ("party", "field"),
    [
        ({"studio": "NO-1"}, "parties.1.studio"),
        ({"any_of": {"site": "Nowhere"}}, "parties.1.any_of.site"),
        ({"any_of": {"organisation": "Nobody"}}, "parties.1.any_of.organisation"),
        ({"any_of": {"town": "Atlantis"}}, "parties.1.any_of.town"),
        ({}, "parties.1"),
        ({"studio": "BOD-1", "guest": "+4777000000"}, "parties.1"),
        ({"guest": "+4777000000", "attendees": 2}, "parties.1"),
        ({"guest": "Anne"}, "parties"),
        ({"guest": "sip:01020300082@example.org"}, "parties.1.guest"),
        ({"studio": "BOD-1", "equipment": ["01020300082"]}, "parties.1.equipment.0"),
        ({"studio": "TRO-1"}, "parties"),
    ],
)
def test_what_is_not_known_or_not_clear_is_told_with_its_field(unn, party, field):
    answer = unn("POST", "/conferences", json=wish({"studio": "TRO-1"}, party))
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json["problems"]] == [field]
    assert count() == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "Pasient 01020300082"}, "title"),
        ({"title": " "}, "title"),
        ({"purpose": "party"}, "purpose"),
        ({"end": at(9)}, "end"),
        ({"start": at(9, -30), "end": at(10, -30)}, "start"),
        ({"start": at(9, 3000), "end": at(10, 3000)}, "start"),
        ({"end": at(9, 3)}, "end"),
        ({"organisation": "Nobody"}, "organisation"),
        ({"on_behalf_of": "nobody@example.org"}, "on_behalf_of"),
    ],
)
def test_a_rule_that_is_broken_is_told_beside_its_field(unn, changes, field):
    answer = unn("POST", "/conferences", json=wish(**changes))
    assert (answer.status_code, [problem["field"] for problem in answer.json["problems"]]) == (422, [field])
    assert all(problem["message"].endswith(".") for problem in answer.json["problems"])


def test_an_instant_needs_no_seconds_but_an_offset(unn):
    day = at(9)[:10]
    assert unn("POST", "/conferences", json=wish(start=f"{day}T09:00+01:00", end=f"{day}T11:00Z")).status_code == 201
    assert unn("POST", "/conferences", json=wish(start=f"{day}T09:00", end=f"{day}T11:00Z")).status_code == 422


def test_a_taken_studio_is_told_with_whose_it_is_and_other_times(unn, nlsh):
    first = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, title="Secret of NLSH")
    answer = unn("POST", "/conferences", json=wish())
    assert answer.status_code == 409
    [conflict] = answer.json["conflicts"]
    assert conflict.pop("message").startswith("BOD-1 is taken")
    assert conflict == {
        "kind": "taken", "parties": [2], "studio": "BOD-1", "start": at(9), "end": at(10),
        "reference": first["reference"], "owner": "NLSH", "contact": "75 44 55 66", "reason": None,
    }  # fmt: skip
    assert "Secret" not in answer.text
    assert answer.json["changed"] is False
    others = answer.json["alternatives"]
    assert len(others) == 5
    assert all(each["studios"] == ["TRO-1", "BOD-1"] for each in others)
    days = [each["start"][:10] for each in others]
    assert days[:3] == [at(9)[:10]] * 3
    assert at(9)[:10] not in days[3:]
    assert count() == 1


def test_every_alternative_can_be_booked_as_it_is(unn, nlsh):
    booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"})
    refused = unn("POST", "/conferences", json=wish()).json
    for other in refused["alternatives"]:
        answer = unn("POST", "/conferences", json=wish(start=other["start"], end=other["end"]))
        assert answer.status_code == 201, answer.json
        unn("DELETE", f"/conferences/{answer.json['reference']}")


def test_a_pool_that_is_used_up_says_so_and_names_the_party(unn):
    pool = {"any_of": {"site": "UNN Tromsø"}}
    booked(unn, pool, pool)
    answer = unn("POST", "/conferences", json=wish({"studio": "BOD-1"}, pool))
    assert answer.status_code == 409
    assert [(each["kind"], each["parties"]) for each in answer.json["conflicts"]] == [("none_free", [2])]
    assert answer.json["alternatives"]


def test_the_same_key_books_once(unn):
    first, again = (unn("POST", "/conferences", json=wish(), headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert (again.headers["Idempotency-Replayed"], again.headers["Location"]) == ("true", first.headers["Location"])
    assert count() == 1


def test_a_refused_request_may_be_sent_again_with_its_key(unn, nlsh):
    other = booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"})
    key = {"Idempotency-Key": "again"}
    assert unn("POST", "/conferences", json=wish(), headers=key).status_code == 409
    assert nlsh("DELETE", f"/conferences/{other['reference']}").status_code == 200
    assert unn("POST", "/conferences", json=wish(), headers=key).status_code == 201


def test_who_books_for_several_says_for_which_or_names_a_studio_of_one(app, network):
    send = program(app, factories.account(role=Role.ADMINISTRATOR))
    assert booked(send)["organisation"] == "UNN"
    pools = ({"any_of": {"town": "Tromsø"}}, {"any_of": {"town": "Bodø"}})
    answer = send("POST", "/conferences", json=wish(*pools))
    assert (answer.status_code, answer.json["problems"][0]["field"]) == (422, "organisation")
    assert booked(send, *pools, organisation="nlsh")["organisation"] == "NLSH"


def test_an_organisation_is_known_by_its_number_too_and_must_be_ones_own(unn, network):
    network.unn.number, network.nlsh.number = "983974899", "983974910"
    db.session.commit()
    assert booked(unn, organisation="983974899")["organisation"] == "UNN"
    assert unn("POST", "/conferences", json=wish(organisation="983974910")).status_code == 403


def test_it_can_be_booked_on_behalf_of_somebody_of_the_organisation_and_of_nobody_else(unn, network):
    colleague = factories.account("kim@unn.example.org", Role.MANAGER, network.unn)
    told = booked(unn, on_behalf_of=colleague.email)
    assert told["organiser"] == colleague.email
    db.session.rollback()  # SQLite shows a transaction that reads what there was when it began
    row = db.session.scalars(db.select(Conference)).one()
    assert (row.organiser_id, row.booked_by_id) == (colleague.id, network.coordinator.id)
    answer = unn("POST", "/conferences", json=wish(on_behalf_of=network.neighbour.email))
    assert (answer.status_code, answer.json["problems"][0]["field"]) == (422, "on_behalf_of")
    colleague.disabled_at = row.created_at
    db.session.commit()
    assert unn("POST", "/conferences", json=wish(on_behalf_of=colleague.email)).status_code == 422


def test_who_did_it_is_in_the_audit_trail(unn, network):
    told = booked(unn)
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "conference.booked")).one()
    assert (entry.object, entry.account_id) == (told["reference"], network.coordinator.id)
    assert db.session.get(Account, network.coordinator.id)


def test_an_alternative_to_a_night_may_be_at_night(unn, nlsh):
    booked(nlsh, {"studio": "BOD-1"}, {"studio": "BOD-2"}, start=at(22), end=at(23))
    others = unn("POST", "/conferences", json=wish(start=at(22), end=at(23))).json["alternatives"]
    assert others[0]["start"] in (at(21), at(23))


def test_a_booking_asks_the_database_little(app, unn):
    booked(unn)  # whoever comes first has the use of the token noted
    with counted_queries() as statements:
        booked(unn, start=at(12), end=at(13))
    assert len(statements) <= 16, statements


def test_who_has_lost_a_role_since_is_not_told_again_what_was_booked(app, network):
    account = factories.account(organisation=network.tromso_1.site.organisation)
    other = factories.organisation("Other")
    granted = {"account_id": account.id, "role": Role.COORDINATOR, "granted_at": datetime.now(UTC)}
    db.session.add(RoleGrant(organisation_id=other.id, **granted))
    db.session.commit()
    send, key = program(app, account), {"Idempotency-Key": "one"}
    first, again = (send("POST", "/conferences", json=wish(organisation="UNN"), headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, first.json) == (201, 201, again.json)
    db.session.execute(db.delete(RoleGrant).where(RoleGrant.organisation_id != other.id))
    db.session.commit()
    late = send("POST", "/conferences", json=wish(organisation="UNN"), headers=key)
    assert late.status_code == 403
    assert first.json["title"] not in late.text
