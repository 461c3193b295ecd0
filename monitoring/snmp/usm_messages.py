"""SNMPv3 messages with user-based security, authPriv: bytes in, values out. No sockets, no clock here.

The message is RFC 3412's, its security RFC 3414's with HMAC-192-SHA-256 (RFC 7860) and AES-128-CFB (RFC 3826).
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from monitoring.snmp.engine import Refusal
from monitoring.snmp.pysnmp_messages import NotAResponse, Response, decode_pdu, encode_pdu

VERSION_3, USER_BASED = 3, 3
INTEGER, OCTETS, SEQUENCE = 0x02, 0x04, 0x30
RESPONSE, REPORT = 0xA2, 0xA8
AUTHENTIC, PRIVATE, REPORTABLE = 1, 2, 4
# What we take in one packet, as we tell the agent.
LARGEST_MESSAGE = 8192
DIGEST_LENGTH, SALT_LENGTH, AES_KEY_LENGTH = 24, 8, 16
PASS_PHRASE_STRETCH = 1_048_576
# Two for each agent, where every one has its own: else each read would stretch them anew.
PASS_PHRASES = 20_000

# usmStats (RFC 3414, section 5), as encoded; what comes behind is the counter's number.
_USM_STATS = bytes((0x2B, 6, 1, 6, 3, 15, 1, 1))
UNKNOWN_ENGINE = "unknown-engine"
REPORTS: dict[int, str] = {
    1: Refusal.SECURITY_LEVEL,
    2: Refusal.NOT_IN_TIME,
    3: Refusal.UNKNOWN_USER,
    4: UNKNOWN_ENGINE,
    5: Refusal.WRONG_KEYS,
    6: Refusal.WRONG_KEYS,
}


@dataclass(frozen=True, slots=True)
class Keys:
    """Of one user at one agent (RFC 3414, 2.6)."""

    user: str
    auth: bytes = field(repr=False)
    priv: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Clock:
    """Which engine an agent is, how often it has started and for how many seconds it has run."""

    engine_id: bytes
    boots: int
    time: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it came, its content still sealed."""

    number: int
    flags: int
    clock: Clock
    user: bytes
    digest: bytes
    salt: bytes
    content: bytes
    packet: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent says instead of an answer; `authentic`: it was signed with the user's key."""

    reason: str
    authentic: bool


def keys_at(user: str, auth: str, priv: str, engine_id: bytes) -> Keys:
    """The user's keys, localised to one agent."""
    return Keys(user, _localised(auth, engine_id), _localised(priv, engine_id)[:AES_KEY_LENGTH])


