"""A studio's SNMP agent, asked by pysnmp and by net-snmp's tools over real UDP."""

import asyncio
import logging
import shutil
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.hlapi.v1arch import asyncio as hlapi
from pysnmp.proto import api

from simulation.snmp_agent import LONGEST_REQUEST, respond
from simulation.snmp_objects import VIEWS
from simulation.studio import Fault, Kind, SimulatedStudio, StudioSpec, Timings
from tests.simulation.fleets import a_call, in_call, studios, until

ORDER = VIEWS[Kind.CISCO_ROOM].order

V2 = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
SYS_DESCR, SYS_NAME = (1, 3, 6, 1, 2, 1, 1, 1, 0), (1, 3, 6, 1, 2, 1, 1, 5, 0)
IN_OCTETS = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1)
SPEC = StudioSpec("OUS01", "Oslo", "127.0.0.1", community="hemmelig", serial="FTT12345678", location="Ullevål, Oslo")
NET_SNMP = pytest.mark.skipif(not shutil.which("snmpget"), reason="net-snmp's tools are not installed")


def packet(kind=V2.GetRequestPDU, oids=(SYS_NAME,), community="hemmelig", bulk=None) -> bytes:
    pdu = kind()
    if bulk:
        V2.apiBulkPDU.set_defaults(pdu)
        V2.apiBulkPDU.set_non_repeaters(pdu, bulk[0])
        V2.apiBulkPDU.set_max_repetitions(pdu, bulk[1])
        V2.apiBulkPDU.set_varbinds(pdu, [(oid, V2.Null("")) for oid in oids])
    else:
        V2.apiPDU.set_defaults(pdu)
        V2.apiPDU.set_varbinds(pdu, [(oid, V2.Null("")) for oid in oids])
    message = V2.Message()
    V2.apiMessage.set_defaults(message)
    V2.apiMessage.set_community(message, community)
    V2.apiMessage.set_pdu(message, pdu)
    return encoder.encode(message)


def a_studio() -> SimulatedStudio:
    return SimulatedStudio(SPEC, Timings())


def answered(data: bytes) -> list:
    message, _ = decoder.decode(respond(a_studio(), data), asn1Spec=V2.Message())
    return [(tuple(oid), value) for oid, value in V2.apiPDU.get_varbinds(V2.apiMessage.get_pdu(message))]


async def ask(studio: SimulatedStudio, *oids, community: str | None = None, method=hlapi.get_cmd):
    dispatcher = hlapi.SnmpDispatcher()
    try:
        target = await hlapi.UdpTransportTarget.create((studio.spec.address, 1161), timeout=0.5, retries=0)
        data = hlapi.CommunityData(community or studio.spec.community, mpModel=1)
        names = [hlapi.ObjectType(hlapi.ObjectIdentity(oid)) for oid in oids]
        return await method(dispatcher, data, target, *names)
    finally:
        dispatcher.transport_dispatcher.close_dispatcher()


def test_a_studio_tells_its_kind_its_name_and_its_place():
    async def trial():
        async with studios(1) as (studio,):
            error, status, _, found = await ask(studio, SYS_DESCR, (1, 3, 6, 1, 2, 1, 1, 2, 0), SYS_NAME)
            assert (error, int(status)) == (None, 0)
            description, kind, name = (value for _, value in found)
            assert str(description).splitlines()[0] == "Cisco Codec"
            assert "SoftW: ce9" in str(description)
            assert str(description).endswith("S/N: FTT12345678")
            assert str(kind) == "1.3.6.1.4.1.5596.150.6.4.1"
            assert str(name) == studio.spec.code

    asyncio.run(trial())


def test_a_wrong_community_and_a_dead_studio_are_met_with_silence():
    async def trial():
        async with studios(1) as (studio,):
            error, *_ = await ask(studio, SYS_NAME, community="wrong")
            assert "No SNMP response" in str(error)
            studio.suffer(Fault.DEAD)
            error, *_ = await ask(studio, SYS_NAME)
            assert "No SNMP response" in str(error)
            studio.suffer(Fault.CLEAR)
            error, *_ = await ask(studio, SYS_NAME)
            assert error is None

    asyncio.run(trial())


