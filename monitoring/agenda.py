"""What the conferences that run or start soon mean for studios. Pure; made from one read of all seats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from models import ConferenceState
from models.booking import REFERENCE_BASE, REFERENCE_PREFIX
from monitoring.rules import BEARABLE_LOSS
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


# More than this is seen and heard, though people bear it.
NOTICED_LOSS = 1.0
# Calls need seconds to come up; nobody in one for so long after the start is worth a look.
MISSED_AFTER = timedelta(minutes=3)


class Quality(StrEnum):
    """Of a call, by what its worst studio loses."""

    POOR = "poor"
    WEAK = "weak"
    GOOD = "good"
    UNKNOWN = "unknown"


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
    studios: tuple[int, ...] = ()

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
class Call:
    """A conference whose calls are up, with the studio that hears and sees the worst, where any tells."""

    meeting: Meeting
    worst: Tile | None

    @property
    def quality(self) -> Quality:
        return quality_of(self.worst.loss_percent if self.worst else None)


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


def quality_of(loss_percent: float | None) -> Quality:
    if loss_percent is None:
        return Quality.UNKNOWN
    if loss_percent > BEARABLE_LOSS:
        return Quality.POOR
    return Quality.WEAK if loss_percent > NOTICED_LOSS else Quality.GOOD


def calls(tiles: Mapping[int, Tile], agenda: Agenda) -> list[Call]:
    """The worst first: those that failed, then by what is lost."""
    found = [Call(meeting, _worst(meeting, tiles)) for meeting in agenda.calls]
    return sorted(found, key=_by_quality)  # stable: the agenda's own order among equals


def absent(agenda: Agenda, now: datetime) -> list[Meeting]:
    """Conferences of which, minutes after their start, nobody is in the call; by start."""
    return [
        one
        for one in agenda.meetings
        if one.starts_at + MISSED_AFTER <= now < one.ends_at and not one.connected and one.parties
    ]


def unbooked(tiles: Mapping[int, Tile], agenda: Agenda) -> list[Tile]:
    """Studios in a call that no conference of theirs explains, by name."""
    booked = {studio_id for one in agenda.meetings for studio_id in one.studios}
    return sorted((tile for key, tile in tiles.items() if tile.in_call and key not in booked), key=lambda t: t.name)


def _worst(meeting: Meeting, tiles: Mapping[int, Tile]) -> Tile | None:
    told = [tiles[key] for key in meeting.studios if key in tiles and tiles[key].loss_percent is not None]
    return max(told, key=lambda tile: (tile.loss_percent or 0.0, tile.jitter_ms or 0.0), default=None)


def _by_quality(call: Call) -> tuple[bool, bool, float]:
    loss = call.worst.loss_percent if call.worst else None
    failed = call.meeting.state is ConferenceState.FAILED
    return not failed, not (loss and loss > NOTICED_LOSS), -(loss or 0.0) if loss and loss > NOTICED_LOSS else 0.0


def _is_in_call(seat: Seat, table: list[Seat]) -> bool:
    """The host is in the call as soon as one of the others is."""
    return seat.connected or (seat.host and any(other.connected for other in table))


def _meeting(table: list[Seat], connected: int) -> Meeting:
    first = table[0]
    studios = tuple(seat.studio_id for seat in table if seat.studio_id and not seat.released)
    return Meeting(first.conference_id, first.state, first.starts_at, first.ends_at, len(table), connected, studios)
