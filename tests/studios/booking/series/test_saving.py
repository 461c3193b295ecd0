from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from errors import Conflict
from models import AuditEntry, Closure, Conference, Event, Reservation, Series, db, write
from studios.booking.obstacles import Kind
from studios.booking.rules import first_look
from studios.booking.series import previews, saving
from studios.booking.series.choices import Choice
from studios.booking.series.previews import SeriesRefused, preview
from studios.booking.series.rules import RuleProblem, RuleRefused
from studios.booking.series.saving import book_series
from studios.booking.series.wording import PROBLEMS
from studios.booking.wishes import GuestWish, PoolWish
from tests import factories
from tests.studios.booking.series.asking import (
    HOUR,
    codes,
    count,
    day,
    nine,
    overlaps,
    recurrence,
    request,
    saved,
    states,
)
from tests.studios.booking.series.test_previews import spring_forward


@pytest.fixture
def site(app):
    return factories.site(town="Bodø", municipality="Bodø")


@pytest.fixture
def studios(site):
    return [factories.studio(site) for _ in range(3)]


def test_a_series_is_saved_with_all_its_meetings(studios):
    organiser = factories.account(organisation=studios[0].site.organisation)
    asked = request(studios[:2], count=26)
    conference_ids = write(lambda: [each.id for each in book_series(asked, organiser).conferences])
    conferences = [db.session.get_one(Conference, key) for key in conference_ids]
    assert [each.starts_at for each in conferences] == [each.recurs_at for each in conferences]
    assert conferences[0].starts_at == nine()
    assert {each.uid for each in conferences} == {conferences[0].uid}
    assert {(each.sequence, each.version, each.detached) for each in conferences} == {(0, 1, False)}
    assert {tuple(codes(each)) for each in conferences} == {tuple(studio.code for studio in studios[:2])}
    assert {(each.organiser_id, each.due_at == first_look(each.starts_at)) for each in conferences} == {
        (organiser.id, True)
    }
    assert (count("conference"), count("reservation"), count("party"), overlaps()) == (26, 52, 52, 0)


def test_the_rule_is_kept_and_one_audit_entry_and_a_line_for_each_meeting_tell_of_it(studios):
    conferences = saved(studios[:2], choices={day(1): Choice(skipped=True)})
    series = db.session.scalars(db.select(Series)).one()
    assert (series.rule, series.first_day) == (recurrence().rule, recurrence().first_day)
    assert (f"{series.start_time:%H:%M}", series.minutes, series.zone) == ("09:00", 60, "Europe/Oslo")
    entry = db.session.scalars(db.select(AuditEntry)).one()
    assert (entry.action, entry.object, entry.after["skipped"]) == ("series.booked", f"series {series.id}", 1)
    assert [each["reference"] for each in entry.after["booked"]] == [each.reference for each in conferences]
    events = db.session.scalars(db.select(Event)).all()
    assert {event.conference_id for event in events} == {each.id for each in conferences}
    assert {(event.kind, event.details["series"]) for event in events} == {("conference.booked", series.id)}


def test_the_host_is_the_first_studio_that_is_steered(studios):
    factories.endpoint(studios[1])
    for conference in saved(studios):
        assert [party.host for party in conference.parties] == [False, True, False]


@pytest.mark.parametrize("blocked", ["taken", "closed", "past"])
def test_one_meeting_that_cannot_be_had_saves_none_of_them(studios, blocked):
    rule = {}
    if blocked == "taken":
        factories.conference(studios[0], factories.studio(), start=nine(2))
    elif blocked == "closed":
        db.session.add(Closure(studio_id=studios[0].id, starts_at=nine(2), ends_at=nine(3), reason="Carpet"))
        db.session.commit()
    else:
        rule = {"first_day": datetime.now(UTC).date(), "start_time": datetime.min.time(), "rule": "FREQ=DAILY;COUNT=3"}
    before = count("conference"), count("reservation")
    with pytest.raises(SeriesRefused) as refused:
        saved(studios[:2], rule=rule)
    assert isinstance(refused.value, Conflict)
    assert [line for line in refused.value.lines if line.state != "free"]
    assert (count("conference"), count("reservation")) == before
    assert (count("series"), count("audit_entry"), count("event")) == (0, 0, 0)


def test_a_replaceable_meeting_is_not_replaced_unless_somebody_says_so(studios):
    factories.conference(studios[0], factories.studio(), start=nine(2))
    with pytest.raises(SeriesRefused) as refused:
        saved(studios[:2])
    line = refused.value.lines[2]
    assert line.state == "replaceable"
    swap = {line.day: Choice(studios={party: studio.id for party, studio in line.replacements.items()})}
    conferences = saved(studios[:2], choices=swap)
    assert [codes(each)[0] for each in conferences] == [studios[i].code for i in (0, 0, 2, 0)]
    assert [each.detached for each in conferences] == [False, False, True, False]
    assert overlaps() == 0


