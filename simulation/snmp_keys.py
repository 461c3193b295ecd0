"""Keys, digests and encryption of SNMPv3: HMAC-192-SHA-256 (RFC 7860) and AES-128 in CFB mode (RFC 3826)."""

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from secrets import randbits

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

DIGEST_LENGTH = 24
SALT_LENGTH = 8
PRIVACY_KEY_LENGTH = 16
PASS_PHRASE_OCTETS = 1 << 20


@lru_cache(maxsize=16)
def master_key(pass_phrase: str) -> bytes:
    """The user's key Ku (RFC 3414, A.2): the hash of a megabyte of the pass phrase. The same for all engines."""
    octets = pass_phrase.encode()
    repeated = octets * (PASS_PHRASE_OCTETS // len(octets) + 1)
    return hashlib.sha256(repeated[:PASS_PHRASE_OCTETS]).digest()


def localised(key: bytes, engine_id: bytes) -> bytes:
    """The key Kul that the user has with one engine (RFC 3414, 2.6)."""
    return hashlib.sha256(key + engine_id + key).digest()


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """One user's keys with one engine."""

    authentication: bytes
    privacy: bytes
    salts: "count[int]"

    @staticmethod
    def of(authentication: str, privacy: str, engine_id: bytes) -> "Keys":
        auth_key, privacy_key = (localised(master_key(phrase), engine_id) for phrase in (authentication, privacy))
        # No salt may come twice with one key, so an engine that starts again does not begin where it began before.
        return Keys(auth_key, privacy_key[:PRIVACY_KEY_LENGTH], count(randbits(63)))

    def digest(self, message: bytes) -> bytes:
        """Of a whole message, whose own digest is 24 zeros."""
        return hmac.digest(self.authentication, message, "sha256")[:DIGEST_LENGTH]

    def encrypt(self, plain: bytes, boots: int, time: int) -> tuple[bytes, bytes]:
        """The encrypted octets and their salt."""
        salt = next(self.salts).to_bytes(SALT_LENGTH, "big")
        encryptor = self._cipher(boots, time, salt).encryptor()
        return encryptor.update(plain) + encryptor.finalize(), salt

    def decrypt(self, secret: bytes, boots: int, time: int, salt: bytes) -> bytes:
        decryptor = self._cipher(boots, time, salt).decryptor()
        return decryptor.update(secret) + decryptor.finalize()

    def _cipher(self, boots: int, time: int, salt: bytes) -> "Cipher[CFB]":
        return Cipher(AES(self.privacy), CFB(boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt))
