"""How much work stands where, for health and metrics: also that of connections the configuration does not have."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.runtime import Runtime
from gateway.store import DeliveryState, Store, ledger

_FRESH_SECONDS = 1.0
_SHARE = 20
"""A count that took long is kept for this many times as long: looking must not become a load."""

Counts = Mapping[tuple[str, DeliveryState], int]
"""By connection and state."""


@dataclass(slots=True)
class Backlog:
    """Counts what waits, is in work, or gave up; at most about a second old, older where counting takes long."""

    store: Store
    runtime: Runtime
    _counts: Counts = field(default_factory=dict)
    _fresh_until: float = -1e9
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def counts(self) -> Counts:
        """The counts; `StoreUnavailable` if the store does not tell."""
        async with self._lock:
            started = time.monotonic()
            if started >= self._fresh_until:
                self._counts = await self.store.read(ledger.standing)
                ended = time.monotonic()
                self._fresh_until = ended + max(_FRESH_SECONDS, _SHARE * (ended - started))
            return self._counts

    async def without_connection(self) -> dict[str, int]:
        """How much unfinished work waits for connections that the configuration does not have, by their names."""
        found: dict[str, int] = {}
        for (name, state), number in (await self.counts()).items():
            if state != DeliveryState.DEAD and name not in self.runtime.connections:
                found[name] = found.get(name, 0) + number
        return found
