"""A conference as the reconciler holds it across the network: plain values, no open transaction behind them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy.orm import selectinload

from models import (
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
from scheduler.codecs import Station, station_of
from scheduler.queries import LIVE
from scheduler.rules import LegView
from studios.booking.attendance import is_without_parties
from studios.booking.hosts import is_seated


@dataclass(frozen=True)
class Table:
    """Who sits there. `far_ends` by leg; `alone`: it has not begun, and nobody is left to meet."""

    conference_id: int
    version: int
    state: ConferenceState
    wanted: Wanted
    ends_at: datetime
    host: Station | None
    legs: tuple[LegView, ...]
    far_ends: dict[int, Station]
    occupied: frozenset[int]
    alone: bool
    read_at: datetime
    monotonic_at: float = field(default_factory=monotonic)

    @property
    def now(self) -> datetime:
        """The database's time, carried on by this process's own clock since the table was read."""
        return self.read_at + timedelta(seconds=monotonic() - self.monotonic_at)


def read_table(conference_id: int, now: datetime) -> Table:
    """Bring the legs in line with the calendar, then read everything that a pass needs. Within a transaction."""
    conference = _conference(conference_id)
    wanted = wanted_of(conference, now)
    alone = conference.state is ConferenceState.PLANNED and is_without_parties(conference, now)
    legs = {} if alone else _legs(conference, wanted, now)
    stations = {party.id: _station(party) for party in conference.parties}
    views = tuple(_view(legs[party.id], stations[party.id]) for party in conference.parties if party.id in legs)
    return Table(
        conference_id=conference.id,
        version=conference.version,
        state=conference.state,
        wanted=wanted,
        ends_at=conference.ends_at,
        host=next((stations[party.id] for party in conference.parties if party.host), None),
        legs=views,
        far_ends={legs[party.id].id: stations[party.id] for party in conference.parties if party.id in legs},
        occupied=_occupied(conference, [station.studio_id for station in stations.values()]),
        alone=alone,
        read_at=now,
    )


def wanted_of(conference: Conference, now: datetime) -> Wanted:
    """The calendar's word: up from start to end."""
    if conference.state is ConferenceState.CANCELLED:
        return Wanted.DOWN
    return Wanted.UP if conference.starts_at <= now < conference.ends_at else Wanted.DOWN


def _legs(conference: Conference, calendar: Wanted, now: datetime) -> dict[int, Leg]:
    legs = {leg.party_id: leg for leg in db.session.scalars(db.select(Leg).filter_by(conference_id=conference.id))}
    for party in conference.parties:
        if party.host or (conference.state is ConferenceState.PLANNED and calendar is Wanted.DOWN):
            continue  # what was slept through is never called
        wanted = calendar if _takes_part(party) else Wanted.DOWN
        if party.id not in legs and not _takes_part(party):
            continue
        if party.id not in legs:
            legs[party.id] = Leg(
                conference_id=conference.id,
                party_id=party.id,
                wanted=wanted,
                state=LegState.IDLE,
                attempts=0,
                token=f"{conference.reference}/{party.id}",
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


def _turn(leg: Leg, wanted: Wanted, now: datetime) -> None:
    leg.wanted = wanted
    leg.next_attempt_at = None
    leg.changed_at = now
    if wanted is Wanted.UP and leg.state in (LegState.STOPPED, LegState.STOPPING):
        leg.state = LegState.IDLE  # extended while it was being taken down


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
    )


def _conference(conference_id: int) -> Conference:
    endpoint = selectinload(Conference.parties).joinedload(Party.reservation).joinedload(Reservation.studio)
    loaded = endpoint.joinedload(Studio.endpoint).joinedload(Endpoint.control_credential)
    query = db.select(Conference).where(Conference.id == conference_id).options(loaded)
    return db.session.scalars(query).one()


def _station(party: Party) -> Station:
    if party.reservation is None:
        return Station(0, party.guest_address or "", None)
    return station_of(party.reservation.studio.endpoint, party.reservation.studio_id)


def _occupied(conference: Conference, studio_ids: Sequence[int]) -> frozenset[int]:
    """Studios where the call of another conference, which began before this one, has not been seen to end."""
    query = (
        db.select(Reservation.studio_id)
        .join(Conference, Reservation.conference_id == Conference.id)
        .where(
            Reservation.studio_id.in_(studio_ids),
            Reservation.released_at.is_(None),
            Conference.id != conference.id,
            Conference.state.in_(LIVE),
            Conference.starts_at <= conference.starts_at,
        )
    )
    return frozenset(db.session.scalars(query))
