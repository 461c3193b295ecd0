from datetime import UTC, datetime, timedelta

import pytest

from errors import Conflict, Forbidden, Invalid
from models import (
    Bridge,
    BridgeDriver,
    Conference,
    ConferenceState,
    Leg,
    Purpose,
    ReservationKind,
    WaitingRequest,
    Wanted,
    db,
    write,
)
from studios.booking.conferences import cancel
from studios.booking.obstacles import NoPorts, StudioTaken, StudioUnfit, WishRefused
from studios.booking.waiting import serving
from studios.booking.waiting.earlier import Asked
from studios.booking.waiting.minding import mind_who_waits
from studios.booking.waiting.offers import accept_offer, decline_offer, withdraw
from studios.booking.waiting.searching import Place
from studios.booking.waiting.serving import offer_what_came_free
from studios.booking.wishes import PoolWish, StudioWish
from tests import factories
from tests.studios.booking.waiting.town import HOUR, count, mails, overlaps, request_of, run_out, states


def gives_back(conference) -> None:
    conference_id, version = conference.id, conference.version
    write(lambda: cancel(conference_id, version, None).id)


@pytest.fixture
def taken(town, start) -> Conference:
    return town.books(town.one, town.far, start=start)


def test_nothing_is_offered_while_the_time_is_taken_and_all_of_it_is_held_when_it_comes_free(town, start, taken):
    first = town.waits(town.one, town.two, start=start)
    assert offer_what_came_free() == 0
    gives_back(taken)
    assert offer_what_came_free() == 1
    request = request_of(first)
    assert (request.state.value, request.offered_start, request.offered_end) == ("offered", start, start + HOUR)
    assert {(hold.studio_id, hold.kind) for hold in request.holds} == {
        (town.one.id, ReservationKind.HOLD),
        (town.two.id, ReservationKind.HOLD),
    }
    assert {hold.expires_at for hold in request.holds} == {request.offer_expires_at}
    assert offer_what_came_free() == 0
    (mail,) = mails("offer/%")
    assert mail.recipient == "alice@example.org"
    assert "Lung meeting" in mail.body


def test_a_hold_keeps_others_away_and_says_whose_it_is(town, start):
    town.waits(town.one, town.two, start=start)
    offer_what_came_free()
    with pytest.raises(StudioTaken) as refused:
        town.books(town.one, town.far, start=start, by=town.bob)
    (clash,) = refused.value.clashes
    assert (clash.studio.code, clash.owner, clash.reference) == (town.one.code, "Hospital", "")


def test_buffers_are_held_too(town, start):
    buffered = factories.studio(town.one.site, setup_minutes=10, clear_down_minutes=15)
    request = town.waits(town.one, buffered, start=start)
    offer_what_came_free()
    times = {hold.studio_id: (hold.starts_at, hold.ends_at) for hold in request_of(request).holds}
    assert times[buffered.id] == (start - timedelta(minutes=10), start + timedelta(minutes=75))


def test_who_asked_first_is_offered_first_and_the_next_only_when_they_let_it_pass(town, start):
    first = town.waits(town.one, town.two, start=start)
    second = town.waits(town.one, town.far, start=start, by=town.bob)
    assert offer_what_came_free() == 1
    assert states(first, second) == ["offered", "waiting"]
    run_out(first)
    assert states(first) == ["waiting"]
    offer_what_came_free()
    assert states(first, second) == ["waiting", "offered"]


def test_a_request_is_over_after_its_second_unanswered_offer(town, start):
    request = town.waits(town.one, town.two, start=start)
    for _ in range(2):
        offer_what_came_free()
        run_out(request)
    assert states(request) == ["expired"]
    assert request_of(request).closed_at is not None
    assert offer_what_came_free() == 0
    assert len(mails("lapsed/%")) == 2
    assert count("reservation", "released_at IS NULL") == 0