@lru_cache(maxsize=PASS_PHRASES)
def master_key(pass_phrase: str) -> bytes:
    """The SHA-256 of a megabyte of the pass phrase: a millisecond, once for all agents that share it."""
    phrase = pass_phrase.encode()
    return hashlib.sha256((phrase * (PASS_PHRASE_STRETCH // len(phrase) + 1))[:PASS_PHRASE_STRETCH]).digest()


def _localised(pass_phrase: str, engine_id: bytes) -> bytes:
    master = master_key(pass_phrase)
    return hashlib.sha256(master + engine_id + master).digest()


def encode_discovery(number: int) -> bytes:
    """Asks an agent which engine it is; every agent answers, whoever asks (RFC 3414, section 4)."""
    scoped = _scoped(b"", encode_pdu((), number))
    return _message(number, REPORTABLE, _parameters(Clock(b"", 0, 0), "", b"", b""), scoped)


def encode_get(keys: Keys, clock: Clock, oids: tuple[str, ...], number: int) -> bytes:
    """A GetRequest, encrypted and signed."""
    salt = secrets.token_bytes(SALT_LENGTH)
    scoped = _scoped(clock.engine_id, encode_pdu(oids, number))
    sealed = _tlv(OCTETS, _cipher(keys, clock, salt).encryptor().update(scoped))
    blank = _parameters(clock, keys.user, bytes(DIGEST_LENGTH), salt)
    packet = _message(number, AUTHENTIC | PRIVATE | REPORTABLE, blank, sealed)
    digest = _digest(keys, packet)
    # The digest is the last but one of the parameters; behind it stands the salt with its tag and length.
    at = packet.index(blank) + len(blank) - 2 - SALT_LENGTH - DIGEST_LENGTH
    return packet[:at] + digest + packet[at + DIGEST_LENGTH :]


def is_version_3(packet: bytes) -> bool:
    try:
        return _integer(next(_parts(_whole(packet, SEQUENCE))), 1) == VERSION_3
    except (NotAResponse, StopIteration):
        return False


def opened(packet: bytes) -> Envelope:
    """Take a message apart without believing any of it; NotAResponse for what is none."""
    try:
        version, header, security, content = _parts(_whole(packet, SEQUENCE))
        number, _, flags, model = _parts(_content(header, SEQUENCE))
        if _integer(version, 1) != VERSION_3 or _integer(model, 4) != USER_BASED:
            raise NotAResponse("another version or security model")
        engine_id, boots, time, user, digest, salt = _parts(_whole(_content(security, OCTETS), SEQUENCE))
        return Envelope(
            number=_integer(number, 4),
            flags=_content(flags, OCTETS)[0],
            clock=Clock(_content(engine_id, OCTETS), _integer(boots, 5), _integer(time, 5)),
            user=_content(user, OCTETS),
            digest=_content(digest, OCTETS),
            salt=_content(salt, OCTETS),
            content=content,
            packet=packet,
        )
    except (ValueError, IndexError) as error:
        raise NotAResponse(str(error)) from error


def is_sealed(packet: bytes, keys: Keys) -> bool:
    """Whether it is a whole message, encrypted and signed with these keys."""
    try:
        envelope = opened(packet)
    except NotAResponse:
        return False
    return envelope.flags & (AUTHENTIC | PRIVATE) == AUTHENTIC | PRIVATE and _is_signed(envelope, keys)


def unsealed(envelope: Envelope, keys: Keys | None) -> Response | Report:
    """The content of a message: a response only when it is signed and encrypted with these keys."""
    pdu = _unsealed_pdu(envelope, keys)
    if pdu[:1] == bytes((REPORT,)):
        return Report(_reason(pdu), bool(envelope.flags & AUTHENTIC))
    if pdu[:1] != bytes((RESPONSE,)) or not envelope.flags & PRIVATE:
        raise NotAResponse("neither a report nor an encrypted response")
    return decode_pdu(pdu)


def unsealed_notification(envelope: Envelope, keys: Keys) -> bytes:
    """The PDU of what somebody sent unasked: only one that is signed and encrypted with these keys."""
    if envelope.flags & (AUTHENTIC | PRIVATE) != AUTHENTIC | PRIVATE:
        raise NotAResponse("not signed, or not encrypted")
    return _unsealed_pdu(envelope, keys)


def _unsealed_pdu(envelope: Envelope, keys: Keys | None) -> bytes:
    authentic = bool(envelope.flags & AUTHENTIC)
    if authentic and (keys is None or not _is_signed(envelope, keys)):
        raise NotAResponse("not signed with this user's key")
    scoped = envelope.content
    if envelope.flags & PRIVATE:
        if keys is None or not authentic or len(envelope.salt) != SALT_LENGTH:
            raise NotAResponse("cannot be decrypted")
        sealed = _content(scoped, OCTETS)
        scoped = _cipher(keys, envelope.clock, envelope.salt).decryptor().update(sealed)
    return _pdu(scoped)


def _pdu(scoped: bytes) -> bytes:
    try:
        *_, pdu = _parts(_whole(scoped, SEQUENCE))
    except ValueError as error:
        raise NotAResponse(str(error)) from error
    return pdu


def _reason(pdu: bytes) -> str:
    at = pdu.find(_USM_STATS)
    number = pdu[at + len(_USM_STATS) : at + len(_USM_STATS) + 1]
    return REPORTS.get(number[0], Refusal.OTHER) if at >= 0 and number else Refusal.OTHER


def _is_signed(envelope: Envelope, keys: Keys) -> bool:
    if len(envelope.digest) != DIGEST_LENGTH or envelope.user != keys.user.encode():
        return False
    blank = envelope.packet.replace(envelope.digest, bytes(DIGEST_LENGTH), 1)
    return hmac.compare_digest(_digest(keys, blank), envelope.digest)


def _digest(keys: Keys, packet: bytes) -> bytes:
    return hmac.digest(keys.auth, packet, "sha256")[:DIGEST_LENGTH]


def _cipher(keys: Keys, clock: Clock, salt: bytes) -> Cipher[CFB]:
    vector = clock.boots.to_bytes(4, "big") + clock.time.to_bytes(4, "big") + salt
    return Cipher(algorithms.AES(keys.priv), CFB(vector))


def _message(number: int, flags: int, parameters: bytes, scoped: bytes) -> bytes:
    header = _number(number) + _number(LARGEST_MESSAGE) + _tlv(OCTETS, bytes((flags,))) + _number(USER_BASED)
    return _tlv(SEQUENCE, _number(VERSION_3) + _tlv(SEQUENCE, header) + _tlv(OCTETS, parameters) + scoped)


def _parameters(clock: Clock, user: str, digest: bytes, salt: bytes) -> bytes:
    engine = _tlv(OCTETS, clock.engine_id) + _number(clock.boots) + _number(clock.time)
    return _tlv(SEQUENCE, engine + _tlv(OCTETS, user.encode()) + _tlv(OCTETS, digest) + _tlv(OCTETS, salt))


def _scoped(engine_id: bytes, pdu: bytes) -> bytes:
    return _tlv(SEQUENCE, _tlv(OCTETS, engine_id) + _tlv(OCTETS, b"") + pdu)


# Just enough BER for the frame of a message; what is inside is left to the library.


def _tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def _number(value: int) -> bytes:
    return _tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _split(data: bytes) -> tuple[bytes, bytes]:
    """The first element and what follows it."""
    if len(data) < 2:
        raise NotAResponse("cut")
    length, head = data[1], 2
    if length & 0x80:
        head += length & 0x7F
        if not 2 < head <= 6:
            raise NotAResponse("a length nobody sends")
        length = int.from_bytes(data[2:head], "big")
    if len(data) < head + length:
        raise NotAResponse("cut")
    return data[: head + length], data[head + length :]


def _parts(data: bytes) -> Iterator[bytes]:
    while data:
        part, data = _split(data)
        yield part


def _content(element: bytes, tag: int) -> bytes:
    if element[:1] != bytes((tag,)):
        raise NotAResponse("another kind of element")
    return element[2 + (element[1] & 0x7F if element[1] & 0x80 else 0) :]


def _whole(data: bytes, tag: int) -> bytes:
    """The content of the element that begins here. What follows is padding, as some agents encrypt it."""
    return _content(_split(data)[0], tag)


def _integer(element: bytes, longest: int) -> int:
    octets = _content(element, INTEGER)
    if not 1 <= len(octets) <= longest:
        raise NotAResponse("a number nobody sends")
    value = int.from_bytes(octets, "big")
    if value > 0x7FFF_FFFF:
        raise NotAResponse("a number nobody sends")
    return value
