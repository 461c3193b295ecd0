"""What the conferences that run or start soon mean for studios. Pure; made from one read of all seats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from models import ConferenceState
from models.booking import REFERENCE_BASE, REFERENCE_PREFIX
from monitoring.tiles import WELL, Tile

LIVE = (
    ConferenceState.STARTING,
    ConferenceState.RUNNING,
    ConferenceState.DEGRADED,
    ConferenceState.STOPPING,
)
# The worst first; planned ones are not calls yet.
_CALL_ORDER = (
    ConferenceState.FAILED,
    ConferenceState.DEGRADED,
    ConferenceState.STARTING,
    ConferenceState.STOPPING,
    ConferenceState.RUNNING,
)


@dataclass(frozen=True, slots=True)
class Seat:
    """One place at a table. The host dials the others and has no leg of its own."""

    conference_id: int
    state: ConferenceState
    starts_at: datetime
    ends_at: datetime
    studio_id: int | None
    released: bool
    host: bool
    connected: bool


@dataclass(frozen=True, slots=True)
class Meeting:
    """A conference as everybody may see it: no title, no names."""

    conference_id: int
    state: ConferenceState
    starts_at: datetime
    ends_at: datetime
    parties: int
    connected: int

    @property
    def reference(self) -> str:
        return f"{REFERENCE_PREFIX}{REFERENCE_BASE + self.conference_id}"

    @property
    def missing(self) -> int:
        return self.parties - self.connected


@dataclass(frozen=True, slots=True)
class Agenda:
    """`next` holds each studio's conference that runs or comes next; `in_call` the studios with a connected call."""

    meetings: tuple[Meeting, ...]
    next: Mapping[int, Meeting]
    in_call: frozenset[int]

    def booked_from(self, studio_id: int) -> datetime | None:
        """When the studio's conference that runs or comes next began or begins."""
        meeting = self.next.get(studio_id)
        return meeting.starts_at if meeting else None

    @property
    def calls(self) -> list[Meeting]:
        """The conferences whose calls are up, coming up or going down, the worst first."""
        found = [meeting for meeting in self.meetings if meeting.state in _CALL_ORDER]
        return sorted(found, key=lambda one: (_CALL_ORDER.index(one.state), -one.missing, one.starts_at))


@dataclass(frozen=True, slots=True)
class Risk:
    tile: Tile
    meeting: Meeting


def agenda_of(seats: Iterable[Seat], now: datetime) -> Agenda:
    """`seats` by start and conference, in one run for each conference."""
    meetings: list[Meeting] = []
    upcoming: dict[int, Meeting] = {}
    in_call: set[int] = set()
    for _, found in groupby(seats, lambda seat: seat.conference_id):
        table = list(found)
        on_air = [seat for seat in table if _is_in_call(seat, table)]
        meeting = _meeting(table, len(on_air))
        meetings.append(meeting)
        in_call.update(seat.studio_id for seat in on_air if seat.studio_id)
        if meeting.ends_at > now:
            for seat in table:
                if seat.studio_id and not seat.released:
                    upcoming.setdefault(seat.studio_id, meeting)
    return Agenda(tuple(meetings), upcoming, frozenset(in_call))


def at_risk(tiles: Mapping[int, Tile], agenda: Agenda, now: datetime) -> list[Risk]:
    """Studios that are not well and have a conference within the hour, or one now that they are not in; by start."""
    found = [
        Risk(tiles[studio_id], meeting)
        for studio_id, meeting in agenda.next.items()
        if studio_id in tiles and tiles[studio_id].state not in WELL
    ]
    threatened = [risk for risk in found if risk.meeting.starts_at > now or not risk.tile.in_call]
    return sorted(threatened, key=lambda risk: (risk.meeting.starts_at, risk.tile.code))


def _is_in_call(seat: Seat, table: list[Seat]) -> bool:
    """The host is in the call as soon as one of the others is."""
    return seat.connected or (seat.host and any(other.connected for other in table))


def _meeting(table: list[Seat], connected: int) -> Meeting:
    first = table[0]
    return Meeting(first.conference_id, first.state, first.starts_at, first.ends_at, len(table), connected)
