"""JSON Web Tokens (RFC 7519) as proof of who is calling: bytes and keys in, `VerifiedToken` or `Unauthorized` out.

The checks follow RFC 8725: pinned asymmetric algorithms, the key must be of the algorithm's kind, issuer, audience
and expiry are required, `crit` is refused.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact
from joserfc.jwt import JWTClaimsRegistry

from adapters.plain_text import one_line
from gateway.auth.errors import Unauthorized
from gateway.auth.jwks import JwksCache, PublicKey
from gateway.auth.settings import ALGORITHMS, JwtSettings

_NAME_CHARACTERS = 128
# what joserfc and the JSON parser let out on hostile bytes
_MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a genuine token says."""

    name: str
    """`sub`, else `client_id`: who it was issued to, on one line."""
    scopes: frozenset[str]
    connections: frozenset[str] | None
    """The claim `connections`; None where it is absent, empty where it is no list of names."""


class _PinnedRegistry(JWSRegistry):
    """joserfc's rules, for our algorithms and without its warning at each EdDSA token (Ed25519's name before RFC 9864).

    Headers that the specifications do not name are let through, as RFC 7515 section 4 asks: issuers add their own.
    """

    max_header_length = 8_192

    def __init__(self) -> None:
        super().__init__(algorithms=ALGORITHMS, strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise Unauthorized("malformed_token")
        return self.algorithms[name]


_REGISTRY = _PinnedRegistry()


async def verify(token: bytes, settings: JwtSettings, jwks: JwksCache, now: Callable[[], float]) -> VerifiedToken:
    """What a genuine, valid token says. `now` gives Unix seconds.

    Raises `Unauthorized` with the reason, or `AuthUnavailable` where the issuer's keys cannot be had.
    """
    signed = await genuine(token, settings.algorithms, jwks)
    return _read(_valid_claims(signed.payload, settings, int(now())))


async def genuine(token: bytes, algorithms: Collection[str], jwks: JwksCache) -> CompactSignature:
    """A token that one of the issuer's keys signed with one of these algorithms; what it claims is not judged.

    Raises as `verify` does.
    """
    signed = _unpacked(token)
    header = signed.headers()
    kid, algorithm = header.get("kid"), header.get("alg")
    if algorithm is None or algorithm not in algorithms or "crit" in header or not isinstance(kid, str | None):
        raise Unauthorized("malformed_token")
    keys = await jwks.keys_for(kid, algorithm)
    if not keys:
        raise Unauthorized("unknown_key")
    if not any(_is_signed_by(signed, key) for key in keys):
        raise Unauthorized("wrong_signature")
    return signed


def _unpacked(token: bytes) -> CompactSignature:
    try:
        signed = extract_compact(token, registry=_REGISTRY)
    except _MALFORMED:
        raise Unauthorized("malformed_token") from None
    if not isinstance(signed.headers(), dict):
        raise Unauthorized("malformed_token")
    return signed


def _is_signed_by(signed: CompactSignature, key: PublicKey) -> bool:
    try:
        return validate_compact(signed, key, registry=_REGISTRY)
    except _MALFORMED:
        return False


def _valid_claims(payload: bytes, settings: JwtSettings, now: int) -> dict[str, Any]:
    rules = JWTClaimsRegistry(
        now=now,
        leeway=settings.leeway_seconds,
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "value": settings.audience},
        exp={"essential": True},
    )
    try:
        claims = json.loads(payload)
        rules.validate(claims)
    except ExpiredTokenError:
        raise Unauthorized("expired_token") from None
    except ClaimError:
        raise Unauthorized("wrong_claims") from None
    except _MALFORMED:
        raise Unauthorized("malformed_token") from None
    if not isinstance(claims, dict):
        raise Unauthorized("malformed_token")
    return claims


def _read(claims: dict[str, Any]) -> VerifiedToken:
    name = one_line(claims.get("sub"), _NAME_CHARACTERS) or one_line(claims.get("client_id"), _NAME_CHARACTERS)
    connections = None
    if "connections" in claims:
        listed = claims["connections"]
        connections = _strings(listed) if isinstance(listed, list) else frozenset[str]()
    # `scope` is RFC 8693's and RFC 9068's; `scp` is Okta's (a list) and Microsoft Entra's (a string)
    scopes = _strings(claims.get("scope")) | _strings(claims.get("scp"))
    return VerifiedToken(name or "unnamed", scopes, connections)


def _strings(value: object) -> frozenset[str]:
    words = value.split(" ") if isinstance(value, str) else value
    if not isinstance(words, list):
        return frozenset()
    return frozenset(word for word in words if isinstance(word, str) and word)
