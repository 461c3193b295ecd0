import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.snmp.pysnmp_messages import NotAResponse, decode, encode_get
from monitoring.snmp.usm_messages import master_key
from tests.monitoring import agents as played
from tests.monitoring.agents import DESCRIPTION, UPTIME


def test_requests_differ_in_their_number_only() -> None:
    one = encode_get("public", (UPTIME,), 0x01020304)
    assert b"\x01\x02\x03\x04" in one
    assert len(one) == len(encode_get("public", (UPTIME,), 0x7F000000))


def test_pass_phrases_are_stretched_once_though_every_studio_has_its_own() -> None:
    def stretch() -> int:
        for number in range(200):
            master_key(f"of studio {number}")
        return master_key.cache_info().misses

    assert stretch() == stretch()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
def test_no_bytes_whatever_break_the_decoder(noise: bytes, place: int, byte: int) -> None:
    whole = bytearray(played.response(encode_get("public", (DESCRIPTION, UPTIME), 0x01020304)))
    whole[place % len(whole)] = byte
    for packet in (noise, bytes(whole), bytes(whole[:place]), bytes(whole) + noise):
        with contextlib.suppress(NotAResponse):
            decode(packet)
