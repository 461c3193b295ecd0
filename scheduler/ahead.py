"""Before a conference begins: its room on the bridge, the panels of its studios, and people who start it early."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from devices.errors import DeviceError
from models import BridgeRoom, LegState, Reservation, Wanted, database_now, db, write
from scheduler.admission import PROMPT_AHEAD, Door, Step, bar, next_step_at, step
from scheduler.detours import take_detour
from scheduler.equipment import Equipment, steered
from scheduler.leases import Lease
from scheduler.panels import Outcome, carry_out, doors_after, record_panels
from scheduler.queries import Due
from scheduler.rules import PREVIOUS
from scheduler.table import Table

# A bridge needs about a minute to tell its nodes of a room.
ROOM_AHEAD = PROMPT_AHEAD
AFTER_REFUSAL = timedelta(seconds=10)
# Another bridge needs its minute, too.
DETOUR_AHEAD = timedelta(minutes=2)

log = structlog.get_logger()


def make_ready(lease: Lease, table: Table, equipment: Equipment) -> Due | None:
    """Do what is due before the start; when to come again."""
    if table.needs_room and table.now >= table.starts_at - ROOM_AHEAD:
        lease.renew()
        table = open_room(lease, table)
        if table.room_fault and table.now >= table.starts_at - DETOUR_AHEAD:
            write(lambda: take_detour(lease, table, table.room_fault))
    steps = steps_now(table)
    if steps:
        lease.renew()
    outcomes = carry_out(steps, table, equipment) if steps else []
    return write(lambda: _record(lease, table, outcomes))


def open_room(lease: Lease, table: Table) -> Table:
    """The table with its room on the bridge, if that could be made ready; else it is tried again."""
    assert table.host is not None, "a room is on a bridge"
    try:
        steered(table.host).open()
    except DeviceError as error:
        log.warning("room not made ready", conference=table.reference, error=str(error))
        return replace(table, room_fault=error.code)
    write(lambda: _record_room(lease, table))
    return replace(table, needs_room=False)


def steps_now(table: Table) -> dict[int, Step]:
    """What is due at the panels, by party: of all before the start, then of who is connected or about to be called."""
    up = {table.party_of(leg.leg_id): leg for leg in table.legs if leg.wanted is Wanted.UP}
    connected = {party_id for party_id, leg in up.items() if leg.state is LegState.CONNECTED}
    called = {party_id for party_id, leg in up.items() if leg.is_to_be_dialled(table.now)} | connected
    if table.host_party and called:
        called.add(table.host_party)
    if table.host_party and connected:
        connected.add(table.host_party)
    if table.is_ahead:
        called = set(table.doors)
    due = {}
    for party_id, door in table.doors.items():
        if party_id not in called or door.studio_id in table.occupied:
            continue
        if found := step(door, table.starts_at, party_id in connected, table.now):
            due[party_id] = found
    return due


def bars(table: Table) -> dict[int, str]:
    """By studio: why no call may be opened into it."""
    shut = {door.studio_id: bar(door, table.now) for door in table.doors.values()}
    shut.update(dict.fromkeys(table.occupied, PREVIOUS))
    return {studio_id: cause for studio_id, cause in shut.items() if cause}


def _record_room(lease: Lease, table: Table) -> None:
    conference, now = lease.hold(), database_now()
    if conference.bridge_id is not None:
        key = {"conference_id": conference.id, "bridge_id": conference.bridge_id}
        db.session.merge(BridgeRoom(**key, opened_at=now, closed_at=None))


def _record(lease: Lease, table: Table, outcomes: Sequence[Outcome]) -> Due | None:
    conference, now = lease.hold(), database_now()
    record_panels(table, outcomes)
    doors = doors_after(table, outcomes)
    if conference.version == table.version and _may_begin(table, doors, now):
        conference.joined_at = look = now
    else:
        look = _next_look(table, doors, now)
    return lease.give_back(look, table.version, now)


def _may_begin(table: Table, doors: dict[int, Door], now: datetime) -> bool:
    """Whether enough people have pressed to begin before the start, in rooms that are nobody else's until then."""
    pressed = {party_id: door for party_id, door in doors.items() if door.pressed_at}
    enough = table.host_party in pressed and len(pressed) > 1 if table.host_party else bool(pressed)
    if not enough or now < table.starts_at - PROMPT_AHEAD:
        return False
    others = sa.select(Reservation.id).where(
        Reservation.studio_id.in_([door.studio_id for door in pressed.values()]),
        Reservation.is_held(now),
        Reservation.conference_id.is_distinct_from(table.conference_id),
        Reservation.starts_at < table.starts_at,
        Reservation.ends_at > now,
    )
    return db.session.scalar(others.limit(1)) is None


def _next_look(table: Table, doors: dict[int, Door], now: datetime) -> datetime:
    looks = [found for door in doors.values() if (found := next_step_at(door, table.starts_at))]
    if table.needs_room:
        looks.append(max(table.starts_at - ROOM_AHEAD, now + AFTER_REFUSAL))
    return min([table.starts_at, *(max(look, now + timedelta(seconds=1)) for look in looks)])
