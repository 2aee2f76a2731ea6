"""What a request presents as proof of who is calling: header bytes and query bytes in, `Presented` out.

Nothing hostile raises here but `AmbiguousProof`: what cannot be read is a wrong credential.
"""

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import unquote_to_bytes

from gateway.auth.headers import ProofHeaders, Raw

MAX_PROOF_BYTES = 16_384
"""A longer header or query is a wrong credential; no key, password or JWT needs as much."""


def digest(secret: bytes) -> bytes:
    """What is compared in place of a secret: SHA-256, as `adapters.secrets.digest` stores it, in bytes."""
    return sha256(secret).digest()


@dataclass(frozen=True, slots=True)
class Presented:
    """The proofs of one request; None where there is none that can be read. Of secrets only the digests."""

    api_key: bytes | None = field(default=None, repr=False)
    """Digest of the header `API-Key` (S001: "API-Key" in prose and samples; its generated part's `api_key` is none)."""
    basic: tuple[bytes, bytes] | None = field(default=None, repr=False)
    """Digests of user name and password."""
    bearer: bytes | None = field(default=None, repr=False)
    """The token itself: a JWT is verified, not compared."""
    url_token: bytes | None = field(default=None, repr=False)
    """Digest of the query parameter `token`; one that comes twice is a wrong one."""
    is_empty: bool = False
    """Whether the request carries nothing that even looks like a proof."""


def read_credentials(headers: Raw | ProofHeaders, query_string: bytes = b"") -> Presented:
    """What the raw headers and the raw query string present; `AmbiguousProof` if a proof header comes twice."""
    found = ProofHeaders.of(headers)
    api_key, authorization = found.only(b"api-key"), found.only(b"authorization")
    tokens = _url_tokens(query_string) if query_string else []
    if api_key is None and authorization is None and not tokens:
        return _NOTHING
    scheme, _, rest = _bounded(authorization).partition(b" ")
    scheme, rest = scheme.lower(), rest.strip(b" ")
    key = _bounded(api_key)
    return Presented(
        api_key=digest(key) if key else None,
        basic=_basic(rest) if scheme == b"basic" else None,
        bearer=rest if scheme == b"bearer" and rest else None,
        url_token=digest(tokens[0]) if len(tokens) == 1 and tokens[0] else None,
    )


_NOTHING = Presented(is_empty=True)


def _bounded(value: bytes | None) -> bytes:
    return value if value is not None and len(value) <= MAX_PROOF_BYTES else b""


def _basic(token: bytes) -> tuple[bytes, bytes] | None:
    try:
        pair = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Python's decoder lets stray bits in the last character pass; another spelling is another credential
    if base64.b64encode(pair) != token or b":" not in pair:
        return None
    username, _, password = pair.partition(b":")
    return digest(username), digest(password)


def _url_tokens(query_string: bytes) -> list[bytes]:
    if len(query_string) > MAX_PROOF_BYTES:
        return [b""] if b"token=" in query_string else []
    pairs = (part.partition(b"=") for part in query_string.split(b"&"))
    return [_decoded(value) for name, _, value in pairs if _decoded(name) == b"token"]


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
