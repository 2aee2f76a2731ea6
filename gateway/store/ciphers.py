"""What `sealing` asks of the cryptography library: AES-256-GCM, and keys derived by HKDF (RFC 5869)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY = 32


class Cipher:
    """AES-256-GCM by one key."""

    def __init__(self, key: bytes) -> None:
        self._aes = AESGCM(key)

    def encrypt(self, nonce: bytes, value: bytes, place: bytes) -> bytes:
        """Ciphertext and tag."""
        return self._aes.encrypt(nonce, value, place)

    def decrypt(self, nonce: bytes, sealed: bytes, place: bytes) -> bytes:
        """The value; ValueError if this is not what `encrypt` gave for this nonce and place."""
        try:
            return self._aes.decrypt(nonce, sealed, place)
        except InvalidTag:
            raise ValueError("the tag does not fit") from None


def derived(master: bytes, salt: bytes) -> Cipher:
    """The cipher of a process, by its salt."""
    return Cipher(HKDF(SHA256(), _KEY, salt, b"vainu-gateway store value").derive(master))


def key_id(master: bytes, size: int) -> bytes:
    """So many bytes by which a key is known, and which tell nothing of it."""
    return HKDF(SHA256(), size, None, b"vainu-gateway key id").derive(master)
