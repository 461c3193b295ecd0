"""Finding a time in a real database."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from config import settings
from models import Closure, EndpointStatus, Health, Purpose, Reservation, ReservationKind, WaitingRequest, db
from studios.booking.candidates import Own, Unfit
from studios.booking.finding import times
from studios.booking.finding.question import Remark, TooFew, Why
from studios.booking.finding.times import find_time
from studios.booking.wishes import GuestWish, PoolWish, StudioWish
from studios.calendars.rules import Span
from tests import factories

NOON = datetime(2031, 3, 13, 12, tzinfo=UTC)  # a Thursday, 13:00 in Oslo
HOUR = timedelta(hours=1)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


@pytest.fixture
def tromso(app):
    return factories.studio(factories.site(town="Tromsø"), code="T-1")


@pytest.fixture
def bodo(app):
    return factories.studio(factories.site(town="Bodø"), code="B-1")


def ask(*studios_and_wishes, start=NOON, end=NOON + 3 * HOUR, length=60, now=NOON - 24 * HOUR, **changes):
    wishes = [
        each if isinstance(each, StudioWish | PoolWish | GuestWish) else StudioWish(each.id)
        for each in studios_and_wishes
    ]
    values = {"own": Own(None), "purpose": Purpose.ADMINISTRATION, "now": now, **changes}
    return find_time(wishes, length, start, end, **values)


def starts(answer):
    return [each.start - NOON for each in answer.suggestions]


def reserve(studio, start, end, **changes):
    row = Reservation(studio_id=studio.id, starts_at=start, ends_at=end, **changes)
    db.session.add(row)
    db.session.commit()
    return row


@contextmanager
def statements() -> Iterator[list[str]]:
    asked: list[str] = []

    def note(*call):
        if call[2].lstrip().upper().startswith("SELECT"):
            asked.append(call[2])

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(db.engine, "before_cursor_execute", note)


def test_a_time_is_found_at_which_all_are_free(tromso, bodo):
    factories.conference(tromso, start=NOON, end=NOON + HOUR)
    reserve(bodo, NOON + 2 * HOUR, NOON + 4 * HOUR)
    answer = ask(tromso, bodo, GuestWish("sip:gp@example.org"))
    assert starts(answer) == [HOUR]
    assert answer.suggestions[0].rooms == (tromso.id, bodo.id, None)
    assert answer.studios[tromso.id].code == "T-1"


def test_who_is_in_the_way_of_the_preferred_start_is_named_with_reference_and_owner(tromso, bodo):
    conference = factories.conference(bodo, start=NOON, end=NOON + HOUR)
    blockers = ask(tromso, bodo, preferred=NOON + minutes(45)).missed.alone.blockers
    assert [(each.room, each.reference, each.owner, each.contact) for each in blockers] == [
        (bodo.id, conference.reference, bodo.site.organisation.name, bodo.site.contact_phone)
    ]
    assert blockers[0].move == minutes(-15)
    assert blockers[0].span == Span(NOON, NOON + HOUR)


def test_what_takes_its_time_from_a_day_before_counts_and_what_is_released_or_expired_does_not(tromso):
    now = NOON - HOUR
    reserve(tromso, NOON - 40 * HOUR, NOON + minutes(10))
    reserve(tromso, NOON + HOUR, NOON + 2 * HOUR, released_at=now)
    hold = ReservationKind.HOLD
    reserve(tromso, NOON + HOUR, NOON + minutes(90), kind=hold, expires_at=now)
    reserve(tromso, NOON + 2 * HOUR, NOON + 4 * HOUR, kind=hold, expires_at=now + minutes(1))
    assert starts(ask(tromso, now=now, length=110)) == [minutes(10)]


def test_a_conference_that_is_moved_is_not_in_its_own_way(tromso, bodo):
    conference = factories.conference(tromso, bodo, start=NOON, end=NOON + 3 * HOUR)
    assert NOON not in [each.start for each in ask(tromso, bodo, length=180).suggestions]
    reserve(bodo, NOON + 3 * HOUR, NOON + 4 * HOUR)
    assert starts(ask(tromso, bodo, length=180, but=conference.id)) == [timedelta()]


def test_closures_of_a_studio_and_of_its_site_count_and_say_why(tromso, bodo):
    closures = [
        Closure(studio_id=tromso.id, starts_at=NOON, ends_at=NOON + HOUR, reason="New lights"),
        Closure(site_id=bodo.site_id, starts_at=NOON + 2 * HOUR, ends_at=NOON + 9 * HOUR, reason="Fire drill"),
    ]
    db.session.add_all(closures)
    db.session.commit()
    answer = ask(tromso, bodo, preferred=NOON)
    assert starts(answer) == [HOUR]
    assert [(each.why, each.reason) for each in answer.missed.alone.blockers] == [(Why.CLOSED, "New lights")]


def test_bookable_hours_are_of_the_studios_own_zone(app):
    hours = {"thu": ["14:00-15:00"]}
    oslo = factories.studio(factories.site(), bookable_hours=hours)
    helsinki = factories.studio(factories.site(zone="Europe/Helsinki"), bookable_hours=hours)
    assert starts(ask(oslo)) == [HOUR]
    assert starts(ask(helsinki)) == [timedelta()]


def test_buffers_of_the_studio_keep_clear_of_what_is_there(app):
    studio = factories.studio(setup_minutes=10, clear_down_minutes=20)
    reserve(studio, NOON - HOUR, NOON)
    reserve(studio, NOON + minutes(90), NOON + 5 * HOUR)
    assert starts(ask(studio)) == [minutes(10)]


def test_hours_and_days_are_asked_for_by_the_wall_clock(tromso):
    found = ask(tromso, end=NOON + 10 * 24 * HOUR, hours=(time(8), time(9)), days={4}, limit=9).suggestions
    assert [each.start for each in found] == [NOON + 19 * HOUR, NOON + (19 + 7 * 24) * HOUR]


def test_two_parties_of_a_pool_get_different_studios_of_it(tromso, bodo):
    second = factories.studio(bodo.site, code="B-2")
    pool = PoolWish(town="Bodø")
    assert set(ask(tromso, pool, pool).suggestions[0].rooms) == {tromso.id, bodo.id, second.id}
    assert ask(pool, pool, pool).too_few == TooFew((0, 1, 2), (bodo.id, second.id))


def test_a_studio_that_is_not_one_for_the_party_says_why(tromso):
    private = factories.studio(shared=False, capacity=2)
    answer = ask(tromso, StudioWish(private.id, attendees=5), StudioWish(999_999), own=Own(frozenset()))
    assert answer.unfit == {1: (Unfit.PRIVATE, Unfit.TOO_SMALL), 2: ()}
    assert answer.too_few.parties == (1,)
    assert not answer.suggestions


@pytest.mark.parametrize("health", [Health.DOWN, Health.UNREACHABLE, Health.MAINTENANCE])
def test_a_studio_out_of_order_comes_last_when_it_is_soon(app, health):
    site = factories.site(town="Bodø")
    broken, sound = factories.studio(site, code="A"), factories.studio(site, code="B")
    endpoint = factories.endpoint(broken)
    db.session.get(EndpointStatus, endpoint.id).health = health
    db.session.commit()
    soon = ask(PoolWish(site=site.name), now=NOON - minutes(5)).suggestions[0]
    assert soon.rooms == (sound.id,)
    named = ask(broken).suggestions[0]
    assert (0, Remark.DOWN_BUT_LATER) in named.remarks


def test_nothing_starts_before_now(tromso):
    assert starts(ask(tromso, now=NOON + minutes(61)))[0] == minutes(65)


def test_nothing_starts_beyond_the_horizon(tromso):
    now = NOON - timedelta(days=400)
    assert ask(tromso, now=now, limit=99).suggestions[-1].start == NOON
    beyond = ask(tromso, now=now - minutes(25))
    assert not beyond.suggestions
    assert [blocker.why for blocker in beyond.missed.general] == [Why.TOO_FAR]


def test_time_that_is_held_for_the_waiting_list_names_whose_it_is(tromso):
    waiting = WaitingRequest(
        organisation_id=tromso.site.organisation_id, booking={}, created_at=NOON, earliest=NOON, latest=NOON + HOUR
    )
    reserve(tromso, NOON, NOON + HOUR, kind=ReservationKind.HOLD, expires_at=NOON - HOUR, waiting_request=waiting)
    blocker = ask(tromso, preferred=NOON).missed.alone.blockers[0]
    assert (blocker.reference, blocker.owner) == ("", tromso.site.organisation.name)


def test_too_few_bridge_ports_bar_the_whole_meeting(tromso):
    assert starts(ask(tromso, barred=[Span(NOON, NOON + 2 * HOUR)])) == [2 * HOUR]


def test_an_answer_takes_five_queries_at_most(tromso, bodo):
    for hour in range(3):
        factories.conference(tromso, bodo, start=NOON + hour * HOUR, end=NOON + (hour + 1) * HOUR)
    db.session.add(Closure(site_id=bodo.site_id, starts_at=NOON, ends_at=NOON + HOUR, reason="Fire drill"))
    db.session.commit()
    named = StudioWish(tromso.id)
    with statements() as asked:
        answer = ask(named, PoolWish(town="Bodø"), preferred=NOON)
    assert answer.missed.seats
    assert len(asked) <= 5


def test_nothing_is_proposed_before_the_lead_time_of_bookings(tromso, monkeypatch):
    configured = dataclasses.replace(settings(), lead_minutes=240)
    monkeypatch.setattr(times, "settings", lambda: configured)
    answer = ask(tromso, end=NOON + 12 * HOUR, now=NOON)
    assert answer.suggestions[0].start == NOON + 4 * HOUR
