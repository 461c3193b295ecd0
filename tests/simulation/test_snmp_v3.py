"""A studio's SNMPv3 engine, asked by net-snmp, pysnmp and gufo over real UDP, and by whoever means it ill."""

import asyncio
import hashlib
import logging
import shutil

import gufo.snmp
import pytest
from gufo.snmp.aio import SnmpSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyasn1.type.univ import OctetString
from pysnmp.entity.engine import SnmpEngine
from pysnmp.hlapi.v3arch import asyncio as hlapi
from pysnmp.proto.secmod.rfc3414 import localkey

from simulation import snmp_ber as ber
from simulation.snmp_keys import SALT_LENGTH, Keys, localised, master_key
from simulation.snmp_objects import VIEWS
from simulation.snmp_requests import LONGEST_REQUEST, LONGEST_RESPONSE
from simulation.snmp_v3 import ENCRYPTED, LEVEL, NO_DIGEST, REPORTABLE, Message, Statistic, V3Engine, read, written
from simulation.studio import Fault, Kind, SimulatedStudio, SnmpUser, StudioSpec, Timings
from tests.simulation.fleets import studios
from tests.simulation.test_snmp_agent import SYS_NAME, V2, packet

ORDER = VIEWS[Kind.CISCO_ROOM].order

READER = SnmpUser("leser", "godkjenning", "hemmelighet")
SPEC = StudioSpec("OUS01", "Oslo", "127.0.0.1", snmp_user=READER)
NET_SNMP = pytest.mark.skipif(not shutil.which("snmpget"), reason="net-snmp's tools are not installed")
ENGINE_ID = bytes.fromhex("800015dc05") + bytes(12)


def an_engine(spec: StudioSpec = SPEC) -> V3Engine:
    return V3Engine(SimulatedStudio(spec, Timings()))


def request(oids=(SYS_NAME,), kind=V2.GetRequestPDU) -> bytes:
    _, rest = ber.first(ber.whole(packet(kind, oids), ber.SEQUENCE), ber.INTEGER)
    return ber.first(rest, ber.OCTETS)[1]


def scoped(engine: V3Engine, pdu: bytes, context: bytes = b"", context_engine: bytes | None = None) -> bytes:
    named = engine.engine_id if context_engine is None else context_engine
    return ber.sequence(ber.octets(named), ber.octets(context), pdu)


def asking(engine: V3Engine, plain: bytes, keys: Keys | None = None, **changes) -> bytes:
    """A message as an honest manager seals it, but for the changes."""
    keys = keys or Keys.of(READER.authentication, READER.privacy, engine.engine_id)
    details = {"flags": LEVEL | REPORTABLE, "boots": engine.boots, "time": 0, "user": b"leser", "size": 1500, **changes}
    boots, seconds = details["boots"], details["time"]
    secret, salt = keys.encrypt(plain, boots, seconds)
    details = {"salt": salt, "data": ber.octets(secret), **details}
    message = Message(message_id=77, engine_id=engine.engine_id, digest=NO_DIGEST, **details)
    blank = written(message)
    return blank.replace(NO_DIGEST, keys.digest(blank), 1)


def told(engine: V3Engine, data: bytes) -> Statistic | bool | None:
    """What a report names; True for an answer, None for silence."""
    response = engine.respond(data)
    if not response:
        return None
    answer = read(response)
    assert (answer.message_id, answer.engine_id) == (77, engine.engine_id)
    if answer.flags & ENCRYPTED:
        return True
    return next(each for each in Statistic if each.value in answer.data)


def plain_of(engine: V3Engine, data: bytes) -> bytes:
    """The scoped PDU of a sealed answer, its digest checked by the manager's own key."""
    answer = read(engine.respond(data))
    keys = Keys.of(READER.authentication, READER.privacy, engine.engine_id)
    assert keys.digest(written(answer).replace(answer.digest, NO_DIGEST, 1)) == answer.digest
    return keys.decrypt(ber.whole(answer.data, ber.OCTETS), answer.boots, answer.time, answer.salt)


def pysnmp_key(phrase: str) -> bytes:
    return bytes(localkey.password_to_key(phrase.encode(), OctetString(ENGINE_ID), hashlib.sha256))


