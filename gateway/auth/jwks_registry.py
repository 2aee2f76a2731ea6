"""All key sets that this process has fetched, or may fetch."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.upstream import PUBLIC, TlsSettings, UpstreamSettings

if TYPE_CHECKING:
    from gateway.auth.jwks import JwksCache


class JwksRegistry:
    """Where a set is, and how it is reached → its cache; outlives a reload of the settings, so that keys do too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._caches: dict[tuple[str, bool, TlsSettings], JwksCache] = {}

    def of(self, url: str, upstream: UpstreamSettings = PUBLIC) -> "JwksCache":
        """The one cache of this URL, reached like this."""
        # imported here: a gateway that no JWT can sign in to is spared what reads keys, 10 MB of memory
        from gateway.auth.jwks import JwksCache

        key = url, upstream.allow_private, upstream.tls
        if key not in self._caches:
            self._caches[key] = JwksCache(url, self._clock, upstream)
        return self._caches[key]
