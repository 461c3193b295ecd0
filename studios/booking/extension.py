"""How long a conference that is under way could go on: until somebody else has one of its studios."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models import Conference
from studios.booking import queries
from studios.booking.conferences import limits
from studios.calendars.rules import STEP, Span

LOOKS_AHEAD = timedelta(hours=2)


@dataclass(frozen=True)
class Extension:
    """`until`: the latest end, as far as it is looked; `next`: whoever has a studio then."""

    until: datetime
    next: queries.Clash | None

    def allows(self, end: datetime) -> bool:
        return end <= self.until


def extension_of(conference: Conference) -> Extension | None:
    """Only of one that is under way; bridge ports are counted when it is extended."""
    if not queries.is_under_way(conference):
        return None
    studios = [
        party.reservation.studio
        for party in conference.parties
        if party.reservation and party.reservation.released_at is None
    ]
    window = Span(conference.ends_at, conference.ends_at + LOOKS_AHEAD)
    clear = {studio.id: timedelta(minutes=studio.clear_down_minutes) for studio in studios}
    blocked = {studio.id: window.widened(timedelta(), clear[studio.id]) for studio in studios}
    longest = min(window.end, conference.starts_at + limits().longest)
    clashes = queries.clashes(blocked, conference.id)
    closed = queries.closures(studios, window.start, window.end) if studios else []
    ends = [clash.starts_at - clear[clash.studio.id] for clash in clashes]
    ends += [each.starts_at - clear[each.studio.id] for each in closed]
    first = min(clashes, key=lambda clash: clash.starts_at - clear[clash.studio.id], default=None)
    until = max(conference.ends_at, min([longest, *ends]))
    return Extension(until - (until - conference.ends_at) % STEP, first)