def test_keys_are_made_as_two_other_makers_make_them():
    for phrase in ("godkjenning", "a" * 8, "æøå en lang setning som ingen gjetter"):
        ours = localised(master_key(phrase), ENGINE_ID)
        assert ours == pysnmp_key(phrase)
        method = int(gufo.snmp.Sha256Key.AUTH_ALG)
        assert ours == bytes(gufo.snmp.user.get_localized_key(method, master_key(phrase), ENGINE_ID))
        assert master_key(phrase) == bytes(gufo.snmp.user.get_master_key(method, phrase.encode()))


def test_each_studio_has_an_engine_id_of_its_own_that_outlives_the_fleet():
    spec = StudioSpec("OUS02", "Oslo", "127.0.0.2", snmp_user=READER)
    assert an_engine().engine_id == an_engine().engine_id != an_engine(spec).engine_id
    assert 5 <= len(an_engine().engine_id) <= 32
    assert an_engine().engine_id[0] & 0x80


def test_an_engine_that_starts_again_has_booted_more_often():
    studio = SimulatedStudio(SPEC, Timings())
    before = V3Engine(studio).boots
    studio.started = studio.started.replace(year=studio.started.year + 1)
    assert before < V3Engine(studio).boots < 2**31


def test_an_honest_request_is_answered_encrypted_and_signed():
    engine = an_engine()
    assert b"OUS01" in plain_of(engine, asking(engine, scoped(engine, request())))


def test_no_salt_comes_twice():
    engine = an_engine()
    data = asking(engine, scoped(engine, request()))
    salts = {read(engine.respond(data)).salt for _ in range(50)}
    assert len(salts) == 50
    assert {len(salt) for salt in salts} == {SALT_LENGTH}


def test_whoever_does_not_know_the_engine_learns_its_id_and_clock():
    engine = an_engine()
    data = written(Message(77, 1500, REPORTABLE, b"", 0, 0, b"", b"", b"", scoped(engine, request(()), b"", b"")))
    assert told(engine, data) is Statistic.UNKNOWN_ENGINE_IDS
    answer = read(engine.respond(data))
    assert (answer.boots, answer.time) == (engine.boots, 0)


WRONG = Keys.of("feil ord her", READER.privacy, an_engine().engine_id)
WRONG_PRIVACY = Keys.of(READER.authentication, "feil ord her", an_engine().engine_id)


@pytest.mark.parametrize(
    ("statistic", "keys", "changes"),
    [
        (Statistic.UNKNOWN_USER_NAMES, None, {"user": b"gjest"}),
        (Statistic.UNSUPPORTED_LEVELS, None, {"flags": REPORTABLE | 1}),
        (Statistic.UNSUPPORTED_LEVELS, None, {"flags": REPORTABLE}),
        (Statistic.WRONG_DIGESTS, WRONG, {}),
        (Statistic.NOT_IN_TIME_WINDOWS, None, {"time": 151}),
        (Statistic.NOT_IN_TIME_WINDOWS, None, {"boots": 1}),
        (Statistic.DECRYPTION_ERRORS, WRONG_PRIVACY, {}),
        (Statistic.DECRYPTION_ERRORS, None, {"salt": b"kort"}),
        (Statistic.DECRYPTION_ERRORS, None, {"data": ber.sequence()}),
        (True, None, {"time": 150}),
        (None, None, {"flags": REPORTABLE | ENCRYPTED}),
        (None, None, {"size": 483}),
        (None, None, {"user": b"x" * 33}),
    ],
)
def test_what_is_wrong_is_told_by_the_report_that_the_rfc_names(statistic, keys, changes):
    engine = an_engine()
    data = asking(engine, scoped(engine, request()), keys, **changes)
    assert told(engine, data) is statistic
    if "flags" not in changes and isinstance(statistic, Statistic):
        assert told(engine, asking(engine, scoped(engine, request()), keys, **changes, flags=LEVEL)) is None


