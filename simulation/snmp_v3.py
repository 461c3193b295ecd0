"""A studio's SNMPv3 engine (RFC 3412, RFC 3414): one user, always authenticated and encrypted.

What others send is answered, or met with the report that the RFCs prescribe, or with silence when it is no message.
"""

import hashlib
import hmac
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property

from simulation.snmp_ber import INTEGER, OCTETS, SEQUENCE, BrokenError, first, integer, number, octets, sequence, value
from simulation.snmp_ber import whole as whole_value
from simulation.snmp_keys import DIGEST_LENGTH, SALT_LENGTH, Keys
from simulation.snmp_requests import LONGEST_REQUEST, LONGEST_RESPONSE, answer
from simulation.studio import SimulatedStudio

V3, USM = 3, 3
AUTHENTICATED, ENCRYPTED, REPORTABLE = 1, 2, 4
LEVEL = AUTHENTICATED | ENCRYPTED
# RFC 3412, 6.3: what every engine can take.
LEAST_SIZE = 484
# Octets of a response that are not its PDU: header, user, digest, salt, context; generously.
FRAME_OCTETS = 240
TIME_WINDOW_S = 150
LARGEST = 2**31 - 1
SHORTEST_PASS_PHRASE = 8  # RFC 3414, 11.2
REPORT, COUNTER32, OBJECT_IDENTIFIER = 0xA8, 0x41, 0x06
NO_DIGEST = bytes(DIGEST_LENGTH)
# RFC 3411: the id begins with a private enterprise number (Cisco Tandberg, 5596); then octets of our choice (5).
ENGINE_ID_PREFIX = (1 << 31 | 5596).to_bytes(4, "big") + b"\x05"
# An engine that starts again must have booted more often than before, or who knows its clock believes it no more.
BOOTS_BEGAN = datetime(2024, 1, 1, tzinfo=UTC)


class Statistic(Enum):
    """What a report tells: the encoded name of the counter that grew (RFC 3414, 5; RFC 3412, 5; RFC 3413, 4.1.1)."""

    UNSUPPORTED_LEVELS = bytes.fromhex("2b060106030f01010100")
    NOT_IN_TIME_WINDOWS = bytes.fromhex("2b060106030f01010200")
    UNKNOWN_USER_NAMES = bytes.fromhex("2b060106030f01010300")
    UNKNOWN_ENGINE_IDS = bytes.fromhex("2b060106030f01010400")
    WRONG_DIGESTS = bytes.fromhex("2b060106030f01010500")
    DECRYPTION_ERRORS = bytes.fromhex("2b060106030f01010600")
    UNKNOWN_CONTEXTS = bytes.fromhex("2b060106030c010500")
    UNKNOWN_PDU_HANDLERS = bytes.fromhex("2b060106030b02010300")


class _Refused(Exception):
    """The message is met with a report; one about the clock is authenticated, so that it can be believed."""

    def __init__(self, statistic: Statistic) -> None:
        super().__init__(statistic.name)
        self.statistic = statistic
        self.level = AUTHENTICATED if statistic is Statistic.NOT_IN_TIME_WINDOWS else 0


@dataclass(frozen=True, slots=True)
class Message:
    """A message of version 3; `data` is a scoped PDU, encrypted or not, with its tag."""

    message_id: int
    size: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    salt: bytes
    data: bytes


def read(data: bytes) -> Message:
    """Raises BrokenError for whatever is no message of version 3 with the user-based security model."""
    version, rest = first(whole_value(data, SEQUENCE), INTEGER)
    header, rest = first(rest, SEQUENCE)
    security, scoped = first(rest, OCTETS)
    message_id, header = first(header, INTEGER)
    size, header = first(header, INTEGER)
    flags, header = first(header, OCTETS)
    model = whole_value(header, INTEGER)
    if (number(version), number(model), len(flags)) != (V3, USM, 1) or flags[0] & LEVEL == ENCRYPTED:
        raise BrokenError("another version, another model, or encrypted by nobody")
    engine_id, rest = first(whole_value(security, SEQUENCE), OCTETS)
    boots, rest = first(rest, INTEGER)
    seconds, rest = first(rest, INTEGER)
    user, rest = first(rest, OCTETS)
    digest, rest = first(rest, OCTETS)
    salt = whole_value(rest, OCTETS)
    numbers = [number(content) for content in (message_id, size, boots, seconds)]
    if not all(0 <= each <= LARGEST for each in numbers) or numbers[1] < LEAST_SIZE or len(user) > 32:
        raise BrokenError("out of range")
    return Message(numbers[0], numbers[1], flags[0], engine_id, numbers[2], numbers[3], user, digest, salt, scoped)


def written(message: Message) -> bytes:
    header = sequence(integer(message.message_id), integer(message.size), octets(bytes([message.flags])), integer(USM))
    security = sequence(
        octets(message.engine_id),
        integer(message.boots),
        integer(message.time),
        octets(message.user),
        octets(message.digest),
        octets(message.salt),
    )
    return sequence(integer(V3), header, octets(security), message.data)


