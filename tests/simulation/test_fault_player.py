"""The player of the script, on a running fleet."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from simulation import fault_player
from simulation.fault_player import Player, line
from simulation.fault_script import Mishap, Scene
from simulation.fleet import Fleet
from simulation.inventory import booked_soon, read_inventory
from simulation.studio import Fault
from tests import factories
from tests.simulation.fleets import a_studio, fleet_of, until

OSLO = ZoneInfo("Europe/Oslo")
NOBODY: frozenset[str] = frozenset()
HOUR = timedelta(hours=1)


def a_scene(mishap: Mishap, lasts: float = 0.2, **details) -> Scene:
    return Scene(**{"at": 0.0, "lasts": lasts, "mishap": mishap, "soon": True, "draw": 1, **details})


def specs(count: int = 300, invented: bool = True):
    """Enough of them that one or two may suffer; without sockets."""
    details = {"http_port": None, "sip_port": None, "snmp_port": None, "address": "127.0.0.1", "invented": invented}
    return [a_studio(f"S{n}", site=f"Site {n // 2}", **details) for n in range(count)]


def a_player(fleet: Fleet, said: list[str] | None = None) -> Player:
    async def soon() -> frozenset[str]:
        return frozenset({"S7"})

    return Player(fleet, soon, (said if said is not None else []).append, OSLO)


def faults(fleet: Fleet) -> dict[str, str]:
    """What ails whom; a line that is cut counts as a fault."""
    studios = fleet.studios.items()
    return {code: one.fault for code, one in studios if one.fault is not Fault.CLEAR} | {
        code: "line" for code, one in studios if one.line_cut
    }


@pytest.mark.parametrize(
    ("mishap", "expected"),
    [
        (Mishap.CODEC, {"S7": Fault.DEAD}),
        (Mishap.CAMERA, {"S7": Fault.CAMERA_UNPLUGGED}),
        (Mishap.PRIVATE_CALL, {"S7": Fault.BUSY}),
        (Mishap.LINE, {"S6": "line", "S7": "line"}),
    ],
)
def test_a_mishap_befalls_a_studio_and_ends_by_itself(mishap: Mishap, expected: dict):
    async def trial():
        said: list[str] = []
        async with fleet_of(*specs()) as fleet:
            a_player(fleet, said).begin(a_scene(mishap), frozenset({"S7"}))
            assert faults(fleet) == expected
            assert len(said) == 1
            assert ("Site 3: line lost (2 studios)" if mishap is Mishap.LINE else f"S7: {mishap}") in said[0]
            await until(lambda: not faults(fleet))
            assert not any(studio.calls for studio in fleet.studios.values())

    asyncio.run(trial())


def test_one_line_says_what_happened_to_whom_and_until_when():
    now = datetime(2026, 11, 23, 21, 14, 3, tzinfo=UTC).astimezone(OSLO)
    scene = a_scene(Mishap.CAMERA, 300)
    assert line(scene, "UNN-NARVIK-02", 1, now) == "22:14:03 UNN-NARVIK-02: camera unplugged, until 22:19"
    assert line(a_scene(Mishap.LINE, 240), "Narvik", 4, now) == "22:14:03 Narvik: line lost (4 studios), until 22:18"


@pytest.mark.parametrize("by_hand", [Fault.CLEAR, Fault.DEAD, Fault.CAMERA_UNPLUGGED])
def test_what_a_person_set_meanwhile_is_not_touched(by_hand: Fault):
    async def trial():
        async with fleet_of(*specs()) as fleet:
            a_player(fleet).begin(a_scene(Mishap.CAMERA, 0.1), frozenset({"S7"}))
            studio = fleet.studios["S7"]
            studio.suffer(by_hand)
            await asyncio.sleep(0.2)
            assert studio.fault is by_hand

    asyncio.run(trial())


def test_a_line_cut_by_hand_meanwhile_stays_cut():
    async def trial():
        async with fleet_of(*specs()) as fleet:
            a_player(fleet).begin(a_scene(Mishap.LINE, 0.1), frozenset({"S7"}))
            fleet.studios["S7"].cut_line(True)
            await until(lambda: faults(fleet) == {"S7": "line"})

    asyncio.run(trial())


@pytest.mark.parametrize("mishap", Mishap)
def test_what_a_person_does_to_the_other_of_line_and_studio_puts_off_no_recovery(mishap: Mishap):
    async def trial():
        async with fleet_of(*specs()) as fleet:
            a_player(fleet).begin(a_scene(mishap, 0.1), frozenset({"S7"}))
            studio = fleet.studios["S7"]
            if mishap is Mishap.LINE:
                studio.suffer(Fault.SLOW)
                studio.suffer(Fault.CLEAR)
            else:
                studio.cut_line(True)
                studio.cut_line(False)
            await until(lambda: not faults(fleet))

    asyncio.run(trial())


def test_studios_of_others_are_left_alone():
    async def trial():
        said: list[str] = []
        async with fleet_of(*specs(invented=False)) as fleet:
            for mishap in Mishap:
                a_player(fleet, said).begin(a_scene(mishap), frozenset({"S7"}))
            assert (faults(fleet), said) == ({}, [])

    asyncio.run(trial())


def test_a_session_in_use_outlives_the_end_of_a_camera_fault_but_not_of_a_death():
    async def trial():
        async with fleet_of(*specs()) as fleet:
            studio = fleet.studios["S7"]
            studio.sessions.add("of the monitor")
            for mishap, kept in ((Mishap.CAMERA, {"of the monitor"}), (Mishap.CODEC, set())):
                a_player(fleet).begin(a_scene(mishap, 0.05), frozenset({"S7"}))
                await until(lambda: not faults(fleet))
                assert studio.sessions == kept

    asyncio.run(trial())


def test_the_play_goes_on_by_the_clock_and_leaves_nothing_when_it_ends(monkeypatch: pytest.MonkeyPatch):
    kinds = itertools.cycle(Mishap)
    told = (a_scene(kind, 0.1 if number else 60, at=0.05 * number) for number, kind in enumerate(kinds))
    monkeypatch.setattr(fault_player, "scenes", lambda seed: told)

    async def trial():
        said: list[str] = []
        async with fleet_of(*specs(900)) as fleet:
            playing = asyncio.create_task(a_player(fleet, said).play(1))
            await until(lambda: len(said) >= 5)
            assert faults(fleet)["S7"] == Fault.DEAD
            playing.cancel()
            await asyncio.wait([playing])
            assert (faults(fleet), playing.cancelled()) == ({}, True)

    asyncio.run(trial())


def test_conferences_that_run_or_begin_within_the_hour_are_found_in_the_tables(app):
    now = datetime.now(UTC)
    times = {"RUNS": (-HOUR, HOUR), "SOON": (HOUR / 2, HOUR), "LATER": (2 * HOUR, 3 * HOUR), "OVER": (-HOUR, -HOUR / 2)}
    for code, (begins, ends) in times.items():
        studios = [factories.studio(code=code), factories.studio(code=f"{code}2")]
        factories.conference(*studios, start=now + begins, end=now + ends)
    assert booked_soon(now) == {"RUNS", "RUNS2", "SOON", "SOON2"}


def test_only_studios_with_the_credential_of_the_demonstration_are_invented(app):
    ours, other = factories.credential("demo-codec"), factories.credential("codec")
    for code, credential, address in (("A", ours, "127.1.0.5"), ("B", other, "127.1.0.6")):
        factories.endpoint(factories.studio(code=code), address=address, control_credential_id=credential.id)
    factories.endpoint(factories.studio(code="C"), address="127.1.0.7", control_credential_id=None)
    assert [spec.code for spec in read_inventory().studios if spec.invented] == ["A"]