def test_who_waits_for_what_is_still_taken_holds_nobody_up(town, start, taken):
    first = town.waits(town.one, town.two, start=start)
    second = town.waits(town.two, town.three, start=start)
    assert offer_what_came_free() == 1
    assert states(first, second) == ["waiting", "offered"]


def test_a_request_that_cannot_be_read_holds_nobody_up(town, start):
    broken, good = town.waits(town.one, town.two, start=start), town.waits(town.one, town.two, start=start)

    def breaks():
        request = db.session.get_one(WaitingRequest, broken)
        request.booking = {**request.booking, "purpose": "nonsense"}

    write(breaks)
    assert offer_what_came_free() == 1
    assert states(broken, good) == ["waiting", "offered"]


def test_what_came_free_after_the_first_was_looked_at_is_still_the_firsts(town, start, taken, monkeypatch):
    """The earlier request is asked again under the locks before a later one is offered anything."""
    first = town.waits(town.one, town.two, start=start)
    second = town.waits(town.two, town.three, start=start, by=town.bob)
    looked, conference_id = serving.place_for, taken.id

    def looks(request, *more, **named):
        found = looked(request, *more, **named)
        if request.id == first and db.session.get(Conference, conference_id).state is ConferenceState.PLANNED:
            write(lambda: cancel(conference_id, 1, None).id)  # just too late for this look
        return found

    monkeypatch.setattr(serving, "place_for", looks)
    offer_what_came_free()
    assert states(first, second) == ["offered", "waiting"]


def test_who_withdraws_just_before_the_offer_is_made_gets_none(town, start, monkeypatch):
    request_id, looked = town.waits(town.one, town.two, start=start), serving.place_for

    def looks(request, *more, **named):
        found = looked(request, *more, **named)
        write(lambda: withdraw(request_id, town.alice))
        return found

    monkeypatch.setattr(serving, "place_for", looks)
    assert offer_what_came_free() == 0
    assert states(request_id) == ["withdrawn"]
    assert count("reservation") == 0


def test_a_conference_that_has_taken_place_waits_no_longer(town, start):
    conference = town.books(town.one, town.two, start=start + 5 * HOUR)
    request = town.waits(town.one, town.two, start=start, conference_id=conference.id)
    conference.state = ConferenceState.RUNNING
    db.session.commit()
    assert offer_what_came_free() == 0
    assert states(request) == ["expired"]


def test_an_accepted_offer_books_exactly_what_was_held(town, start):
    pool = PoolWish(site="Ward", capacity=4)
    request = town.waits(start=start, parties=(StudioWish(town.far.id), pool), purpose=Purpose.TEST)
    offer_what_came_free()
    held = [hold.studio_id for hold in request_of(request).holds]
    conference_id = write(lambda: accept_offer(request, town.alice).id)
    conference = db.session.get_one(Conference, conference_id)
    assert [party.reservation.studio_id for party in conference.parties] == held
    assert (conference.starts_at, conference.booked_by_id) == (start, town.alice.id)
    assert states(request) == ["accepted"]
    assert request_of(request).conference_id == conference_id
    assert count("reservation", "released_at IS NULL AND kind = 'hold'") == 0
    assert overlaps() == 0
    assert count("audit_entry", "action = 'waiting.accepted'") == 1
    with pytest.raises(Conflict, match="accepted already"):
        write(lambda: accept_offer(request, town.alice).id)


def test_a_colleague_may_accept_and_a_stranger_may_not(town, start):
    request = town.waits(town.one, town.two, start=start)
    offer_what_came_free()
    for attempt in (accept_offer, decline_offer, withdraw):
        with pytest.raises(Forbidden):
            write(lambda attempt=attempt: attempt(request, town.charlie))
    colleague = factories.account(organisation=town.hospital)
    write(lambda: accept_offer(request, colleague).id)


