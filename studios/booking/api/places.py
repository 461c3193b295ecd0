"""Which studios are asked for by the query of a list: by their codes, by where they stand, by what they have."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from api.values import RequestModel
from errors import FieldProblem, Invalid
from studios.booking.api.asked import Code, Equipments, Name, People, PoolRequest
from studios.booking.api.reading import Places, no_such_studio, read_pool
from studios.booking.candidates import Candidate, is_of
from studios.booking.rooms import rooms
from studios.inventory.search import in_order

MOST_STUDIOS = 1000


class PlaceQuery(RequestModel):
    site: Name | None = None
    organisation: Name | None = None
    town: Name | None = None
    capacity: People = 1
    equipment: Equipments = Field(default=[])

    def as_pool(self) -> PoolRequest:
        return PoolRequest(
            site=self.site,
            organisation=self.organisation,
            town=self.town,
            capacity=self.capacity,
            equipment=self.equipment,
        )


class StudiosQuery(PlaceQuery):
    studio: Annotated[list[Code], Field(max_length=MOST_STUDIOS)] = Field(default=[])


def studios_at(query: PlaceQuery) -> list[Candidate]:
    """Those that stand there and have what is asked for, by code as people count. Raises Invalid."""
    pool = read_pool(query.as_pool(), Places())
    found = [
        each
        for each in rooms().values()
        if is_of(each, pool) and each.capacity >= pool.capacity and pool.equipment <= each.equipment
    ]
    return sorted(found, key=lambda each: in_order(each.code))


def chosen_studios(query: StudiosQuery) -> list[Candidate]:
    """Those that are named, or without names all that stand there. Raises Invalid."""
    found = studios_at(query)
    if not query.studio:
        return found
    known = {each.code: each for each in found}
    return _named(query.studio, known)


def _named(codes: Iterable[str], known: dict[str, Candidate]) -> list[Candidate]:
    wanted = list(dict.fromkeys(codes))
    if unknown := [code for code in wanted if code not in known]:
        raise Invalid(
            no_such_studio(unknown[0]), problems=[FieldProblem("studio", no_such_studio(code)) for code in unknown]
        )
    return [known[code] for code in wanted]
