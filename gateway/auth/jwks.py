"""The public keys of token issuers: fetched by URL, cached, refreshed when they age or a new key id turns up."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import base64_to_int

from adapters.contract import RemoteError, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http import RemoteClient
from adapters.upstream import PUBLIC, UpstreamSettings
from gateway.auth.errors import AuthUnavailable

PublicKey = RSAKey | ECKey | OKPKey

FRESH_SECONDS = 600.0
"""How long a fetched set is used before it is fetched again."""
SEARCH_PAUSE_SECONDS = 10.0
"""How long after a fetch for an unknown key id the next such fetch waits; also after a failed fetch."""
FIRST_PAUSE_SECONDS = 1.0
"""How long after a failed fetch the next one waits while there is no set at all."""
FETCH_SECONDS = 5.0
_MAX_BYTES = 1_000_000
_MAX_KEYS = 100
_LEAST_RSA_BITS = 2_048
_NEVER = float("-inf")
_log = structlog.get_logger()
# what joserfc lets out when a key is malformed: its own tree, and what base64, int and cryptography raise
_BAD_KEY = (JoseError, ValueError, TypeError, KeyError, AttributeError)


class JwksCache:
    """The key set behind one URL, for one event loop; a failed refresh leaves the last good set in use.

    `clock` gives monotonic seconds.
    """

    def __init__(
        self, url: str, clock: Callable[[], float] = time.monotonic, upstream: UpstreamSettings = PUBLIC
    ) -> None:
        self._url = url
        self._upstream = upstream
        self._clock = clock
        self._keys: tuple[PublicKey, ...] | None = None
        self._fetched_at = _NEVER
        self._failed_at = _NEVER
        self._searched_at = _NEVER
        self._flight: asyncio.Task[None] | None = None

    async def keys_for(self, kid: str | None, algorithm: str) -> list[PublicKey]:
        """The keys that may have signed with `algorithm` under this key id (None: under any); may be none.

        Raises `AuthUnavailable` if there has never been a set and none can be fetched.
        """
        known = self._keys
        await self._keep_fresh()
        found = self._fitting(kid, algorithm)
        # a set that was fetched for this very call need not be fetched again
        if not found and self._keys is known:
            await self._search()
            found = self._fitting(kid, algorithm)
        if self._keys is None:
            raise AuthUnavailable(max(0.0, self._failed_at + FIRST_PAUSE_SECONDS - self._clock()))
        return found

    async def _keep_fresh(self) -> None:
        now = self._clock()
        if now - self._fetched_at < FRESH_SECONDS:
            return
        has_failed = self._failed_at > self._fetched_at
        if has_failed and now - self._failed_at < self._pause and self._flight is None:
            return
        flight = self._start()
        # while the issuer is down, nobody waits who can be judged by the last good set
        if self._keys is None or not has_failed:
            await asyncio.shield(flight)

    async def _search(self) -> None:
        """Fetch because of an unknown key id: at most once a pause, so that made-up ids are no lever."""
        now = self._clock()
        if self._keys is None or (self._flight is None and now - self._searched_at < SEARCH_PAUSE_SECONDS):
            return
        self._searched_at = now
        await asyncio.shield(self._start())

    @property
    def _pause(self) -> float:
        return FIRST_PAUSE_SECONDS if self._keys is None else SEARCH_PAUSE_SECONDS

    def _start(self) -> asyncio.Task[None]:
        """The fetch under way, started if there is none: all who wait share it, and none of them can cancel it."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._refresh())
        return self._flight

    async def _refresh(self) -> None:
        try:
            self._keys = await _fetch(self._url, self._upstream)
            self._fetched_at = self._clock()
        except RemoteError as error:
            self._failed_at = self._clock()
            where = self._url.partition("?")[0]
            _log.warning("jwks_refresh_failed", url=where, reason=error.reason)
        finally:
            self._flight = None

    def _fitting(self, kid: str | None, algorithm: str) -> list[PublicKey]:
        keys = self._keys or ()
        return [key for key in keys if (kid is None or key.kid == kid) and _fits(key, algorithm)]


async def _fetch(url: str, upstream: UpstreamSettings) -> tuple[PublicKey, ...]:
    client = RemoteClient("jwks", url, upstream=upstream)
    try:
        reply = await client.call("GET", url, action="jwks", deadline=Deadline.after(FETCH_SECONDS), safe=True)
    finally:
        await client.aclose()
    if len(reply.content) > _MAX_BYTES:
        raise UnexpectedReply(f"jwks answered {len(reply.content):,} bytes, expected at most {_MAX_BYTES:,}")
    return public_keys(reply.json())


def public_keys(document: Any) -> tuple[PublicKey, ...]:
    """The usable signature keys of a JWK set (RFC 7517 section 5); `UnexpectedReply` if there is none.

    A key that is malformed, symmetric, too short or not for signatures is left out, the others count.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise UnexpectedReply('jwks answered JSON without a list "keys", expected a JWK set')
    keys = [key for each in listed[:_MAX_KEYS] if (key := _public_key(each)) is not None]
    if not keys:
        raise UnexpectedReply(f"jwks answered {len(listed)} keys, none of them usable for signatures")
    return tuple(keys)


def _public_key(jwk: Any) -> PublicKey | None:
    if not isinstance(jwk, dict) or jwk.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        # before the import, where joserfc would only warn of it (RFC 7518 section 3.3 forbids it)
        if jwk["kty"] == "RSA" and base64_to_int(jwk["n"]).bit_length() < _LEAST_RSA_BITS:
            return None
        key = JWKRegistry.import_key(jwk)
        key.check_use("sig")
        key.check_key_op("verify")
    except _BAD_KEY:
        return None
    return key if isinstance(key, PublicKey) else None


def _fits(key: PublicKey, algorithm: str) -> bool:
    """Whether the key's type, curve and own `alg` allow this algorithm: no key ever serves another kind."""
    try:
        JWSRegistry.algorithms[algorithm].check_key(key)
    except _BAD_KEY:
        return False
    return True
