"""The reconciler: brings the calls of one conference to what is wanted of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from config import settings
from devices.errors import Ambiguous, DeviceError
from models import Conference, ConferenceState, LegState, Wanted, db, write
from scheduler.admission import step_afterwards
from scheduler.ahead import bars, make_ready, open_room, steps_now
from scheduler.conference_rules import bridge_fails, nobody_came, state_of
from scheduler.detours import leave_former_rooms, take_detour
from scheduler.endings import near_the_end
from scheduler.equipment import LASTING, Equipment, session_of, steered
from scheduler.leases import Lease, LeaseLost, claim
from scheduler.panels import Outcome, carry_out, doors_after, record_panels
from scheduler.queries import Due
from scheduler.recording import Outdated, begin_anew, call_off, enter, intend, left_by, record
from scheduler.rules import (
    Action,
    LegView,
    Move,
    Sight,
    Silence,
    after_failed_dial,
    after_failed_hang_up,
    decide,
    is_gone,
    needs_far_end,
    our_call,
)
from scheduler.table import Table, read_table
from studios.booking.conferences import end_now

ORDERS = (Action.DIAL, Action.HANG_UP, Action.HANG_UP_FAR_END)

log = structlog.get_logger()


@dataclass(frozen=True)
class Sights:
    """What the equipment said of its calls; far ends by leg, for those that were asked, and why calls that are gone
    have ended."""

    host: Sight
    far_ends: dict[int, Sight]
    endings: dict[int, str]


def reconcile(conference_id: int, worker: str, equipment: Equipment) -> Due | None:
    """One pass over one conference; when to make the next, or None where there is none to make here.

    1. Lease the conference; the lease's version fences out whoever is late.
    2. Read what is wanted: the calendar and people have the say. Close the transaction.
    3. Before it begins: make ready the room on its bridge and the studios' panels, and come again.
    4. Observe: the host's calls, and the far ends' where the host alone cannot tell. Calls that still lead to a bridge
       which was left are hung up first.
    5. See that each studio may be opened into: muted, or somebody there has pressed. What is not sure is not called.
       Go another way where the bridge fails before anybody is in the call. Give up what nobody came to. In the last
       minutes tell the rooms, or go on where nobody else comes.
    6. Decide one move for each leg: adopt a call that is ours, dial, hang up, wait.
    7. Read again what is wanted, and begin anew where it has changed. Commit the intents, so that a call that is
       ordered and never recorded is found and adopted by its token.
    8. Act. An order is sent only if its whole deadline fits into the lease. No transaction is open.
    9. Give back the microphones and cameras of studios whose calls have been seen to end.
    10. Record what came of it, what the conference now is, and when to look again; give the lease back.

    A worker that dies between 7 and 10 leaves a lease that runs out; the next pass starts at 1 and sees at 4 what the
    endpoints really do.
    """
    taken = write(lambda: _take(conference_id, worker, equipment))
    if taken is None:
        return None
    lease, table = taken
    try:
        if table.is_ahead:
            return make_ready(lease, table, equipment)
        with session_of(table.host):
            sights = _observe(table, equipment, lease)
            table = _admit(table, sights, equipment, lease)
            if _goes_another_way(lease, table, sights):
                return write(lambda: begin_anew(lease, table))
            if _is_given_up(lease, table):
                return write(lambda: begin_anew(lease, table))
            table = near_the_end(lease, table, equipment)
            moves = _decide(table, sights)
            if any(move.action in ORDERS for move in moves):
                write(lambda: intend(lease, table, moves))
            moves = [_act(move, table, lease) for move in moves]
        given_back = _give_back(table, moves, equipment, lease)
        return write(lambda: record(lease, table, moves, given_back))
    except Outdated:
        return write(lambda: begin_anew(lease, table))
    except LeaseLost:
        log.warning("lease lost", conference=conference_id, worker=worker)
        return None


def _take(conference_id: int, worker: str, equipment: Equipment) -> tuple[Lease, Table] | None:
    """Lease and read. From its start on it is under way for people too: it can be ended, not moved."""
    lease = claim(conference_id, worker)
    if lease is None:
        return None
    now = lease.taken_at
    table = read_table(conference_id, now, equipment)
    if table.alone:
        call_off(lease, now)
        return None
    if not table.legs and not table.is_ahead and not any(step_afterwards(door) for door in table.doors.values()):
        record(lease, table, [], [])  # slept through, or nobody to call
        return None
    if table.state is ConferenceState.PLANNED and table.legs:
        enter(db.session.get_one(Conference, conference_id), state_of(table.legs, table.state), now)
    return lease, table


def _observe(table: Table, equipment: Equipment, lease: Lease) -> Sights:
    if table.former and any(leg.state is not LegState.CONNECTED for leg in table.legs):
        lease.renew()
        leave_former_rooms(table, equipment)
    lease.renew()
    host = equipment.calls(table.host)
    gone = [leg for leg in table.legs if is_gone(leg, host)]
    if gone:
        lease.renew()
    endings = {leg.leg_id: _ending(leg, table) for leg in gone}
    asked = [leg.leg_id for leg in table.legs if needs_far_end(leg, host)]
    if asked:
        lease.renew()
    seen = equipment.calls_of_all(table.far_ends[leg_id] for leg_id in asked)
    return Sights(host, dict(zip(asked, seen, strict=True)), endings)


def _ending(leg: LegView, table: Table) -> str:
    """Why the host says that the call has ended; nothing where it does not tell."""
    if table.host is None or leg.remote_call_id is None:
        return ""
    try:
        return steered(table.host).ending(leg.remote_call_id)
    except DeviceError:
        return ""


def _admit(table: Table, sights: Sights, equipment: Equipment, lease: Lease) -> Table:
    """The table once its room and the panels of those who are called have been seen to."""
    if table.needs_room and table.wanted is Wanted.UP and not isinstance(sights.host, Silence):
        lease.renew()
        table = open_room(lease, table)
    talking = _talking(table, sights)
    wait = talking | _put_off(table)
    steps = {party_id: found for party_id, found in steps_now(table).items() if party_id not in wait}
    if not steps:
        return table
    lease.renew()
    outcomes = carry_out(steps, table, equipment)
    write(lambda: _record_panels(lease, table, outcomes))
    return replace(table, doors=doors_after(table, outcomes))


def _goes_another_way(lease: Lease, table: Table, sights: Sights) -> bool:
    cause = bridge_fails(table.legs, sights.host, table.room_fault, table.now) if table.has_bridge else ""
    return bool(cause) and write(lambda: take_detour(lease, table, cause))


def _is_given_up(lease: Lease, table: Table) -> bool:
    doors = list(table.doors.values())
    if table.wanted is Wanted.DOWN or not nobody_came(
        doors, table.legs, table.starts_at, settings().no_show_minutes, table.now
    ):
        return False
    return write(lambda: _give_up(lease, table))


def _give_up(lease: Lease, table: Table) -> bool:
    conference = lease.hold()
    if conference.version != table.version:
        return False
    end_now(conference, None, "conference.nobody_came")
    return True


def _talking(table: Table, sights: Sights) -> set[int]:
    """Who is in a call that is not known yet: begun by people, or by a worker that died. It is adopted first."""
    if not isinstance(sights.host, Sequence):
        return set()
    new = [leg for leg in table.legs if leg.state is not LegState.CONNECTED and our_call(leg, sights.host)]
    known = any(leg.state is LegState.CONNECTED for leg in table.legs)
    host = {table.host_party} if new and not known and table.host_party else set()
    return {table.party_of(leg.leg_id) for leg in new} | host


def _put_off(table: Table) -> set[int]:
    """Whose panel was asked in vain before: it is asked again once all others are called, who must not wait for it."""
    silent = {party_id for party_id, door in table.doors.items() if door.cause and party_id != table.host_party}
    others = [leg for leg in table.legs if table.party_of(leg.leg_id) not in silent]
    return silent if any(leg.is_to_be_dialled(table.now) for leg in others) else set()


def _record_panels(lease: Lease, table: Table, outcomes: Sequence[Outcome]) -> None:
    lease.hold()
    record_panels(table, outcomes)


def _decide(table: Table, sights: Sights) -> list[Move]:
    return decide(
        table.legs,
        sights.host,
        sights.far_ends,
        bars(table),
        table.host.address if table.host else "",
        table.host.studio_id if table.host else 0,
        table.ends_at,
        table.now,
        random.uniform(-1, 1),
        sights.endings,
        settings().redial_hung_up,
    )


def _act(move: Move, table: Table, lease: Lease) -> Move:
    """Carry out one move; returns it as it turned out."""
    if move.action not in ORDERS:
        return move
    leg = next(leg for leg in table.legs if leg.leg_id == move.leg_id)
    assert table.host is not None, "without a host nothing is ordered"
    lease.renew()
    if move.action is Action.DIAL:
        return _dial(move, leg, table)
    station = table.host if move.action is Action.HANG_UP else table.far_ends[move.leg_id]
    try:
        steered(station).hang_up(str(move.call_id))
    except DeviceError as error:
        return after_failed_hang_up(move, error.code, table.now)
    return move


def _dial(move: Move, leg: LegView, table: Table) -> Move:
    assert table.host is not None
    try:
        return replace(move, call_id=steered(table.host).dial(leg.address, leg.token))
    except Ambiguous as error:
        # It may have been carried out: the next passes look for it and dial again only when it stays away.
        return replace(move, cause=error.code)
    except DeviceError as error:
        lasting = isinstance(error, LASTING)
        return after_failed_dial(move, leg.attempts + 1, error.code, lasting, table.now, random.uniform(-1, 1))


def _give_back(table: Table, moves: Sequence[Move], equipment: Equipment, lease: Lease) -> list[Outcome]:
    """Switch on again what was switched off, where the call has been seen to end."""
    doors = [table.doors[party_id] for party_id in left_by(table, moves) if party_id in table.doors]
    steps = {door.party_id: found for door in doors if (found := step_afterwards(door))}
    if not steps:
        return []
    lease.renew()
    return carry_out(steps, table, equipment)
