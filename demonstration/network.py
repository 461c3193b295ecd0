"""The studios to choose from, and how often each is chosen: about half stand unused in a week."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from models import OrganisationKind, Purpose

# How many of the studios are in steady use, and how fast use falls off behind them.
STEADY_SHARE, FALL = 0.36, 0.05
UNEVENNESS = 0.4
# Hospitals' studios are used more than others.
HEAD_START = {OrganisationKind.HEALTH_TRUST: 0.35, OrganisationKind.REGIONAL_AUTHORITY: 0.2}
OWN_REGION = {
    Purpose.CLINICAL: 0.9,
    Purpose.MULTIDISCIPLINARY: 0.85,
    Purpose.ADMINISTRATION: 0.8,
    Purpose.EDUCATION: 0.6,
    Purpose.TEST: 0.5,
}
TRIES = 40  # to find a free studio by weight before any free one is taken


@dataclass(frozen=True, slots=True)
class Room:
    """A studio, as far as plans need it."""

    studio_id: int
    endpoint_id: int
    code: str
    site_id: int
    organisation_id: int
    kind: OrganisationKind
    region: str
    steered: bool = True
    setup_minutes: int = 0
    clear_down_minutes: int = 0


class _Pool:
    """Rooms by their weights."""

    def __init__(self, rooms: Sequence[Room], weights: Sequence[float]) -> None:
        self.rooms = rooms
        self._sums = list(accumulate(weights))

    def draw(self, random: Random, fits: Callable[[Room], bool]) -> Room | None:
        for _ in range(TRIES):
            room = random.choices(self.rooms, cum_weights=self._sums)[0]
            if fits(room):
                return room
        return next((room for room in self.rooms if fits(room)), None)


class Network:
    """The same seed makes the same studios popular. `own` is the coordinator's organisation."""

    def __init__(self, seed: int, rooms: Sequence[Room], own: int | None = None) -> None:
        self.rooms = sorted(rooms, key=lambda room: room.code)
        weights = _weights(seed, self.rooms)
        self._all = self._pool(weights, lambda room: True)
        self._regions = {region: self._of_region(weights, region) for region in {room.region for room in self.rooms}}
        self._own = self._pool(weights, lambda room: room.organisation_id == own)

    def choose(
        self, random: Random, purpose: Purpose, parties: int, is_free: Callable[[Room], bool], own: bool = False
    ) -> list[Room]:
        """A host and the others, mostly of its region; fewer than asked for where no more are free."""
        pool = self._own if own and self._own.rooms else self._all
        host = pool.draw(random, lambda room: room.steered and is_free(room))
        if host is None:
            return []
        chosen = [host]
        while len(chosen) < parties:
            near = random.random() < OWN_REGION[purpose]
            pool = self._regions[host.region] if near else self._all
            room = pool.draw(random, lambda room: room not in chosen and is_free(room))
            if room is None:
                break
            chosen.append(room)
        return chosen

    def _of_region(self, weights: Sequence[float], region: str) -> _Pool:
        return self._pool(weights, lambda room: room.region == region)

    def _pool(self, weights: Sequence[float], which: Callable[[Room], bool]) -> _Pool:
        pairs = [(room, weight) for room, weight in zip(self.rooms, weights, strict=True) if which(room)]
        return _Pool([room for room, _ in pairs], [weight for _, weight in pairs])


def _weights(seed: int, rooms: Sequence[Room]) -> list[float]:
    """By rank: the first third and a little more is in steady use, behind it use falls off quickly."""
    random = Random(f"{seed} popularity")
    scores = [random.random() + HEAD_START.get(room.kind, 0) for room in rooms]
    unevenness = [random.lognormvariate(0, UNEVENNESS) for _ in rooms]
    order = sorted(range(len(rooms)), key=lambda index: -scores[index])
    weights = [0.0] * len(rooms)
    for rank, index in enumerate(order):
        weights[index] = unevenness[index] / (1 + math.exp((rank / len(rooms) - STEADY_SHARE) / FALL))
    return weights
