"""Traps as they come off the wire: from simulated studios, from net-snmp, and broken in every way."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from monitoring.snmp.engine import Target
from monitoring.snmp.traps import NotATrap, Trap, TrapRefused, read_trap
from simulation.snmp_agent import SnmpAgent
from simulation.snmp_ber import octets, sequence
from simulation.snmp_traps import notification
from simulation.snmp_v3 import Message, V3Engine, written
from simulation.studio import SimulatedStudio, SnmpUser, StudioSpec, Timings

HOST = "127.202.12.1"
LINK_DOWN, COLD_START = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.1"
USER = SnmpUser("studionett", "autentisering", "kryptering")
PLAIN = Target(1, HOST, community="hemmelig")
SECURE = Target(1, HOST, version="3", user=USER.name, auth=USER.authentication, priv=USER.privacy)
SNMPTRAP = shutil.which("snmptrap")


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((HOST, 0))
        udp.settimeout(3)
        yield udp


def sent_by_a_studio(receiver: socket.socket, user: SnmpUser | None, *kinds: str) -> list[bytes]:
    spec = StudioSpec("A", "A", HOST, None, None, 0, community="hemmelig", snmp_user=user)
    agent = SnmpAgent(SimulatedStudio(spec, Timings()), receiver.getsockname())

    async def tell() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: agent, local_addr=(HOST, 0))
        for kind in kinds:
            agent.studio.on_news(kind)
        await asyncio.sleep(0.05)
        transport.close()

    asyncio.run(tell())
    return [receiver.recvfrom(65535)[0] for _ in kinds]


def test_a_studio_tells_what_happened_in_clear(receiver: socket.socket) -> None:
    packets = sent_by_a_studio(receiver, None, LINK_DOWN, COLD_START)
    assert [read_trap(packet, PLAIN).kind for packet in packets] == [LINK_DOWN, COLD_START]


def test_and_sealed(receiver: socket.socket) -> None:
    [packet] = sent_by_a_studio(receiver, USER, LINK_DOWN)
    assert LINK_DOWN.encode() not in packet
    assert read_trap(packet, SECURE).kind == LINK_DOWN


@pytest.mark.parametrize(
    "target",
    [
        PLAIN,
        Target(1, HOST, version="3", user="another", auth=USER.authentication, priv=USER.privacy),
        Target(1, HOST, version="3", user=USER.name, auth="another phrase", priv=USER.privacy),
        Target(1, HOST, version="3", user=USER.name, auth=USER.authentication, priv="another phrase"),
    ],
)
def test_a_sealed_one_is_taken_only_with_its_own_user_and_keys(receiver: socket.socket, target: Target) -> None:
    [packet] = sent_by_a_studio(receiver, USER, LINK_DOWN)
    with pytest.raises((TrapRefused, NotATrap)):
        read_trap(packet, target)


def test_one_in_clear_is_taken_only_with_its_community_and_never_for_version_3(receiver: socket.socket) -> None:
    [packet] = sent_by_a_studio(receiver, None, LINK_DOWN)
    for target in (Target(1, HOST, community="public"), SECURE):
        with pytest.raises(TrapRefused):
            read_trap(packet, target)


def test_one_of_version_3_that_nobody_signed_is_refused() -> None:
    """With the right user, and nothing to prove it by."""
    studio = SimulatedStudio(StudioSpec("A", "A", HOST, None, None, None, snmp_user=USER), Timings())
    engine_id = V3Engine(studio).engine_id
    scoped = sequence(octets(engine_id), octets(b""), notification(studio, LINK_DOWN))
    forged = written(Message(1, 8192, 0, engine_id, 1, 1, USER.name.encode(), b"", b"", scoped))
    with pytest.raises(TrapRefused, match="not signed"):
        read_trap(forged, SECURE)


@pytest.mark.skipif(SNMPTRAP is None, reason="snmptrap is not installed")
@pytest.mark.parametrize("secure", [False, True])
def test_net_snmp_is_understood(receiver: socket.socket, secure: bool) -> None:
    to = f"{HOST}:{receiver.getsockname()[1]}"
    who = ["-v", "2c", "-c", "hemmelig"]
    if secure:
        keys = ["-a", "SHA-256", "-A", USER.authentication, "-x", "AES", "-X", USER.privacy]
        who = ["-v", "3", "-e", "0x800015dc0501020304", "-u", USER.name, "-l", "authPriv", *keys]
    command = [str(SNMPTRAP), *who, to, "", "1.3.6.1.4.1.13885.101.0.76", "1.3.6.1.2.1.1.5.0", "s", "Group 500"]
    subprocess.run(command, check=True, capture_output=True, env={"MIBS": "", "PATH": "/usr/bin"})
    trap = read_trap(receiver.recvfrom(65535)[0], SECURE if secure else PLAIN)
    assert isinstance(trap, Trap)
    assert (trap.kind, trap.values["1.3.6.1.2.1.1.5.0"]) == ("1.3.6.1.4.1.13885.101.0.76", b"Group 500")


@given(st.binary(max_size=200))
def test_garbage_is_no_trap(packet: bytes) -> None:
    for target in (PLAIN, SECURE):
        with pytest.raises((NotATrap, TrapRefused)):
            read_trap(packet, target)


@given(st.data())
def test_a_damaged_trap_is_refused_and_never_a_traceback(data: st.DataObject) -> None:
    packet = bytearray(whole_trap())
    at = data.draw(st.integers(0, len(packet) - 1))
    packet[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(NotATrap, TrapRefused):
        read_trap(bytes(packet[: data.draw(st.integers(1, len(packet)))]), PLAIN)


def whole_trap(kind: str | None = LINK_DOWN) -> bytes:
    pdu = v2c.SNMPv2TrapPDU()
    v2c.apiTrapPDU.set_defaults(pdu)
    told = [("1.3.6.1.6.3.1.1.4.1.0", v2c.ObjectIdentifier(kind))] if kind else []
    v2c.apiTrapPDU.set_varbinds(pdu, [("1.3.6.1.2.1.1.3.0", v2c.TimeTicks(1)), *told])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, "hemmelig")
    v2c.apiMessage.set_pdu(message, pdu)
    encoded: bytes = encoder.encode(message)
    return encoded


def test_one_that_does_not_say_what_happened_is_none() -> None:
    assert read_trap(whole_trap(), PLAIN).kind == LINK_DOWN
    with pytest.raises(NotATrap):
        read_trap(whole_trap(None), PLAIN)
    with pytest.raises(NotATrap):
        read_trap(whole_trap() + bytes(9000), PLAIN)
