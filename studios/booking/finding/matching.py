"""Different studios for parties that draw on the same ones. Pure."""

from collections.abc import Collection, Mapping, Sequence
from heapq import nsmallest

_NEVER = 1 << 200
"""Dearer than any sum of costs."""


def cheapest(candidates: Sequence[Mapping[int, int]]) -> list[int] | None:
    """For each party one of its candidates, no two the same, at the least sum of the costs by which they are given;
    None when there are too few. Costs are whole numbers from 0 up to 2 to the power of 150."""
    if any(not each for each in candidates):
        return None
    priced = [_few(each, len(candidates)) for each in candidates]
    if len(priced) < 2:
        return [next(iter(each)) for each in priced]
    rooms = list(dict.fromkeys(room for each in priced for room in each))
    if len(rooms) < len(priced):
        return None
    table = [[each.get(room, _NEVER) for room in rooms] for each in priced]
    chosen = _assigned(table)
    if any(table[party][column] == _NEVER for party, column in enumerate(chosen)):
        return None
    return [rooms[column] for column in chosen]


def too_few(candidates: Sequence[Collection[int]]) -> tuple[list[int], list[int]] | None:
    """Parties that have together fewer candidates than they are, and these candidates; None when all can be seated.

    By augmenting paths: where none leads on from a party, the parties that were tried on the way hold all that they
    have among them (Hall's theorem).
    """
    holder: dict[int, int] = {}
    for party in range(len(candidates)):
        tried: dict[int, None] = {}
        if not _seated(party, candidates, holder, tried):
            return sorted({party, *(holder[room] for room in tried)}), list(tried)
    return None


def _seated(party: int, candidates: Sequence[Collection[int]], holder: dict[int, int], tried: dict[int, None]) -> bool:
    for room in candidates[party]:
        if room in tried:
            continue
        tried[room] = None
        if room not in holder or _seated(holder[room], candidates, holder, tried):
            holder[room] = party
            return True
    return False


def _few(costs: Mapping[int, int], number: int) -> dict[int, int]:
    """As many of the cheapest as there are parties: the others can take all but one of them."""
    return dict(nsmallest(number, costs.items(), key=lambda each: (each[1], each[0])))


def _assigned(costs: Sequence[Sequence[int]]) -> list[int]:
    """The Hungarian method with potentials: for each row a column of its own, at the least sum.

    There are no fewer columns than rows. Rows are added one at a time; each looks for the cheapest way to a column
    that is still free, by the costs that are left over the potentials, and moves the rows on its way along.
    """
    rows, columns = len(costs), len(costs[0])
    of_row, of_column = [0] * rows, [0] * (columns + 1)
    row_at = [-1] * (columns + 1)  # the last column is where the row that is being added waits
    for row in range(rows):
        row_at[columns] = row
        column, least, came_from = columns, [_NEVER << 10] * columns, [columns] * columns
        visited = [False] * (columns + 1)
        while row_at[column] != -1:
            visited[column] = True
            here = row_at[column]
            for other in range(columns):
                left = costs[here][other] - of_row[here] - of_column[other]
                if not visited[other] and left < least[other]:
                    least[other], came_from[other] = left, column
            following = min((other for other in range(columns) if not visited[other]), key=least.__getitem__)
            step = least[following]
            for other in range(columns + 1):
                if visited[other]:
                    of_row[row_at[other]] += step
                    of_column[other] -= step
                elif other < columns:
                    least[other] -= step
            column = following
        while column != columns:
            row_at[column] = row_at[came_from[column]]
            column = came_from[column]
    found = {row_at[column]: column for column in range(columns) if row_at[column] != -1}
    return [found[row] for row in range(rows)]
