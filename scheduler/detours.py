"""Calls that go another way, because the bridge of their conference fails."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from devices.errors import DeviceError
from models import database_now
from scheduler.drivers.interface import Station
from scheduler.equipment import Equipment, steered
from scheduler.leases import Lease
from scheduler.rules import normal_address
from scheduler.table import Table
from studios.booking.detours import go_another_way


def take_detour(lease: Lease, table: Table, cause: str) -> bool:
    """Give the conference another bridge, or a host; whether there was one. Within a transaction. It is read anew in
    the next pass, for its version has changed."""
    conference, now = lease.hold(), database_now()
    if conference.version != table.version:
        return False
    return go_another_way(conference, at_once=now >= table.starts_at, cause=cause)


def leave_former_rooms(table: Table, equipment: Equipment) -> None:
    """Hang up, at the studios, calls that still lead to a room on a bridge that was left: it may never do so itself.
    What fails is tried again in the next pass."""
    studios = [station for station in table.stations.values() if station.driver]
    seen = equipment.calls_of_all(studios)
    former = {normal_address(address) for address in table.former}
    orders = [
        partial(_hang_up, station, call.call_id)
        for station, sight in zip(studios, seen, strict=True)
        if isinstance(sight, Sequence)
        for call in sight
        if normal_address(call.remote) in former
    ]
    equipment.all_at_once(orders, None)


def _hang_up(station: Station, call_id: str) -> None:
    with suppress(DeviceError):
        steered(station).hang_up(call_id)
