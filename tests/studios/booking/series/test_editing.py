from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from errors import Conflict, NotFound
from models import (
    Answer,
    AuditEntry,
    Conference,
    ConferenceState,
    Event,
    Leg,
    Purpose,
    Reservation,
    Series,
    Wanted,
    db,
    write,
)
from studios.booking.answers import accept, decline
from studios.booking.conferences import book, cancel, change
from studios.booking.obstacles import ChangedMeanwhile, WishRefused
from studios.booking.rules import Problem, first_look, instant
from studios.booking.series.edit_previews import EditRefused, SeriesChange, preview_edit
from studios.booking.series.editing import cancel_series, edit_series
from studios.booking.series.edits import Kept, Scope
from studios.booking.series.saving import book_series
from studios.booking.wishes import PoolWish
from studios.booking.wishes import studios as these_studios
from tests import factories
from tests.studios.booking.series.asking import (
    HOUR,
    NINE,
    OSLO,
    WEEK,
    codes,
    count,
    members,
    monday,
    nine,
    overlaps,
    request,
    saved,
    wall,
)
from tests.studios.booking.series.test_previews import spring_forward

TEN = SeriesChange(start=nine() + HOUR)


@pytest.fixture
def site(app):
    return factories.site(town="Bodø", municipality="Bodø")


@pytest.fixture
def studios(site):
    return [factories.studio(site) for _ in range(4)]


@pytest.fixture
def series(studios) -> list[Conference]:
    """Four meetings at nine, in the first two studios."""
    return saved(studios[:2])


def edited(pivot: Conference, scope: Scope, change: SeriesChange, person=None) -> list[Conference]:
    key, version = pivot.id, pivot.version
    series_id = write(lambda: edit_series(key, scope, change, version, person).series.id)
    return members(series_id)


def cancelled(pivot: Conference, scope: Scope) -> None:
    key, version = pivot.id, pivot.version
    write(lambda: len(cancel_series(key, scope, version, None).conferences))


def fresh(conferences) -> list[Conference]:
    for conference in conferences:
        db.session.refresh(conference)
    return conferences


def starts(conferences) -> list[datetime]:
    return [conference.starts_at for conference in fresh(conferences)]


def held(conferences) -> list[list[tuple[datetime, datetime]]]:
    query = db.select(Reservation).where(Reservation.released_at.is_(None))
    return [
        sorted(
            {(r.starts_at, r.ends_at) for r in db.session.scalars(query.where(Reservation.conference_id == each.id))}
        )
        for each in conferences
    ]


def test_all_meetings_are_moved_at_once_each_on_its_own_day(series):
    before = [conference.uid for conference in series]
    edited(series[1], Scope.ALL, SeriesChange(start=nine(1) + HOUR))
    moved = [nine(week) + HOUR for week in range(4)]
    assert starts(series) == moved
    assert [each.due_at for each in series] == [first_look(start) for start in moved]
    assert held(series) == [[(start, start + HOUR)] for start in moved]
    assert [each.recurs_at for each in series] == [nine(week) for week in range(4)]
    assert [each.uid for each in series] == before
    assert {(each.sequence, each.version, each.detached) for each in series} == {(1, 2, False)}
    assert overlaps() == 0


def test_the_rule_moves_with_its_meetings(series):
    edited(series[0], Scope.ALL, SeriesChange(start=nine() + 25 * HOUR, minutes=90))
    row = db.session.scalars(db.select(Series)).one()
    assert (row.first_day, f"{row.start_time:%H:%M}", row.minutes) == (monday() + timedelta(days=1), "10:00", 90)
    assert row.version == 2
    assert starts(series) == [nine(week) + 25 * HOUR for week in range(4)]
    assert {each.ends_at - each.starts_at for each in series} == {timedelta(minutes=90)}


def test_meetings_move_over_their_siblings_old_times(series):
    edited(series[0], Scope.ALL, SeriesChange(start=nine(1)))
    assert starts(series) == [nine(week + 1) for week in range(4)]
    edited(series[0], Scope.ALL, SeriesChange(start=nine(1) + HOUR / 2))
    assert starts(series) == [nine(week + 1) + HOUR / 2 for week in range(4)]
    assert overlaps() == 0


