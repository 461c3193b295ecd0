"""One conference as its page shows it: who sits there, which calls are up, what is wrong, what happened."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from accounts.rules import Access
from config import settings
from models import (
    Admission,
    Answer,
    Conference,
    Event,
    Health,
    Leg,
    LegState,
    Light,
    Party,
    PartyKind,
    Preflight,
    ReservationKind,
    Role,
    StartMode,
    Studio,
    Wanted,
)
from studios.booking import queries
from studios.booking.attendance import is_without_parties
from studios.booking.drawing import own_by
from studios.booking.extension import Extension, extension_of
from studios.booking.hosts import is_seated
from studios.booking.proposals import Proposal, replacements
from studios.booking.rules import Phase
from studios.booking.story import Chapter, tell
from studios.booking.times import clock_seconds
from studios.booking.undoing import Undoable, seconds_left, undoable
from studios.booking.wording import ADMISSIONS, Badge, cause_sentence, leg_badge, look_badge, state_badge
from studios.inventory.present import present_health
from studios.inventory.wording import FACES, Face

# A page of a conference that starts within this time follows it closely.
NEAR = timedelta(minutes=15)
# Whoever fails this long before the start is proposed to be replaced.
SOON = timedelta(hours=2)
# Within this time before the start monitoring has looked at the studios.
LOOKED_AT = timedelta(minutes=30)
CLOSELY, LOOSELY = 2, 60  # seconds between two looks
TROUBLED = (LegState.DROPPED, LegState.FAILED)


@dataclass(frozen=True)
class Place:
    """A party at the table. `call` is none while nobody has thought of calling it; `admission` is how much of the room
    the others see and hear, and `admitted` since when."""

    party: Party
    name: str
    studio: Studio | None
    face: Face
    call: Badge | None
    notes: list[str]
    connected: bool = False
    admission: Badge | None = None
    admitted: str = ""
    leg: Leg | None = None
    look: Preflight | None = None

    @property
    def fails(self) -> bool:
        """Whether its studio cannot be expected to take part: its equipment is silent, was found wanting before the
        start, or was called in vain."""
        in_vain = self.leg is not None and self.leg.state in TROUBLED and self.leg.attempts > 1
        wanting = self.look is not None and self.look.light is Light.RED
        return is_seated(self.party) and (self.face.tone in ("down", "cut") or in_vain or wanting)

    @property
    def looked(self) -> Badge | None:
        return look_badge(self.look) if self.look else None

    @property
    def can_be_called(self) -> bool:
        return self.leg is not None and (self.leg.held_down or self.leg.state in TROUBLED)

    @property
    def can_be_hung_up(self) -> bool:
        return self.leg is not None and self.leg.state is LegState.CONNECTED and not self.leg.held_down


@dataclass(frozen=True)
class Trouble:
    """A party that should be in the call and is not."""

    heading: str
    cause: str
    next_attempt_at: datetime | None
    studio: Studio | None
    tone: str


@dataclass(frozen=True)
class Sight:
    """`every` is how many seconds the page waits before it looks again; none when there is nothing more to see.
    `undo`: what the viewer may still take back, and for how many `seconds`; `answerable`: the places at the table for
    whose organisations the viewer may answer; `proposed`: what could stand in for the first studio that fails."""

    conference: Conference
    badge: Badge
    places: list[Place]
    troubles: list[Trouble]
    chapters: list[Chapter]
    remaining: str
    every: int | None
    mark: str
    may_change: bool
    sees_title: bool
    alone: bool
    undo: Undoable | None = None
    seconds: int = 0
    extension: Extension | None = None
    proposed: tuple[Place, Proposal] | None = None
    answerable: frozenset[int] = frozenset()

    @property
    def connected(self) -> int:
        return sum(place.connected for place in self.places)

    @property
    def host(self) -> Place | None:
        """The studio that carries the calls; none where a bridge does, or nobody."""
        if self.conference.bridge:
            return None
        return next((place for place in self.places if place.party.host), None)

    @property
    def under_way(self) -> bool:
        return queries.is_under_way(self.conference)

    @property
    def planned(self) -> bool:
        return queries.phase_of(self.conference) is Phase.PLANNED


def look_at(conference: Conference, access: Access, now: datetime, person_id: int | None = None) -> Sight:
    """Read the calls, the equipment and the story of a conference that was loaded whole, for whom it is shown to."""
    legs = queries.legs_of(conference)
    events = queries.events_of(conference)
    own = next((event for event in events if event.conference_id == conference.id), None)
    sees_title = queries.may_see_title(access, conference)
    admissions = queries.admissions_of(conference) if conference.video else {}
    places = _places(conference, legs, admissions, sees_title, now)
    troubles = _troubles(conference, legs, sees_title)
    remaining, every = _remaining(conference, now), _every(conference, now)
    alone = queries.phase_of(conference) is Phase.PLANNED and is_without_parties(conference, now)
    may_change = queries.may_change(access, conference)
    undo = undoable(conference, own, person_id, now) if may_change else None
    extension = extension_of(conference) if may_change else None
    proposed = _proposed(conference, places, access, now) if may_change else None
    return Sight(
        conference=conference,
        badge=state_badge(conference, len(troubles)),
        places=places,
        troubles=troubles,
        chapters=tell(events, conference.starts_at, sees_title),
        remaining=remaining,
        every=every,
        mark=_mark(
            conference,
            legs,
            events,
            places,
            remaining,
            every,
            alone,
            undo is None,
            extension,
            proposed,
        ),
        may_change=may_change,
        sees_title=sees_title,
        alone=alone,
        undo=undo,
        seconds=seconds_left(undo, now) if undo else 0,
        extension=extension,
        proposed=proposed,
        answerable=_answerable(conference, access),
    )


def _answerable(conference: Conference, access: Access) -> frozenset[int]:
    if queries.phase_of(conference) is not Phase.PLANNED:
        return frozenset()
    return frozenset(
        party.position
        for party in conference.parties
        if party.answer in (Answer.WAITING, Answer.ACCEPTED)
        and party.organisation_id is not None
        and access.covers(party.organisation_id, Role.COORDINATOR, Role.ADMINISTRATOR)
    )


def _proposed(
    conference: Conference, places: Sequence[Place], access: Access, now: datetime
) -> tuple[Place, Proposal] | None:
    """Not long before: what is broken then may be whole again."""
    if queries.phase_of(conference) is Phase.OVER or conference.starts_at - now > SOON:
        return None
    failing = next((place for place in places if place.fails), None)
    if failing is None:
        return None
    best = replacements(conference, failing.party, own_by(access), now, 1)
    return (failing, best[0]) if best else None


def _places(
    conference: Conference,
    legs: Mapping[int, Leg],
    admissions: Mapping[int, Admission],
    at_the_table: bool,
    now: datetime,
) -> list[Place]:
    studios = {party.id: party.reservation.studio for party in conference.parties if party.reservation}
    faces = _faces(list(studios.values()), now)
    is_near = queries.phase_of(conference) is Phase.PLANNED and conference.starts_at - now <= LOOKED_AT
    looks = queries.looks_at(conference) if is_near else {}
    connected = any(leg.state is LegState.CONNECTED for leg in legs.values())
    places = []
    for party in conference.parties:
        studio = studios.get(party.id)
        is_host = party.host and conference.bridge_id is None
        call = _host_call(connected, legs) if is_host else _call(legs.get(party.id))
        notes = _notes(legs[party.id]) if party.id in legs and not is_host else []
        notes = [*answer_notes(party, at_the_table), *notes]
        up = connected if is_host else party.id in legs and legs[party.id].state is LegState.CONNECTED
        name = _name(party, at_the_table)
        face = faces[studio.id if studio else 0]
        shown, since = _admission(admissions.get(party.id), up, queries.phase_of(conference))
        look = looks.get(studio.id) if studio else None
        places.append(Place(party, name, studio, face, call, notes, up, shown, since, legs.get(party.id), look))
    return places


def _admission(row: Admission | None, connected: bool, phase: Phase) -> tuple[Badge | None, str]:
    """What the others see and hear of a room, and since when."""
    if row is None or phase is Phase.OVER:
        return None, ""
    if row.mode is StartMode.PRESS and row.prompted_at and not row.pressed_at:
        return ADMISSIONS["waiting"], _("Asked %(time)s", time=clock_seconds(row.prompted_at))
    if not connected:
        return None, ""
    if row.muted_at and not row.opened_at:
        return ADMISSIONS["muted"], _("Until somebody there switches them on")
    since = row.opened_at or row.pressed_at
    return ADMISSIONS["open"], _("Since %(time)s", time=clock_seconds(since)) if since else ""


def _name(party: Party, at_the_table: bool) -> str:
    """The studio's name; a guest's address is for the organisations around the table."""
    if party.reservation:
        return party.reservation.studio.name
    if party.kind is not PartyKind.GUEST:
        return _("A party")
    return party.guest_address or _("A guest") if at_the_table else _("A guest")


def answer_notes(party: Party, at_the_table: bool) -> list[str]:
    """What the invited organisation says, where it was asked, and whether its studio is held for good. Its reason is
    for those around the table."""
    pending = party.reservation is not None and party.reservation.kind is ReservationKind.PENDING_REQUEST
    if party.answer is Answer.WAITING:
        return [_("Waits for its owner's approval")] if pending else [_("Has not answered yet")]
    if party.answer is Answer.DECLINED:
        word = _("Declined") if party.answered_by_id else _("Not approved in time")
        return [f"{word}: {party.answer_reason}" if party.answer_reason and at_the_table else word]
    if party.reservation and party.reservation.released_at and party.answer is not Answer.DECLINED:
        return [_("Given back")] if queries.phase_of(party.conference) is not Phase.OVER else []
    return [_("Takes part")] if party.answer is Answer.ACCEPTED else []


def _faces(studios: Sequence[Studio], now: datetime) -> dict[int, Face]:
    """The health of each studio's equipment; 0 stands for what is no studio."""
    statuses = queries.statuses_of(studios)
    stale_after = timedelta(seconds=settings().stale_after)
    faces = {0: FACES[Health.UNKNOWN]}
    for studio in studios:
        status = statuses.get(studio.id)
        health, polled_at = (status.health, status.last_poll_at) if status else (None, None)
        faces[studio.id] = FACES[present_health(health, polled_at, False, now, stale_after)]
    return faces


