"""What a pass of the reconciler writes down: intents before it acts, and what came of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from accounts.audit import record as audit
from models import Admission, CallRecord, Conference, ConferenceState, Event, Leg, LegState, database_now, db
from scheduler.admission import Door, anew
from scheduler.ahead import steps_now
from scheduler.conference_rules import MOVING, next_look, state_of
from scheduler.leases import Lease
from scheduler.panels import Outcome, doors_after, keep, record_panels
from scheduler.queries import Due
from scheduler.rules import BEGUN_BY_HAND, LEFT, UNDER_WAY, Action, LegView, Move
from scheduler.table import Table, wanted_of
from studios.booking.conferences import give_up

UP = (LegState.CONNECTED, LegState.STOPPING)  # the call is there, as far as is known
ON_THE_LINE = (*UP, *UNDER_WAY)


class Outdated(Exception):
    """What is wanted of the conference has changed since it was read."""


def call_off(lease: Lease, now: datetime) -> None:
    """All but one have declined: that is a cancelled conference, and no failed call."""
    conference = db.session.get_one(Conference, lease.conference_id)
    give_up(conference)
    event = Event(at=now, kind="conference.without_parties", conference_id=conference.id, details={})
    db.session.add(event)
    db.session.flush()
    audit("conference.without_parties", conference.reference)
    lease.give_back(None, conference.version, now)


def intend(lease: Lease, table: Table, moves: Sequence[Move]) -> None:
    """Write down what is about to be ordered. Raises Outdated where people or the calendar want something else now."""
    conference, now = lease.hold(), database_now()
    if conference.version != table.version or wanted_of(conference, now) is not table.wanted:
        raise Outdated
    for leg, _move in _rows([move for move in moves if move.action is Action.DIAL]):
        leg.state = LegState.DIALLING
        leg.remote_call_id = None
        leg.attempts += 1
        leg.dialled_at = leg.changed_at = now
        leg.next_attempt_at = None
        _tell(table, leg, "leg.dialled", now, attempt=leg.attempts)


def begin_anew(lease: Lease, table: Table) -> Due | None:
    now = database_now()
    return lease.give_back(now, table.version, now)


def left_by(table: Table, moves: Sequence[Move]) -> set[int]:
    """The parties whose call has just been seen to end for good, or who hung up; the host too when nobody is left; and
    whoever was made ready for a call and then gave their place to others."""
    if not table.legs:
        return set(table.doors)
    over = {move.leg_id for move in moves if move.action is not Action.WAIT and _is_over(move)}
    called = {table.party_of(leg.leg_id) for leg in table.legs}
    left = {table.party_of(leg_id) for leg_id in over} | (set(table.doors) - called)
    left.discard(table.host_party or 0)  # who has become the host is no longer called, and is in the call all the same
    if table.host_party and over and not any(move.state in ON_THE_LINE for move in moves if move.leg_id not in over):
        left.add(table.host_party)
    return left


def _is_over(move: Move) -> bool:
    return move.state is LegState.STOPPED or move.event == LEFT


def record(lease: Lease, table: Table, moves: Sequence[Move], given_back: Sequence[Outcome]) -> Due | None:
    conference, now = lease.hold(), database_now()
    record_panels(table, given_back)
    table = replace(table, doors=_doors_after(table, moves, given_back))
    rows = _rows(moves)
    for leg, move in rows:
        _apply(leg, move, table, now)
    views = _views_after(table, [leg for leg, _move in rows])
    state = _state_after(conference, views)
    enter(conference, state, now)
    look = next_look(views, state, conference.ends_at, now)
    if look and steps_now(replace(table, legs=tuple(views))):
        look = min(look, now + MOVING)  # somebody has just been connected: their panel says so
    return lease.give_back(look, table.version, now)


def _doors_after(table: Table, moves: Sequence[Move], given_back: Sequence[Outcome]) -> dict[int, Door]:
    """Those that were left begin anew, muted or not: the next call asks again."""
    doors = doors_after(table, given_back)
    left = {party_id: anew(doors[party_id]) for party_id in left_by(table, moves) & set(doors)}
    keep(list(left.values()))
    return {**doors, **left}


def _state_after(conference: Conference, legs: Sequence[LegView]) -> ConferenceState:
    if conference.state is ConferenceState.CANCELLED:
        return conference.state
    return state_of(legs, conference.state) if legs else ConferenceState.FAILED


def _apply(leg: Leg, move: Move, table: Table, now: datetime) -> None:
    if move.counts and move.action is not Action.DIAL:
        leg.attempts += 1
    if move.action is Action.WAIT:
        return
    if move.state is not leg.state or move.cause != (leg.cause or ""):
        leg.changed_at = now
    newly_connected = move.state is LegState.CONNECTED and leg.state is not LegState.CONNECTED
    had_been = leg.connected_at is not None
    if newly_connected or (move.was_connected and not had_been):
        leg.connected_at = now
        # A call that was being taken down when its conference was extended has its record still.
        if not (had_been and _has_open_record(leg)):
            _open_record(leg, table, now)
    if move.state in (LegState.DROPPED, LegState.STOPPED):
        leg.ended_at = now
        leg.remote_call_id = None
    if move.state not in UP and leg.connected_at:
        _close_record(leg, min(now, table.ends_at) if _was_gone(leg, move) else now)
    leg.state = move.state
    leg.cause = move.cause or None
    leg.next_attempt_at = move.next_attempt_at
    leg.remote_call_id = move.call_id or leg.remote_call_id
    if move.event == BEGUN_BY_HAND:
        _stand_open(table, leg, now)
    if move.event:
        _tell(table, leg, move.event, now, **_details(leg, move))


def _stand_open(table: Table, leg: Leg, now: datetime) -> None:
    """Who begin a call by hand see it: their rooms are not muted behind their backs."""
    there = [leg.party_id, *([table.host_party] if table.host_party else [])]
    opened = sa.update(Admission).where(Admission.party_id.in_(there), Admission.opened_at.is_(None))
    db.session.execute(opened.values(opened_at=now))


def _has_open_record(leg: Leg) -> bool:
    return db.session.scalar(sa.select(CallRecord.id).filter_by(leg_id=leg.id, ended_at=None)) is not None


def _open_record(leg: Leg, table: Table, now: datetime) -> None:
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


def _views_after(table: Table, legs: Iterable[Leg]) -> list[LegView]:
    """The legs as they stand after this pass."""
    rows = {leg.id: leg for leg in legs}
    return [
        replace(
            view,
            state=rows[view.leg_id].state,
            attempts=rows[view.leg_id].attempts,
            next_attempt_at=rows[view.leg_id].next_attempt_at,
            connected_at=rows[view.leg_id].connected_at,
            cause=rows[view.leg_id].cause or "",
        )
        for view in table.legs
    ]


def enter(conference: Conference, state: ConferenceState, now: datetime) -> None:
    if state is conference.state:
        return
    conference.state = state
    db.session.add(Event(at=now, kind=f"conference.{state}", conference_id=conference.id, details={}))


def _rows(moves: Sequence[Move]) -> list[tuple[Leg, Move]]:
    if not moves:
        return []
    ids = [move.leg_id for move in moves]
    legs = {leg.id: leg for leg in db.session.scalars(db.select(Leg).where(Leg.id.in_(ids)))}
    return [(legs[move.leg_id], move) for move in moves]


def _tell(table: Table, leg: Leg, kind: str, now: datetime, **details: object) -> None:
    studio_id = table.far_ends[leg.id].studio_id or None
    event = Event(at=now, kind=kind, conference_id=table.conference_id, studio_id=studio_id, details=details)
    db.session.add(event)