def test_this_one_is_moved_by_itself_and_stands_by_itself_from_then_on(series):
    edited(series[1], Scope.THIS, SeriesChange(start=nine(1) + HOUR))
    assert starts(series) == [nine(0), nine(1) + HOUR, nine(2), nine(3)]
    assert [each.detached for each in series] == [False, True, False, False]
    assert [each.sequence for each in series] == [0, 1, 0, 0]
    assert series[1].series_id == series[0].series_id
    edited(series[0], Scope.ALL, SeriesChange(start=nine() + 2 * HOUR, title="New title"))
    assert starts(series) == [nine() + 2 * HOUR, nine(1) + HOUR, nine(2) + 2 * HOUR, nine(3) + 2 * HOUR]
    assert {each.title for each in series} == {"New title"}
    assert [each.sequence for each in series] == [1, 2, 1, 1]


def test_this_and_the_following_are_moved_and_become_a_series_of_their_own(series):
    uid = series[0].uid
    edited(series[2], Scope.FOLLOWING, SeriesChange(start=nine(2) + HOUR))
    assert starts(series) == [nine(0), nine(1), nine(2) + HOUR, nine(3) + HOUR]
    first, second = db.session.scalars(db.select(Series).order_by(Series.id)).all()
    assert [each.series_id for each in series] == [first.id, first.id, second.id, second.id]
    assert {each.uid for each in series} == {uid}
    assert first.rule == f"FREQ=WEEKLY;BYDAY=MO;UNTIL={monday() + WEEK:%Y%m%d}"
    assert (second.rule, second.first_day) == ("FREQ=WEEKLY;BYDAY=MO;COUNT=2", monday() + 2 * WEEK)
    assert (f"{first.start_time:%H:%M}", f"{second.start_time:%H:%M}") == ("09:00", "10:00")
    edited(series[0], Scope.ALL, SeriesChange(title="The first"))
    assert [each.title for each in fresh(series)] == ["The first", "The first", "Lung meeting", "Lung meeting"]


def test_a_second_cut_after_the_series_was_moved_is_at_the_right_meeting(series):
    edited(series[0], Scope.ALL, SeriesChange(start=nine() + 25 * HOUR))
    edited(fresh(series)[3], Scope.FOLLOWING, SeriesChange(title="Last"))
    first, second = db.session.scalars(db.select(Series).order_by(Series.id)).all()
    assert first.rule.endswith(f"UNTIL={monday() + 2 * WEEK + timedelta(days=1):%Y%m%d}")
    assert (second.first_day, second.rule) == (monday() + 3 * WEEK + timedelta(days=1), "FREQ=WEEKLY;BYDAY=TU;COUNT=1")


def test_following_from_the_first_on_is_the_whole_series(series):
    edited(series[0], Scope.FOLLOWING, TEN)
    assert count("series") == 1
    assert starts(series) == [nine(week) + HOUR for week in range(4)]


def test_studios_are_added_and_removed_and_only_what_is_changed_gets_a_new_sequence(studios, series):
    edited(series[2], Scope.FOLLOWING, SeriesChange(parties=these_studios(s.id for s in studios[1:4])))
    assert [codes(each) for each in fresh(series)] == [[s.code for s in studios[:2]]] * 2 + [
        [s.code for s in studios[1:4]]
    ] * 2
    assert [each.sequence for each in series] == [0, 0, 1, 1]
    assert db.session.scalar(sa.text("SELECT count(*) FROM reservation WHERE released_at IS NULL")) == 10
    same = SeriesChange(title="Lung meeting", parties=these_studios(s.id for s in studios[1:4]))
    edited(series[2], Scope.ALL, same)
    assert [each.sequence for each in fresh(series)] == [0, 0, 1, 1]


def test_an_edit_that_clashes_once_is_refused_whole_and_names_every_clash(studios, series):
    others = [
        factories.conference(studios[1], factories.studio(), start=nine(week) + HOUR, title="Secret") for week in (1, 3)
    ]
    with pytest.raises(EditRefused) as refused:
        edited(series[0], Scope.ALL, SeriesChange(start=nine() + HOUR, title="New"))
    assert [line.is_in_the_way for line in refused.value.lines] == [False, True, False, True]
    found = [[o.reference for o in line.obstacles] for line in refused.value.lines]
    assert found == [[], [others[0].reference], [], [others[1].reference]]
    assert starts(series) == [nine(week) for week in range(4)]
    assert {(each.title, each.sequence, each.version) for each in series} == {("Lung meeting", 0, 1)}
    assert held(series) == [[(nine(week), nine(week) + HOUR)] for week in range(4)]


