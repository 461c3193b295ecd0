from dataclasses import replace

import pytest

from accounts.queries import access_of
from config import settings
from errors import Conflict, Forbidden
from models import (
    AuditEntry,
    Conference,
    ConferenceState,
    Event,
    Leg,
    Purpose,
    Reservation,
    ReservationKind,
    Role,
    WaitingRequest,
    Wanted,
    db,
    write,
)
from studios.booking import acute, letters
from studios.booking.acute import in_the_way, take_over
from studios.booking.conferences import cancel, change, take_back_cancellation
from studios.booking.obstacles import StudioTaken, WishRefused
from studios.booking.queries import events_of, may_change, may_see_title
from studios.booking.story import tell
from studios.booking.waiting.offers import accept_offer
from studios.booking.waiting.serving import offer_what_came_free
from studios.booking.wishes import PoolWish, StudioWish
from tests import factories
from tests.studios.booking.waiting.town import HOUR, count, mails, overlaps, request_of


@pytest.fixture
def doctor(town):
    return factories.account("doctor@example.org", Role.EMERGENCY, town.hospital)


@pytest.fixture
def theirs(town, start) -> Conference:
    return town.books(town.one, town.far, start=start, by=town.bob, movable=True, title="Heart meeting")


def takes(town, doctor, *studios, start, reason="Stroke, needs the specialist now", **changes) -> Conference:
    wish = town.wish(*studios, start=start, **changes)
    conference_id = write(lambda: take_over(wish, reason, doctor).id)
    return db.session.get_one(Conference, conference_id)


def request_for(conference) -> WaitingRequest:
    return db.session.scalars(db.select(WaitingRequest).filter_by(conference_id=conference.id)).one()


def held(request) -> list[int]:
    return [hold.studio_id for hold in request.holds]


def test_the_displaced_gets_another_studio_of_the_site_at_its_own_time_held_at_once(town, start, doctor, theirs):
    emergency = takes(town, doctor, town.one, town.two, start=start)
    db.session.refresh(theirs)
    assert (emergency.priority, emergency.state, theirs.state) == (1, ConferenceState.PLANNED, "cancelled")
    request = request_for(theirs)
    assert (request.state.value, request.offered_start) == ("offered", start)
    assert held(request) == [town.three.id, town.far.id]
    assert request.account_id == town.bob.id
    write(lambda: accept_offer(request.id, town.bob).id)
    db.session.refresh(theirs)
    assert (theirs.state, theirs.starts_at) == (ConferenceState.PLANNED, start)
    assert [party.reservation.studio_id for party in theirs.parties] == [town.three.id, town.far.id]
    assert overlaps() == 0


def test_it_is_told_audited_and_mailed_without_a_title_of_others(town, start, doctor, theirs):
    emergency = takes(town, doctor, town.one, town.two, start=start)
    events = {event.kind: event for event in db.session.scalars(db.select(Event).filter_by(conference_id=theirs.id))}
    assert events["conference.displaced"].details == {
        "acute": emergency.reference,
        "reason": "Stroke, needs the specialist now",
    }
    assert "conference.offered" in events
    assert count("audit_entry", "action = 'conference.took_over'") == 1
    (mail,) = mails("displaced/%")
    assert mail.recipient == "bob@example.org"
    assert emergency.reference in mail.body
    assert theirs.reference in mail.subject
    assert "Lung" not in mail.body + mail.subject
    assert "Reason: Stroke, needs the specialist now" in mail.body


def test_mails_lead_to_the_page_of_the_conference_where_there_is_one(town, start, doctor, theirs, monkeypatch):
    monkeypatch.setattr(letters, "settings", lambda: replace(settings(), public_url="https://video.example"))
    takes(town, doctor, town.one, town.two, start=start)
    (mail,) = mails("displaced/%")
    assert f"https://video.example/conferences/{theirs.reference}" in mail.body
    assert "/waiting/" not in mail.body