@pytest.mark.parametrize("noticed", [True, False])
def test_an_offer_that_has_run_out_cannot_be_accepted(town, start, noticed):
    request = town.waits(town.one, town.two, start=start)
    offer_what_came_free()
    run_out(request, expire=noticed)
    with pytest.raises(Conflict):
        write(lambda: accept_offer(request, town.alice).id)
    assert count("conference") == 0


def test_a_booking_takes_what_ran_out_and_the_request_follows(town, start):
    request = town.waits(town.one, town.two, start=start)
    offer_what_came_free()
    run_out(request, expire=False)
    town.books(town.one, town.far, start=start, by=town.bob)
    assert states(request) == ["waiting"]
    assert overlaps() == 0
    mind_who_waits()  # the other studio's hold
    assert count("reservation", "released_at IS NULL AND kind = 'hold'") == 0


def test_a_declined_offer_ends_the_request_and_frees_the_time(town, start):
    request = town.waits(town.one, town.two, start=start)
    offer_what_came_free()
    write(lambda: decline_offer(request, town.alice))
    assert states(request) == ["declined"]
    town.books(town.one, town.two, start=start)


def test_who_declines_and_waits_on_is_not_offered_the_same_time_again(town, start):
    request = town.waits(town.one, town.two, start=start, latest=start + 3 * HOUR)
    offer_what_came_free()
    write(lambda: decline_offer(request, town.alice, wait_on=True))
    assert offer_what_came_free() == 1
    assert request_of(request).offered_start == start + HOUR


def test_a_withdrawn_request_lets_go_and_is_never_offered(town, start):
    request = town.waits(town.one, town.two, start=start)
    offer_what_came_free()
    write(lambda: withdraw(request, town.alice))
    assert states(request) == ["withdrawn"]
    assert offer_what_came_free() == 0
    assert count("reservation", "released_at IS NULL") == 0
    with pytest.raises(Conflict, match="withdrawn"):
        write(lambda: accept_offer(request, town.alice).id)


def test_a_conference_of_ones_own_is_moved_to_what_was_offered(town, start):
    conference = town.books(town.one, town.two, start=start + 5 * HOUR)
    request = town.waits(town.one, town.two, start=start, conference_id=conference.id)
    offer_what_came_free()
    assert write(lambda: accept_offer(request, town.alice).id) == conference.id
    db.session.refresh(conference)
    assert (conference.starts_at, conference.version, conference.sequence) == (start, 2, 1)
    town.books(town.one, town.two, start=start + 5 * HOUR)


def test_a_window_of_several_days_means_its_hours_of_each_day(town, start):
    town.books(town.one, town.far, start=start, end=start + 7 * HOUR)
    request = town.waits(town.one, town.two, start=start, latest=start + timedelta(days=1, hours=2))
    offer_what_came_free()
    assert request_of(request).offered_start == start + timedelta(days=1)


def test_a_request_whose_window_has_passed_is_closed_and_told(town, start):
    request = town.waits(town.one, town.two, start=start)

    def ages():
        row = db.session.get_one(WaitingRequest, request)
        row.earliest, row.latest = datetime.now(UTC) - 3 * HOUR, datetime.now(UTC) - HOUR

    write(ages)
    mind_who_waits()
    assert states(request) == ["expired"]
    assert len(mails("nothing/%")) == 1


def test_without_bridge_ports_nothing_is_offered_and_ports_are_not_held(town, start):
    db.session.add(Bridge(name="Bridge", driver=BridgeDriver.PEXIP, address="b", ports=3))
    db.session.commit()
    others = town.books(town.far, town.away, factories.studio(), start=start)
    request = town.waits(town.one, town.two, town.three, start=start)
    assert offer_what_came_free() == 0
    gives_back(others)
    assert offer_what_came_free() == 1
    town.books(town.far, town.away, factories.studio(), start=start)
    with pytest.raises(NoPorts):
        write(lambda: accept_offer(request, town.alice).id)
    assert states(request) == ["offered"]