def test_editing_a_series_never_touches_anybody_elses_booking(studios, series):
    others = [factories.conference(*studios[:2], start=nine(week) + HOUR) for week in range(4)]
    before = [(each.version, each.state, each.starts_at) for each in others]
    times = held(others)
    for scope in Scope:
        with pytest.raises(EditRefused):
            edited(series[0], scope, SeriesChange(minutes=90))
        edited(fresh(series)[0], scope, SeriesChange(title=scope.value))
    edited(fresh(series)[0], Scope.ALL, SeriesChange(start=nine() + 2 * HOUR))
    cancelled(fresh(series)[0], Scope.ALL)
    assert [(each.version, each.state, each.starts_at) for each in fresh(others)] == before
    assert held(others) == times


def test_a_cancelled_meeting_is_never_brought_back_by_an_edit(series):
    cancelled(series[1], Scope.THIS)
    edited(series[0], Scope.ALL, SeriesChange(start=nine() + HOUR, title="New"))
    edited(fresh(series)[0], Scope.FOLLOWING, SeriesChange(minutes=30))
    assert [each.state.value for each in fresh(series)] == ["planned", "cancelled", "planned", "planned"]
    assert (series[1].starts_at, series[1].title, series[1].sequence) == (nine(1), "Lung meeting", 1)
    assert held(series)[1] == []


def test_one_meeting_is_cancelled_and_the_others_stay(studios, series):
    cancelled(series[1], Scope.THIS)
    assert [each.state.value for each in fresh(series)] == ["planned", "cancelled", "planned", "planned"]
    factories.conference(*studios[:2], start=nine(1))
    assert overlaps() == 0


def test_this_and_the_following_are_cancelled_those_that_were_moved_too(series):
    edited(series[2], Scope.THIS, SeriesChange(start=nine(2) + HOUR))
    cancelled(fresh(series)[1], Scope.FOLLOWING)
    assert [each.state.value for each in fresh(series)] == ["planned", *["cancelled"] * 3]
    assert held(series)[1:] == [[], [], []]
    with pytest.raises(Conflict, match="nothing left"):
        cancelled(series[1], Scope.FOLLOWING)
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "series.cancelled")).one()
    assert entry.after == {"cancelled": [each.reference for each in series[1:]]}


def test_a_meeting_that_a_person_changed_by_itself_is_left_where_it_is(studios, series):
    wish = request(studios[2:4], start=nine(1) + HOUR, end=nine(1) + 2 * HOUR).booking
    write(lambda: change(series[1].id, wish, 1, None).id)
    edited(
        series[0],
        Scope.ALL,
        SeriesChange(start=nine() + 3 * HOUR, parties=these_studios([studios[0].id, studios[3].id])),
    )
    assert starts(series)[1] == nine(1) + HOUR
    assert codes(series[1]) == [studio.code for studio in studios[2:4]]


def test_what_is_over_or_under_way_is_left_alone_and_said_so(series):
    db.session.execute(
        sa.update(Conference).where(Conference.id == series[0].id).values(state=ConferenceState.STARTING)
    )
    db.session.execute(sa.update(Conference).where(Conference.id == series[0].id).values(state=ConferenceState.ENDED))
    leg = Leg(
        conference_id=series[1].id, party_id=series[1].parties[1].id, wanted=Wanted.UP, token="t",
        changed_at=datetime.now(UTC),
    )  # fmt: skip
    db.session.add(leg)
    db.session.commit()
    seen = preview_edit(series[2].id, Scope.ALL, SeriesChange(start=nine(2) + HOUR), None)
    assert [line.outcome.kept for line in seen.lines] == [Kept.OVER, Kept.UNDER_WAY, None, None]
    assert [line.changed for line in seen.lines] == [False, False, True, True]
    edited(series[2], Scope.ALL, SeriesChange(start=nine(2) + HOUR))
    assert starts(series) == [nine(0), nine(1), nine(2) + HOUR, nine(3) + HOUR]
    assert [each.sequence for each in series] == [0, 0, 1, 1]
    for attempt in (lambda: edited(series[0], Scope.THIS, TEN), lambda: cancelled(series[1], Scope.THIS)):
        with pytest.raises(Conflict, match="over"):
            attempt()