def test_only_the_report_about_the_clock_is_signed():
    engine = an_engine()
    clock = read(engine.respond(asking(engine, scoped(engine, request()), time=500)))
    assert clock.flags == 1
    keys = Keys.of(READER.authentication, READER.privacy, engine.engine_id)
    assert keys.digest(written(clock).replace(clock.digest, NO_DIGEST, 1)) == clock.digest
    assert read(engine.respond(asking(engine, scoped(engine, request()), WRONG))).flags == 0


def test_another_context_is_reported():
    engine = an_engine()
    assert told(engine, asking(engine, scoped(engine, request(), b"sal"))) is Statistic.UNKNOWN_CONTEXTS
    other = scoped(engine, request(), b"", b"\x80another")
    assert told(engine, asking(engine, other)) is Statistic.UNKNOWN_PDU_HANDLERS


def test_a_packet_recorded_is_worth_nothing_when_its_time_is_over_or_the_fleet_was_started_again():
    engine = an_engine()
    recorded = asking(engine, scoped(engine, request()))
    assert told(engine, recorded) is True
    engine._began -= 151
    assert told(engine, recorded) is Statistic.NOT_IN_TIME_WINDOWS
    again = an_engine()
    again.boots = engine.boots + 1
    assert told(again, recorded) is Statistic.NOT_IN_TIME_WINDOWS


@pytest.mark.parametrize("user", [SnmpUser("", "", ""), SnmpUser("leser", "kort", "hemmelighet")])
def test_pass_phrases_that_are_missing_or_short_make_no_user(user: SnmpUser):
    engine = an_engine(StudioSpec("OUS01", "Oslo", "127.0.0.1", snmp_user=user))
    assert told(engine, asking(engine, scoped(engine, request()))) is Statistic.UNKNOWN_USER_NAMES


def test_an_answer_fits_what_the_manager_can_take():
    engine = an_engine()
    data = asking(engine, scoped(engine, request(ORDER)), size=484)
    assert len(engine.respond(data)) <= 484
    assert len(engine.respond(asking(engine, scoped(engine, request(ORDER))))) <= LONGEST_RESPONSE
    huge = asking(engine, scoped(engine, request(ORDER * 8)))
    assert len(huge) > LONGEST_REQUEST
    assert engine.respond(huge) == b""


HONEST = an_engine()
HONEST.boots = 7
WHOLE = asking(HONEST, scoped(HONEST, request(ORDER[:4])))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=30), place=st.integers(0, len(WHOLE)), lost=st.integers(0, 30))
def test_a_damaged_or_forged_packet_is_never_answered(caplog, noise: bytes, place: int, lost: int):
    caplog.set_level(logging.ERROR)
    damaged = WHOLE[:place] + noise + WHOLE[place + lost :]
    response = HONEST.respond(damaged)
    assert damaged == WHOLE or not response or not read(response).flags & ENCRYPTED
    assert not caplog.records


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=20), place=st.integers(0, 40), lost=st.integers(0, 20), inside=st.booleans())
def test_rubbish_under_a_right_seal_brings_no_traceback(caplog, noise: bytes, place: int, lost: int, inside: bool):
    caplog.set_level(logging.ERROR)
    plain = request() if inside else scoped(HONEST, request())
    rubbish = plain[:place] + noise + plain[place + lost :]
    assert isinstance(HONEST.respond(asking(HONEST, scoped(HONEST, rubbish) if inside else rubbish)), bytes)
    assert not caplog.records


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_octets_at_all_are_met_with_silence(rubbish: bytes):
    assert HONEST.respond(rubbish) == b""


