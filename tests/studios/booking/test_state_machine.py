"""Everything that people and the clock do to bookings, at random, against a model so simple that it can be read.

The model keeps for each conference its time and which studio is reserved how, and works out by brute force whether a
deed must succeed. After every step the tables are compared with it, and the invariants are asked for in plain SQL.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from errors import Refused
from models import (
    Conference,
    ConferenceState,
    Party,
    PartyKind,
    Purpose,
    Reservation,
    Site,
    Studio,
    WaitingRequest,
    db,
    write,
)
from studios.booking import answers, conferences, running
from studios.booking.closures import close, reopen
from studios.booking.expiry import release_expired
from studios.booking.obstacles import StudioTaken
from studios.booking.series.edit_previews import SeriesChange
from studios.booking.series.editing import cancel_series, edit_series
from studios.booking.series.edits import Scope
from studios.booking.series.previews import SeriesRequest
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.saving import book_series
from studios.booking.waiting.minding import mind_who_waits
from studios.booking.waiting.offers import accept_offer
from studios.booking.waiting.requests import ask_to_wait
from studios.booking.wishes import Booking, PoolWish, StudioWish
from tests import factories

MONDAY = datetime(2027, 1, 4, 6, 0, tzinfo=UTC)
APPROVAL = timedelta(hours=4)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OSLO = ZoneInfo("Europe/Oslo")
LIVE = (ConferenceState.PLANNED, ConferenceState.RUNNING)

starts = st.builds(lambda day, slot: MONDAY + day * DAY + slot * 30 * MINUTE, st.integers(0, 2), st.integers(0, 14))
picks = st.integers(0, 1000)
lengths = st.sampled_from([30 * MINUTE, HOUR, 2 * HOUR])


@dataclass
class Room:
    """A studio as the model knows it. `opens` and `closes` are hours of the wall clock; none for always."""

    id: int
    site: int
    organisation: int
    setup: timedelta = timedelta()
    clear: timedelta = timedelta()
    private: bool = False
    approval: bool = False
    opens: int | None = None
    closes: int | None = None

    def blocked(self, start, end):
        return start - self.setup, end + self.clear

    def is_open(self, start, end) -> bool:
        if self.opens is None:
            return True
        first, last = start.astimezone(OSLO), end.astimezone(OSLO)
        minutes = first.hour * 60 + first.minute, last.hour * 60 + last.minute
        return first.date() == last.date() and self.opens * 60 <= minutes[0] and minutes[1] <= self.closes * 60


@dataclass
class Held:
    """One studio's time: until when it is only asked for, and whether it was given back."""

    room: Room
    start: datetime
    end: datetime
    expires: datetime | None = None
    asked: bool = False
    free: bool = False


@dataclass
class Meeting:
    owner: int
    start: datetime
    end: datetime
    state: ConferenceState
    held: list[Held] = field(default_factory=list)
    series: object | None = None
    detached: bool = False


@dataclass
class Waiting:
    """Who waits for two studios, and what is held for them. `shunned`: offers that were let pass."""

    owner: int
    rooms: list[Room]
    length: timedelta
    earliest: datetime
    latest: datetime
    state: str = "waiting"
    held: list[Held] = field(default_factory=list)
    place: tuple[datetime, datetime] | None = None