def test_a_preview_of_an_edit_says_what_happens_to_each_and_changes_nothing(studios, series):
    cancelled(series[3], Scope.THIS)
    edited(series[1], Scope.THIS, SeriesChange(start=nine(1) + 3 * HOUR))
    other = factories.conference(studios[0], factories.studio(), start=nine(2) + HOUR)
    version = fresh(series)[0].version
    seen = preview_edit(series[0].id, Scope.ALL, TEN, None)
    assert [line.outcome.kept for line in seen.lines] == [None, Kept.DETACHED, None, Kept.CANCELLED]
    assert (seen.lines[0].outcome.member.start, seen.lines[0].outcome.start) == (nine(), nine() + HOUR)
    assert [[o.reference for o in line.obstacles] for line in seen.lines] == [[], [], [other.reference], []]
    assert not seen.can_be_made
    assert starts(series)[0] == nine()
    assert series[0].version == version
    assert preview_edit(series[0].id, Scope.THIS, TEN, None).can_be_made


def test_a_meeting_that_was_moved_is_in_the_way_of_its_siblings_as_any_other(series):
    edited(series[1], Scope.THIS, SeriesChange(start=nine(2) + 2 * HOUR))
    with pytest.raises(EditRefused) as refused:
        edited(series[0], Scope.ALL, SeriesChange(start=nine() + 2 * HOUR))
    assert [[o.reference for o in line.obstacles] for line in refused.value.lines] == [
        [], [], [series[1].reference] * 2, [],
    ]  # fmt: skip


def test_nine_becomes_ten_on_both_sides_of_the_night_of_the_clock(studios):
    first = spring_forward() - timedelta(days=6)
    conferences = saved(studios[:2], count=3, rule={"first_day": first})
    edited(conferences[0], Scope.ALL, SeriesChange(start=instant(first, NINE.replace(hour=10), OSLO)))
    days: list[date] = [first + week * WEEK for week in range(3)]
    assert wall(starts(conferences)) == [f"{day} 10:00" for day in days]
    assert [each.hour for each in starts(conferences)] == [9, 8, 8]


def test_a_time_that_does_not_exist_one_night_leaves_that_meeting_where_it_is(studios):
    night = spring_forward()
    rule = {"first_day": night - WEEK, "rule": "FREQ=WEEKLY;COUNT=3"}
    conferences = saved(studios[:2], rule=rule)
    half_past_two = instant(night - WEEK, NINE.replace(hour=2, minute=30), OSLO)
    seen = preview_edit(conferences[0].id, Scope.ALL, SeriesChange(start=half_past_two), None)
    assert [line.outcome.kept for line in seen.lines] == [None, Kept.DOES_NOT_EXIST, None]
    edited(conferences[0], Scope.ALL, SeriesChange(start=half_past_two))
    assert [text[-5:] for text in wall(starts(conferences))] == ["02:30", "09:00", "02:30"]


def test_days_that_no_rule_can_say_are_not_moved_together(studios):
    conferences = saved(studios[:2], rule={"rule": "FREQ=MONTHLY;BYDAY=2TU;COUNT=3"})
    start = conferences[0].starts_at
    with pytest.raises(Conflict, match="book it anew"):
        edited(conferences[0], Scope.ALL, SeriesChange(start=start + WEEK))
    edited(conferences[0], Scope.THIS, SeriesChange(start=start + WEEK))
    assert starts(conferences)[0] == start + WEEK


def test_an_edit_on_what_somebody_else_has_changed_is_refused(series):
    edited(series[0], Scope.THIS, SeriesChange(title="First"))
    key = series[0].id
    for attempt in (
        lambda: edit_series(key, Scope.ALL, TEN, 1, None),
        lambda: cancel_series(key, Scope.ALL, 1, None),
    ):
        with pytest.raises(ChangedMeanwhile):
            write(attempt)


def test_what_is_wrong_with_the_change_itself_is_refused(series):
    with pytest.raises(WishRefused) as refused:
        preview_edit(series[0].id, Scope.ALL, SeriesChange(title=" ", parties=()), None)
    assert refused.value.problems == [Problem.TITLE_MISSING, Problem.TOO_FEW_PARTIES]
    seen = preview_edit(series[0].id, Scope.ALL, SeriesChange(minutes=13 * 60), None)
    assert {line.problems for line in seen.lines} == {(Problem.TOO_LONG,)}


