"""A studio's SIP against Debian's baresip, a user agent that nobody here has written."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from simulation.studio import CallState
from tests.baresip import baresip, needs_baresip
from tests.simulation.fleets import idle, in_call, own_address, studios, until

pytestmark = needs_baresip


async def aside(work: Callable[..., object], *arguments: object) -> None:
    """The studio's loop goes on meanwhile."""
    await asyncio.to_thread(work, *arguments)


def test_a_studio_calls_baresip_and_either_hangs_up(tmp_path: Path):
    async def trial():
        with baresip(tmp_path, own_address()) as other:
            async with studios(1) as (studio,):
                call = studio.dial(f"baresip@{other.address}")
                await until(lambda: in_call(studio))
                await aside(other.wait_for_calls, "ESTABLISHED", 1)
                studio.hang_up(call.call_id)
                await aside(other.wait_for_calls, "ESTABLISHED", 0)

                studio.dial(f"baresip@{other.address}")
                await until(lambda: in_call(studio))
                await aside(other.tell, "hangup")
                await until(lambda: idle(studio))
                assert studio.history[-1].cause == "RemoteDisconnect"

    asyncio.run(trial())


def test_baresip_calls_a_studio_and_either_hangs_up(tmp_path: Path):
    async def trial():
        with baresip(tmp_path, own_address()) as other:
            async with studios(1) as (studio,):
                await aside(other.tell, "dial", studio.spec.uri)
                await until(lambda: in_call(studio))
                await aside(other.wait_for_calls, "ESTABLISHED", 1)
                (call,) = studio.calls.values()
                assert (call.remote, call.state) == (f"sip:baresip@{other.address}", CallState.CONNECTED)
                studio.hang_up(call.call_id)
                await aside(other.wait_for_calls, "ESTABLISHED", 0)

                await aside(other.tell, "dial", studio.spec.uri)
                await until(lambda: in_call(studio))
                await aside(other.tell, "hangup")
                await until(lambda: idle(studio))

    asyncio.run(trial())


def test_baresip_is_told_that_nobody_of_that_name_is_here(tmp_path: Path):
    async def trial():
        with baresip(tmp_path, own_address()) as other:
            async with studios(1) as (studio,):
                await aside(other.tell, "dial", f"sip:nobody@{studio.spec.address}")
                await aside(other.wait_for_calls, "line", 0)
                assert idle(studio)

    asyncio.run(trial())