def test_the_reason_stands_in_the_story_for_those_around_the_table_only(town, start, doctor, theirs):
    takes(town, doctor, town.one, town.two, start=start)
    for names in (True, False):
        lines = [line for chapter in tell(events_of(theirs), start, names) for line in chapter.lines]
        assert any("Stroke" in line.more for line in lines) is names


def test_without_another_studio_the_nearest_time_is_held(town, start, doctor, theirs):
    takes(town, doctor, town.one, town.two, town.three, start=start)
    request = request_for(theirs)
    assert request.state.value == "offered"
    assert abs(request.offered_start - start) == HOUR
    assert held(request) == [town.one.id, town.far.id]


def test_with_nothing_free_it_waits_in_the_line(town, start, doctor, theirs):
    town.fills(town.far, around=start)
    town.books(town.away, town.three, start=start)
    town.fills(town.away, around=start)
    emergency = takes(town, doctor, town.one, town.far, start=start)
    assert request_for(theirs).state.value == "waiting"
    assert "waiting list" in mails("displaced/%")[0].body
    assert offer_what_came_free() == 0
    write(lambda: cancel(emergency.id, emergency.version, None).id)
    assert offer_what_came_free() == 1
    assert request_for(theirs).offered_start == start


def test_several_are_displaced_in_one_go_and_never_get_the_same_place(town, start, doctor):
    first = town.books(town.one, town.far, start=start, by=town.bob, movable=True)
    second = town.books(town.two, town.away, start=start, by=town.bob, movable=True)
    takes(town, doctor, town.one, town.two, start=start)
    assert held(request_for(first)) == [town.three.id, town.far.id]
    assert request_for(second).state.value == "offered"
    assert request_for(second).offered_start != start
    assert overlaps() == 0


@pytest.mark.parametrize("why", ["fixed", "acute", "running", "set up", "held"])
def test_what_must_not_give_way_refuses_all_of_it_and_is_named(town, start, doctor, theirs, why):
    when = start
    if why == "fixed":
        blocker = town.books(town.two, town.away, start=start, by=town.bob)
    elif why == "acute":
        blocker = takes(town, doctor, town.two, town.away, start=start, movable=True)
    elif why == "held":
        town.waits(town.two, town.away, start=start, by=town.bob)
        offer_what_came_free()
    else:
        blocker = town.books(town.two, town.away, start=start, by=town.bob, movable=True)
        if why == "running":
            blocker.state = ConferenceState.RUNNING
        else:
            db.session.add(
                Leg(
                    conference_id=blocker.id,
                    party_id=blocker.parties[1].id,
                    wanted=Wanted.UP,
                    changed_at=start,
                    token="t",
                )
            )
        db.session.commit()
    with pytest.raises(StudioTaken) as refused:
        takes(town, doctor, town.one, town.two, start=when)
    expected = "" if why == "held" else blocker.reference
    assert [clash.reference for clash in refused.value.clashes] == [expected]
    db.session.rollback()
    db.session.refresh(theirs)
    assert theirs.state is ConferenceState.PLANNED
    assert count("reservation", "released_at IS NULL") == 4


def test_only_who_holds_the_right_for_the_organisation_a_reason_and_a_clinical_purpose(town, start, doctor, theirs):
    for person in (town.alice, factories.account(role=Role.EMERGENCY, organisation=town.clinic)):
        with pytest.raises(Forbidden):
            takes(town, person, town.one, town.two, start=start)
    with pytest.raises(WishRefused):
        takes(town, doctor, town.one, town.two, start=start, reason="  ")
    with pytest.raises(Conflict, match="clinical"):
        takes(town, doctor, town.one, town.two, start=start, purpose=Purpose.EDUCATION)
    assert count("conference") == 1


def test_with_nothing_in_its_way_it_is_simply_booked(town, start, doctor):
    emergency = takes(town, doctor, town.one, town.two, start=start)
    assert (emergency.priority, count("waiting_request")) == (1, 0)


