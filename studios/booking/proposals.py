"""Studios proposed for a conference that is booked: to stand in for one that fails, or to join while it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import Conference, Party
from studios.booking import diaries, queries
from studios.booking.candidates import Candidate, Own, unfit
from studios.booking.conferences import wish_of
from studios.booking.finding.ranking import kilometres
from studios.booking.hosts import is_seated
from studios.booking.rooms import candidates_for, rooms
from studios.booking.wishes import PoolWish, StudioWish
from studios.calendars.rules import Span
from studios.inventory.search import Entry, best


@dataclass(frozen=True)
class Proposal:
    """`kilometres`: from the studio that it stands in for; none where it stands in for none."""

    studio: Candidate
    free: bool
    kilometres: int | None = None
    same_site: bool = False


def replacements(conference: Conference, party: Party, own: Own, now: datetime, limit: int) -> list[Proposal]:
    """What is free until the end and does for the party, the nearest first and then the least too large."""
    known = rooms()
    present = known.get(party.studio_id or 0)
    if present is None:
        return []
    is_host = party.host and conference.video and conference.bridge_id is None
    fitting = [
        studio
        for studio in candidates_for(_anywhere(party), known, own, conference.purpose)
        if not studio.is_down and (studio.steered or not is_host) and not _asks(studio, own)
    ]
    found = [
        Proposal(each.studio, True, kilometres(each.studio, present), each.studio.site_id == present.site_id)
        for each in _looked_up(conference, fitting, now)
        if each.free
    ]
    return sorted(found, key=_nearest_first)[:limit]


def found_by(text: str, conference: Conference, own: Own, now: datetime, limit: int) -> list[Proposal]:
    """The studios that have every word of the text and may be had without asking, whether they are free or not."""
    return _looked_up(conference, _having(text, own, limit), now)


def found_now(
    text: str, chosen: Sequence[int], meeting: Span, own: Own, limit: int
) -> tuple[list[Proposal], list[Proposal]]:
    """For a call that is not booked yet: the studios that are chosen, those in use among them, and as above those that
    have the words; none of the latter without words."""
    known = rooms()
    there = [known[studio_id] for studio_id in chosen if studio_id in known]
    found = [room for room in _having(text, own, limit, known) if room not in there] if text else []
    diary = diaries.read([*there, *found], [meeting])
    asked = [[Proposal(studio, diary.is_free(studio, meeting)) for studio in each] for each in (there, found)]
    return asked[0], asked[1]


def _having(text: str, own: Own, limit: int, all_rooms: Mapping[int, Candidate] | None = None) -> list[Candidate]:
    known = {
        room.id: room
        for room in (rooms() if all_rooms is None else all_rooms).values()
        if not unfit(room, StudioWish(room.id), own) and not _asks(room, own)
    }
    entries = (
        Entry(room.id, room.code, room.name, (room.site, room.town, room.municipality, room.organisation))
        for room in known.values()
    )
    return [known[key] for key in best(entries, text, limit)]


def _looked_up(conference: Conference, studios: Sequence[Candidate], now: datetime) -> list[Proposal]:
    """Those who do not sit at the table yet. Where people wait already, no time is left to prepare a room."""
    under_way = queries.is_under_way(conference)
    meeting = Span(max(conference.starts_at, now) if under_way else conference.starts_at, conference.ends_at)
    seated = {party.studio_id for party in conference.parties if is_seated(party)}
    asked = [
        studio._replace(setup=timedelta()) if under_way else studio for studio in studios if studio.id not in seated
    ]
    diary = diaries.read(asked, [meeting])
    return [Proposal(studio, diary.is_free(studio, meeting)) for studio in asked]


def _nearest_first(proposal: Proposal) -> tuple[bool, int, int, str]:
    studio = proposal.studio
    return not proposal.same_site, proposal.kilometres or 0, studio.capacity, studio.code


def _asks(studio: Candidate, own: Own) -> bool:
    return studio.needs_approval and not own.covers(studio.organisation_id)


def _anywhere(party: Party) -> PoolWish:
    """What the party needs of a room, wherever it is."""
    wish = wish_of(party)
    if isinstance(wish, PoolWish):
        return PoolWish(capacity=wish.capacity, equipment=wish.equipment)
    return PoolWish(capacity=party.attendees or 1)
