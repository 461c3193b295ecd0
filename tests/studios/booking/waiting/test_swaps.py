from datetime import UTC, datetime, timedelta

import pytest

from errors import Conflict, Forbidden
from models import Conference, ConferenceState, Event, Swap, db, write
from studios.booking.conferences import cancel, change
from studios.booking.obstacles import ChangedMeanwhile, StudioTaken, WishRefused
from studios.booking.waiting import swaps
from studios.booking.waiting.minding import mind_who_waits
from studios.booking.waiting.swaps import accept_swap, ask_to_swap, decline_swap, withdraw_swap
from tests import factories
from tests.studios.booking.waiting.town import HOUR, count, mails, overlaps


@pytest.fixture
def theirs(town, start) -> Conference:
    """A movable conference of the clinic, in a studio of the hospital and one of its own."""
    return town.books(town.one, town.far, start=start, by=town.bob, movable=True, title="Heart meeting")


def asks(town, theirs, wish, own=None, reason="The surgeon is here only then", by=None) -> int:
    conference_id, version, own_id = theirs.id, theirs.version, own.id if own else None
    return write(lambda: ask_to_swap(conference_id, version, wish, own_id, reason, by or town.alice).id)


def swap_of(swap_id) -> Swap:
    db.session.rollback()
    return db.session.get_one(Swap, swap_id)


def seated(conference_id):
    """(studio, start) of each party, in order."""
    conference = db.session.get_one(Conference, conference_id)
    return [(party.reservation.studio_id, party.reservation.starts_at) for party in conference.parties]


def accepts(town, swap_id, by=None) -> int:
    return write(lambda: accept_swap(swap_id, by or town.bob).id)


def everything():
    """What a swap that fails must leave as it was."""
    db.session.rollback()
    tables = ("conference", "party", "reservation", "event", "audit_entry", "message", "swap")
    rows = [tuple(db.session.execute(db.text(f"SELECT * FROM {table} ORDER BY id")).all()) for table in tables]
    return repr(rows)


def test_the_nearest_time_in_its_own_studios_is_proposed_and_its_coordinators_are_told(town, start, theirs):
    swap = swap_of(asks(town, theirs, town.wish(town.one, town.two, start=start)))
    assert abs(swap.proposed_start - start) == HOUR
    assert swap.proposed_studios == [town.one.id, town.far.id]
    assert swap.expires_at <= swap.created_at + timedelta(hours=48)
    (mail,) = mails("swap/%")
    assert mail.recipient == "bob@example.org"
    assert "Lung meeting" not in mail.subject + mail.body
    assert count("reservation", "released_at IS NULL") == 2
    assert (count("conference"), count("audit_entry", "action LIKE 'swap.%'")) == (1, 1)


def test_an_accepted_swap_moves_the_one_and_books_the_other(town, start, theirs):
    swap_id = asks(town, theirs, town.wish(town.one, town.two, start=start))
    proposed = swap_of(swap_id).proposed_start
    booked = accepts(town, swap_id)
    assert seated(booked) == [(town.one.id, start), (town.two.id, start)]
    assert seated(theirs.id) == [(town.one.id, proposed), (town.far.id, proposed)]
    moved, swap = db.session.get_one(Conference, theirs.id), swap_of(swap_id)
    assert (moved.version, moved.sequence, moved.title) == (2, 1, "Heart meeting")
    assert (swap.state.value, swap.booked_id, swap.answered_by_id) == ("accepted", booked, town.bob.id)
    kinds = {(event.conference_id, event.kind) for event in db.session.scalars(db.select(Event))}
    assert {(theirs.id, "conference.swapped"), (booked, "conference.given_way")} <= kinds
    assert count("audit_entry", "action = 'swap.accepted'") == 1
    assert [mail.recipient for mail in mails("swap/%/accepted/%")] == ["alice@example.org"]
    assert overlaps() == 0


def test_without_another_time_an_equivalent_studio_of_the_same_site_is_proposed(town, start, theirs):
    town.fills(town.far, around=start)
    swap = swap_of(asks(town, theirs, town.wish(town.one, town.two, start=start)))
    assert (swap.proposed_start, swap.proposed_studios) == (start, [town.three.id, town.far.id])
    booked = accepts(town, swap.id)
    assert seated(theirs.id) == [(town.three.id, start), (town.far.id, start)]
    assert seated(booked) == [(town.one.id, start), (town.two.id, start)]


def test_conferences_that_overlap_each_others_old_times_change_places(town, start, theirs):
    """Theirs goes to half an hour before, over its own old time and over mine; mine to where theirs was."""
    own = town.books(town.one, town.two, start=start - HOUR)
    for begins in (start - 2 * HOUR, start + 2 * HOUR):
        town.books(town.one, town.far, start=begins)
    wish = town.wish(town.one, town.two, start=start + HOUR / 2)
    swap = swap_of(asks(town, theirs, wish, own=own))
    assert swap.proposed_start == start - HOUR / 2
    assert accepts(town, swap.id) == own.id
    assert seated(own.id)[0] == (town.one.id, start + HOUR / 2)
    assert seated(theirs.id)[0] == (town.one.id, start - HOUR / 2)
    db.session.refresh(own)
    assert (own.version, own.sequence) == (2, 1)
    assert overlaps() == 0


