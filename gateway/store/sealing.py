"""Encryption at rest: values are sealed with AES-256-GCM (NIST SP 800-38D), bound to the row and column they are of.

A sealed value is `\\x01g1`, 4 bytes of the key's id, 16 bytes of salt, 12 bytes of nonce, ciphertext and tag; in a
text column the same in base64 behind `\\x01g1:`. No value that is kept begins with `\\x01` by itself: bodies are JSON,
a query is percent-encoded, details are one line without control characters. So what was written before encryption was
switched on is read as it is.

Salt and nonce: random nonces are safe for 2^32 values of one key only, which a busy store reaches within a week.
So each process derives a key of its own from the configured one by a random salt (HKDF, RFC 5869).
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

from gateway.store.failures import CannotOpen

if TYPE_CHECKING:
    from gateway.store.ciphers import Cipher

_MAGIC = b"\x01g1"
_TEXT_MAGIC = "\x01g1:"
_ID, _SALT, _NONCE = 4, 16, 12
_SALT_AT = len(_MAGIC) + _ID
_NONCE_AT = _SALT_AT + _SALT
_SEALED_AT = _NONCE_AT + _NONCE
_VALUES_A_SALT = 2**31
_RAW_KEY = re.compile(r"[0-9a-fA-F]{64}")
_FAMILIAR_SALTS = 1_024
"""How many processes' derived keys are kept at hand; another costs some 20 µs."""


class Seal:
    """Seals by the first key, opens by any; without keys it leaves values alone, and tells a sealed one."""

    def __init__(self, key: SecretStr | None = None, previous: Sequence[SecretStr] = ()) -> None:
        known = [_master(each.get_secret_value()) for each in ([key] if key else []) + list(previous)]
        self._masters = {_key_id(master): master for master in known}
        self._current = _key_id(known[0]) if key else None
        self._prefix = b""
        self._left = 0
        self._cipher = lru_cache(_FAMILIAR_SALTS)(self._derived)

    @property
    def seals(self) -> bool:
        """Whether values are sealed when they are written."""
        return self._current is not None

    @property
    def key_id(self) -> str | None:
        """Which key seals; 8 hex digits that tell nothing of it. None: nothing is sealed."""
        return self._current.hex() if self._current else None

    @property
    def key_ids(self) -> frozenset[str]:
        """Which keys open."""
        return frozenset(key_id.hex() for key_id in self._masters)

    def shut(self, value: bytes, place: bytes) -> bytes:
        """The value sealed, so that it opens at this place only; the value itself where nothing is sealed."""
        if self._current is None:
            return value
        if not self._left:
            self._prefix = _MAGIC + self._current + os.urandom(_SALT)
            self._left = _VALUES_A_SALT
        self._left -= 1
        # read once: another thread may have put a new one in its place
        prefix, nonce = self._prefix, os.urandom(_NONCE)
        return prefix + nonce + self._cipher(prefix).encrypt(nonce, value, place)

    def shut_text(self, value: str, place: bytes) -> str:
        """As `shut`, of a text."""
        if self._current is None:
            return value
        return _TEXT_MAGIC + base64.b64encode(self.shut(value.encode("utf-8", "surrogatepass"), place)).decode("ascii")

    def open(self, value: bytes, place: bytes) -> bytes:
        """What was sealed at this place, or what was never sealed; `CannotOpen`."""
        if not value.startswith(_MAGIC):
            return value
        key_id = value[len(_MAGIC) : _SALT_AT]
        if key_id not in self._masters:
            raise CannotOpen(
                f"sealed by the key {key_id.hex()}, which is not configured: add it to storage.previous_encryption_keys"
            )
        try:
            return self._cipher(value[:_NONCE_AT]).decrypt(value[_NONCE_AT:_SEALED_AT], value[_SEALED_AT:], place)
        except ValueError:
            raise CannotOpen("a sealed value is damaged, or was moved here from another row") from None

    def open_text(self, value: str, place: bytes) -> str:
        """As `open`, of a text."""
        if not value.startswith(_TEXT_MAGIC):
            return value
        try:
            raw = base64.b64decode(value[len(_TEXT_MAGIC) :], validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if not raw.startswith(_MAGIC):
            raise CannotOpen("a sealed value is damaged")
        return self.open(raw, place).decode("utf-8", "surrogatepass")

    def is_current(self, value: bytes | str) -> bool:
        """Whether a stored value is as this process would write it: sealed by the key that seals, or not at all."""
        return _sealed_by(value) == self._current

    def _derived(self, prefix: bytes) -> "Cipher":
        # imported here, as below: a store without keys is spared the library, 9 MB of memory
        from gateway.store.ciphers import derived

        master = self._masters[prefix[len(_MAGIC) : _SALT_AT]]
        return derived(master, prefix[_SALT_AT:])


def _sealed_by(value: bytes | str) -> bytes | None:
    """The id of the key that sealed a stored value; None if none has."""
    if isinstance(value, str):
        if not value.startswith(_TEXT_MAGIC):
            return None
        # 12 characters of base64 are 9 bytes
        value = base64.b64decode(value[len(_TEXT_MAGIC) : len(_TEXT_MAGIC) + 12])
    return value[len(_MAGIC) : _SALT_AT] if value.startswith(_MAGIC) else None


@lru_cache(32)
def _master(secret: str) -> bytes:
    """32 bytes of a configured key: 64 hex digits are such a key already, anything else is a passphrase, stretched."""
    if _RAW_KEY.fullmatch(secret):
        return bytes.fromhex(secret)
    salt = b"vainu-gateway storage.encryption_key"
    return hashlib.scrypt(secret.encode("utf-8", "surrogatepass"), salt=salt, n=2**14, r=8, p=1, dklen=32)


def _key_id(master: bytes) -> bytes:
    from gateway.store.ciphers import key_id

    return key_id(master, _ID)
