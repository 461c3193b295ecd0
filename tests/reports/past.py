"""What happened, as rows: conferences with their calls, and studios with their health."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from models import (
    CallRecord,
    Conference,
    ConferenceState,
    Event,
    Health,
    Leg,
    LegState,
    Party,
    StatusChange,
    Studio,
    Wanted,
    db,
)
from tests import factories

_tokens = count(1)


@dataclass(frozen=True)
class FarEnd:
    """A studio that was dialled: when it was connected (no end: still), and why attempts failed, in order."""

    studio: Studio
    calls: Sequence[tuple[datetime, datetime | None]] = ()
    causes: Sequence[str] = ()


def happened(
    host: Studio,
    *far_ends: FarEnd,
    start: datetime,
    minutes: int = 60,
    state: ConferenceState = ConferenceState.ENDED,
) -> Conference:
    """A conference and all that the scheduler noted of it."""
    studios = (host, *(far_end.studio for far_end in far_ends))
    end = start + timedelta(minutes=minutes)
    conference = factories.conference(*studios, start=start, end=end, state=state)
    parties = db.session.scalars(db.select(Party).filter_by(conference_id=conference.id).order_by(Party.position))
    for party, far_end in zip(list(parties)[1:], far_ends, strict=True):
        _note(conference, party, far_end, start)
    db.session.commit()
    return conference


def _note(conference: Conference, party: Party, far_end: FarEnd, at: datetime) -> None:
    leg = Leg(
        conference_id=conference.id,
        party_id=party.id,
        wanted=Wanted.DOWN,
        state=LegState.STOPPED,
        token=f"token-{next(_tokens)}",
        changed_at=at,
    )
    db.session.add(leg)
    db.session.flush()
    studio_id = far_end.studio.id
    for begun, ended in far_end.calls:
        db.session.add(
            CallRecord(
                leg_id=leg.id, conference_id=conference.id, studio_id=studio_id, connected_at=begun, ended_at=ended
            )
        )
    for cause in far_end.causes:
        details = {"cause": cause, "attempt": 1}
        event = Event(at=at, kind="leg.failed", conference_id=conference.id, studio_id=studio_id, details=details)
        db.session.add(event)


def watched(studio: Studio, *changes: tuple[datetime, Health], last_poll_at: datetime | None) -> None:
    """The studio's health changed so, and was last asked for at `last_poll_at`."""
    endpoint = studio.endpoint or factories.endpoint(studio)
    status = db.session.get_one(factories.EndpointStatus, endpoint.id)
    status.last_poll_at = last_poll_at
    before = Health.UNKNOWN
    for at, health in changes:
        db.session.add(StatusChange(endpoint_id=endpoint.id, at=at, from_health=before, to_health=health))
        before = health
    db.session.commit()
