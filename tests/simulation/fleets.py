"""Small fleets on loopback addresses of their own, with short times, and a patient way to wait."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from simulation.fleet import Fleet
from simulation.studio import CallState, SimulatedStudio, StudioSpec, Timings

QUICK = Timings(ring=(0.01, 0.02), slow=0.3, drops_after=0.1, sip_t1=0.03)
PATIENCE_S = 5.0

_hosts = itertools.count(1)


def own_address() -> str:
    """A loopback address that no other test process uses at the same time."""
    number = next(_hosts) % 250 + 1
    return f"127.201.{os.getpid() % 250 + 1}.{number}"


def a_studio(code: str = "OUS01", **details: Any) -> StudioSpec:
    details.setdefault("address", own_address())
    details.setdefault("serial", "FTT12345678")
    details.setdefault("password", "hemmelig")
    return StudioSpec(code=code, name=f"Studio {code}", **details)


@asynccontextmanager
async def fleet_of(
    *specs: StudioSpec, timings: Timings = QUICK, control: tuple[str, int] | None = None
) -> AsyncIterator[Fleet]:
    fleet = Fleet(specs, control, timings)
    await fleet.start()
    try:
        yield fleet
    finally:
        await fleet.stop()


@asynccontextmanager
async def studios(count: int, timings: Timings = QUICK, **details: Any) -> AsyncIterator[list[SimulatedStudio]]:
    """So many studios in a running fleet; without HTTP, unless a test wants it: that takes longest to stop."""
    specs = [a_studio(f"S{number}", **{"http_port": None, **details}) for number in range(count)]
    async with fleet_of(*specs, timings=timings) as fleet:
        yield list(fleet.studios.values())


@asynccontextmanager
async def client_of(spec: StudioSpec, signed_in: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    auth = httpx.BasicAuth(spec.username, spec.password) if signed_in else None
    base = f"http://{spec.address}:{spec.http_port}"
    async with httpx.AsyncClient(base_url=base, auth=auth, trust_env=False, timeout=2) as client:
        yield client


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; a test that waits in vain fails."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


def in_call(*several: SimulatedStudio) -> bool:
    return all(
        studio.calls and all(call.state is CallState.CONNECTED for call in studio.calls.values()) for studio in several
    )


def idle(*several: SimulatedStudio) -> bool:
    return not any(studio.calls for studio in several)


def a_call(caller: SimulatedStudio, called: SimulatedStudio) -> Any:
    return caller.dial(called.spec.uri, "booking-1")