def test_what_is_skipped_is_not_booked_and_counted(studios):
    taken = factories.conference(studios[0], factories.studio(), start=nine(2))
    choices = {day(week): Choice(skipped=True) for week in (0, 2)}
    asked = request(studios[:2], choices=choices)
    kept, skipped = write(lambda: (lambda found: (len(found.conferences), found.skipped))(book_series(asked, None)))
    assert (kept, skipped) == (2, 2)
    starts = db.session.scalars(sa.select(Conference.starts_at).where(Conference.id != taken.id))
    assert sorted(starts) == [nine(1), nine(3)]


def test_a_series_of_which_all_is_skipped_is_refused(studios):
    with pytest.raises(Conflict):
        saved(studios[:2], count=1, choices={day(0): Choice(skipped=True)})
    assert count("series") == 0


def test_a_moved_meeting_keeps_where_the_rule_put_it(studios):
    conferences = saved(studios[:2], choices={day(1): Choice(start=nine(1) + HOUR)})
    assert conferences[1].starts_at == nine(1) + HOUR
    assert (conferences[1].recurs_at, conferences[1].detached) == (nine(1), True)


def test_each_meeting_draws_on_its_pools_by_itself(site, studios):
    factories.conference(studios[1], factories.studio(), start=nine(1))
    factories.studio(site, capacity=9, code="LARGE")
    conferences = saved([studios[0], PoolWish(town="Bodø", capacity=2)])
    drawn = [codes(each)[1] for each in conferences]
    assert drawn == [studios[1].code, studios[2].code, studios[1].code, studios[1].code]


def test_daily_meetings_whose_buffers_touch_are_saved_and_those_whose_buffers_overlap_are_not(site):
    long = {"rule": "FREQ=DAILY;COUNT=3", "minutes": 12 * 60}
    studio = factories.studio(site, setup_minutes=12 * 60)
    assert len(saved([studio, GuestWish("sip:gp@example.org")], rule=long)) == 3
    studio = factories.studio(site, setup_minutes=12 * 60 + 5, equipment=["only here"])
    with pytest.raises(SeriesRefused) as refused:
        saved([studio, GuestWish("sip:gp@example.org")], rule=long)
    assert states(refused.value) == ["free", "conflict", "free"]
    assert [o.kind for o in refused.value.obstacles] == [Kind.TAKEN]


def test_a_series_over_the_night_of_the_clock_keeps_its_hour(studios):
    first = spring_forward()
    conferences = saved(studios[:2], rule={"first_day": first, "rule": "FREQ=DAILY;COUNT=2;INTERVAL=1"})
    assert {each.starts_at.hour for each in conferences} == {7}
    assert len(conferences) == 2


def test_saving_asks_as_many_questions_for_fifty_meetings_as_for_five(studios):
    few, many = (statements(lambda number=number: saved_at(studios, number)) for number in (5, 50))
    assert len(many) <= len(few)


def saved_at(studios, number):
    minutes = {"start_time": datetime.min.time().replace(hour=number % 24)}
    write(lambda: len(book_series(request(studios, count=number, rule=minutes), None).conferences))


def statements(work) -> list[str]:
    """What is asked of the database; SQLite gives conferences their keys one by one."""
    found = []
    sa.event.listen(db.engine, "before_cursor_execute", note := lambda *about: found.append(about[2]))
    try:
        work()
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    return [statement for statement in found if not statement.startswith("INSERT INTO conference")]


def test_what_was_previewed_before_the_transaction_is_booked_and_drawn_anew_only_where_it_is_gone(
    site, studios, monkeypatch
):
    asked = request([studios[0], PoolWish(town="Bodø")])
    seen = preview(asked, None)
    drawn = [line.studios[1] for line in seen.lines]
    gone = Reservation(studio_id=drawn[1].id, starts_at=seen.lines[1].start, ends_at=seen.lines[1].end)
    db.session.add(gone)
    db.session.commit()
    monkeypatch.setattr(saving, "preview", lambda *_: pytest.fail("previewed in the transaction"))
    keys = write(lambda: [each.id for each in book_series(asked, None, seen).conferences])
    found = [codes(db.session.get_one(Conference, key))[1] for key in keys]
    assert [code == studio.code for code, studio in zip(found, drawn, strict=True)] == [True, False, True, True]
    assert overlaps() == 0


def test_a_series_with_too_many_places_is_refused(studios, monkeypatch):
    monkeypatch.setattr(previews, "MOST_SEATS", 7)
    with pytest.raises(RuleRefused) as refused:
        preview(request(studios[:2]), None)
    assert refused.value.problem is RuleProblem.TOO_LARGE
    assert "2000 places" in str(PROBLEMS[RuleProblem.TOO_LARGE])
