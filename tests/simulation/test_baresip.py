"""A studio's SIP against Debian's baresip, a user agent that nobody here has written."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulation.studio import CallState
from tests.simulation.fleets import idle, in_call, own_address, studios, until

pytestmark = pytest.mark.skipif(not shutil.which("baresip"), reason="baresip is not installed")

MODULES = next((str(path) for path in Path("/usr").glob("lib/**/baresip/modules")), "")
CONTROL_PORT = 4444
# aubridge gives silence to itself: baresip ends a call for which it finds no sound.
CONFIG = """module_path {modules}
sip_listen {address}:5060
net_interface {address}
audio_player aubridge,pipe
audio_source aubridge,pipe
audio_alert aubridge,pipe
module g711.so
module aubridge.so
module_app account.so
module_app ctrl_tcp.so
module_app menu.so
ctrl_tcp_listen {address}:{control}
"""


class Baresip:
    def __init__(self, address: str) -> None:
        self.address = address

    async def tell(self, command: str, parameters: str = "") -> str:
        """Give a command on the control port, a netstring of JSON, and read what it answers."""
        reader, writer = await asyncio.open_connection(self.address, CONTROL_PORT)
        words = json.dumps({"command": command, "params": parameters, "token": "t"}).encode()
        writer.write(b"%d:%b," % (len(words), words))
        said = b""
        while b'"response"' not in said:
            said += await asyncio.wait_for(reader.read(4096), 3)
        writer.close()
        return said.decode()

    async def calls(self, state: str, count: int) -> None:
        """Wait until it sees so many calls in such a state."""
        async with asyncio.timeout(5):
            while (await self.tell("listcalls")).count(state) != count:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def baresip(folder: Path) -> AsyncIterator[Baresip]:
    address = own_address()
    (folder / "config").write_text(CONFIG.format(modules=MODULES, address=address, control=CONTROL_PORT))
    (folder / "accounts").write_text(f"<sip:baresip@{address}>;regint=0;answermode=auto\n")
    (folder / "contacts").touch()
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        "baresip", "-f", str(folder), stdin=quiet, stdout=quiet, stderr=quiet
    )
    running = Baresip(address)
    try:
        async with asyncio.timeout(5):
            while not await _listens(address):
                await asyncio.sleep(0.05)
        yield running
    finally:
        process.terminate()
        await process.wait()


async def _listens(address: str) -> bool:
    try:
        _, writer = await asyncio.open_connection(address, CONTROL_PORT)
    except OSError:
        return False
    writer.close()
    return True


def test_a_studio_calls_baresip_and_either_hangs_up(tmp_path: Path):
    async def trial():
        async with baresip(tmp_path) as other, studios(1) as (studio,):
            call = studio.dial(f"baresip@{other.address}")
            await until(lambda: in_call(studio))
            await other.calls("ESTABLISHED", 1)
            studio.hang_up(call.call_id)
            await other.calls("ESTABLISHED", 0)

            studio.dial(f"baresip@{other.address}")
            await until(lambda: in_call(studio))
            await other.tell("hangup")
            await until(lambda: idle(studio))
            assert studio.history[-1].cause == "RemoteDisconnect"

    asyncio.run(trial())


def test_baresip_calls_a_studio_and_either_hangs_up(tmp_path: Path):
    async def trial():
        async with baresip(tmp_path) as other, studios(1) as (studio,):
            await other.tell("dial", studio.spec.uri)
            await until(lambda: in_call(studio))
            await other.calls("ESTABLISHED", 1)
            (call,) = studio.calls.values()
            assert (call.remote, call.state) == (f"sip:baresip@{other.address}", CallState.CONNECTED)
            studio.hang_up(call.call_id)
            await other.calls("ESTABLISHED", 0)

            await other.tell("dial", studio.spec.uri)
            await until(lambda: in_call(studio))
            await other.tell("hangup")
            await until(lambda: idle(studio))

    asyncio.run(trial())


def test_baresip_is_told_that_nobody_of_that_name_is_here(tmp_path: Path):
    async def trial():
        async with baresip(tmp_path) as other, studios(1) as (studio,):
            await other.tell("dial", f"sip:nobody@{studio.spec.address}")
            await other.calls("line", 0)
            assert idle(studio)

    asyncio.run(trial())