def test_what_would_give_way_can_be_seen_before(town, start, theirs):
    (clash,) = in_the_way(town.wish(town.one, town.two, start=start))
    assert (clash.reference, clash.movable, clash.owner) == (theirs.reference, True, "Clinic")


def test_a_process_that_dies_displaces_nobody(town, start, doctor, theirs, monkeypatch):
    def dies(*_):
        raise RuntimeError("the process dies")

    monkeypatch.setattr(acute.mails, "displaced", dies)
    with pytest.raises(RuntimeError):
        takes(town, doctor, town.one, town.two, start=start)
    db.session.refresh(theirs)
    assert theirs.state is ConferenceState.PLANNED
    assert (count("conference"), count("waiting_request"), len(mails())) == (1, 0, 0)
    kinds = set(db.session.scalars(db.select(Reservation.kind)))
    assert kinds == {ReservationKind.CONFERENCE}


def test_who_is_planned_again_as_before_is_offered_nothing_any_more(town, start, doctor, theirs):
    emergency = takes(town, doctor, town.one, town.two, start=start)
    write(lambda: cancel(emergency.id, emergency.version, None).id)
    db.session.refresh(theirs)
    write(lambda: take_back_cancellation(theirs.id, theirs.version, town.bob).id)
    request = request_for(theirs)
    assert request.state.value == "withdrawn"
    assert [hold.released_at is None for hold in request.holds] == [False, False]
    assert offer_what_came_free() == 0
    assert count("audit_entry", "action = 'waiting.withdrawn'") == 1


@pytest.mark.parametrize("how", ["cancelled", "moved", "retitled"])
def test_a_request_outlives_only_what_leaves_its_reason(town, start, how):
    town.books(town.two, town.three, start=start)
    mine = town.books(town.one, town.away, start=start + 3 * HOUR)
    key = town.waits(town.one, town.two, start=start, conference_id=mine.id)
    wish = {"start": start + 5 * HOUR} if how == "moved" else {"start": start + 3 * HOUR, "title": "Other"}
    if how == "cancelled":
        write(lambda: cancel(mine.id, 1, None).id)
    else:
        write(lambda: change(mine.id, town.wish(town.one, town.away, **wish), 1, None).id)
    assert request_of(key).state.value == ("waiting" if how == "retitled" else "withdrawn")


def test_its_studios_are_had_without_approval_which_is_audited_and_own_ones_are_asked_nothing(
    town, start, doctor, theirs
):
    for studio in (town.one, town.far):
        studio.needs_approval = True
    db.session.commit()
    emergency = takes(town, doctor, town.one, town.far, start=start)
    kinds = [party.reservation.kind for party in emergency.parties]
    assert kinds == [ReservationKind.CONFERENCE] * 2
    assert [party.answer.value for party in emergency.parties] == ["not_asked", "waiting"]
    (entry,) = db.session.scalars(db.select(AuditEntry).filter_by(action="conference.took_over"))
    assert entry.after["without_approval"] == [town.far.code]


def test_who_holds_only_the_emergency_right_sees_and_changes_emergencies_alone(town, start, doctor):
    emergency = takes(town, doctor, town.one, town.two, start=start)
    plain = town.books(town.one, town.two, start=start + 3 * HOUR)
    for asks in (may_change, may_see_title):
        assert [asks(access_of(doctor), each) for each in (emergency, plain)] == [True, False]


def test_what_a_pool_gives_is_locked_with_the_named_studios(town, start, doctor, theirs, monkeypatch):
    locks = []
    locked = acute.lock_studios
    monkeypatch.setattr(acute, "lock_studios", lambda keys: locks.append(set(keys)) or locked(keys))
    parties = (StudioWish(town.far.id), PoolWish(site="Ward"))
    emergency = takes(town, doctor, town.far, start=start, parties=parties)
    assert locks == [{party.reservation.studio_id for party in emergency.parties}]
