"""The script of faults that a demonstration's fleet plays, for ever: what happens when, and to whom. Pure.

Everything comes back by itself, few studios suffer at a time, and the same seed always tells the same story.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from random import Random

# In seconds.
FIRST = 60.0
PAUSE = (120.0, 240.0)
# Of all studios, how many may suffer at once; and how large a site may be that loses its line.
SHARE = 0.01
SITE_STUDIOS = (2, 6)


class Mishap(StrEnum):
    """What befalls studios; the words of the fleet's log."""

    CODEC = "codec dead"
    CAMERA = "camera unplugged"
    LINE = "line lost"
    PRIVATE_CALL = "busy with a private call"


# How long each lasts, from and to, in seconds.
LASTS = {
    Mishap.CODEC: (180.0, 360.0),
    Mishap.CAMERA: (300.0, 300.0),
    Mishap.LINE: (240.0, 240.0),
    Mishap.PRIVATE_CALL: (120.0, 300.0),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """One mishap, `at` seconds after the start, for `lasts` seconds. `draw` decides whom, once the studios are known.

    Every other scene looks for studios that have a conference soon (`soon`): those are the faults worth showing.
    """

    at: float
    lasts: float
    mishap: Mishap
    soon: bool
    draw: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A studio as the script sees it; `ailing` from whatever fault, `soon`: it has a conference soon."""

    code: str
    site: str
    ailing: bool = False
    in_call: bool = False
    soon: bool = False


def scenes(seed: int) -> Iterator[Scene]:
    """Without end. Each kind comes once before any comes again."""
    random, at, number = Random(seed), FIRST, 0
    while True:
        for mishap in random.sample(list(Mishap), len(Mishap)):
            yield Scene(at, random.uniform(*LASTS[mishap]), mishap, number % 2 == 0, random.getrandbits(32))
            at += random.uniform(*PAUSE)
            number += 1


def whom(scene: Scene, candidates: Sequence[Candidate]) -> list[str]:
    """The codes of the studios that it befalls; none where too many suffer already, or none is fit."""
    room = int(len(candidates) * SHARE) - sum(one.ailing for one in candidates)
    ordered = sorted(candidates, key=lambda one: (one.site, one.code))
    groups = _sites(ordered) if scene.mishap is Mishap.LINE else [[one] for one in ordered]
    fit = [group for group in groups if len(group) <= room and all(_is_fit(one, scene.mishap) for one in group)]
    soon = [group for group in fit if any(one.soon for one in group)] if scene.soon else []
    chosen = Random(scene.draw).choice(soon or fit) if fit else []
    return [one.code for one in chosen]


def _is_fit(one: Candidate, mishap: Mishap) -> bool:
    """A private call comes to a studio that is in none."""
    return not one.ailing and not (mishap is Mishap.PRIVATE_CALL and one.in_call)


def _sites(ordered: Collection[Candidate]) -> list[list[Candidate]]:
    least, most = SITE_STUDIOS
    sites = [list(group) for _, group in groupby(ordered, key=lambda candidate: candidate.site)]
    return [site for site in sites if least <= len(site) <= most]