class V3Engine:
    """`engine_id` is the studio's own and always the same; `boots` grows with every start of the fleet."""

    def __init__(self, studio: SimulatedStudio) -> None:
        assert studio.spec.snmp_user is not None
        self._studio = studio
        self._user = studio.spec.snmp_user
        self._counts: Counter[Statistic] = Counter()
        self._began = time.monotonic()
        self.engine_id = ENGINE_ID_PREFIX + hashlib.sha256(studio.spec.code.encode()).digest()[:12]
        self.boots = int((studio.started - BOOTS_BEGAN).total_seconds()) % LARGEST

    def respond(self, data: bytes) -> bytes:
        """The answer or report to one datagram; empty for what an engine keeps silent to."""
        if len(data) > LONGEST_REQUEST:
            return b""
        try:
            message = read(data)
        except BrokenError:
            return b""
        try:
            return self._answer(message, self._scoped(message, data))
        except _Refused as refused:
            self._counts[refused.statistic] += 1
            return self._report(message, refused) if message.flags & REPORTABLE else b""

    def sealed(self, pdu: bytes) -> bytes:
        """A message that nobody asked for, signed and encrypted."""
        name = self._user.name.encode()
        unasked = Message(self._now, LONGEST_RESPONSE, LEVEL, b"", 0, 0, name, b"", b"", b"")
        return self._sealed(unasked, pdu, LEVEL)

    @cached_property
    def _keys(self) -> Keys:
        """Made when the first asks: 900 studios that nobody asks need none."""
        return Keys.of(self._user.authentication, self._user.privacy, self.engine_id)

    @property
    def _now(self) -> int:
        return int(time.monotonic() - self._began)

    def _scoped(self, message: Message, data: bytes) -> bytes:
        """The decrypted scoped PDU: the steps of RFC 3414, 3.2, in their order."""
        if message.engine_id != self.engine_id:
            raise _Refused(Statistic.UNKNOWN_ENGINE_IDS)
        if not self._is_known(message.user):
            raise _Refused(Statistic.UNKNOWN_USER_NAMES)
        if message.flags & LEVEL != LEVEL:
            raise _Refused(Statistic.UNSUPPORTED_LEVELS)
        # A digest found elsewhere in the message blanks the wrong place, and so is wrong.
        if len(message.digest) != DIGEST_LENGTH or not hmac.compare_digest(
            self._keys.digest(data.replace(message.digest, NO_DIGEST, 1)), message.digest
        ):
            raise _Refused(Statistic.WRONG_DIGESTS)
        if message.boots != self.boots or abs(message.time - self._now) > TIME_WINDOW_S:
            raise _Refused(Statistic.NOT_IN_TIME_WINDOWS)
        return self._decrypted(message)

    def _is_known(self, user: bytes) -> bool:
        """A credential whose pass phrases are missing or too short makes no user."""
        mine = self._user
        enough = min(len(mine.authentication), len(mine.privacy)) >= SHORTEST_PASS_PHRASE
        return enough and user == mine.name.encode()

    def _decrypted(self, message: Message) -> bytes:
        """What does not become a scoped PDU was encrypted with another key: nothing else can tell."""
        try:
            secret = whole_value(message.data, OCTETS)
            if len(message.salt) != SALT_LENGTH:
                raise BrokenError("no salt")
            plain = self._keys.decrypt(secret, message.boots, message.time, message.salt)
            return first(plain, SEQUENCE)[0]
        except BrokenError:
            raise _Refused(Statistic.DECRYPTION_ERRORS) from None

    def _answer(self, message: Message, scoped: bytes) -> bytes:
        try:
            context_engine, rest = first(scoped, OCTETS)
            context, request = first(rest, OCTETS)
        except BrokenError:
            raise _Refused(Statistic.DECRYPTION_ERRORS) from None
        if context_engine != self.engine_id:
            raise _Refused(Statistic.UNKNOWN_PDU_HANDLERS)
        if context:
            raise _Refused(Statistic.UNKNOWN_CONTEXTS)
        response = answer(self._studio, request, min(message.size, LONGEST_RESPONSE) - FRAME_OCTETS)
        return self._sealed(message, response, LEVEL) if response else b""

    def _report(self, message: Message, refused: _Refused) -> bytes:
        count = value(COUNTER32, integer(self._counts[refused.statistic])[2:])
        varbind = sequence(value(OBJECT_IDENTIFIER, refused.statistic.value), count)
        pdu = value(REPORT, integer(_request_id(message)), integer(0), integer(0), sequence(varbind))
        return self._sealed(message, pdu, refused.level)

    def _sealed(self, asked: Message, pdu: bytes, level: int) -> bytes:
        """The PDU as a message of ours that answers `asked`, protected as `level` says."""
        now, salt = self._now, b""
        data = sequence(octets(self.engine_id), octets(b""), pdu)
        if level & ENCRYPTED:
            secret, salt = self._keys.encrypt(data, self.boots, now)
            data = octets(secret)
        user = asked.user
        digest = NO_DIGEST if level & AUTHENTICATED else b""
        message = Message(
            asked.message_id, LONGEST_RESPONSE, level, self.engine_id, self.boots, now, user, digest, salt, data
        )
        blank = written(message)
        if not level & AUTHENTICATED:
            return blank
        # Before its place only our own engine id, our clock and a known user stand: no other 24 zeros.
        return blank.replace(NO_DIGEST, self._keys.digest(blank), 1)


def _request_id(message: Message) -> int:
    """Of a request that came in the clear; 0 where it can't be read (RFC 3412, 7.1)."""
    try:
        _, rest = first(whole_value(message.data, SEQUENCE), OCTETS)
        _, pdu = first(rest, OCTETS)
        return number(first(whole_value(pdu, pdu[0] if pdu else 0), INTEGER)[0])
    except BrokenError:
        return 0
