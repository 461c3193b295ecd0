"""Studios are found and looked at by programs."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Closure, EndpointStatus, Health, db
from tests import factories


def codes(answer):
    assert answer.status_code == 200, answer.json
    return [each["code"] for each in answer.json["studios"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["BOD-1", "BOD-2", "TRO-1", "TRO-2"]),
        ("text=tromso 2", ["TRO-2"]),
        ("text=nothing", []),
        ("site=NLSH Bodø&capacity=8", ["BOD-1", "BOD-2"]),
        ("organisation=unn", ["TRO-1", "TRO-2"]),
        ("town=tromsø&equipment=microscope", ["TRO-2"]),
    ],
)
def test_studios_are_found_by_words_by_place_and_by_what_they_have(unn, network, query, expected):
    network.tromso_2.equipment = ["microscope", "document camera"]
    network.retired = factories.studio(network.tromso_1.site, code="TRO-9", retired_at=datetime.now(UTC))
    db.session.commit()
    assert codes(unn("GET", f"/studios?{query}")) == expected


def test_the_list_goes_on_where_it_ended(unn):
    first = unn("GET", "/studios?limit=3")
    assert (codes(first), first.json["total"]) == (["BOD-1", "BOD-2", "TRO-1"], 4)
    second = unn("GET", f"/studios?limit=3&cursor={first.json['next']}")
    assert (codes(second), second.json["next"]) == (["TRO-2"], None)


def test_a_studio_is_told_with_its_rules_its_quality_and_its_health(unn, network):
    now = datetime.now(UTC)
    studio = network.tromso_1
    studio.quality_tested_on, studio.quality_test_passed = now.date() - timedelta(days=200), True
    studio.bookable_hours, studio.setup_minutes = {"mon": ["08:00-15:30"]}, 5
    status = db.session.get_one(EndpointStatus, studio.endpoint.id)
    status.health, status.last_poll_at = Health.OK, now
    db.session.commit()
    told = unn("GET", "/studios/TRO-1").json
    assert (told["quality_test"], told["health"], told["setup_minutes"]) == ("expired", "ok", 5)
    assert (told["bookable_hours"], told["organisation"]) == ({"mon": ["08:00-15:30"]}, "UNN")
    db.session.add(Closure(studio_id=studio.id, starts_at=now, ends_at=now + timedelta(hours=1), reason="Paint"))
    db.session.commit()
    assert unn("GET", "/studios/TRO-1").json["health"] == "maintenance"
    assert unn("GET", "/studios/NO-1").status_code == 404