def test_the_offer_is_kept_back_when_it_cannot_be_stored_and_no_mail_leaves(town, start, monkeypatch):
    request = town.waits(town.one, town.two, start=start)

    def dies(*_):
        raise RuntimeError("the process dies")

    monkeypatch.setattr(serving.mails, "offered", dies)
    assert offer_what_came_free() == 0
    assert states(request) == ["waiting"]
    assert (count("reservation"), len(mails())) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"title": " "}, WishRefused),
        ({"title": "Pasient 13097248022"}, WishRefused),
        ({"parties": ()}, WishRefused),
        ({"latest": "short"}, Invalid),
        ({"latest": "far"}, WishRefused),
        ({"by": "stranger"}, Forbidden),
        ({"parties": (StudioWish(10**6), StudioWish(10**6 + 1))}, StudioUnfit),
    ],
)
def test_who_may_wait_for_what(town, start, changes, refusal):
    found = {"latest": start + HOUR, **changes}
    found["latest"] = {"short": start + HOUR / 2, "far": start + timedelta(days=500)}.get(
        found["latest"], found["latest"]
    )
    if found.pop("by", None):
        found["by"] = town.charlie
    with pytest.raises(refusal):
        town.waits(town.one, town.two, start=start, **found)
    db.session.rollback()
    assert count("waiting_request") == 0


def test_an_offer_is_not_accepted_for_a_conference_whose_calls_are_being_set_up(town, start):
    conference = town.books(town.one, town.two, start=start)
    later = start + HOUR
    request_id = town.waits(town.one, town.two, start=later, conference_id=conference.id)
    offer_what_came_free()
    now = datetime.now(UTC)
    party_id = conference.parties[1].id
    db.session.add(Leg(conference_id=conference.id, party_id=party_id, wanted=Wanted.UP, token="t", changed_at=now))
    db.session.commit()
    with pytest.raises(Conflict, match="set up"):
        write(lambda: accept_offer(request_id, town.alice).id)
    assert states(request_id) == ["offered"]


def test_a_sweep_that_is_out_of_time_goes_on_with_the_next_in_line(town, start, monkeypatch):
    requests = [town.waits(town.one, town.two, start=start + number * HOUR) for number in range(3)]
    asked = []
    served = serving.place_for
    clock = iter([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    monkeypatch.setattr(serving, "MOST_SECONDS", 1.5)
    monkeypatch.setattr(serving, "monotonic", lambda: next(clock))
    monkeypatch.setattr(serving, "place_for", lambda *found: asked.append(found[0].id) or served(*found))
    for _sweep in range(3):
        mind_who_waits()
    assert asked == requests
    assert states(*requests) == ["offered"] * 3


def test_nobody_is_asked_again_who_has_no_use_for_the_studios(town, start, monkeypatch):
    town.books(town.one, town.three, start=start)
    earlier, later = town.waits(town.one, town.two, start=start), town.waits(town.far, town.away, start=start)
    monkeypatch.setattr(Asked, "can_have", lambda *_: pytest.fail("was asked"))
    assert offer_what_came_free() == 1
    assert states(earlier, later) == ["waiting", "offered"]


def test_whose_turn_comes_first_is_served_first_when_time_came_free_behind_the_sweep(town, start, monkeypatch):
    taken = town.books(town.one, town.three, start=start)
    far = PoolWish(site="Rooms")
    earlier = town.waits(town.one, start=start, parties=(StudioWish(town.one.id), far))
    later = town.waits(town.one, town.two, start=start, latest=start + 2 * HOUR)
    served = serving.place_for

    def comes_free(request, *more):
        found = served(request, *more)
        if request.id == later:
            key = taken.id
            write(lambda: cancel(key, 1, None).id)
            return Place(start, start + HOUR, (town.one.id, town.two.id))
        return found

    monkeypatch.setattr(serving, "place_for", comes_free)
    assert offer_what_came_free(limit=1) == 1
    assert states(earlier, later) == ["offered", "waiting"]
