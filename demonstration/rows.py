"""Planned conferences, their calls and the equipment's changes as rows of the tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from demonstration.day_plan import Meeting
from demonstration.network import Room
from demonstration.year_plan import LegStory, Outage, Story
from models import (
    Answer,
    CallRecord,
    Conference,
    ConferenceState,
    Event,
    Health,
    Leg,
    LegState,
    Party,
    PartyKind,
    Reservation,
    ReservationKind,
    StatusChange,
    Wanted,
)
from models.booking import REFERENCE_BASE, REFERENCE_PREFIX
from studios.booking.rules import blocked_time, first_look, host_position

Row = dict[str, Any]
# In the order in which they refer to each other; those above `Event` are referred to by key.
TABLES: tuple[type[Any], ...] = (Conference, Reservation, Party, Leg, CallRecord, Event, StatusChange)
STARTS_UP = timedelta(milliseconds=60)


@dataclass
class Rows:
    """Rows to be written together. `first_ids` says where the keys of conferences, reservations, parties and legs
    begin; they are given out in order."""

    first_ids: dict[type[Any], int]
    of: dict[type[Any], list[Row]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def add(self, table: type[Any], **values: Any) -> int:
        """One more row; its key, where the table's keys are given out here."""
        rows = self.of[table]
        if table in self.first_ids:
            values["id"] = self.first_ids[table] + len(rows)
        rows.append(values)
        return int(values.get("id", 0))


def keys_needed(stories: Sequence[Story]) -> dict[type[Any], int]:
    """How many keys the rows of these conferences take."""
    rooms = sum(len(story.meeting.rooms) for story in stories)
    legs = sum(len(story.legs) for story in stories)
    return {Conference: len(stories), Reservation: rooms, Party: rooms, Leg: legs}


def add_story(rows: Rows, story: Story, organiser_id: int | None) -> None:
    """A conference, planned or over, with all that happened to it."""
    meeting, state = story.meeting, story.state
    conference_id = rows.add(
        Conference,
        title=meeting.title,
        purpose=meeting.purpose,
        organisation_id=meeting.rooms[0].organisation_id,
        organiser_id=organiser_id,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        state=state,
        priority=0,
        movable=False,
        version=1 if story.cancelled_at is None else 2,
        created_at=meeting.created_at,
        due_at=first_look(meeting.starts_at) if state is ConferenceState.PLANNED else None,
        lease_version=0,
    )
    parties = _seat(rows, conference_id, meeting, story.cancelled_at)
    details = {"studios": len(meeting.rooms)}
    _event(rows, meeting.created_at, "conference.booked", conference_id, account_id=organiser_id, details=details)
    if story.cancelled_at:
        _event(rows, story.cancelled_at, "conference.cancelled", conference_id, account_id=organiser_id)
    for leg in story.legs:
        _add_leg(rows, conference_id, parties[leg.room.studio_id], meeting, leg)
    if story.legs:
        _tell_conference(rows, conference_id, story)


def add_outage(rows: Rows, outage: Outage) -> None:
    add_change(rows, outage.room, outage.begins_at, Health.OK, outage.health, outage.cause)
    add_change(rows, outage.room, outage.ends_at, outage.health, Health.OK, "")


def add_change(rows: Rows, room: Room, at: datetime, before: Health, after: Health, cause: str) -> None:
    rows.add(StatusChange, endpoint_id=room.endpoint_id, at=at, from_health=before, to_health=after, cause=cause)
    details = {"from": before, "to": after, "cause": cause}
    _event(rows, at, f"studio.{after}", None, studio_id=room.studio_id, details=details)


def _seat(rows: Rows, conference_id: int, meeting: Meeting, released_at: datetime | None) -> dict[int, int]:
    """A reservation and a place at the table for each; the parties' keys by studio."""
    host = host_position(room.steered for room in meeting.rooms)
    parties = {}
    for position, room in enumerate(meeting.rooms):
        start, end = blocked_time(meeting.starts_at, meeting.ends_at, room.setup_minutes, room.clear_down_minutes)
        reservation_id = rows.add(
            Reservation,
            studio_id=room.studio_id,
            conference_id=conference_id,
            starts_at=start,
            ends_at=end,
            kind=ReservationKind.CONFERENCE,
            released_at=released_at,
        )
        parties[room.studio_id] = rows.add(
            Party,
            conference_id=conference_id,
            position=position,
            kind=PartyKind.STUDIO,
            studio_id=room.studio_id,
            host=position == host,
            organisation_id=room.organisation_id,
            answer=Answer.NOT_ASKED,
            reservation_id=reservation_id,
        )
    return parties


def _add_leg(rows: Rows, conference_id: int, party_id: int, meeting: Meeting, leg: LegStory) -> None:
    over_at = leg.calls[-1][1] if leg.calls else meeting.ends_at
    leg_id = rows.add(
        Leg,
        conference_id=conference_id,
        party_id=party_id,
        wanted=Wanted.DOWN,
        state=LegState.STOPPED,
        token=f"{REFERENCE_PREFIX}{REFERENCE_BASE + conference_id}/{party_id}",
        attempts=len(leg.failures) + len(leg.calls),
        dialled_at=leg.dialled_at,
        connected_at=leg.calls[-1][0] if leg.calls else None,
        ended_at=over_at,
        changed_at=over_at,
    )
    for start, end in leg.calls:
        rows.add(
            CallRecord,
            leg_id=leg_id,
            conference_id=conference_id,
            studio_id=leg.room.studio_id,
            connected_at=start,
            ended_at=end,
        )
    for at, kind, details in _leg_events(leg):
        _event(rows, at, kind, conference_id, studio_id=leg.room.studio_id, details=details)


def _leg_events(leg: LegStory) -> Iterator[tuple[datetime, str, Row]]:
    """What was out of the ordinary; a call that came at once and stayed is in the conference's own events."""
    for failure in leg.failures:
        facts: Row = {"attempt": failure.number, "cause": failure.cause}
        if failure.next_at:
            facts["next_attempt"] = failure.next_at.isoformat()
        yield failure.at, "leg.failed", facts
    if len(leg.failures) + len(leg.calls) < 2:
        return
    for number, (start, end) in enumerate(leg.calls, start=1):
        yield start, "leg.connected", {"attempt": len(leg.failures) + number}
        if number < len(leg.calls):
            yield end, "leg.dropped", {"attempt": len(leg.failures) + number}


def _tell_conference(rows: Rows, conference_id: int, story: Story) -> None:
    meeting, up_at = story.meeting, story.up_at
    _event(rows, meeting.starts_at + STARTS_UP, "conference.starting", conference_id)
    if up_at:
        complete = all(leg.calls for leg in story.legs)
        _event(rows, up_at, "conference.running" if complete else "conference.degraded", conference_id)
    over_at = max((leg.calls[-1][1] for leg in story.legs if leg.calls), default=meeting.ends_at)
    _event(rows, over_at, f"conference.{story.state}", conference_id)


def _event(
    rows: Rows,
    at: datetime,
    kind: str,
    conference_id: int | None,
    studio_id: int | None = None,
    account_id: int | None = None,
    details: Row | None = None,
) -> None:
    rows.add(
        Event,
        at=at,
        kind=kind,
        conference_id=conference_id,
        studio_id=studio_id,
        account_id=account_id,
        details=details or {},
    )
