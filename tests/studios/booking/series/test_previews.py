from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from errors import NotFound
from models import Bridge, BridgeDriver, Closure, Purpose, db
from studios.booking.obstacles import Kind, WishRefused
from studios.booking.rules import Problem
from studios.booking.series.choices import Choice, UnknownDays
from studios.booking.series.previews import preview
from studios.booking.series.recurrence import Note
from studios.booking.wishes import GuestWish, PoolWish, StudioWish
from tests import factories
from tests.studios.booking.series.asking import HOUR, OSLO, count, day, nine, request, seen, states, wall


@pytest.fixture
def site(app):
    return factories.site(town="Bodø", municipality="Bodø")


@pytest.fixture
def studios(site):
    """Two studios that nothing stands in for."""
    return [factories.studio(site, equipment=[f"kit {number}"]) for number in range(2)]


def taken(studio, week, **changes):
    other = factories.studio()
    return factories.conference(studio, other, start=nine(week), organisation_id=other.site.organisation_id, **changes)


def test_each_meeting_has_a_line_and_nothing_is_written(studios):
    found = seen(studios)
    assert states(found) == ["free"] * 4
    assert [line.start for line in found.lines] == [nine(week) for week in range(4)]
    assert [studio.code for studio in found.lines[0].studios] == [studio.code for studio in studios]
    assert found.can_be_saved
    assert (count("series"), count("conference"), count("reservation"), count("event")) == (0, 0, 0, 0)


def test_a_clash_is_named_with_studio_time_reference_owner_and_telephone_but_no_title(studios):
    in_the_way = taken(studios[1], 2, title="Secret")
    found = seen(studios)
    assert states(found) == ["free", "free", "conflict", "free"]
    (obstacle,) = found.lines[2].obstacles
    assert (obstacle.kind, obstacle.parties, obstacle.studio) == (Kind.TAKEN, (1,), studios[1].code)
    assert (obstacle.start, obstacle.end) == (nine(2), nine(2) + HOUR)
    assert (obstacle.reference, obstacle.owner) == (in_the_way.reference, in_the_way.organisation.name)
    assert obstacle.contact == "77 00 00 01"
    assert "Secret" not in repr(found.lines[2].obstacles)
    assert not found.can_be_saved


def test_a_studio_of_the_same_site_stands_in_before_one_of_the_same_town(site, studios):
    kit = ["kit 1", "more"]
    in_town = factories.site(town="Bodø", municipality="Bodø")
    factories.studio(in_town, code="TOWN", equipment=kit)
    taken(studios[1], 0)
    found = seen(studios)
    assert states(found)[0] == "replaceable"
    assert {party: studio.code for party, studio in found.lines[0].replacements.items()} == {1: "TOWN"}
    factories.studio(site, code="SITE", equipment=kit)
    assert seen(studios).lines[0].replacements[1].code == "SITE"


