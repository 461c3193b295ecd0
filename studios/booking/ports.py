"""Bridge ports, reserved with a conference. The bridges are locked before they are counted; the caller commits."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce

import sqlalchemy as sa

from models import Bridge, Conference, ConferenceState, db
from models.guards import LONGEST_HOURS
from studios.booking.obstacles import NoPorts
from studios.booking.rules import peak, shared, spans_above
from studios.calendars.rules import Span

OVER = (ConferenceState.ENDED, ConferenceState.FAILED, ConferenceState.CANCELLED)


def reserve_ports(conference: Conference, needed: int, region: str) -> None:
    """Give the conference so many ports for its time: of a bridge of the region where one has them, else of the one
    that has most left. Raises NoPorts.

    An installation without bridges mixes in its codecs, and needs none.
    """
    conference.bridge_id, conference.ports = None, 0
    bridges = _locked() if needed else []
    if not bridges:
        return
    left = {
        bridge.id: bridge.ports - peak(_taken(bridge, conference), conference.starts_at, conference.ends_at)
        for bridge in bridges
    }
    fitting = [bridge for bridge in bridges if left[bridge.id] >= needed]
    if not fitting:
        raise NoPorts
    best = max(fitting, key=lambda bridge: (bridge.health_region == region, left[bridge.id], -bridge.id))
    conference.bridge_id, conference.ports = best.id, needed


def check_ports(conference: Conference, start: datetime, end: datetime) -> None:
    """Whether the bridge that the conference is on has its ports for this time too. Raises NoPorts."""
    bridge = next((bridge for bridge in _locked() if bridge.id == conference.bridge_id), None)
    if bridge and bridge.ports - peak(_taken(bridge, conference, end), start, end) < conference.ports:
        raise NoPorts


def without_room(needed: int, start: datetime, end: datetime, but: int | None = None) -> list[Span]:
    """The spans within [start, end) in which no bridge has so many ports left; without bridges there are none.

    `but` is the key of a conference that is being moved. Nothing is locked: whoever reserves counts again.
    """
    ports = db.session.execute(sa.select(Bridge.id, Bridge.ports).where(Bridge.retired_at.is_(None))).all()
    if not needed or not ports or start >= end:
        return []
    within, taken = Span(start, end), _taken_by_bridge([bridge.id for bridge in ports], start, end, but)
    return reduce(shared, (spans_above(taken[bridge.id], bridge.ports - needed, within) for bridge in ports))


def _taken_by_bridge(
    bridge_ids: Sequence[int], start: datetime, end: datetime, but: int | None
) -> dict[int, list[tuple[datetime, datetime, int]]]:
    query = sa.select(Conference.bridge_id, Conference.starts_at, Conference.ends_at, Conference.ports).where(
        Conference.bridge_id.in_(bridge_ids),
        Conference.id != (but or 0),
        Conference.state.not_in(OVER),
        Conference.starts_at < end,
        Conference.starts_at > start - timedelta(hours=LONGEST_HOURS),
        Conference.ends_at > start,
    )
    found: dict[int, list[tuple[datetime, datetime, int]]] = {bridge_id: [] for bridge_id in bridge_ids}
    for bridge_id, starts_at, ends_at, ports in db.session.execute(query):
        found[bridge_id or 0].append((starts_at, ends_at, ports))
    return found


def _locked() -> Sequence[Bridge]:
    """The bridges in use, locked in the order of their keys."""
    query = db.select(Bridge).where(Bridge.retired_at.is_(None)).order_by(Bridge.id).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _taken(bridge: Bridge, conference: Conference, end: datetime | None = None) -> list[tuple[datetime, datetime, int]]:
    """What others have of the bridge while the conference lasts."""
    query = sa.select(Conference.starts_at, Conference.ends_at, Conference.ports).where(
        Conference.bridge_id == bridge.id,
        Conference.id != (conference.id or 0),
        Conference.state.not_in(OVER),
        Conference.starts_at < (end or conference.ends_at),
        Conference.starts_at > conference.starts_at - timedelta(hours=LONGEST_HOURS),
        Conference.ends_at > conference.starts_at,
    )
    return [(row.starts_at, row.ends_at, row.ports) for row in db.session.execute(query)]
