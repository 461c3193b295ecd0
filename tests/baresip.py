"""Debian's baresip, a SIP user agent that nobody here has written, as a process of a test's own."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_baresip = pytest.mark.skipif(not shutil.which("baresip"), reason="baresip is not installed")

MODULES = next((str(path) for path in Path("/usr").glob("lib/**/baresip/modules")), "")
SIP_PORT, CONTROL_PORT = 5060, 4444
PATIENCE = 5.0
# It ends a call for which it finds no sound; a tone wants to be fast and in stereo.
CONFIG = """module_path {modules}
sip_listen {address}:{sip}
net_interface {address}
audio_player aubridge,pipe
audio_source ausine,440
audio_alert aubridge,pipe
ausrc_srate 48000
ausrc_channels 2
module g711.so
module aubridge.so
module ausine.so
module_app account.so
module_app ctrl_tcp.so
module_app debug_cmd.so
module_app menu.so
ctrl_tcp_listen {address}:{control}
"""


class Baresip:
    """Answers by itself."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.uri = f"sip:baresip@{address}"

    def tell(self, command: str, parameters: str = "") -> str:
        """Give a command on the control port, a netstring of JSON, and read what it answers."""
        words = json.dumps({"command": command, "params": parameters, "token": "t"}).encode()
        with socket.create_connection((self.address, CONTROL_PORT), PATIENCE) as connection:
            connection.sendall(b"%d:%b," % (len(words), words))
            said = b""
            while b'"response"' not in said:
                said += connection.recv(65_536)
        return said.decode()

    def wait_for_calls(self, state: str, count: int) -> None:
        """Until it sees so many calls in such a state."""
        give_up = time.monotonic() + PATIENCE
        while self.tell("listcalls").count(state) != count:
            assert time.monotonic() < give_up, self.tell("listcalls")
            time.sleep(0.05)

    def packets_heard(self) -> int:
        """RTP packets of the far end that have come in during the present call."""
        found = re.search(r"rcvd=(\d+)", self.tell("audio_debug"))
        return int(found[1]) if found else 0


@contextmanager
def baresip(folder: Path, address: str) -> Iterator[Baresip]:
    folder.mkdir(exist_ok=True)
    ports = {"sip": SIP_PORT, "control": CONTROL_PORT}
    (folder / "config").write_text(CONFIG.format(modules=MODULES, address=address, **ports))
    (folder / "accounts").write_text(f"<sip:baresip@{address}>;regint=0;answermode=auto\n")
    (folder / "contacts").touch()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(["baresip", "-f", folder], stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_until_it_listens(address)
            yield Baresip(address)
        finally:
            process.terminate()


def _wait_until_it_listens(address: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((address, CONTROL_PORT), 1).close()
            return
        except OSError:
            assert time.monotonic() < give_up, "baresip does not start"
            time.sleep(0.05)