def test_whoever_changes_either_conference_meanwhile_ends_the_swap_unharmed(town, start, theirs):
    own = town.books(town.one, town.two, start=start - 3 * HOUR)
    swap_id = asks(town, theirs, town.wish(town.one, town.two, start=start), own=own)
    again = town.wish(town.one, town.two, start=start - 3 * HOUR, title="Another")
    write(lambda: change(own.id, again, 1, town.alice).id)
    before = everything()
    with pytest.raises(ChangedMeanwhile):
        accepts(town, swap_id)
    assert everything() == before


def test_when_the_proposed_place_was_taken_nothing_changes(town, start, theirs):
    swap_id = asks(town, theirs, town.wish(town.one, town.two, start=start))
    town.books(town.far, town.three, start=swap_of(swap_id).proposed_start)
    before = everything()
    with pytest.raises(StudioTaken):
        accepts(town, swap_id)
    assert everything() == before


def test_when_the_wanted_time_was_taken_by_a_third_nothing_changes(town, start, theirs):
    swap_id = asks(town, theirs, town.wish(town.one, town.two, start=start))
    town.books(town.two, town.three, start=start)
    before = everything()
    with pytest.raises(StudioTaken):
        accepts(town, swap_id)
    assert everything() == before


def test_a_process_that_dies_before_the_commit_leaves_both_as_they_were(town, start, theirs, monkeypatch):
    swap_id = asks(town, theirs, town.wish(town.one, town.two, start=start))
    before = everything()

    def dies(*_):
        raise RuntimeError("the process dies")

    monkeypatch.setattr(swaps.mails, "swap_answered", dies)
    with pytest.raises(RuntimeError):
        accepts(town, swap_id)
    assert everything() == before


def test_a_refused_question_leaves_nothing(town, start, theirs):
    before = everything()
    wish = town.wish(town.one, town.two, start=start)
    with pytest.raises(Conflict, match="not in your way"):
        asks(town, theirs, town.wish(town.two, town.three, start=start))
    with pytest.raises(WishRefused):
        asks(town, theirs, wish, reason=" ")
    with pytest.raises(Forbidden):
        asks(town, theirs, wish, by=town.charlie)
    with pytest.raises(Conflict, match="your own"):
        asks(town, theirs, town.wish(town.one, town.two, start=start, by=town.bob), by=town.bob)
    with pytest.raises(ChangedMeanwhile):
        write(lambda: ask_to_swap(theirs.id, 7, wish, None, "Because", town.alice).id)
    assert everything() == before


def test_what_is_not_movable_under_way_or_over_is_not_asked_to_move(town, start):
    wish = town.wish(town.one, town.two, start=start)
    fixed = town.books(town.one, town.far, start=start, by=town.bob)
    with pytest.raises(Conflict, match="movable"):
        asks(town, fixed, wish)
    runs = factories.conference(
        town.two, town.away, start=datetime.now(UTC), state=ConferenceState.RUNNING, movable=True,
        organisation_id=town.clinic.id,
    )  # fmt: skip
    with pytest.raises(Conflict, match="under way"):
        asks(town, runs, wish)


def test_who_else_is_in_the_way_is_named(town, start, theirs):
    other = town.books(town.two, town.three, start=start, by=town.bob)
    with pytest.raises(StudioTaken) as refused:
        asks(town, theirs, town.wish(town.one, town.two, start=start))
    assert [clash.reference for clash in refused.value.clashes] == [other.reference]


def test_nobody_is_asked_for_the_same_twice(town, start, theirs):
    asks(town, theirs, town.wish(town.one, town.two, start=start))
    with pytest.raises(Conflict, match="already"):
        asks(town, theirs, town.wish(town.one, town.three, start=start))


def test_only_the_owner_answers_and_only_once(town, start, theirs):
    swap_id = asks(town, theirs, town.wish(town.one, town.two, start=start))
    with pytest.raises(Forbidden):
        accepts(town, swap_id, by=town.alice)
    with pytest.raises(WishRefused):
        write(lambda: decline_swap(swap_id, "", town.bob))
    write(lambda: decline_swap(swap_id, "The patient has come far", town.bob))
    assert swap_of(swap_id).state.value == "declined"
    assert "The patient has come far" in mails("swap/%/declined/%")[0].body
    with pytest.raises(Conflict, match="already"):
        accepts(town, swap_id)


def test_a_withdrawn_swap_and_one_that_ran_out_cannot_be_accepted(town, start, theirs):
    swap_id = asks(town, theirs, town.wish(town.one, town.two, start=start))
    with pytest.raises(Forbidden):
        write(lambda: withdraw_swap(swap_id, town.bob))
    write(lambda: withdraw_swap(swap_id, town.alice))
    late = asks(town, theirs, town.wish(town.one, town.two, start=start))

    def ages():
        db.session.get_one(Swap, late).expires_at = datetime.now(UTC) - timedelta(seconds=1)

    write(ages)
    for each in (swap_id, late):
        with pytest.raises(Conflict):
            accepts(town, each)
    mind_who_waits()
    assert (swap_of(late).state.value, len(mails(f"swap/{late}/expired/%"))) == ("expired", 1)


def test_a_cancelled_conference_is_not_swapped(town, start, theirs):
    swap_id = asks(town, theirs, town.wish(town.one, town.two, start=start))
    write(lambda: cancel(theirs.id, 1, town.bob).id)
    with pytest.raises(Conflict):
        accepts(town, swap_id)
