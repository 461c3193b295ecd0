"""The reconciler: brings the calls of one conference to what is wanted of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
import structlog

from accounts.audit import record
from devices.errors import Ambiguous, DeviceError
from models import CallRecord, Conference, ConferenceState, Event, Leg, LegState, database_now, db, write
from scheduler.codecs import LASTING, Codecs
from scheduler.leases import Lease, LeaseLost, claim
from scheduler.rules import (
    Action,
    LegView,
    Move,
    Sight,
    after_failed_dial,
    after_failed_hang_up,
    decide,
    needs_far_end,
    next_look,
    state_of,
)
from scheduler.table import Table, read_table, wanted_of
from studios.booking.conferences import give_up

ORDERS = (Action.DIAL, Action.HANG_UP, Action.HANG_UP_FAR_END)
UP = (LegState.CONNECTED, LegState.STOPPING)  # the call is there, as far as is known

log = structlog.get_logger()


class Outdated(Exception):
    """What is wanted of the conference has changed since it was read."""


@dataclass(frozen=True)
class Sights:
    """What the codecs said of their calls; far ends by leg, for those that were asked."""

    host: Sight
    far_ends: dict[int, Sight]


def reconcile(conference_id: int, worker: str, codecs: Codecs) -> datetime | None:
    """One pass over one conference; when to make the next, or None where there is none to make here.

    1. Lease the conference; the lease's version fences out whoever is late.
    2. Read what is wanted: the calendar and people have the say. Close the transaction.
    3. Observe: the host's calls, and the far ends' where the host alone cannot tell.
    4. Decide one move for each leg: adopt a call that is ours, dial, hang up, wait.
    5. Read again what is wanted, and begin anew where it has changed. Commit the intents, so that a call that is
       ordered and never recorded is found and adopted by its token.
    6. Act. An order is sent only if its whole deadline fits into the lease. No transaction is open.
    7. Record what came of it, what the conference now is, and when to look again; give the lease back.

    A worker that dies between 5 and 7 leaves a lease that runs out; the next pass starts at 1 and sees at 3 what the
    endpoints really do.
    """
    taken = write(lambda: _take(conference_id, worker))
    if taken is None:
        return None
    lease, table = taken
    try:
        sights = _observe(table, codecs, lease)
        moves = _decide(table, sights)
        if any(move.action in ORDERS for move in moves):
            write(lambda: _intend(lease, table, moves))
        moves = [_act(move, table, codecs, lease) for move in moves]
        return write(lambda: _record(lease, table, moves))
    except Outdated:
        return write(lambda: _begin_anew(lease, table))
    except LeaseLost:
        log.warning("lease lost", conference=conference_id, worker=worker)
        return None


def _take(conference_id: int, worker: str) -> tuple[Lease, Table] | None:
    """Lease and read. From here on a planned conference is under way for people too: it can be ended, not moved."""
    lease = claim(conference_id, worker)
    if lease is None:
        return None
    now = database_now()
    table = read_table(conference_id, now)
    if table.alone:
        _call_off(lease, now)
        return None
    if not table.legs:
        _record(lease, table, [])  # slept through, or nobody to call
        return None
    if table.state is ConferenceState.PLANNED:
        _enter(db.session.get_one(Conference, conference_id), state_of(table.legs, table.state), now)
    return lease, table


def _call_off(lease: Lease, now: datetime) -> None:
    """All but one have declined: that is a cancelled conference, and no failed call."""
    conference = db.session.get_one(Conference, lease.conference_id)
    give_up(conference)
    event = Event(at=now, kind="conference.without_parties", conference_id=conference.id, details={})
    db.session.add(event)
    db.session.flush()
    record("conference.without_parties", conference.reference)
    lease.give_back(None, conference.version)


def _observe(table: Table, codecs: Codecs, lease: Lease) -> Sights:
    lease.renew()
    host = codecs.calls(table.host)
    asked = [leg.leg_id for leg in table.legs if needs_far_end(leg, host)]
    if asked:
        lease.renew()
    seen = codecs.calls_of_all(table.far_ends[leg_id] for leg_id in asked)
    return Sights(host, dict(zip(asked, seen, strict=True)))


def _decide(table: Table, sights: Sights) -> list[Move]:
    return decide(
        table.legs,
        sights.host,
        sights.far_ends,
        table.occupied,
        table.host.address if table.host else "",
        table.host.studio_id if table.host else None,
        table.ends_at,
        table.now,
        random.uniform(-1, 1),
    )


def _intend(lease: Lease, table: Table, moves: Sequence[Move]) -> None:
    """Write down what is about to be ordered. Raises Outdated where people or the calendar want something else now."""
    now = lease.hold()
    conference = db.session.get_one(Conference, table.conference_id)
    if conference.version != table.version or wanted_of(conference, now) is not table.wanted:
        raise Outdated
    for leg, move in _rows(moves):
        if move.action is Action.DIAL:
            leg.state = LegState.DIALLING
            leg.remote_call_id = None
            leg.attempts += 1
            leg.dialled_at = leg.changed_at = now
            leg.next_attempt_at = None
            _tell(table, leg, "leg.dialled", now, attempt=leg.attempts)


def _begin_anew(lease: Lease, table: Table) -> datetime:
    now = database_now()
    lease.give_back(now, table.version)
    return now


def _act(move: Move, table: Table, codecs: Codecs, lease: Lease) -> Move:
    """Carry out one move; returns it as it turned out."""
    if move.action not in ORDERS:
        return move
    leg = next(leg for leg in table.legs if leg.leg_id == move.leg_id)
    assert table.host is not None, "without a host nothing is ordered"
    lease.renew()
    if move.action is Action.DIAL:
        return _dial(move, leg, table, codecs)
    station = table.host if move.action is Action.HANG_UP else table.far_ends[move.leg_id]
    try:
        codecs.hang_up(station, str(move.call_id))
    except DeviceError as error:
        return after_failed_hang_up(move, error.code, table.now)
    return move


def _dial(move: Move, leg: LegView, table: Table, codecs: Codecs) -> Move:
    assert table.host is not None
    try:
        return replace(move, call_id=codecs.dial(table.host, leg.address, leg.token))
    except Ambiguous as error:
        # It may have been carried out: the next passes look for it and dial again only when it stays away.
        return replace(move, cause=error.code)
    except DeviceError as error:
        lasting = isinstance(error, LASTING)
        return after_failed_dial(move, leg.attempts + 1, error.code, lasting, table.now, random.uniform(-1, 1))


def _record(lease: Lease, table: Table, moves: Sequence[Move]) -> datetime | None:
    now = lease.hold()
    for leg, move in _rows(moves):
        _apply(leg, move, table, now)
    conference = db.session.get_one(Conference, table.conference_id)
    views = _views_after(table, moves)
    state = state_of(views, conference.state) if views else ConferenceState.FAILED
    _enter(conference, state, now)
    look = next_look(views, state, conference.ends_at, now)
    lease.give_back(look, table.version)
    return look


def _apply(leg: Leg, move: Move, table: Table, now: datetime) -> None:
    if move.counts and move.action is not Action.DIAL:
        leg.attempts += 1
    if move.action is Action.WAIT:
        return
    if move.state is not leg.state or move.cause != (leg.cause or ""):
        leg.changed_at = now
    newly_connected = move.state is LegState.CONNECTED and leg.state is not LegState.CONNECTED
    if newly_connected or (move.was_connected and leg.connected_at is None):
        leg.connected_at = now
        _open_record(leg, table, now)
    if move.state in (LegState.DROPPED, LegState.STOPPED):
        leg.ended_at = now
        leg.remote_call_id = None
    if move.state not in UP:
        _close_record(leg, min(now, table.ends_at) if _was_gone(leg, move) else now)
    leg.state = move.state
    leg.cause = move.cause or None
    leg.next_attempt_at = move.next_attempt_at
    leg.remote_call_id = move.call_id or leg.remote_call_id
    if move.event:
        _tell(table, leg, move.event, now, **_details(leg, move))


def _open_record(leg: Leg, table: Table, now: datetime) -> None:
    """A call that was being taken down when its conference was extended has its record still."""
    if db.session.scalar(sa.select(CallRecord.id).filter_by(leg_id=leg.id, ended_at=None)) is None:
        studio_id = table.far_ends[leg.id].studio_id or None
        record = CallRecord(leg_id=leg.id, conference_id=table.conference_id, studio_id=studio_id, connected_at=now)
        db.session.add(record)


def _was_gone(leg: Leg, move: Move) -> bool:
    """After the end nobody hung up, and the call is not there: a scheduler that was away for a night must not count
    the night as use."""
    return leg.state is LegState.CONNECTED and move.state is LegState.STOPPED


def _close_record(leg: Leg, at: datetime) -> None:
    """Never before its start, wherever the clock was put meanwhile."""
    ended_at = sa.case((CallRecord.connected_at > at, CallRecord.connected_at), else_=at)
    db.session.execute(
        sa.update(CallRecord)
        .where(CallRecord.leg_id == leg.id, CallRecord.ended_at.is_(None))
        .values(ended_at=ended_at)
    )


def _details(leg: Leg, move: Move) -> dict[str, object]:
    facts: dict[str, object] = {"attempt": leg.attempts}
    if move.cause:
        facts["cause"] = move.cause
    if move.next_attempt_at:
        facts["next_attempt"] = move.next_attempt_at.isoformat()
    return facts


def _views_after(table: Table, moves: Sequence[Move]) -> list[LegView]:
    """The legs as they stand after this pass."""
    rows = {leg.id: leg for leg, _move in _rows(moves)}
    return [
        replace(
            view,
            state=rows[view.leg_id].state,
            attempts=rows[view.leg_id].attempts,
            next_attempt_at=rows[view.leg_id].next_attempt_at,
            connected_at=rows[view.leg_id].connected_at,
        )
        for view in table.legs
    ]


def _enter(conference: Conference, state: ConferenceState, now: datetime) -> None:
    if state is conference.state:
        return
    conference.state = state
    db.session.add(Event(at=now, kind=f"conference.{state}", conference_id=conference.id, details={}))


def _rows(moves: Sequence[Move]) -> list[tuple[Leg, Move]]:
    ids = [move.leg_id for move in moves]
    legs = {leg.id: leg for leg in db.session.scalars(db.select(Leg).where(Leg.id.in_(ids)))}
    return [(legs[move.leg_id], move) for move in moves]


def _tell(table: Table, leg: Leg, kind: str, now: datetime, **details: object) -> None:
    studio_id = table.far_ends[leg.id].studio_id or None
    event = Event(at=now, kind=kind, conference_id=table.conference_id, studio_id=studio_id, details=details)
    db.session.add(event)
