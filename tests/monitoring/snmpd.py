"""Debian's snmpd as one of the studios: a real agent that nobody here has written."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitoring.snmp.engine import Target

BINARY = shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin:/usr/local/sbin")
COMMUNITY = "lese-7Q"
USER, AUTH, PRIV = "studionett", "autentisering-7Q", "kryptering-7Q"
DESCRIPTION = "Cisco Codec SoftW: ce9.15.3.22 MCU: Cisco TelePresence MX700 S/N: FTT9990001"


@contextmanager
def running(folder: Path, host: str, key: int = 1) -> Iterator[Target]:
    """snmpd on a free port of `host`, ready to answer."""
    assert BINARY is not None
    port = free_port(host)
    config = folder / "snmpd.conf"
    config.write_text(
        f"agentaddress udp:{host}:{port}\nrocommunity {COMMUNITY}\nsysdescr {DESCRIPTION}\nsysname studio-snmpd\n"
        f"createUser {USER} SHA-256 {AUTH} AES {PRIV}\nrouser {USER} priv\n"
    )
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""}
    process = subprocess.Popen(
        [BINARY, "-f", "-C", "-c", str(config), "-Lf", str(folder / "snmpd.log"), "-p", str(folder / "snmpd.pid")],
        env=environment,
    )
    try:
        _wait_until_bound(host, port, process)
        yield Target(key, host, port, community=COMMUNITY)
    finally:
        process.terminate()
        process.wait(10)


def free_port(host: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_bound(host: str, port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "snmpd ended at its start"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return
        time.sleep(0.05)
    raise AssertionError("snmpd did not bind its port")
