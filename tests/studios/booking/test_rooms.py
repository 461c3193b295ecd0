from datetime import UTC, datetime, timedelta

import pytest

from models import Purpose, db
from studios.booking.candidates import Own
from studios.booking.rooms import candidates_for, rooms
from studios.booking.wishes import GuestWish, PoolWish, StudioWish
from tests import factories

ANYBODY = Own(frozenset())


@pytest.fixture
def site(app):
    return factories.site(factories.organisation("Nordlandssykehuset"), name="Bodø sykehus", town="Bodø")


def codes(wish, own=ANYBODY, purpose=Purpose.ADMINISTRATION):
    return [candidate.code for candidate in candidates_for(wish, rooms(), own, purpose)]


def test_a_studio_is_read_with_all_that_the_rules_ask_of_it(site):
    hours = {"mon": ["08:00-15:30"]}
    studio = factories.studio(
        site, code="B-1", capacity=6, equipment=["whiteboard"], clinical=False, shared=False, needs_approval=True,
        setup_minutes=10, clear_down_minutes=5, bookable_hours=hours,
        quality_tested_on=datetime.now(UTC).date(), quality_test_passed=True,
    )  # fmt: skip
    factories.endpoint(studio)
    found = rooms()[studio.id]
    assert (found.code, found.capacity, found.equipment, found.hours) == ("B-1", 6, {"whiteboard"}, hours)
    assert (found.site, found.town, found.organisation) == ("Bodø sykehus", "Bodø", "Nordlandssykehuset")
    assert (found.setup, found.clear_down) == (timedelta(minutes=10), timedelta(minutes=5))
    assert (found.clinical, found.shared, found.needs_approval) == (False, False, True)
    assert found.quality_ok
    assert found.steered


def test_a_studio_without_equipment_or_quality_test_is_read_too(site):
    studio = factories.studio(site)
    found = rooms()[studio.id]
    assert not found.steered
    assert not found.quality_ok


@pytest.mark.parametrize(("age", "passed", "counts"), [(183, True, True), (184, True, False), (1, False, False)])
def test_a_quality_test_counts_for_six_months(site, age, passed, counts):
    day = datetime.now(UTC).date() - timedelta(days=age)
    studio = factories.studio(site, quality_tested_on=day, quality_test_passed=passed)
    assert rooms()[studio.id].quality_ok is counts


def test_only_the_studios_asked_for_are_read_and_none_that_is_retired(site):
    first, second = factories.studio(site), factories.studio(site)
    gone = factories.studio(site, retired_at=datetime.now(UTC))
    assert list(rooms([second.id, gone.id])) == [second.id]
    assert list(rooms()) == [first.id, second.id]


def test_a_pool_is_drawn_from_its_place_with_its_size_and_equipment(site):
    factories.studio(code="ELSEWHERE")
    factories.studio(site, code="SMALL", capacity=2)
    factories.studio(site, code="BARE", capacity=9)
    factories.studio(site, code="GOOD", capacity=9, equipment=["whiteboard", "fridge"])
    assert codes(PoolWish(town="bodø", capacity=3, equipment=frozenset({"whiteboard"}))) == ["GOOD"]
    assert codes(PoolWish(site="Bodø sykehus")) == ["BARE", "GOOD", "SMALL"]
    assert codes(PoolWish(organisation="Nordlandssykehuset", capacity=9)) == ["BARE", "GOOD"]


def test_a_pool_for_clinical_work_holds_only_clinical_rooms_but_one_can_be_named(site):
    studio = factories.studio(site, code="OFFICE", clinical=False)
    assert codes(PoolWish(town="Bodø")) == ["OFFICE"]
    for purpose in (Purpose.CLINICAL, Purpose.MULTIDISCIPLINARY):
        assert codes(PoolWish(town="Bodø"), purpose=purpose) == []
        assert codes(StudioWish(studio.id), purpose=purpose) == ["OFFICE"]


def test_private_studios_are_candidates_for_their_own_organisation_only(site):
    studio = factories.studio(site, code="PRIVATE", shared=False)
    for wish in (PoolWish(town="Bodø"), StudioWish(studio.id)):
        assert codes(wish) == []
        assert codes(wish, Own(frozenset({site.organisation_id}))) == ["PRIVATE"]
        assert codes(wish, Own(None)) == ["PRIVATE"]


def test_a_named_studio_must_hold_the_people_and_a_guest_needs_none(site):
    studio = factories.studio(site, capacity=2)
    db.session.commit()
    assert codes(StudioWish(studio.id, attendees=3)) == []
    assert codes(GuestWish("sip:gp@example.org")) == []