@pytest.mark.parametrize(
    "lacking",
    [
        {"capacity": 4},
        {"equipment": []},
        {"clinical": False},
        {"shared": False},
        {"bookable_hours": {"sun": ["10:00-11:00"]}},
        {"retired_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
)
def test_what_lacks_something_of_the_studio_does_not_stand_in_for_it(site, studios, lacking):
    factories.studio(factories.site(town="Bodø"), **{"equipment": ["kit 1"], **lacking})
    stranger = factories.account(organisation=site.organisation)
    taken(studios[1], 0)
    assert states(seen(studios, person=stranger))[0] == "conflict"


def test_a_smaller_studio_stands_in_where_few_people_come(site, studios):
    factories.studio(site, code="SMALL", equipment=["kit 1"], capacity=4)
    taken(studios[1], 0)
    few = [studios[0], StudioWish(studios[1].id, attendees=4)]
    assert seen(few).lines[0].replacements[1].code == "SMALL"


def test_two_that_are_taken_get_different_stand_ins_or_the_meeting_is_in_conflict(site):
    first, second = factories.studio(site, equipment=["kit"]), factories.studio(site, equipment=["kit"])
    factories.conference(first, second, start=nine())
    factories.studio(site, equipment=["kit"])
    assert states(seen([first, second]))[0] == "conflict"
    factories.studio(site, equipment=["kit"])
    found = seen([first, second]).lines[0]
    assert found.state == "replaceable"
    assert len({studio.id for studio in found.replacements.values()}) == 2


def test_closed_studios_and_those_outside_their_hours_are_replaced_too(site, studios):
    db.session.add(Closure(studio_id=studios[0].id, starts_at=nine(), ends_at=nine() + HOUR, reason="Carpet"))
    early = factories.studio(site, equipment=["kit 1"], bookable_hours={"mon": ["10:00-15:00"]})
    db.session.commit()
    found = seen([studios[0], early], count=2)
    assert states(found) == ["conflict", "replaceable"]
    assert [(o.kind, o.parties, o.reason) for o in found.lines[0].obstacles] == [
        (Kind.OUTSIDE_HOURS, (1,), ""),
        (Kind.CLOSED, (0,), "Carpet"),
    ]
    assert found.lines[1].replacements[1].code == studios[1].code


def test_pools_are_drawn_for_each_meeting_by_itself(site, studios):
    small = factories.studio(site, code="SMALL", capacity=2)
    taken(small, 1)
    found = seen([studios[0], PoolWish(town="Bodø", capacity=2)])
    assert states(found) == ["free"] * 4
    assert [line.studios[1].code for line in found.lines] == ["SMALL", studios[1].code, "SMALL", "SMALL"]


def test_a_pool_in_which_nothing_is_free_is_a_conflict(studios):
    taken(studios[1], 3)
    found = seen([studios[0], PoolWish(town="Bodø")])
    assert states(found) == ["free", "free", "free", "conflict"]
    assert [(o.kind, o.parties) for o in found.lines[3].obstacles] == [(Kind.NONE_FREE, (1,))]


def test_a_meeting_that_is_skipped_is_asked_nothing(studios):
    taken(studios[0], 1)
    found = seen(studios, choices={day(1): Choice(skipped=True)})
    assert states(found) == ["free", "skipped", "free", "free"]
    assert found.can_be_saved


def test_a_meeting_that_is_moved_or_swapped_is_judged_where_it_will_be(site, studios):
    other = factories.studio(site)
    taken(studios[0], 1)
    taken(studios[0], 2)
    choices = {day(1): Choice(start=nine(1) + HOUR), day(2): Choice(studios={0: other.id})}
    found = seen(studios, choices=choices)
    assert states(found) == ["free"] * 4
    assert found.lines[1].start == nine(1) + HOUR
    assert found.lines[2].studios[0].code == other.code


def test_a_meeting_moved_onto_another_of_the_series_is_in_its_way(studios):
    found = seen(studios, choices={day(1): Choice(start=nine(0) + HOUR / 2)})
    assert states(found) == ["free", "conflict", "free", "free"]
    assert {o.studio for o in found.lines[1].obstacles} == {studio.code for studio in studios}


def test_a_choice_for_a_guest_or_nobody_is_refused_and_so_is_one_for_no_day_of_the_series(studios):
    seats = [*studios, GuestWish("sip:gp@example.org")]
    for position in (2, 3, -1):
        with pytest.raises(NotFound):
            seen(seats, choices={day(1): Choice(studios={position: studios[0].id})})
    with pytest.raises(UnknownDays):
        seen(studios, choices={"2020-01-01": Choice(skipped=True)})


def test_what_is_past_too_far_ahead_or_too_long_is_impossible_with_its_reason(studios):
    past = seen(studios, rule={"first_day": datetime.now(UTC).date() - timedelta(days=8), "rule": "FREQ=DAILY;COUNT=1"})
    assert (states(past), past.lines[0].problems) == (["impossible"], (Problem.START_IN_THE_PAST,))
    far = seen(studios, count=60)
    assert set(states(far)[:50]) == {"free"}
    assert (states(far)[-1], far.lines[-1].problems) == ("impossible", (Problem.TOO_FAR_AHEAD,))
    assert seen(studios, rule={"minutes": 13 * 60}).lines[0].problems == (Problem.TOO_LONG,)
    twice = seen(studios, choices={day(0): Choice(studios={0: studios[1].id})})
    assert twice.lines[0].problems == (Problem.STUDIO_TWICE,)


def test_a_time_that_does_not_exist_is_impossible_until_it_is_moved(studios):
    night = spring_forward()
    rule = {"first_day": night, "start_time": time(2, 30), "rule": "FREQ=DAILY;COUNT=2"}
    found = seen(studios, rule=rule)
    assert states(found) == ["impossible", "free"]
    assert found.lines[0].problems == (Problem.TIME_DOES_NOT_EXIST,)
    moved = Choice(start=datetime.combine(night, time(3, 30), OSLO).astimezone(UTC))
    assert states(seen(studios, rule=rule, choices={night.isoformat(): moved})) == ["free", "free"]


def test_nine_stays_nine_when_the_clock_is_moved(studios):
    rule = {"first_day": date(2026, 10, 19), "rule": "FREQ=WEEKLY;COUNT=24"}
    lines = seen(studios, rule=rule).lines
    shown = dict(zip(wall(line.start for line in lines), lines, strict=True))
    for name, utc in [("2026-10-19", 7), ("2026-10-26", 8), ("2027-03-22", 8), ("2027-03-29", 7)]:
        assert shown[f"{name} 09:00"].start.hour == utc
    assert {line.day for line in lines if Note.DST_WEEK in line.notes} == {"2026-10-26", "2027-03-29"}


def test_easter_monday_is_noted_by_name(studios):
    (line,) = seen(studios, rule={"first_day": date(2027, 3, 29), "rule": "FREQ=WEEKLY;COUNT=1"}).lines
    assert Note.HOLIDAY in line.notes
    assert line.holidays == ("Easter Monday",)


def test_what_is_wrong_with_the_whole_series_is_refused_at_once(studios):
    with pytest.raises(WishRefused) as refused:
        seen(studios[:1], title=" ")
    assert refused.value.problems == [Problem.TITLE_MISSING, Problem.TOO_FEW_PARTIES]


def test_a_studio_that_is_private_to_others_or_retired_can_be_had_for_no_meeting(site, studios):
    private = factories.studio(factories.site(), shared=False)
    retired = factories.studio(site, retired_at=datetime.now(UTC))
    person = factories.account(organisation=site.organisation)
    found = seen([studios[0], private, retired], count=2, person=person)
    assert states(found) == ["conflict", "conflict"]
    assert {(o.kind, o.parties) for o in found.lines[0].obstacles} == {(Kind.PRIVATE, (1,)), (Kind.RETIRED, (2,))}


def test_meetings_for_which_the_bridges_have_no_ports_are_in_conflict(studios):
    db.session.add(Bridge(name="B", driver=BridgeDriver.PEXIP, address="https://b", ports=3, health_region="Nord"))
    db.session.commit()
    assert set(states(seen(studios))) == {"free"}
    crowded = [*studios, GuestWish("sip:a@example.org"), GuestWish("sip:b@example.org")]
    found = seen(crowded)
    assert set(states(found)) == {"conflict"}
    assert [o.kind for o in found.lines[0].obstacles] == [Kind.NO_PORTS]


def test_a_preview_asks_as_many_questions_for_fifty_meetings_as_for_two(site, studios):
    person = factories.account(organisation=site.organisation)
    for week in range(50):
        taken(studios[0], week)
    seats = [*studios, PoolWish(town="Bodø")]
    few, many = (asked(request(seats, count=number), person) for number in (2, 50))
    assert many <= few <= 8


def asked(wanted, person) -> int:
    """How many questions a preview asks the database."""
    statements = []
    sa.event.listen(db.engine, "before_cursor_execute", note := lambda *about: statements.append(about[2]))
    try:
        preview(wanted, person)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    found = [statement for statement in statements if statement.startswith("SELECT")]
    assert len(found) >= len(statements) - 1  # one may begin the transaction
    assert not [statement for statement in found if " FOR " in statement]
    return len(found)


def spring_forward() -> date:
    """The next last Sunday of March that is to come."""
    today = datetime.now(UTC).date()
    for year in (today.year, today.year + 1):
        last = date(year, 3, 31)
        sunday = last - timedelta(days=(last.weekday() + 1) % 7)
        if sunday > today + timedelta(days=1):
            return sunday
    raise AssertionError("unreachable")


def test_clinical_meetings_draw_clinical_rooms(site, studios):
    factories.studio(site, code="OFFICE", clinical=False, capacity=1)
    found = seen([studios[0], PoolWish(town="Bodø")], purpose=Purpose.CLINICAL)
    assert found.lines[0].studios[1].code == studios[1].code