class Bookings(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.clock = time_machine.travel(MONDAY, tick=False)
        self.now = self.clock.start()
        self._empty()
        ours, theirs = factories.organisation(), factories.organisation()
        sites = [factories.site(ours, name="Ours"), factories.site(theirs, name="Theirs")]
        self.people = {org.id: factories.account(organisation=org).id for org in (ours, theirs)}
        self.rooms = []
        week = {day: ["08:00-12:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
        special = [{"bookable_hours": week}, {"shared": False}]
        buffered, asking = {"setup_minutes": 10, "clear_down_minutes": 5}, {"needs_approval": True}
        for site, own_terms in zip(sites, special, strict=True):
            for terms in ({}, {}, buffered, asking, own_terms):
                studio = factories.studio(site, **terms)
                factories.endpoint(studio)
                self.rooms.append(
                    Room(
                        studio.id, site.id, site.organisation_id,
                        terms.get("setup_minutes", 0) * MINUTE, terms.get("clear_down_minutes", 0) * MINUTE,
                        not terms.get("shared", True), terms.get("needs_approval", False),
                        *((8, 12) if "bookable_hours" in terms else ()),
                    )
                )  # fmt: skip
        self.organisations = [ours.id, theirs.id]
        self.model: dict[int, Meeting] = {}
        self.waiting: dict[int, Waiting] = {}
        self.closed: dict[int, tuple[set[int], datetime, datetime]] = {}
        db.session.remove()
        # Something to work on, so that few steps lead far.
        self.book_a_series(0, {0, 5}, 4, HOUR)
        self.book_by_name(0, {1, 8}, MONDAY + 3 * HOUR, HOUR)
        self.ask_to_wait(1, {0, 6}, MONDAY + 2 * HOUR, HOUR, 30)

    def teardown(self):
        if hasattr(self, "clock"):
            self.clock.stop()
        db.session.remove()

    # What people do.

    @rule(who=st.integers(0, 1), rooms=st.sets(st.integers(0, 9), min_size=2, max_size=4),
          start=starts, length=lengths)  # fmt: skip
    def book_by_name(self, who, rooms, start, length):
        owner, chosen = self.organisations[who], [self.rooms[number] for number in sorted(rooms)]
        wish = self._wish(owner, start, start + length, [StudioWish(room.id) for room in chosen])
        expected = self._why_not(chosen, owner, start, start + length)
        key = self._try(lambda: conferences.book(wish, self._person(owner)).id, expected)
        if key is not None:
            self._keep(key, owner, start, start + length, chosen)

    @rule(who=st.integers(0, 1), sites=st.lists(st.sampled_from(["Ours", "Theirs"]), min_size=2,
          max_size=5), start=starts, length=lengths)  # fmt: skip
    def book_from_pools(self, who, sites, start, length):
        owner = self.organisations[who]
        wish = self._wish(owner, start, start + length, [PoolWish(site=name) for name in sites])
        free = {
            name: [
                room
                for room in self.rooms[5 * number : 5 * number + 5]
                if not self._why_not([room], owner, start, start + length)
            ]
            for number, name in enumerate(("Ours", "Theirs"))
        }
        enough = all(sites.count(name) <= len(free[name]) for name in free)
        past = start < self._now() - MINUTE
        key = self._try(lambda: conferences.book(wish, self._person(owner)).id, set() if enough and not past else {"x"})
        if key is not None:
            ids = db.session.scalars(
                sa.select(Party.studio_id).where(Party.conference_id == key).order_by(Party.position)
            ).all()
            chosen = [next(room for room in self.rooms if room.id == studio_id) for studio_id in ids]
            for name, room in zip(sites, chosen, strict=True):
                assert room in free[name]
            assert len(set(ids)) == len(ids)
            self._keep(key, owner, start, start + length, chosen)

    @rule(pick=picks, start=starts, length=lengths)
    def move(self, pick, start, length):
        key, meeting = self._pick(pick, ConferenceState.PLANNED)
        if meeting is None or self._kind(key) is not PartyKind.STUDIO:
            return
        rooms = [held.room for held in meeting.held]
        wish = self._wish(meeting.owner, start, start + length, [StudioWish(room.id) for room in rooms])
        expected = self._why_not(rooms, meeting.owner, start, start + length, but=key)
        if (start, start + length) == (meeting.start, meeting.end):
            return
        changed = self._try(
            lambda: conferences.change(key, wish, self._version(key), self._person(meeting.owner)).id, expected
        )
        if changed is not None:
            self._keep(key, meeting.owner, start, start + length, rooms)
            self.model[key].detached = meeting.series is not None

    @rule(pick=picks)
    def cancel(self, pick):
        key, meeting = self._pick(pick, *LIVE)
        if meeting is None:
            return
        write(lambda: conferences.cancel(key, self._version(key), None).id)
        if meeting.state is ConferenceState.PLANNED:
            self._free(meeting)
            meeting.state = ConferenceState.CANCELLED
            return
        meeting.end = min(meeting.end, max(self._now(), meeting.start + timedelta(seconds=1)))
        for held in meeting.held:
            if not held.free:
                held.end = meeting.end + held.room.clear

    @rule(pick=picks)
    def take_back(self, pick):
        key, meeting = self._pick(pick, ConferenceState.CANCELLED)
        if meeting is None or self._kind(key) is not PartyKind.STUDIO:
            return
        rooms = [held.room for held in meeting.held]
        expected = self._why_not(rooms, meeting.owner, meeting.start, meeting.end, but=key)
        person = self._person(meeting.owner)
        if self._try(lambda: conferences.take_back_cancellation(key, self._version(key), person).id, expected):
            self._keep(key, meeting.owner, meeting.start, meeting.end, rooms)

    @rule(pick=picks, accept=st.booleans())
    def answer(self, pick, accept):
        key, meeting = self._pick(
            pick, ConferenceState.PLANNED, where=lambda each: any(held.asked for held in each.held)
        )
        if meeting is None:
            return
        number = next(number for number, held in enumerate(meeting.held) if held.asked)
        held = meeting.held[number]
        gone = held.free or (held.expires is not None and held.expires <= self._now())
        if accept:
            if self._try(lambda: answers.accept(key, number, None).id, {"gone"} if gone else set()):
                held.expires = None
            return
        write(lambda: answers.decline(key, number, "Needed for surgery", None).id)
        held.free = True

    @rule(number=st.integers(0, 9), whole_site=st.booleans(), start=starts, length=lengths)
    def close(self, number, whole_site, start, length):
        room = self.rooms[number]
        if start + length <= self._now():
            return
        model, row_id = (Site, room.site) if whole_site else (Studio, room.id)
        hit = {each.id for each in self.rooms if (each.site == room.site if whole_site else each is room)}

        def work():
            closure, threats = close(db.session.get_one(model, row_id), start, start + length, "Burst pipe", None)
            return closure.id, {(threat.conference.id, threat.studio.id) for threat in threats}

        key, threats = write(work)
        self.closed[key] = (hit, start, start + length)
        assert threats == {
            (other, held.room.id)
            for other, meeting in self.model.items()
            if meeting.state in LIVE
            for held in meeting.held
            if held.room.id in hit and not held.free and held.start < start + length and held.end > start
        }

    @rule(pick=picks)
    def reopen(self, pick):
        standing = [key for key, (_hit, _start, end) in self.closed.items() if end > self._now()]
        if not standing:
            return
        key = standing[pick % len(standing)]
        write(lambda: reopen(key, None).id)
        hit, start, _end = self.closed.pop(key)
        if start < self._now():
            self.closed[key] = (hit, start, self._now())

    @rule(pick=picks, minutes=st.sampled_from([15, 60]))
    def extend(self, pick, minutes):
        key, meeting = self._pick(pick, ConferenceState.RUNNING, where=lambda each: each.end > self._now())
        if meeting is None:
            return
        end = meeting.end + minutes * MINUTE
        present = [held for held in meeting.held if not held.free]
        # Whoever sits there already is asked neither for hours nor for fitness.
        expected = {
            why
            for held in present
            for why in self._taken(held.room, meeting.start, end, but=key)
            | self._shut_down(held.room, meeting.start, end)
        }
        if self._try(lambda: running.extend(key, minutes, None, None).id, expected):
            meeting.end = end
            for held in present:
                held.end = end + held.room.clear

    @rule(pick=picks, number=st.integers(0, 4))
    def give_back_one(self, pick, number):
        key, meeting = self._pick(pick, ConferenceState.RUNNING)
        if meeting is None or number >= len(meeting.held):
            return
        if meeting.held[number].free or meeting.held[number].expires is not None:
            return
        host = db.session.scalar(sa.select(Party.position).where(Party.conference_id == key, Party.host)) == number
        if self._try(lambda: running.release_studio(key, number, None, None).id, {"host"} if host else set()):
            meeting.held[number].free = True

    @rule(who=st.integers(0, 1), rooms=st.sets(st.integers(0, 9), min_size=2, max_size=2),
          slot=st.integers(0, 12), length=lengths)  # fmt: skip
    def book_a_series(self, who, rooms, slot, length):
        """Three days in a row, all or none."""
        owner, chosen = self.organisations[who], [self.rooms[number] for number in sorted(rooms)]
        start = MONDAY + slot * 30 * MINUTE
        wish = self._wish(owner, start, start + length, [StudioWish(room.id) for room in chosen])
        wall = start.astimezone(OSLO)
        rule = Recurrence("FREQ=DAILY;COUNT=3", wall.date(), wall.time(), length // MINUTE, "Europe/Oslo")
        days = [start + number * DAY for number in range(3)]
        expected = {why for day in days for why in self._why_not(chosen, owner, day, day + length)}
        request = SeriesRequest(wish, rule)
        keys = self._try(lambda: [row.id for row in book_series(request, self._person(owner)).conferences], expected)
        if keys is None:
            return
        series = object()
        for key, day in zip(keys, days, strict=True):
            self._keep(key, owner, day, day + length, chosen)
            self.model[key].series = series

    @rule(pick=picks, scope=st.sampled_from(list(Scope)), days=st.integers(-1, 1), slots=st.integers(-4, 4))
    def edit_a_series(self, pick, scope, days, slots):
        """Move one meeting and with it its siblings; those that stand by themselves stay, and nobody else's moves."""
        key, pivot = self._pick(
            pick, ConferenceState.PLANNED, where=lambda each: each.series is not None and self._is_to_come(each)
        )
        if pivot is None or not (days or slots):
            return
        start = pivot.start + days * DAY + slots * 30 * MINUTE
        if start.astimezone(OSLO).date() != (pivot.start + days * DAY).astimezone(OSLO).date():
            return
        affected = {
            other: self._shifted(each, start - pivot.start if other == key else days * DAY, start if slots else None)
            for other, each in self._in_scope(key, scope)
            if self._is_to_come(each) and (other == key or not each.detached)
        }
        others = set(self.model) - set(affected)
        expected = set[str]()
        for other, first in affected.items():
            each = self.model[other]
            last = first + (each.end - each.start)
            rooms = [held.room for held in each.held]
            expected |= self._why_not(rooms, each.owner, first, last, among=others)
            for twin, its_first in affected.items():
                its_last = its_first + (self.model[twin].end - self.model[twin].start)
                if twin != other and any(
                    room.blocked(first, last)[0] < room.blocked(its_first, its_last)[1]
                    and room.blocked(its_first, its_last)[0] < room.blocked(first, last)[1]
                    for room in rooms
                ):
                    expected.add("a sibling")
        person = self._person(pivot.owner)
        change = SeriesChange(start=start)
        done = self._try(
            lambda: [row.id for row in edit_series(key, scope, change, self._version(key), person).conferences],
            expected,
        )
        if done is None:
            return
        assert set(done) == set(affected)
        following = [other for other, _ in self._in_scope(key, scope)]
        for other, first in affected.items():
            each = self.model[other]
            self._keep(other, each.owner, first, first + (each.end - each.start), [held.room for held in each.held])
            self.model[other].detached |= scope is Scope.THIS
        if scope is Scope.FOLLOWING:
            cut = object()
            for other in following:
                self.model[other].series = cut

    @rule(pick=picks, scope=st.sampled_from([Scope.FOLLOWING, Scope.ALL]))
    def cancel_a_series(self, pick, scope):
        key, pivot = self._pick(
            pick, ConferenceState.PLANNED, where=lambda each: each.series is not None and self._is_to_come(each)
        )
        if pivot is None:
            return
        write(lambda: len(cancel_series(key, scope, self._version(key), None).conferences))
        for _other, each in self._in_scope(key, scope):
            if self._is_to_come(each):
                self._free(each)
                each.state = ConferenceState.CANCELLED

    @rule(who=st.integers(0, 1), rooms=st.sets(st.integers(0, 9), min_size=2, max_size=2),
          start=starts, length=lengths, room_to_move=st.sampled_from([30, 120]))  # fmt: skip
    def ask_to_wait(self, who, rooms, start, length, room_to_move):
        owner, chosen = self.organisations[who], [self.rooms[number] for number in sorted(rooms)]
        earliest, latest = start, start + length + room_to_move * MINUTE
        if earliest <= self._now():
            return
        wish = self._wish(owner, start, start + length, [StudioWish(room.id) for room in chosen])
        private = {"private" for room in chosen if room.private and room.organisation != owner}
        person = self._person(owner)
        key = self._try(lambda: ask_to_wait(wish, earliest, latest, person).id, private)
        if key is not None:
            self.waiting[key] = Waiting(owner, chosen, length, earliest, latest)

    @rule()
    def what_came_free_is_offered(self):
        """Only what is free, held for whoever it is offered to; and nobody waits on who could have been served."""
        mind_who_waits()
        self._forget_what_expired()
        rows = db.session.scalars(db.select(WaitingRequest).order_by(WaitingRequest.id)).all()
        for row in rows:
            asked = self.waiting[row.id]
            offered = (row.offered_start, row.offered_end) if row.state.value == "offered" else None
            if offered and [row.offer_expires_at] != [held.expires for held in asked.held[:1]]:
                why = self._why_not(asked.rooms, asked.owner, *offered)
                assert not why, f"offered in spite of {why}"
                assert asked.earliest <= offered[0] < offered[1] <= asked.latest
                spans = [room.blocked(*offered) for room in asked.rooms]
                asked.held = [
                    Held(room, *span, row.offer_expires_at) for room, span in zip(asked.rooms, spans, strict=True)
                ]
            asked.place, asked.state = offered, row.state.value
            if not offered:
                asked.held = []
        for asked in self.waiting.values():
            if asked.state == "waiting":
                assert not self._could_be_had(asked), "somebody waits for a time that is free"
        db.session.rollback()

    @rule(pick=picks)
    def accept_an_offer(self, pick):
        offered = [key for key, asked in self.waiting.items() if asked.state == "offered"]
        if not offered:
            return
        key = offered[pick % len(offered)]
        asked = self.waiting[key]
        expires = asked.held[0].expires
        gone = {"gone"} if expires <= self._now() else set()
        start, end = asked.place
        if not gone:
            asked.held = []  # what was held for them is in nobody's way but others'
            gone = {why for why in self._why_not(asked.rooms, asked.owner, start, end) if why in ("closed", "past")}
        booked = self._try(lambda: accept_offer(key, self._person(asked.owner)).id, gone)
        if booked is not None:
            asked.state = "accepted"
            self._keep(booked, asked.owner, start, end, asked.rooms)
        elif expires > self._now():
            asked.held = [Held(room, *room.blocked(start, end), expires) for room in asked.rooms]

    # What the clock and the scheduler do.

    @rule(hours=st.sampled_from([0.25, 1, 3, 24]))
    def time_passes(self, hours):
        self.now.shift(hours * HOUR)
        now = self._now()
        for key, meeting in self.model.items():
            state = meeting.state
            if state is ConferenceState.PLANNED and meeting.start <= now < meeting.end:
                state = ConferenceState.RUNNING
            elif state in LIVE and meeting.end <= now:
                state = ConferenceState.ENDED if state is ConferenceState.RUNNING else ConferenceState.FAILED
            if state is not meeting.state:
                meeting.state = state
                write(lambda key=key, state=state: setattr(db.session.get_one(Conference, key), "state", state))

    @rule()
    def the_expired_are_released(self):
        write(release_expired)
        self._forget_what_expired()

    def _forget_what_expired(self):
        for meeting in self.model.values():
            for held in meeting.held:
                if held.expires is not None and held.expires <= self._now():
                    held.free = True

    # What must hold after every step.

    @invariant()
    @precondition(lambda self: hasattr(self, "model"))
    def no_studio_is_reserved_twice(self):
        query = """
            SELECT count(*) FROM reservation a JOIN reservation b ON a.studio_id = b.studio_id AND a.id < b.id
            WHERE a.starts_at < b.ends_at AND b.starts_at < a.ends_at
              AND a.released_at IS NULL AND b.released_at IS NULL"""
        assert db.session.scalar(sa.text(query)) == 0

    @invariant()
    @precondition(lambda self: hasattr(self, "model"))
    def the_tables_say_what_the_model_says(self):
        now = self._now()
        query = sa.select(
            Reservation.conference_id,
            Reservation.studio_id,
            Reservation.starts_at,
            Reservation.ends_at,
        ).where(
            Reservation.released_at.is_(None), sa.or_(Reservation.expires_at.is_(None), Reservation.expires_at > now)
        )
        found = {tuple(row) for row in db.session.execute(query)}
        assert found == {
            (key, held.room.id, held.start, held.end)
            for key, meeting in self.model.items()
            for held in meeting.held
            if not held.free and not (held.expires is not None and held.expires <= now)
        } | {
            (None, held.room.id, held.start, held.end)
            for asked in self.waiting.values()
            for held in asked.held
            if held.expires > now
        }
        states = dict(db.session.execute(sa.select(Conference.id, Conference.state)).all())
        assert states == {key: meeting.state for key, meeting in self.model.items()}
        db.session.rollback()

    @invariant()
    @precondition(lambda self: hasattr(self, "model"))
    def no_refused_deed_leaves_anything(self):
        orphans = sa.select(sa.func.count(Party.id)).where(Party.conference_id.not_in(sa.select(Conference.id)))
        assert db.session.scalar(orphans) == 0
        assert db.session.scalar(sa.select(sa.func.count(Conference.id))) == len(self.model)

    # The model's own reckoning.

    def _in_scope(self, key, scope):
        """The pivot's siblings in the order of the rule, which is that of their keys."""
        series = self.model[key].series
        return [
            (other, each)
            for other, each in sorted(self.model.items())
            if other == key
            or (each.series is series and (scope is Scope.ALL or (scope is Scope.FOLLOWING and other > key)))
        ]

    def _shifted(self, meeting, by, wall):
        """So many days on; to the pivot's new time of day, where that is another."""
        if wall is None or by % DAY:
            return meeting.start + by
        day = (meeting.start + by).astimezone(OSLO).date()
        return datetime.combine(day, wall.astimezone(OSLO).time(), OSLO).astimezone(UTC)

    def _could_be_had(self, asked) -> bool:
        """Every five minutes of the window, by brute force; what is about to begin is offered to nobody."""
        start = asked.earliest
        while start + asked.length <= asked.latest:
            soon = start < self._now() + HOUR
            if not soon and not self._why_not(asked.rooms, asked.owner, start, start + asked.length):
                return True
            start += 5 * MINUTE
        return False

    def _why_not(self, rooms, owner, start, end, but=None, among=None) -> set[str]:
        found = {"past"} if start < self._now() - MINUTE else set()
        for room in rooms:
            if room.private and room.organisation != owner:
                found.add("private")
            if not room.is_open(start, end):
                found.add("hours")
            found |= self._taken(room, start, end, but, among) | self._shut_down(room, start, end)
        return found

    def _taken(self, room, start, end, but=None, among=None) -> set[str]:
        """References of what is in the way (only `among` these, if given), and "held" for what is offered to others."""
        first, last = room.blocked(start, end)

        def is_hit(held):
            gone = held.free or (held.expires is not None and held.expires <= self._now())
            return held.room is room and not gone and held.start < last and held.end > first

        found = {
            f"K-{10_000 + key}"
            for key, meeting in self.model.items()
            if key != but and (among is None or key in among) and any(map(is_hit, meeting.held))
        }
        return found | {"held" for asked in self.waiting.values() if any(map(is_hit, asked.held))}

    def _shut_down(self, room, start, end) -> set[str]:
        """A closure of the meeting's time, and, where the room needs setting up, of that time too."""
        first, last = room.blocked(start, end)
        return {
            "closed" for hit, begins, ends in self.closed.values() if room.id in hit and begins < last and ends > first
        }

    def _keep(self, key, owner, start, end, rooms):
        now = self._now()
        held = []
        for room in rooms:
            asks = room.organisation != owner
            expires = max(min(now + APPROVAL, start), now) if room.approval and asks else None
            held.append(Held(room, *room.blocked(start, end), expires, asks))
        # What had expired in these studios was released on the way.
        for meeting in self.model.values():
            for other in meeting.held:
                if other.room in rooms and other.expires is not None and other.expires <= now:
                    other.free = True
        old = self.model.get(key)
        series, detached = (old.series, old.detached) if old else (None, False)
        self.model[key] = Meeting(owner, start, end, ConferenceState.PLANNED, held, series, detached)

    def _free(self, meeting):
        for held in meeting.held:
            held.free = True

    def _recurs(self, meeting) -> bool:
        return meeting.series is not None and self._is_to_come(meeting)

    def _is_to_come(self, meeting) -> bool:
        return meeting.state is ConferenceState.PLANNED and meeting.start > self._now()

    def _pick(self, pick, *states, where=lambda meeting: True):
        """One of the meetings in these states and its key, or None and None: no step goes to what can't be done."""
        found = [(key, each) for key, each in self.model.items() if each.state in states and where(each)]
        return found[pick % len(found)] if found else (None, None)

    def _try(self, deed, expected):
        """Do it: it must be refused exactly when the model knows a reason, and clashes are named, all of them."""
        try:
            done = write(deed)
        except Refused as refused:
            error = refused
        else:
            assert not expected, f"done in spite of {expected}"
            return done
        assert expected, f"refused without a reason that the model knows: {error}"
        if isinstance(error, StudioTaken):
            assert {each.reference for each in error.obstacles} == {
                why if why.startswith("K-") else "" for why in expected if why.startswith("K-") or why == "held"
            }
        return None

    def _wish(self, owner, start, end, parties) -> Booking:
        return Booking("Meeting", Purpose.ADMINISTRATION, owner, start, end, tuple(parties))

    def _person(self, owner):
        return db.session.get_one(factories.Account, self.people[owner])

    def _version(self, key):
        return db.session.scalar(sa.select(Conference.version).where(Conference.id == key))

    def _kind(self, key):
        return db.session.scalar(sa.select(Party.kind).where(Party.conference_id == key).limit(1))

    def _now(self) -> datetime:
        return datetime.now(UTC)

    def _empty(self):
        """Of all but the audit trail, which nobody can empty, and what it refers to."""
        db.session.remove()
        with db.engine.begin() as connection:
            for table in ("event", "leg", "party", "reservation", "waiting_request", "closure", "conference", "series"):
                connection.execute(sa.text(f"DELETE FROM {table}"))
            connection.execute(sa.update(Studio).values(retired_at=MONDAY))
            connection.execute(sa.update(Site).values(name=sa.literal("old ") + sa.cast(Site.id, sa.String)))


# The rules are the same on both; PostgreSQL is three times as slow, and shows that its own guards agree.
EXAMPLES = {"sqlite": 60, "postgresql": 20}


def test_whatever_people_and_the_clock_do_the_tables_are_right(app, dialect):
    # So short that requests for approval run out while their time is still ahead.
    app.config["STUDIONETT"] = replace(app.config["STUDIONETT"], approval_hours=APPROVAL / HOUR)
    run_state_machine_as_test(
        Bookings,
        settings=settings(
            max_examples=EXAMPLES[dialect],
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
