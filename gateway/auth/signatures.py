"""HMAC signatures of webhooks: raw headers and raw body in, the proof out. Tolerant of nothing.

Two schemes (CONTRACT section 3): Standard Webhooks (the specification at standardwebhooks.com: `webhook-id`,
`webhook-timestamp`, `webhook-signature`), and a configurable header that holds the HMAC of the body. Our own and not
the `standardwebhooks` package, which lets other exceptions than its own escape on hostile headers (DESIGN).
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from gateway.auth.headers import ProofHeaders, Raw
from gateway.settings.model import HmacSettings

_ID_HEADER, _TIME_HEADER, _SIGNATURE_HEADER = _STANDARD = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
_ID = re.compile(rb"[\x21-\x7e]{1,256}")
_SECONDS = re.compile(rb"[0-9]{1,12}")
_HEX = re.compile(rb"[0-9a-fA-F]+")
_MAX_SIGNATURES = 16
"""How many signatures one header may hold: senders put several there while a secret is rotated."""


class Signed(msgspec.Struct, frozen=True):
    """A webhook whose signature is right."""

    webhook_id: str | None
    """The sender's id of the message (`webhook-id`), where the scheme has one."""


@dataclass(frozen=True, slots=True)
class _Key:
    secrets: tuple[bytes, ...]
    settings: HmacSettings


class SignatureVerifier:
    """The signatures that one connection accepts: any one of several secrets and schemes.

    `tolerance_seconds` bounds how far a signed timestamp may lie from now, either way.
    """

    def __init__(self, accepted: Sequence[HmacSettings], tolerance_seconds: int) -> None:
        self._keys = [_Key(_secrets(each), each) for each in accepted]
        self._tolerance = tolerance_seconds
        self._headers = {name for key in self._keys for name in _header_names(key.settings)} or set(_STANDARD)

    def verify(self, headers: Raw | ProofHeaders, body: bytes, now: float) -> Signed | None:
        """The proof, or None for a signature that is missing, malformed, wrong or stale; `now` is Unix seconds.

        `AmbiguousProof` if a header of the proof comes twice. Every secret is tried, whichever matches.
        """
        given = ProofHeaders.of(headers)
        found = {name: given.only(name) or b"" for name in self._headers}
        proof = None
        for key in self._keys:
            if key.settings.scheme == "standard":
                signed = _standard(key, found, body, now, self._tolerance)
            else:
                signed = _header(key, found, body)
            proof = proof or signed
        return proof


def message_id(headers: ProofHeaders) -> str | None:
    """The `webhook-id` that a message carries, signed or not; None if there is no good one, or more than one."""
    found = None if headers.is_repeated(_ID_HEADER) else headers.only(_ID_HEADER)
    return found.decode("ascii") if found and _ID.fullmatch(found) else None


def _header_names(settings: HmacSettings) -> tuple[bytes, ...]:
    return _STANDARD if settings.scheme == "standard" else (settings.header.lower().encode("latin-1"),)


def _secrets(settings: HmacSettings) -> tuple[bytes, ...]:
    """The key bytes. Standard Webhooks secrets are base64 after `whsec_`; without it, peers read either way."""
    text = settings.secret.get_secret_value()
    raw = text.encode()
    if settings.scheme != "standard":
        return (raw,)
    decoded = _base64(text.removeprefix("whsec_").encode())
    if text.startswith("whsec_"):
        return (decoded,) if decoded else (raw,)
    return (raw, decoded) if decoded else (raw,)


def _standard(key: _Key, headers: Mapping[bytes, bytes], body: bytes, now: float, tolerance: int) -> Signed | None:
    message_id, at = headers[_ID_HEADER], headers[_TIME_HEADER]
    signed = b"%b.%b.%b" % (message_id, at, body)
    expected = [_version_1(hmac.digest(secret, signed, "sha256")) for secret in key.secrets]
    # `|`, not `any`: every pair is compared, whichever matches
    matches = False
    for one in headers[_SIGNATURE_HEADER].split(b" ")[:_MAX_SIGNATURES]:
        for other in expected:
            matches |= hmac.compare_digest(one, other)
    fresh = bool(_SECONDS.fullmatch(at)) and abs(now - int(at)) <= tolerance
    if matches and fresh and _ID.fullmatch(message_id):
        return Signed(message_id.decode("ascii"))
    return None


def _version_1(signature: bytes) -> bytes:
    return b"v1," + binascii.b2a_base64(signature, newline=False)


def _header(key: _Key, headers: Mapping[bytes, bytes], body: bytes) -> Signed | None:
    settings = key.settings
    expected = hmac.digest(key.secrets[0], body, settings.algorithm)
    value = headers.get(settings.header.lower().encode("latin-1"), b"")
    prefix = settings.prefix.encode()
    if not value or not value.startswith(prefix):
        return None
    text = value[len(prefix) :]
    given = _hex(text) if settings.encoding == "hex" else _base64(text)
    return Signed(None) if given is not None and hmac.compare_digest(given, expected) else None


def _hex(text: bytes) -> bytes | None:
    if len(text) % 2 or not _HEX.fullmatch(text):
        return None
    return binascii.unhexlify(text)


def _base64(text: bytes) -> bytes | None:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded or None