@NET_SNMP
def test_net_snmp_reads_a_studio_and_names_what_is_wrong():
    async def run(*command: str) -> str:
        kept = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
        process = await asyncio.create_subprocess_exec(*command, **kept)
        output, _ = await process.communicate()
        return output.decode()

    async def trial():
        async with studios(1, snmp_user=READER) as (studio,):

            def words(tool: str = "snmpget", user="leser", auth="godkjenning", priv="hemmelighet", level="authPriv"):
                secrets = ("-a", "SHA-256", "-A", auth, "-x", "AES", "-X", priv)
                where = ("-t", "2", "-r", "1", "-On", f"{studio.spec.address}:1161")
                return (tool, "-v3", "-l", level, "-u", user, *secrets, *where)

            name = "1.3.6.1.2.1.1.5.0"
            assert f'"{studio.spec.code}"' in await run(*words(), name)
            for walk in ("snmpwalk", "snmpbulkwalk"):
                lines = [line for line in (await run(*words(walk), "1.3")).splitlines() if line.startswith(".1.3")]
                assert len([line for line in lines if "No more variables" not in line]) == len(ORDER)
            assert "Unknown user name" in await run(*words(user="gjest"), name)
            assert "Authentication failure" in await run(*words(auth="feil ord her"), name)
            assert "Decryption error" in await run(*words(priv="feil ord her"), name)
            assert "Unsupported security level" in await run(*words(level="authNoPriv"), name)

    asyncio.run(trial())


async def by_pysnmp(address: str, privacy: str = READER.privacy):
    engine = SnmpEngine()
    try:
        user = hlapi.UsmUserData(
            READER.name,
            READER.authentication,
            privacy,
            authProtocol=hlapi.USM_AUTH_HMAC192_SHA256,
            privProtocol=hlapi.USM_PRIV_CFB128_AES,
        )
        target = await hlapi.UdpTransportTarget.create((address, 1161), timeout=1, retries=0)
        name = hlapi.ObjectType(hlapi.ObjectIdentity(SYS_NAME))
        return await hlapi.get_cmd(engine, user, target, hlapi.ContextData(), name, lookupMib=False)
    finally:
        engine.close_dispatcher()


def test_pysnmp_reads_a_studio():
    async def trial():
        async with studios(1, snmp_user=READER) as (studio,):
            error, *_, found = await by_pysnmp(studio.spec.address)
            assert (error, str(found[0][1])) == (None, studio.spec.code)
            error, *_ = await by_pysnmp(studio.spec.address, "feil ord her")
            assert type(error).__name__ == "DecryptionError"

    asyncio.run(trial())


def gufo_session(studio: SimulatedStudio, authentication: str = READER.authentication) -> SnmpSession:
    user = gufo.snmp.User(
        READER.name,
        auth_key=gufo.snmp.Sha256Key(authentication.encode()),
        priv_key=gufo.snmp.Aes128Key(READER.privacy.encode()),
    )
    return SnmpSession(studio.spec.address, port=1161, user=user, timeout=1)


def test_gufo_reads_a_studio_over_and_over_in_one_session():
    async def trial():
        async with studios(1, snmp_user=READER) as (studio,):
            async with gufo_session(studio) as session:
                for _ in range(3):
                    assert await session.get("1.3.6.1.2.1.1.5.0") == studio.spec.code.encode()
                assert len([oid async for oid, _ in session.getbulk("1.3.6.1.2.1")]) == len(ORDER)
                studio.suffer(Fault.DEAD)
                with pytest.raises(TimeoutError):
                    await session.get("1.3.6.1.2.1.1.5.0")
            studio.suffer(Fault.CLEAR)
            with pytest.raises(gufo.snmp.SnmpAuthError):
                async with gufo_session(studio, "feil ord her") as session:
                    await session.get("1.3.6.1.2.1.1.5.0")

    asyncio.run(trial())


def test_a_studio_of_version_3_tells_a_community_nothing():
    async def trial():
        async with studios(1, snmp_user=READER) as (studio,):
            loop = asyncio.get_running_loop()
            answers: asyncio.Queue[bytes] = asyncio.Queue()

            class Listener(asyncio.DatagramProtocol):
                def datagram_received(self, data, source):
                    answers.put_nowait(data)

            transport, _ = await loop.create_datagram_endpoint(Listener, remote_addr=(studio.spec.address, 1161))
            transport.sendto(packet(community=studio.spec.community))
            discovery = written(Message(77, 1500, REPORTABLE, b"", 0, 0, b"", b"", b"", ber.sequence()))
            transport.sendto(discovery)
            # Whatever the first packet brought would have come first.
            assert Statistic.UNKNOWN_ENGINE_IDS.value in await asyncio.wait_for(answers.get(), 2)
            transport.close()

    asyncio.run(trial())
