"""Bridge ports, reserved with a conference. The bridges are locked before they are counted; the caller commits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

import sqlalchemy as sa

from models import Bridge, Conference, ConferenceState, db
from models.guards import is_out_of_ports
from studios.booking.diaries import merged, overlapping
from studios.booking.obstacles import NoPorts
from studios.booking.rules import peak, shared, spans_above
from studios.calendars.rules import Span

OVER = (ConferenceState.ENDED, ConferenceState.FAILED, ConferenceState.CANCELLED)


@dataclass(frozen=True)
class Asked:
    """So many ports for a meeting, of a bridge of this region if one has them; those of `conference_id` come free."""

    meeting: Span
    needed: int
    region: str
    conference_id: int | None = None


def reserve_ports(asked: Sequence[tuple[Conference, int, str]], but: Collection[int] = ()) -> None:
    """Give each conference so many ports for its time: of a bridge of the region where one has them, else of the one
    that has most left. Raises NoPorts. `but`: bridges that are out of the question.

    An installation without bridges mixes in its codecs, and needs none.
    """
    for conference, _needed, _region in asked:
        conference.bridge_id, conference.ports = None, 0
    wanted = [
        (conference, Asked(Span(conference.starts_at, conference.ends_at), needed, region, conference.id))
        for conference, needed, region in asked
        if needed
    ]
    bridges = [bridge for bridge in _locked() if bridge.id not in but] if wanted else []
    if not bridges:
        return
    for (conference, each), best in zip(wanted, _shared_out([each for _, each in wanted], bridges), strict=True):
        if best is None:
            raise NoPorts
        conference.bridge_id, conference.ports = best.id, each.needed


def without_ports(asked: Sequence[Asked]) -> set[int]:
    """For which of these, by number, no bridge has the ports. Locks nothing."""
    bridges = db.session.scalars(_BRIDGES).all() if any(each.needed for each in asked) else []
    if not bridges:
        return set()
    wanted = [number for number, each in enumerate(asked) if each.needed]
    found = _shared_out([asked[number] for number in wanted], bridges)
    return {number for number, bridge in zip(wanted, found, strict=True) if bridge is None}


def _shared_out(asked: Sequence[Asked], bridges: Sequence[Bridge]) -> list[Bridge | None]:
    """A bridge for each in turn, None where there is none; what one has got the next does not get."""
    taken = _taken_on(bridges, asked)
    found: list[Bridge | None] = []
    for each in asked:
        start, end = each.meeting.start, each.meeting.end
        left = {bridge.id: bridge.ports - peak(taken[bridge.id], start, end) for bridge in bridges}
        fitting = [bridge for bridge in bridges if left[bridge.id] >= each.needed]
        best = max(
            fitting, key=lambda bridge: (bridge.health_region == each.region, left[bridge.id], -bridge.id), default=None
        )
        if best is not None:
            taken[best.id].append((start, end, each.needed))
        found.append(best)
    return found


def _taken_on(bridges: Sequence[Bridge], asked: Sequence[Asked]) -> dict[int, list[tuple[datetime, datetime, int]]]:
    """What others have of each bridge while these meetings last."""
    moved = [each.conference_id for each in asked if each.conference_id]
    query = sa.select(Conference.id, Bridge.id, Conference.starts_at, Conference.ends_at, Conference.ports).where(
        Conference.bridge_id == Bridge.id,
        Bridge.id.in_([bridge.id for bridge in bridges]),
        Conference.id.not_in(moved),
        Conference.state.not_in(OVER),
    )
    spans = merged([each.meeting for each in asked])
    found: dict[int, list[tuple[datetime, datetime, int]]] = {bridge.id: [] for bridge in bridges}
    within = overlapping(query.select_from(Conference), Conference.starts_at, Conference.ends_at, spans)
    for _key, bridge_id, starts_at, ends_at, ports in db.session.execute(within):
        found[bridge_id].append((starts_at, ends_at, ports))
    return found


def check_ports(conference: Conference, start: datetime, end: datetime) -> None:
    """Whether the bridge that the conference is on, retired or not, has its ports for this time too. Raises NoPorts."""
    query = db.select(Bridge).where(Bridge.id == conference.bridge_id).with_for_update()
    bridge = db.session.scalar(query.execution_options(populate_existing=True))
    asked = Asked(Span(start, end), conference.ports, "", conference.id)
    if bridge and conference.ports and _shared_out([asked], [bridge]) == [None]:
        raise NoPorts


def store_conferences() -> None:
    """Flush; the database has the last word on ports. Raises NoPorts."""
    try:
        db.session.flush()
    except sa.exc.DBAPIError as error:
        if is_out_of_ports(error):
            raise NoPorts from None
        raise


def without_room(needed: int, start: datetime, end: datetime, but: int | None = None) -> list[Span]:
    """The spans within [start, end) in which no bridge has so many ports left; without bridges there are none.

    `but` is the key of a conference that is being moved. Nothing is locked: whoever reserves counts again.
    """
    bridges = db.session.scalars(_BRIDGES).all() if needed and start < end else []
    if not bridges:
        return []
    within = Span(start, end)
    taken = _taken_on(bridges, [Asked(within, needed, "", but)])
    return reduce(shared, (spans_above(taken[bridge.id], bridge.ports - needed, within) for bridge in bridges))


def _locked() -> Sequence[Bridge]:
    """The bridges in use, locked in the order of their keys."""
    query = _BRIDGES.with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(query).all()


_BRIDGES = db.select(Bridge).where(Bridge.retired_at.is_(None)).order_by(Bridge.id)