def test_only_a_meeting_of_a_series_is_edited_as_one(studios):
    alone = request(studios[:2]).booking
    key = write(lambda: book(alone, None).id)
    with pytest.raises(Conflict):
        preview_edit(key, Scope.ALL, TEN, None)
    with pytest.raises(NotFound):
        preview_edit(key + 1000, Scope.ALL, TEN, None)


def test_the_invited_are_asked_again_only_where_time_or_studio_changed(site, studios):
    person = factories.account(organisation=site.organisation)
    invited, late = factories.studio(), factories.studio()
    asked = request([studios[0], invited])
    series_id = write(lambda: book_series(asked, person).series.id)
    conferences = members(series_id)
    for conference in conferences:
        write(lambda key=conference.id: accept(key, 1, None).id)
    edited(fresh(conferences)[0], Scope.ALL, SeriesChange(title="Other"), person)
    assert {each.parties[1].answer for each in fresh(conferences)} == {Answer.ACCEPTED}
    parties = these_studios([studios[0].id, invited.id, late.id])
    edited(conferences[0], Scope.ALL, SeriesChange(parties=parties), person)
    assert {tuple(p.answer for p in each.parties[1:]) for each in fresh(conferences)} == {
        (Answer.ACCEPTED, Answer.WAITING)
    }
    edited(conferences[1], Scope.THIS, SeriesChange(start=nine(1) + HOUR), person)
    assert [each.parties[1].answer for each in fresh(conferences)] == [
        Answer.ACCEPTED, Answer.WAITING, Answer.ACCEPTED, Answer.ACCEPTED,
    ]  # fmt: skip


def test_who_declined_meetings_of_a_series_is_not_asked_again_by_another_party(site, studios):
    person = factories.account(organisation=site.organisation)
    invited, late = factories.studio(), factories.studio()
    series_id = write(lambda: book_series(request([studios[0], studios[1], invited]), person).series.id)
    conferences = members(series_id)
    write(lambda: decline(conferences[0].id, 2, "Nobody is here", None).id)
    factories.conference(invited, start=conferences[0].starts_at)
    parties = these_studios([studios[0].id, studios[1].id, invited.id, late.id])
    edited(fresh(conferences)[0], Scope.ALL, SeriesChange(parties=parties), person)
    assert [each.parties[2].answer for each in fresh(conferences)] == [Answer.DECLINED] + 3 * [Answer.WAITING]
    assert conferences[0].parties[2].reservation.released_at is not None


def test_pools_are_drawn_anew_where_the_meeting_moves(site, studios):
    conferences = saved([studios[0], PoolWish(town="Bodø")])
    factories.conference(studios[1], factories.studio(), start=nine(2) + HOUR)
    edited(conferences[0], Scope.ALL, TEN)
    assert [codes(each)[1] for each in fresh(conferences)] == [studios[i].code for i in (1, 1, 2, 1)]


def test_a_pool_gives_a_meeting_the_studio_again_that_it_had(site, studios):
    conferences = saved([studios[0], PoolWish(town="Bodø")])
    factories.studio(site, code="FITS-BETTER", capacity=1)
    parties = (*these_studios([studios[0].id, studios[3].id]), PoolWish(town="Bodø"))
    edited(conferences[0], Scope.ALL, SeriesChange(start=nine() + HOUR, parties=parties))
    assert {codes(each)[2] for each in fresh(conferences)} == {studios[1].code}


def test_timelines_and_one_audit_entry_tell_of_an_edit(series):
    person = factories.account()
    edited(series[1], Scope.FOLLOWING, SeriesChange(start=nine(1) + HOUR, purpose=Purpose.EDUCATION), person)
    events = db.session.scalars(db.select(Event).where(Event.kind == "conference.changed").order_by(Event.id)).all()
    assert [event.conference_id for event in events] == [each.id for each in series[1:]]
    assert {event.account_id for event in events} == {person.id}
    assert events[0].details["changes"]["start"] == [nine(1).isoformat(), (nine(1) + HOUR).isoformat()]
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "series.changed")).one()
    assert [each["reference"] for each in entry.after["changed"]] == [each.reference for each in series[1:]]


def test_a_meeting_cancelled_by_itself_elsewhere_counts_as_cancelled(series):
    write(lambda: cancel(series[2].id, 1, None).id)
    seen = preview_edit(series[0].id, Scope.ALL, TEN, None)
    assert [line.outcome.kept for line in seen.lines] == [None, None, Kept.CANCELLED, None]
