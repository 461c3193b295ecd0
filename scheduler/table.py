"""A conference as the reconciler holds it across the network: plain values, no open transaction behind them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy.orm import joinedload, selectinload

from devices.errors import NotReady
from models import (
    Admission,
    Bridge,
    BridgeRoom,
    Conference,
    ConferenceState,
    Endpoint,
    Leg,
    LegState,
    Party,
    PartyKind,
    Reservation,
    Studio,
    Wanted,
    db,
)
from scheduler.admission import Door
from scheduler.drivers.interface import Station
from scheduler.equipment import Equipment
from scheduler.queries import LIVE
from scheduler.rules import LegView
from studios.booking.attendance import is_without_parties
from studios.booking.hosts import is_seated

# A bridge tells its nodes of a room in about a minute.
ROOM_KNOWN = timedelta(minutes=2)


@dataclass(frozen=True)
class Table:
    """Who sits there. `host`: who places the calls, a studio or a room on a bridge. `far_ends` by leg, `stations` and
    `doors` by party; `host_party`: of the studio that is host. `alone`: it has not begun, and nobody is left to meet.
    `needs_room`: there is a bridge, and no room on it yet; `room_fault`: why there could be none. `former`: where calls
    led that went by bridges which were left. `occupied`: studios that must not be opened into yet; empty where nothing
    is to be opened."""

    conference_id: int
    reference: str
    version: int
    state: ConferenceState
    wanted: Wanted
    starts_at: datetime
    ends_at: datetime
    host: Station | None
    host_party: int | None
    needs_room: bool
    former: frozenset[str]
    warned_minutes: int | None
    extended_minutes: int
    legs: tuple[LegView, ...]
    far_ends: dict[int, Station]
    stations: dict[int, Station]
    doors: dict[int, Door]
    occupied: frozenset[int]
    alone: bool
    read_at: datetime
    room_fault: str = ""
    monotonic_at: float = field(default_factory=monotonic)

    @property
    def now(self) -> datetime:
        """The database's time, carried on by this process's own clock since the table was read."""
        return self.read_at + timedelta(seconds=monotonic() - self.monotonic_at)

    @property
    def is_ahead(self) -> bool:
        """Whether it has not begun: what is to be done is done at the panels and on the bridge."""
        return self.state is ConferenceState.PLANNED and self.wanted is Wanted.DOWN and self.now < self.ends_at

    @property
    def has_bridge(self) -> bool:
        return self.host is not None and self.host_party is None

    def party_of(self, leg_id: int) -> int:
        station = self.far_ends[leg_id]
        return next(party_id for party_id, found in self.stations.items() if found is station)


def read_table(conference_id: int, now: datetime, equipment: Equipment) -> Table:
    """Bring the legs in line with the calendar, then read everything that a pass needs. Within a transaction."""
    conference = _conference(conference_id)
    wanted = wanted_of(conference, now)
    alone = conference.state is ConferenceState.PLANNED and is_without_parties(conference, now)
    stations = {party.id: _station(party, equipment) for party in conference.parties}
    doors = {} if alone else _doors(conference, stations)
    legs = {} if alone else _legs(conference, wanted, doors, now)
    room = equipment.room(conference.bridge, conference.reference) if conference.bridge else None
    host_party = None if room else next((party.id for party in conference.parties if party.host), None)
    is_to_open = wanted is Wanted.UP or conference.state is ConferenceState.PLANNED
    views = tuple(_view(legs[party.id], stations[party.id]) for party in conference.parties if party.id in legs)
    return Table(
        conference_id=conference.id,
        version=conference.version,
        reference=conference.reference,
        state=conference.state,
        wanted=wanted,
        starts_at=conference.starts_at,
        ends_at=conference.ends_at,
        host=room or (stations[host_party] if host_party else None),
        host_party=host_party,
        needs_room=room is not None and not _has_room(conference, views, now),
        former=_former(conference, equipment),
        warned_minutes=conference.warned_minutes,
        extended_minutes=conference.extended_minutes,
        legs=views,
        far_ends={legs[party.id].id: stations[party.id] for party in conference.parties if party.id in legs},
        stations=stations,
        doors=doors,
        occupied=_occupied(conference, stations.values()) if is_to_open else frozenset(),
        alone=alone,
        read_at=now,
    )


def wanted_of(conference: Conference, now: datetime) -> Wanted:
    """The calendar's word: up from start to end, and from when people in the rooms let it begin. What has begun goes on
    where the clock is set back."""
    if conference.state is ConferenceState.CANCELLED:
        return Wanted.DOWN
    begins = min(conference.starts_at, conference.joined_at or conference.starts_at)
    has_begun = begins <= now or conference.state in LIVE
    return Wanted.UP if has_begun and now < conference.ends_at else Wanted.DOWN


def _doors(conference: Conference, stations: Mapping[int, Station]) -> dict[int, Door]:
    """How it is let into each studio; a studio's mode holds from when it is first thought of."""
    ids = [party.id for party in conference.parties]
    known = {row.party_id: row for row in db.session.scalars(db.select(Admission).where(Admission.party_id.in_(ids)))}
    for party in conference.parties:
        if party.id not in known and party.reservation and is_seated(party):
            known[party.id] = Admission(party_id=party.id, mode=party.reservation.studio.start_mode)
            db.session.add(known[party.id])
    return {party_id: _door(row, stations[party_id]) for party_id, row in known.items()}


