"""What was asked for, as it was asked for: parties that wait for a studio, and where they shall sit."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from api.values import AnswerModel
from studios.booking.candidates import Candidate
from studios.booking.wishes import GuestWish, PartyWish, PoolWish, StudioWish


class PoolAnswer(AnswerModel):
    site: str | None
    organisation: str | None
    town: str | None
    capacity: int
    equipment: list[str]


class WishAnswer(AnswerModel):
    """A party as it was asked for: a studio, any of a pool, or a guest. A studio that is no longer in use is null."""

    studio: str | None = None
    any_of: PoolAnswer | None = None
    guest: str | None = None
    attendees: int | None = None
    equipment: list[str] = Field(default=[])


def wish_answers(wishes: Sequence[PartyWish], known: Mapping[int, Candidate]) -> list[WishAnswer]:
    return [_wish(wish, known) for wish in wishes]


def code_of(studio_id: int, known: Mapping[int, Candidate]) -> str | None:
    return known[studio_id].code if studio_id in known else None


def named_codes(wishes: Sequence[PartyWish], known: Mapping[int, Candidate]) -> list[str | None]:
    """By party the studio that is asked for by name; null for others."""
    return [code_of(wish.studio_id, known) if isinstance(wish, StudioWish) else None for wish in wishes]


def seated_codes(
    wishes: Sequence[PartyWish], studio_ids: Sequence[int], known: Mapping[int, Candidate]
) -> list[str | None]:
    """By party the studio that it has; `studio_ids` are those of the parties that are no guests."""
    chosen = iter(studio_ids)
    return [None if isinstance(wish, GuestWish) else code_of(next(chosen, 0), known) for wish in wishes]


def _wish(wish: PartyWish, known: Mapping[int, Candidate]) -> WishAnswer:
    match wish:
        case StudioWish(studio_id, attendees, equipment):
            return WishAnswer(studio=code_of(studio_id, known), attendees=attendees, equipment=sorted(equipment))
        case PoolWish(site, organisation, town, capacity, equipment):
            pool = PoolAnswer(
                site=site, organisation=organisation, town=town, capacity=capacity, equipment=sorted(equipment)
            )
            return WishAnswer(any_of=pool)
        case GuestWish(address):
            return WishAnswer(guest=address)