def _host_call(connected: bool, legs: Mapping[int, Leg]) -> Badge | None:
    """The host has no leg of its own: it is in the call as soon as anybody else is."""
    if connected:
        return Badge("call", "call", _("Connected"))
    return Badge("idle", "clock", _("Host, nobody connected")) if legs else None


def _call(leg: Leg | None) -> Badge | None:
    return leg_badge(leg) if leg else None


def _notes(leg: Leg) -> list[str]:
    """What stands under a leg's badge."""
    if leg.state is LegState.CONNECTED and leg.connected_at:
        return [_("Since %(time)s", time=clock_seconds(leg.connected_at))]
    notes = [_("Attempt %(number)s", number=leg.attempts)] if leg.attempts > 1 or leg.state in TROUBLED else []
    if leg.next_attempt_at and leg.state in TROUBLED:
        notes.append(_("next %(time)s", time=clock_seconds(leg.next_attempt_at)))
    if leg.cause:
        notes.append(cause_sentence(leg.cause))
    return notes


def _troubles(conference: Conference, legs: Mapping[int, Leg], at_the_table: bool) -> list[Trouble]:
    """The calls that should be up and are not, in the order of the table."""
    if queries.phase_of(conference) is Phase.OVER:
        return []
    return [
        _trouble(party, legs[party.id], _name(party, at_the_table))
        for party in conference.parties
        if party.id in legs and legs[party.id].state in TROUBLED and legs[party.id].wanted is Wanted.UP
    ]