def _door(row: Admission, station: Station) -> Door:
    return Door(
        party_id=row.party_id,
        studio_id=station.studio_id,
        mode=row.mode,
        steered=station.panel is not None,
        prompted_at=row.prompted_at,
        pressed_at=row.pressed_at,
        muted_at=row.muted_at,
        opened_at=row.opened_at,
        next_attempt_at=row.next_attempt_at,
        cause=row.cause or "",
    )


def _legs(conference: Conference, calendar: Wanted, doors: Mapping[int, Door], now: datetime) -> dict[int, Leg]:
    """One for each party that is called: none for a host that is a studio."""
    legs = {leg.party_id: leg for leg in db.session.scalars(db.select(Leg).filter_by(conference_id=conference.id))}
    for party in conference.parties:
        is_host = party.host and conference.bridge_id is None
        if (is_host and party.id not in legs) or (
            conference.state is ConferenceState.PLANNED and calendar is Wanted.DOWN
        ):
            continue  # what was slept through is never called
        # Before the start only who has pressed is called; whoever was called once stays so, wherever the clock is set.
        too_early = now < conference.starts_at and party.id not in legs and not _pressed(doors.get(party.id))
        takes_part = _takes_part(party) and not is_host and not too_early
        wanted = calendar if takes_part else Wanted.DOWN
        if party.id in legs and legs[party.id].held_down:
            wanted = Wanted.DOWN
        if party.id not in legs and not takes_part:
            continue
        if party.id not in legs:
            legs[party.id] = Leg(
                conference_id=conference.id,
                party_id=party.id,
                wanted=wanted,
                state=LegState.IDLE,
                attempts=0,
                token=token_of(conference.reference, party.id),
                changed_at=now,
            )
            db.session.add(legs[party.id])
        elif legs[party.id].wanted is not wanted:
            _turn(legs[party.id], wanted, now)
    db.session.flush()
    return legs


def _takes_part(party: Party) -> bool:
    """A guest always does; a studio while it is reserved, and not only asked for or given back."""
    return party.kind is PartyKind.GUEST or is_seated(party)


def _has_room(conference: Conference, legs: Iterable[LegView], now: datetime) -> bool:
    """A room that the bridge still does not know long after it was made has been lost there, and is made again."""
    room = db.session.get(BridgeRoom, (conference.id, conference.bridge_id))
    if room is None or room.closed_at is not None:
        return False
    return now - room.opened_at < ROOM_KNOWN or all(leg.cause != NotReady.code for leg in legs)


def _former(conference: Conference, equipment: Equipment) -> frozenset[str]:
    query = (
        db.select(BridgeRoom)
        .where(
            BridgeRoom.conference_id == conference.id,
            BridgeRoom.bridge_id.is_distinct_from(conference.bridge_id),
        )
        .options(joinedload(BridgeRoom.bridge).joinedload(Bridge.control_credential))
    )
    return frozenset(equipment.room(row.bridge, conference.reference).address for row in db.session.scalars(query))


def token_of(reference: str, party_id: int) -> str:
    """What marks a party's call, and the question on its panel, as ours."""
    return f"{reference}/{party_id}"


def _pressed(door: Door | None) -> bool:
    return door is not None and door.pressed_at is not None


def _turn(leg: Leg, wanted: Wanted, now: datetime) -> None:
    leg.wanted = wanted
    leg.next_attempt_at = None
    leg.changed_at = now
    if wanted is Wanted.UP and leg.state in (LegState.STOPPED, LegState.STOPPING, LegState.DROPPED, LegState.FAILED):
        leg.state = LegState.IDLE  # extended, or called again, while it was being taken down


def _view(leg: Leg, station: Station) -> LegView:
    return LegView(
        leg_id=leg.id,
        studio_id=station.studio_id,
        wanted=leg.wanted,
        state=leg.state,
        address=station.address,
        token=leg.token,
        remote_call_id=leg.remote_call_id,
        attempts=leg.attempts,
        next_attempt_at=leg.next_attempt_at,
        dialled_at=leg.dialled_at,
        connected_at=leg.connected_at,
        cause=leg.cause or "",
        held_down=leg.held_down,
    )


_STUDIO = joinedload(Party.reservation).joinedload(Reservation.studio)
_ENDPOINT = _STUDIO.joinedload(Studio.endpoint)
_SEATED = selectinload(Conference.parties).options(
    # Not the wide rest of a studio: hundreds of conferences are read when they all begin.
    _STUDIO.load_only(Studio.start_mode),
    _ENDPOINT.load_only(Endpoint.dial_address, Endpoint.control_driver, Endpoint.control_url),
    _ENDPOINT.joinedload(Endpoint.control_credential),
)
_BRIDGE = joinedload(Conference.bridge).joinedload(Bridge.control_credential)


def _conference(conference_id: int) -> Conference:
    query = db.select(Conference).where(Conference.id == conference_id).options(_SEATED, _BRIDGE)
    return db.session.scalars(query).one()


def _station(party: Party, equipment: Equipment) -> Station:
    if party.reservation is None:
        return Station(0, party.guest_address or "", None)
    return equipment.studio(party.reservation.studio.endpoint, party.reservation.studio_id)


def _occupied(conference: Conference, stations: Iterable[Station]) -> frozenset[int]:
    """Studios where the call of another conference, which began before this one, has not been seen to end."""
    query = (
        db.select(Reservation.studio_id)
        .join(Conference, Reservation.conference_id == Conference.id)
        .where(
            Reservation.studio_id.in_([station.studio_id for station in stations]),
            Reservation.released_at.is_(None),
            Conference.id != conference.id,
            Conference.state.in_(LIVE),
            Conference.starts_at <= conference.starts_at,
        )
    )
    return frozenset(db.session.scalars(query))
