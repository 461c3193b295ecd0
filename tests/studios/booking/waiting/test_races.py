"""Several schedulers and bookers at once: nothing is offered twice, and no time is had by two."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from models import Account, Conference, Reservation, Role, database, db, write
from studios.booking import acute
from studios.booking.acute import take_over
from studios.booking.conferences import book
from studios.booking.expiry import release_expired
from studios.booking.obstacles import StudioTaken
from studios.booking.waiting import holds, serving
from studios.booking.waiting.minding import mind_who_waits
from studios.booking.waiting.offers import accept_offer, expire_offers, release_what_expired
from studios.booking.waiting.serving import offer_what_came_free
from studios.booking.waiting.swaps import accept_swap, ask_to_swap
from studios.booking.wishes import PoolWish, StudioWish
from tests import factories
from tests.studios.booking.waiting.town import HOUR, count, mails, overlaps, run_out, states

SCHEDULERS = 4


def at_once(app, *works: Callable[[], object]) -> list[object]:
    """All at the same moment, each in a context of its own; what each gave back, or the exception it raised."""
    db.session.rollback()
    barrier, outcomes = threading.Barrier(len(works)), [None] * len(works)

    def run(number: int, work: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait(30)
            try:
                outcomes[number] = work()
            except Exception as error:
                outcomes[number] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def person(email: str) -> Account:
    """Loaded in the thread that asks: rows are not shared between sessions."""
    return db.session.scalars(db.select(Account).filter_by(email=f"{email}@example.org")).one()


def same(work: Callable[[], object]) -> list[Callable[[], object]]:
    return [work] * SCHEDULERS


@pytest.fixture
def late(monkeypatch):
    """Every scheduler has found its time before any of them offers it."""
    looked, all_looked = serving.place_for, threading.Barrier(SCHEDULERS)

    def looks(request, *more, **named):
        found = looked(request, *more, **named)
        if "near" not in named and found:
            with suppress(threading.BrokenBarrierError):
                all_looked.wait(2)
        return found

    monkeypatch.setattr(serving, "place_for", looks)


@pytest.mark.usefixtures("late")
def test_schedulers_that_found_the_same_offer_it_once(app, town, start):
    requests = [town.waits(town.one, town.two, start=start + number * HOUR) for number in range(3)]
    made = at_once(app, *same(offer_what_came_free))
    assert sum(made) == 3
    assert states(*requests) == ["offered"] * 3
    assert (count("reservation"), len(mails("offer/%")), overlaps()) == (6, 3, 0)
    assert count("audit_entry", "action = 'waiting.offered'") == 3


@pytest.mark.usefixtures("late")
def test_schedulers_never_give_one_time_to_two_or_let_a_later_one_jump(app, town, start):
    requests = [town.waits(town.one, studio, start=start) for studio in (town.two, town.three, town.far)]
    at_once(app, *same(offer_what_came_free))
    assert states(*requests) == ["offered", "waiting", "waiting"]
    assert (count("reservation"), overlaps()) == (2, 0)


def test_a_booking_and_an_offer_of_the_same_time_have_one_winner(app, town, start):
    for number in range(6):
        begins = start + 2 * HOUR * number
        request = town.waits(town.one, town.two, start=begins)
        wish = town.wish(town.two, town.far, start=begins + HOUR / 2, by=town.bob)
        booked, offered = at_once(
            app, lambda wish=wish: write(lambda: book(wish, person("bob")).id), offer_what_came_free
        )  # fmt: skip
        assert isinstance(booked, int | StudioTaken), booked
        assert offered == isinstance(booked, StudioTaken)
        assert states(request) == (["offered"] if offered else ["waiting"])
    assert overlaps() == 0


def test_an_offer_accepted_by_two_at_once_is_booked_once(app, town, start):
    request = town.waits(town.one, town.two, start=start)
    offer_what_came_free()
    outcomes = at_once(app, *same(lambda: write(lambda: accept_offer(request, person("alice")).id)))
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1, outcomes
    assert (count("conference"), count("reservation", "released_at IS NULL"), overlaps()) == (1, 2, 0)


def test_an_offer_that_ran_out_lapses_once_whoever_sees_it(app, town, start):
    requests = [town.waits(town.one, town.two, start=start + 2 * HOUR * number) for number in range(3)]
    offer_what_came_free()
    for request in requests:
        run_out(request, expire=False)
    wish = town.wish(town.one, town.far, start=start, by=town.bob)
    works = (release_what_expired, expire_offers, release_what_expired, expire_offers)
    outcomes = at_once(app, *works, lambda: write(lambda: book(wish, person("bob")).id))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    mind_who_waits()
    assert count("audit_entry", "action = 'waiting.lapsed'") == 3
    assert (len(mails("lapsed/%")), overlaps()) == (3, 0)
    assert states(*requests) == ["waiting", "offered", "offered"]


@pytest.mark.parametrize("work", [mind_who_waits, lambda: write(release_expired)], ids=["the sweep", "all at once"])
def test_an_approval_that_nobody_gave_expires_once(app, town, start, work):
    guarded = factories.studio(town.far.site, needs_approval=True)
    town.books(town.one, guarded, start=start)
    passed = db.update(Reservation).where(Reservation.expires_at.is_not(None)).values(expires_at=datetime.now(UTC))
    write(lambda: db.session.execute(passed))
    outcomes = at_once(app, *same(work))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert count("event", "kind = 'party.expired'") == 1
    assert count("reservation", "released_at IS NULL") == 1


def test_a_swap_accepted_by_two_at_once_and_a_booking_of_its_place_leave_one_outcome(app, town, start):
    for number in range(4):
        begins = start + 4 * HOUR * number
        theirs = town.books(town.one, town.far, start=begins, by=town.bob, movable=True)
        wish = town.wish(town.one, town.two, start=begins)
        swap_id, proposed = write(lambda t=theirs.id, w=wish: _asked(town, t, w))
        rival = town.wish(town.far, town.three, start=proposed)
        accepted, again, booked = at_once(
            app,
            lambda s=swap_id: write(lambda: accept_swap(s, person("bob")).id),
            lambda s=swap_id: write(lambda: accept_swap(s, person("bob")).id),
            lambda w=rival: write(lambda: book(w, person("alice")).id),
        )
        swapped = [each for each in (accepted, again) if isinstance(each, int)]
        assert len(swapped) + isinstance(booked, int) == 1, (accepted, again, booked)
        db.session.rollback()
        moved = db.session.get_one(Conference, theirs.id)
        assert moved.starts_at == (proposed if swapped else begins)
    assert overlaps() == 0


def _asked(town, conference_id, wish):
    swap = ask_to_swap(conference_id, 1, wish, None, "The surgeon is here only then", town.alice)
    return swap.id, swap.proposed_start


def test_a_time_lost_to_a_writer_without_locks_is_refused_by_the_database_and_holds_nobody_up(
    town, start, monkeypatch
):  # fmt: skip
    lost, other = town.waits(town.one, town.two, start=start), town.waits(town.one, town.three, start=start + 2 * HOUR)
    monkeypatch.setattr(holds, "check_free", lambda *_: None)
    looked = serving.place_for

    def looks(request, *more, **named):
        found = looked(request, *more, **named)
        if request.id == lost and not count("conference"):
            factories.conference(town.one, start=start)
        return found

    monkeypatch.setattr(serving, "place_for", looks)
    assert offer_what_came_free() == 1
    assert states(lost, other) == ["waiting", "offered"]


def test_an_emergency_with_a_pool_and_a_booking_of_the_same_studios_do_not_deadlock(app, town, start, monkeypatch):
    factories.account("doctor@example.org", Role.EMERGENCY, town.clinic)
    deadlocks, locked, judged = [], acute.lock_studios, database._is_retryable
    holds = threading.Event()

    def locks(keys):
        locked(keys)
        holds.set()
        time.sleep(0.3)

    monkeypatch.setattr(acute, "lock_studios", locks)
    monkeypatch.setattr(database, "_is_retryable", lambda error: deadlocks.append(error) or judged(error))
    emergency = town.wish(town.far, start=start, by=town.bob, parties=(StudioWish(town.far.id), PoolWish(site="Ward")))
    booking = town.wish(town.one, town.far, start=start)

    def books():
        alice = person("alice")
        holds.wait(10)
        return write(lambda: book(booking, alice).id)

    at_once(app, lambda: write(lambda: take_over(emergency, "Stroke", person("doctor")).id), books)
    assert (deadlocks, count("conference"), overlaps()) == ([], 1, 0)