def _trouble(party: Party, leg: Leg, name: str) -> Trouble:
    studio = party.reservation.studio if party.reservation else None
    if leg.state is LegState.DROPPED:
        time = clock_seconds(leg.ended_at or leg.changed_at)
        heading = _("%(studio)s dropped out at %(time)s", studio=name, time=time)
    else:
        heading = _("%(studio)s is not reached", studio=name)
    tone = "degraded" if leg.next_attempt_at else "down"
    return Trouble(heading, cause_sentence(leg.cause), leg.next_attempt_at, studio, tone)


def _remaining(conference: Conference, now: datetime) -> str:
    """How long until the next turn, where that is near."""
    if queries.is_under_way(conference) and now < conference.ends_at:
        return ngettext("%(num)s minute left", "%(num)s minutes left", _minutes(conference.ends_at - now))
    soon = conference.starts_at - now
    if queries.phase_of(conference) is Phase.PLANNED and timedelta() < soon <= timedelta(hours=1):
        return ngettext("Starts in %(num)s minute", "Starts in %(num)s minutes", _minutes(soon))
    return ""


def _minutes(span: timedelta) -> int:
    return -(-span // timedelta(minutes=1))


def _every(conference: Conference, now: datetime) -> int | None:
    """Without video only the clock changes anything."""
    if queries.phase_of(conference) is Phase.OVER:
        return None
    if not conference.video:
        return LOOSELY
    return CLOSELY if queries.is_under_way(conference) or conference.starts_at - now <= NEAR else LOOSELY


def _mark(
    conference: Conference, legs: Mapping[int, Leg], events: Sequence[Event], places: Sequence[Place], *others: object
) -> str:
    """Differs whenever the page would show something else."""
    seen = (
        conference.version,
        conference.state,
        [(leg.id, leg.state, leg.changed_at, leg.attempts, leg.next_attempt_at) for leg in legs.values()],
        events[0].id if events else 0,
        [
            (place.face.tone, place.admission and place.admission.shape, place.admitted, place.looked)
            for place in places
        ],
        others,
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]
