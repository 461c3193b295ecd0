"""How parties come to their studios: fitness, pools, approval, private rooms, bookable hours, bridge ports."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from models import (
    Answer,
    Bridge,
    BridgeDriver,
    Closure,
    ConferenceState,
    Event,
    PartyKind,
    Purpose,
    Reservation,
    ReservationKind,
    db,
    write,
)
from studios.booking import answers, conferences, running
from studios.booking.expiry import release_expired
from studios.booking.obstacles import Kind, NoneFree, NoPorts, StudioTaken, StudioUnfit, WishRefused
from studios.booking.rules import Problem
from studios.booking.wishes import Booking, GuestWish, PoolWish, StudioWish
from studios.booking.wishes import studios as these
from tests import factories

HOUR = timedelta(hours=1)


@pytest.fixture
def start() -> datetime:
    """A Wednesday noon, in Oslo one or two hours later."""
    day = datetime.now(UTC).replace(hour=11, minute=0, second=0, microsecond=0) + timedelta(days=7)
    return day + timedelta(days=(2 - day.weekday()) % 7)


@pytest.fixture
def site(app):
    return factories.site(name="UNN Tromsø")


@pytest.fixture
def visitor(app):
    """A coordinator of another organisation."""
    return factories.account(organisation=factories.organisation())


def wish(start, *parties, organisation_id=1, **changes) -> Booking:
    values = {"title": "Lung meeting", "purpose": Purpose.CLINICAL, "start": start, "end": start + HOUR}
    return Booking(**{**values, "organisation_id": organisation_id, "parties": parties, **changes})


def book(booking, person=None):
    return db.session.get_one(
        conferences.Conference, write(lambda: conferences.book(booking, person).id), populate_existing=True
    )


def obstacles(refused) -> list[tuple[Kind, tuple[int, ...], str]]:
    return [(each.kind, each.parties, each.studio) for each in refused.value.obstacles]


def test_two_parties_of_one_pool_get_two_different_studios_and_a_third_is_refused(site, start):
    studios = {factories.studio(site).id for _ in range(2)}
    pool = PoolWish(site="unn tromsø")
    conference = book(wish(start, pool, pool))
    assert {party.studio_id for party in conference.parties} == studios
    assert {party.kind for party in conference.parties} == {PartyKind.POOL}
    with pytest.raises(NoneFree) as refused:
        book(wish(start, pool, pool))
    assert {kind for kind, _parties, _studio in obstacles(refused)} == {Kind.NONE_FREE}
    with pytest.raises(NoneFree):
        book(wish(start + HOUR, pool, pool, pool))


def test_a_pool_leaves_a_studio_that_another_party_asks_for_by_name(site, start):
    first, second = factories.studio(site), factories.studio(site)
    conference = book(wish(start, PoolWish(site=site.name), StudioWish(first.id)))
    assert [party.studio_id for party in conference.parties] == [second.id, first.id]


def test_a_pool_passes_over_what_is_taken_closed_shut_too_small_unequipped_or_private(site, start, visitor):
    other = factories.studio(factories.site())
    day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][start.weekday()]
    taken, closed = factories.studio(site), factories.studio(site)
    factories.studio(site, bookable_hours={day: ["08:00-09:00"]})
    factories.studio(site, capacity=2)
    factories.studio(site, shared=False)
    factories.studio(site, clinical=False)
    fitting = factories.studio(site, equipment=["document-camera"], capacity=30)
    factories.conference(taken, start=start)
    write(lambda: db.session.add(Closure(studio_id=closed.id, starts_at=start, ends_at=start + HOUR, reason="Paint")))
    pool = PoolWish(site=site.name, capacity=4, equipment=frozenset({"document-camera"}))
    conference = book(wish(start, StudioWish(other.id), pool), visitor)
    assert conference.parties[1].studio_id == fitting.id


def test_a_pool_takes_the_smallest_room_that_is_large_enough(site, start):
    other = factories.studio(factories.site())
    large, small = factories.studio(site, capacity=30), factories.studio(site, capacity=5)
    pool = PoolWish(site=site.name, capacity=4)
    assert book(wish(start, StudioWish(other.id), pool)).parties[1].studio_id == small.id
    assert (
        book(wish(start + HOUR, StudioWish(other.id), PoolWish(site=site.name, capacity=6))).parties[1].studio_id
        == large.id
    )


@pytest.mark.parametrize(
    ("room", "asked", "kind"),
    [
        ({"shared": False}, {}, Kind.PRIVATE),
        ({"capacity": 3}, {"attendees": 4}, Kind.TOO_SMALL),
        ({}, {"equipment": frozenset({"document-camera"})}, Kind.LACKS_EQUIPMENT),
        ({"bookable_hours": {"wed": ["08:00-10:00"]}}, {}, Kind.OUTSIDE_HOURS),
    ],
)
def test_a_named_studio_that_does_not_fit_is_refused_with_the_reason(site, start, visitor, room, asked, kind):
    studio, own = factories.studio(site, **room), factories.studio(factories.site())
    with pytest.raises(StudioUnfit) as refused:
        book(wish(start, StudioWish(own.id), StudioWish(studio.id, **asked)), visitor)
    assert obstacles(refused) == [(kind, (1,), studio.code)]
    assert db.session.scalar(sa.select(sa.func.count(Reservation.id))) == 0


def test_a_private_studio_is_its_own_organisations(site, start):
    private, other = factories.studio(site, shared=False), factories.studio(site)
    colleague = factories.account(organisation=site.organisation)
    assert book(wish(start, *these([private.id, other.id])), colleague).id


def test_a_retired_studio_is_refused(site, start):
    studio, other = factories.studio(site, retired_at=start), factories.studio(site)
    with pytest.raises(StudioUnfit) as refused:
        book(wish(start, *these([studio.id, other.id])))
    assert obstacles(refused) == [(Kind.RETIRED, (0,), "")]


@pytest.mark.parametrize("digits", ["01020300082", "010203 00082", "01.02.03 00082", "01.02.03-000 82", "41020300076"])
def test_a_national_identity_number_in_the_title_is_refused(site, start, digits):
    parties = these([factories.studio(site).id, factories.studio(site).id])
    with pytest.raises(WishRefused) as refused:
        book(wish(start, *parties, title=f"Pasient {digits}, lunge"))
    assert refused.value.problems == [Problem.TITLE_HOLDS_IDENTITY_NUMBER]


def test_other_figures_may_stand_in_a_title(site, start):
    parties = these([factories.studio(site).id, factories.studio(site).id])
    for number, title in enumerate(("Tlf 77 00 00 01", "Sak 2026/12345678901", "010203000821", "01.02.2003 kl 12345")):
        book(wish(start + number * HOUR, *parties, title=title))


@pytest.mark.parametrize(
    ("parties", "problem"),
    [
        ((GuestWish("sip:a@example.org"), GuestWish("sip:b@example.org")), Problem.NO_STUDIO),
        ((PoolWish(), GuestWish("anna@example.org")), Problem.GUEST_ADDRESS),
        ((PoolWish(), GuestWish("sip:a@example.org;<script>")), Problem.GUEST_ADDRESS),
        ((PoolWish(), GuestWish("77000001")), Problem.GUEST_ADDRESS),
        ((PoolWish(), GuestWish("+4777000001"), GuestWish("+4777000001")), Problem.GUEST_TWICE),
    ],
)
def test_a_guest_has_an_address_that_can_be_called_once(site, start, parties, problem):
    factories.studio(site)
    with pytest.raises(WishRefused) as refused:
        book(wish(start, *parties))
    assert refused.value.problems == [problem]


def test_a_guest_takes_a_place_and_no_studio(site, start):
    studio = factories.studio(site)
    conference = book(wish(start, StudioWish(studio.id), GuestWish("sip:anna@example.org"), GuestWish("+4777000001")))
    assert [(party.kind, party.guest_address) for party in conference.parties] == [
        (PartyKind.STUDIO, None),
        (PartyKind.GUEST, "sip:anna@example.org"),
        (PartyKind.GUEST, "+4777000001"),
    ]
    assert len(conference.reservations) == 1


def test_a_room_is_marked_as_used_without_video_and_its_time_is_gone(site, start):
    studio, other = factories.studio(site), factories.studio(site)
    marked = book(wish(start, StudioWish(studio.id), video=False))
    assert (marked.due_at, marked.parties[0].host) == (None, False)
    with pytest.raises(StudioTaken):
        book(wish(start, *these([studio.id, other.id])))
    with pytest.raises(WishRefused):
        book(wish(start + HOUR, StudioWish(studio.id)))


class TestApproval:
    @pytest.fixture
    def guarded(self, site):
        return factories.studio(site, needs_approval=True)

    @pytest.fixture
    def requested(self, guarded, start, visitor):
        own = factories.studio(factories.site())
        return book(wish(start, StudioWish(own.id), StudioWish(guarded.id)), visitor)

    def test_a_request_holds_the_time_until_it_is_answered(self, requested, guarded, start, visitor):
        party = requested.parties[1]
        assert (party.answer, party.reservation.kind) == (Answer.WAITING, ReservationKind.PENDING_REQUEST)
        assert party.reservation.expires_at is not None
        assert party.reservation.expires_at <= start
        with pytest.raises(StudioTaken) as refused:
            book(wish(start, *these([guarded.id, factories.studio(guarded.site).id])), visitor)
        assert refused.value.clashes[0].reference == requested.reference

    def test_approved_it_is_a_reservation_like_any_other(self, requested):
        write(lambda: answers.accept(requested.id, 1, None))
        db.session.expire_all()
        party = requested.parties[1]
        assert (party.answer, party.reservation.kind, party.reservation.expires_at) == (
            Answer.ACCEPTED,
            ReservationKind.CONFERENCE,
            None,
        )

    def test_declined_its_time_is_free_and_the_reason_stays(self, requested, guarded, start, visitor):
        write(lambda: answers.decline(requested.id, 1, "The room is needed for surgery", None))
        db.session.expire_all()
        assert (requested.parties[1].answer, requested.parties[1].answer_reason) == (
            Answer.DECLINED,
            "The room is needed for surgery",
        )
        book(wish(start, *these([guarded.id, factories.studio(guarded.site).id])), visitor)

    def test_unanswered_it_expires_and_whoever_books_next_gets_the_time(self, requested, guarded, start, visitor):
        past = datetime.now(UTC) - HOUR
        write(lambda: setattr(db.session.get_one(Reservation, requested.parties[1].reservation_id), "expires_at", past))
        later = book(wish(start, *these([guarded.id, factories.studio(guarded.site).id])), visitor)
        db.session.expire_all()
        assert (requested.parties[1].answer, requested.parties[1].answered_by_id) == (Answer.DECLINED, None)
        assert later.parties[0].reservation.kind is ReservationKind.PENDING_REQUEST
        with pytest.raises(Exception, match="no longer held"):
            write(lambda: answers.accept(requested.id, 1, None))
        assert db.session.scalar(sa.select(sa.func.count()).where(Event.kind == "party.expired")) == 1

    def test_the_clock_releases_what_nobody_asks_for(self, requested):
        past = datetime.now(UTC) - HOUR
        write(lambda: setattr(db.session.get_one(Reservation, requested.parties[1].reservation_id), "expires_at", past))
        assert write(release_expired) == 1
        assert write(release_expired) == 0

    def test_the_owner_asks_nobody(self, guarded, start):
        other = factories.studio(guarded.site)
        own = factories.account(organisation=guarded.site.organisation)
        parties = book(wish(start, *these([guarded.id, other.id])), own).parties
        assert {party.reservation.kind for party in parties} == {ReservationKind.CONFERENCE}

    def test_a_studio_that_is_only_asked_for_places_no_calls(self, guarded, start, visitor):
        factories.endpoint(guarded)
        own = factories.studio(factories.site())
        factories.endpoint(own, "127.0.0.2")
        conference = book(wish(start, StudioWish(guarded.id), StudioWish(own.id)), visitor)
        assert [party.host for party in conference.parties] == [False, True]

    def test_a_material_change_asks_again_and_another_title_does_not(self, requested, visitor):
        write(lambda: answers.accept(requested.id, 1, None))
        asked = conferences.booking_of(db.session.get_one(conferences.Conference, requested.id))
        retitled = conferences.replace(asked, title="Heart meeting")
        write(lambda: conferences.change(requested.id, retitled, 2, visitor))
        db.session.expire_all()
        assert requested.parties[1].answer is Answer.ACCEPTED
        moved = conferences.replace(retitled, start=asked.start + HOUR, end=asked.end + HOUR)
        write(lambda: conferences.change(requested.id, moved, 3, visitor))
        db.session.expire_all()
        assert requested.parties[1].answer is Answer.WAITING

    def with_a_guest(self, conference, person):
        """One more party, and nothing else, for all who sit there."""
        db.session.expire_all()
        asked = conferences.booking_of(conference)
        guest = GuestWish("sip:anna@example.org")
        changed = conferences.replace(asked, parties=(*asked.parties, guest))
        write(lambda: conferences.change(conference.id, changed, conference.version, person).id)
        db.session.expire_all()

    def test_a_guest_who_joins_takes_no_approval_back(self, requested, visitor):
        write(lambda: answers.accept(requested.id, 1, visitor))
        said_at = requested.parties[1].answered_at
        self.with_a_guest(requested, visitor)
        party = requested.parties[1]
        assert (party.answer, party.answered_at, party.answered_by_id) == (Answer.ACCEPTED, said_at, visitor.id)
        assert (party.reservation.kind, party.reservation.expires_at) == (ReservationKind.CONFERENCE, None)
        assert len(requested.parties) == 3

    def test_who_declined_is_left_alone_while_others_come(self, requested, guarded, start, visitor):
        write(lambda: answers.decline(requested.id, 1, "Nobody is here", None))
        book(wish(start, *these([guarded.id, factories.studio(guarded.site).id])))
        self.with_a_guest(requested, visitor)
        party = requested.parties[1]
        assert (party.answer, party.answer_reason, party.studio_id) == (Answer.DECLINED, "Nobody is here", guarded.id)
        assert party.reservation.released_at is not None
        assert sum(row.released_at is None for row in requested.reservations) == 1
        moved = conferences.replace(conferences.booking_of(requested), start=start + HOUR, end=start + 2 * HOUR)
        write(lambda: conferences.change(requested.id, moved, requested.version, visitor).id)
        db.session.expire_all()
        assert (requested.parties[1].answer, requested.parties[1].answer_reason) == (Answer.WAITING, None)

    def test_a_pool_keeps_the_studio_that_said_yes_and_not_the_one_that_said_no(self, site, start, visitor):
        own = factories.studio(factories.site())
        for capacity in (7, 8):
            factories.studio(site, capacity=capacity, needs_approval=True)
        pool = PoolWish(site=site.name)
        conference = book(wish(start, StudioWish(own.id), pool, pool), visitor)
        write(lambda: answers.decline(conference.id, 1, "Nobody is here", None))
        write(lambda: answers.accept(conference.id, 2, None))
        refused = conference.parties[1].studio_id
        before = [party.studio_id for party in conference.parties]
        factories.studio(site, capacity=1, needs_approval=True)
        self.with_a_guest(conference, visitor)
        assert [party.studio_id for party in conference.parties] == [*before, None]
        assert [party.answer for party in conference.parties[1:3]] == [Answer.DECLINED, Answer.ACCEPTED]
        assert refused not in [row.studio_id for row in conference.reservations if row.released_at is None]


def bridge(ports: int, **changes) -> Bridge:
    row = Bridge(
        name=f"Bridge {ports} {changes}", driver=BridgeDriver.PEXIP, address="https://b", ports=ports, **changes
    )
    write(lambda: db.session.add(row))
    return row


def test_three_parties_take_ports_of_a_bridge_and_two_studios_take_none(site, start):
    bridge(10)
    ids = [factories.studio(site).id for _ in range(3)]
    assert book(wish(start, *these(ids))).ports == 3
    assert book(wish(start + HOUR, *these(ids[:2]))).ports == 0
    assert book(wish(start + 2 * HOUR, StudioWish(ids[0]), GuestWish("+4777000001"))).ports == 2


def test_ports_come_from_the_region_first_and_from_another_bridge_when_it_is_full(site, start):
    far, near = bridge(100, health_region="Sør-Øst"), bridge(4, health_region="Nord")
    ids = [factories.studio(site).id for _ in range(6)]
    assert book(wish(start, *these(ids[:3]))).bridge_id == near.id
    assert book(wish(start, *these(ids[3:]))).bridge_id == far.id


def test_a_conference_that_finds_no_ports_is_refused_and_leaves_nothing(site, start):
    bridge(4)
    ids = [factories.studio(site).id for _ in range(6)]
    book(wish(start, *these(ids[:3])))
    with pytest.raises(NoPorts):
        book(wish(start + HOUR / 2, *these(ids[3:])))
    assert db.session.scalar(sa.select(sa.func.count(Reservation.id))) == 3
    book(wish(start + HOUR, *these(ids[3:])))


def test_a_cancellation_is_taken_back_while_the_studios_are_free(site, start):
    ids = [factories.studio(site).id for _ in range(3)]
    conference = book(wish(start, *these(ids[:2])))
    write(lambda: conferences.cancel(conference.id, 1, None))
    write(lambda: conferences.take_back_cancellation(conference.id, 2, None))
    db.session.expire_all()
    assert conference.state is ConferenceState.PLANNED
    assert [party.studio_id for party in conference.parties] == ids[:2]
    assert sum(row.released_at is None for row in conference.reservations) == 2
    write(lambda: conferences.cancel(conference.id, 3, None))
    book(wish(start, *these(ids[1:])))
    with pytest.raises(StudioTaken):
        write(lambda: conferences.take_back_cancellation(conference.id, 4, None))


def test_a_copy_asks_for_the_same_at_another_time(site, start):
    ids = [factories.studio(site).id for _ in range(2)]
    conference = book(wish(start, *these(ids), movable=True))
    copy = book(conferences.copy_of(conference, start + timedelta(days=1)))
    assert (copy.title, copy.starts_at, copy.ends_at) == (
        "Lung meeting",
        start + timedelta(days=1),
        start + timedelta(days=1, hours=1),
    )
    assert copy.movable
    assert copy.uid != conference.uid


class TestRunning:
    @pytest.fixture
    def conference(self, site):
        studios = [factories.studio(site) for _ in range(3)]
        for studio in studios:
            factories.endpoint(studio)
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        return factories.conference(*studios, start=now - HOUR / 2, end=now + HOUR / 2, state=ConferenceState.RUNNING)

    def test_it_is_extended_when_everything_is_free(self, conference):
        end = conference.ends_at
        write(lambda: running.extend(conference.id, 15, None, None))
        db.session.expire_all()
        assert conference.ends_at == end + HOUR / 4
        assert {row.ends_at for row in conference.reservations} == {end + HOUR / 4}

    def test_an_extension_that_meets_somebody_says_whom_and_changes_nothing(self, conference):
        end = conference.ends_at
        studio = conference.parties[2].reservation.studio
        later = factories.conference(studio, start=end + HOUR / 6)
        with pytest.raises(StudioTaken) as refused:
            write(lambda: running.extend(conference.id, 15, None, None))
        assert refused.value.obstacles[0].reference == later.reference
        db.session.expire_all()
        assert conference.ends_at == end

    def test_one_studio_is_given_back_and_its_time_is_free(self, conference):
        studio_id = conference.parties[2].reservation.studio_id
        write(lambda: running.release_studio(conference.id, 2, None, None))
        other = factories.studio()
        soon = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        book(wish(soon, *these([studio_id, other.id])))

    def test_the_studio_that_carries_the_calls_stays(self, conference):
        with pytest.raises(Exception, match="carries the calls"):
            write(lambda: running.release_studio(conference.id, 0, None, None))
