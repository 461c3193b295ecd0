"""Plays the script of faults on the demonstration's studios of a running fleet, and clears up behind itself."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from simulation.fault_script import Candidate, Mishap, Scene, scenes, whom
from simulation.fleet import Fleet
from simulation.studio import Fault, SimulatedStudio

FAULTS = {
    Mishap.CODEC: Fault.DEAD,
    Mishap.CAMERA: Fault.CAMERA_UNPLUGGED,
    Mishap.PRIVATE_CALL: Fault.BUSY,
}


@dataclass(frozen=True, slots=True)
class _Suffering:
    """A fault that the script set. `changes` is the studio's count then: has it grown, a person decided otherwise.

    Of a line and of other faults each has its own count: who cuts and mends the line has said nothing of a dead codec.
    """

    studio: SimulatedStudio
    mishap: Mishap
    changes: int

    def end(self) -> None:
        if _changes(self.studio, self.mishap) != self.changes:
            return
        if self.mishap is Mishap.LINE:
            self.studio.cut_line(False)
        else:
            self.studio.recover()


class Player:
    """`booked_soon` tells the codes of studios that have a conference soon; `say` takes one line a mishap."""

    def __init__(
        self,
        fleet: Fleet,
        booked_soon: Callable[[], Awaitable[frozenset[str]]],
        say: Callable[[str], None],
        zone: tzinfo,
    ) -> None:
        self._fleet = fleet
        self._booked_soon = booked_soon
        self._say = say
        self._zone = zone
        self._suffering: set[_Suffering] = set()

    async def play(self, seed: int) -> None:
        """For ever. When it is cancelled, what it did to the studios ends with it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            for scene in scenes(seed):
                await asyncio.sleep(began + scene.at - loop.time())
                self.begin(scene, await self._booked_soon())
        finally:
            for suffering in list(self._suffering):
                self._end(suffering)

    def begin(self, scene: Scene, booked_soon: frozenset[str]) -> None:
        """Let the scene befall whom it may, and end after its time."""
        studios = self._fleet.studios
        codes = whom(scene, [_candidate(one, booked_soon) for one in studios.values() if one.spec.invented])
        for code in codes:
            suffering = _strike(studios[code], scene.mishap)
            self._suffering.add(suffering)
            asyncio.get_running_loop().call_later(scene.lasts, self._end, suffering)
        if codes:
            who = studios[codes[0]].spec.site if scene.mishap is Mishap.LINE else codes[0]
            self._say(line(scene, who, len(codes), datetime.now(self._zone)))

    def _end(self, suffering: _Suffering) -> None:
        with suppress(KeyError):
            self._suffering.remove(suffering)
            suffering.end()


def line(scene: Scene, who: str, studios: int, now: datetime) -> str:
    """`22:14:03 UNN-NARVIK-02: camera unplugged, until 22:19`."""
    until = now + timedelta(seconds=scene.lasts)
    number = f" ({studios} studios)" if studios > 1 else ""
    return f"{now:%H:%M:%S} {who}: {scene.mishap}{number}, until {until:%H:%M}"


def _candidate(studio: SimulatedStudio, booked_soon: frozenset[str]) -> Candidate:
    return Candidate(
        studio.spec.code,
        studio.spec.site,
        ailing=studio.fault is not Fault.CLEAR or studio.line_cut,
        in_call=bool(studio.calls),
        soon=studio.spec.code in booked_soon,
    )


def _strike(studio: SimulatedStudio, mishap: Mishap) -> _Suffering:
    if mishap is Mishap.LINE:
        studio.cut_line(True)
    else:
        studio.suffer(FAULTS[mishap])
    return _Suffering(studio, mishap, _changes(studio, mishap))


def _changes(studio: SimulatedStudio, mishap: Mishap) -> int:
    return studio.line_changes if mishap is Mishap.LINE else studio.fault_changes
