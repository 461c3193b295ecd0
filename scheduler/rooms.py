"""Rooms on bridges whose conference is over, or has gone elsewhere: put away, again and again until it works."""

import structlog

from devices.errors import DeviceError
from models import BridgeRoom, Conference, database_now, db, write
from scheduler.equipment import Equipment, steered
from scheduler.queries import OVER

EVERY = 20.0  # seconds

log = structlog.get_logger()


def close_rooms(equipment: Equipment) -> None:
    """Close what is open for nobody. Several schedulers may do it at once: closing twice does no harm."""
    elsewhere = Conference.bridge_id.is_distinct_from(BridgeRoom.bridge_id)
    query = (
        db.select(BridgeRoom)
        .join(Conference, Conference.id == BridgeRoom.conference_id)
        .where(BridgeRoom.closed_at.is_(None), Conference.state.in_(OVER) | elsewhere)
    )
    rooms = [
        (row.conference_id, row.bridge_id, equipment.room(row.bridge, row.conference.reference))
        for row in db.session.scalars(query)
    ]
    db.session.rollback()
    for conference_id, bridge_id, room in rooms:
        try:
            steered(room).close()
        except DeviceError as error:
            log.warning("room not closed", conference=conference_id, error=str(error))
            continue
        write(lambda key=(conference_id, bridge_id): _mark_closed(*key))  # type: ignore[misc]


def _mark_closed(conference_id: int, bridge_id: int) -> None:
    db.session.get_one(BridgeRoom, (conference_id, bridge_id)).closed_at = database_now()