def test_traffic_grows_faster_in_a_call():
    async def trial():
        async with studios(2) as (one, two):
            a_call(one, two)
            await until(lambda: in_call(one, two))
            await asyncio.sleep(1.1)
            *_, before = await ask(one, IN_OCTETS)
            await asyncio.sleep(1)
            *_, after = await ask(one, IN_OCTETS)
            assert int(after[0][1]) - int(before[0][1]) > 100_000

    asyncio.run(trial())


def test_walking_by_next_visits_every_object_in_order_and_ends():
    seen, oid = [], (1, 3)
    for _ in range(len(ORDER) + 1):
        ((oid, value),) = answered(packet(V2.GetNextRequestPDU, [oid]))
        if value.isSameTypeWith(V2.EndOfMibView()):
            break
        seen.append(oid)
    assert seen == sorted(VIEWS[Kind.CISCO_ROOM].objects)


def test_a_bulk_answer_has_the_non_repeaters_once_and_the_others_repeated():
    found = answered(packet(V2.GetBulkRequestPDU, [(1, 3, 6, 1, 2, 1, 1, 4), (1, 3, 6, 1, 2, 1, 1)], bulk=(1, 3)))
    assert [oid for oid, _ in found] == [ORDER[3], ORDER[0], ORDER[1], ORDER[2]]


def test_a_bulk_request_for_millions_gets_one_packet_of_them():
    data = respond(a_studio(), packet(V2.GetBulkRequestPDU, [(1, 3)] * 10, bulk=(0, 2**31 - 1)))
    assert 0 < len(data) < 2000


def test_an_object_that_is_not_there_is_told_apart_from_a_row_that_is_not_there():
    (_, unknown), (_, no_row) = answered(packet(oids=[(1, 3, 6, 1, 4, 1, 9, 1), (1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 7)]))
    assert unknown.isSameTypeWith(V2.NoSuchObject())
    assert no_row.isSameTypeWith(V2.NoSuchInstance())


def test_writing_is_refused():
    message, _ = decoder.decode(respond(a_studio(), packet(V2.SetRequestPDU)), asn1Spec=V2.Message())
    pdu = V2.apiMessage.get_pdu(message)
    assert (int(V2.apiPDU.get_error_status(pdu)), int(V2.apiPDU.get_error_index(pdu))) == (6, 1)


def test_packets_of_other_versions_other_kinds_and_too_big_are_met_with_silence():
    v1 = packet().replace(b"\x02\x01\x01", b"\x02\x01\x00", 1)
    huge = packet(oids=[SYS_NAME] * 400)
    assert len(huge) > LONGEST_REQUEST
    for data in (b"", b"\x30", v1, huge, b"\x30\x80" * 2000, packet(V2.ResponsePDU), packet()[:-3]):
        assert respond(a_studio(), data) == b""


WHOLE = packet(oids=ORDER[:4])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=30), place=st.integers(0, len(WHOLE)), lost=st.integers(0, 20))
def test_a_damaged_packet_is_answered_or_ignored_and_nothing_else(caplog, noise: bytes, place: int, lost: int):
    caplog.set_level(logging.ERROR)
    assert isinstance(respond(a_studio(), WHOLE[:place] + noise + WHOLE[place + lost :]), bytes)
    assert not caplog.records


def test_after_rubbish_the_agent_still_answers():
    async def trial():
        async with studios(1) as (studio,):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for rubbish in (b"", b"\x30\x82", b"\xff" * 60_000, packet()[:20]):
                    stranger.sendto(rubbish, (studio.spec.address, 1161))
            error, *_ = await ask(studio, SYS_NAME)
            assert error is None

    asyncio.run(trial())


@NET_SNMP
def test_net_snmp_gets_and_walks_a_studio():
    async def run(*command: str) -> str:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode()

    async def trial():
        async with studios(1) as (studio,):
            where = ("-v2c", "-c", studio.spec.community, "-t", "2", "-On", f"{studio.spec.address}:1161")
            assert f'"{studio.spec.code}"' in await run("snmpget", *where, "1.3.6.1.2.1.1.5.0")
            for walk in ("snmpwalk", "snmpbulkwalk"):
                lines = [line for line in (await run(walk, *where, "1.3")).splitlines() if line.startswith(".1.3")]
                objects = [line for line in lines if "No more variables" not in line]
                assert len(objects) == len(ORDER)

    asyncio.run(trial())
