"""Which free studios would do instead of those that are in the way. Asks a diary, reads nothing itself."""

from collections.abc import Collection, Mapping, Sequence

from studios.booking.candidates import Candidate, Own
from studios.booking.diaries import Diary
from studios.booking.finding.matching import cheapest
from studios.booking.wishes import Booking, StudioWish
from studios.calendars.rules import Span

# What speaks against a studio, from the worst on: another site, an owner who has to approve, no quality test.
ELSEWHERE, ASKS, UNTESTED = 1 << 40, 1 << 30, 1 << 20


class StandIns:
    """For each of some studios those of the same site or town that have all that it has."""

    def __init__(self, studio_ids: Collection[int], known: Mapping[int, Candidate], own: Own) -> None:
        self._own = own
        self._near = {key: self._like(known[key], known.values()) for key in studio_ids}

    def all(self) -> dict[int, Candidate]:
        return {studio.id: studio for some in self._near.values() for studio in some}

    def replacing(
        self, blocked: Sequence[int], studios: Sequence[Candidate | None], booking: Booking, diary: Diary
    ) -> dict[int, Candidate]:
        """A different free studio for each of these parties, at the same site first, then the closest in size; nothing
        for parties that have none, nor for any when there are too few for all that have some."""
        olds = {position: old for position in blocked if (old := studios[position])}
        seated = {studio.id for studio in studios if studio}
        found = {
            position: {
                studio.id: studio for studio in self._free(old, position, booking, diary) if studio.id not in seated
            }
            for position, old in olds.items()
        }
        parties = [position for position, some in found.items() if some]
        chosen = cheapest(
            [{key: self._cost(olds[party], studio) for key, studio in found[party].items()} for party in parties]
        )
        return {party: found[party][key] for party, key in zip(parties, chosen or [], strict=False)}

    def _free(self, old: Candidate, position: int, booking: Booking, diary: Diary) -> list[Candidate]:
        wish = booking.parties[position]
        people = wish.attendees if isinstance(wish, StudioWish) else None
        meeting = Span(booking.start, booking.end)
        return [
            studio
            for studio in self._near.get(old.id, ())
            if studio.capacity >= (people or old.capacity) and diary.is_free(studio, meeting)
        ]

    def _like(self, studio: Candidate, known: Collection[Candidate]) -> list[Candidate]:
        return [
            other
            for other in known
            if other.id != studio.id
            and _is_near(other, studio)
            and other.equipment >= studio.equipment
            and (other.clinical or not studio.clinical)
            and (other.shared or self._own.covers(other.organisation_id))
        ]

    def _cost(self, old: Candidate, new: Candidate) -> int:
        asks = new.needs_approval and not self._own.covers(new.organisation_id)
        spare = max(new.capacity - old.capacity, 0)
        return (new.site_id != old.site_id) * ELSEWHERE + asks * ASKS + (not new.quality_ok) * UNTESTED + spare


def _is_near(one: Candidate, other: Candidate) -> bool:
    return one.site_id == other.site_id or one.town == other.town or one.municipality == other.municipality
