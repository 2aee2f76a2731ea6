"""Removes what is older than `storage.retention_days`: at start and about once an hour, in small batches.

The history goes with it; the audit log is kept for a year at least, since what it answers is asked late.
"""

import asyncio
from dataclasses import dataclass

import structlog

from gateway.clock import Clock
from gateway.runtime import Runtime
from gateway.store import Store, StoreUnavailable, audit, history, retention, traces

log = structlog.get_logger()

EVERY_SECONDS = 3_600.0
_AGAIN_SECONDS = 60.0
"""After a store that failed."""
_BATCH = 200
_SHORTEST_PAUSE_SECONDS = 0.01
_DAY_MS = 86_400_000
_HISTORY_SPAN_MS = _DAY_MS // 4
"""How much of the history goes in one batch: at most 360 rows of each connection's job."""
AUDIT_DAYS = 365


@dataclass(frozen=True, slots=True)
class Retention:
    """One per process; several at once only share the work."""

    store: Store
    runtime: Runtime
    clock: Clock

    async def run(self) -> None:
        """Sweep now and every hour, until cancelled."""
        while True:
            pause = EVERY_SECONDS
            try:
                await self.sweep()
            except StoreUnavailable as error:
                log.warning("retention.store_unavailable", detail=str(error))
                pause = _AGAIN_SECONDS
            except Exception:
                # a defect of ours must not end the sweeping for good, unseen
                log.exception("retention.internal_error")
            await asyncio.sleep(pause)

    async def sweep(self) -> int:
        """Remove everything that is old enough now; how many deliveries that were."""
        before = self.clock() - self.runtime.settings.storage.retention_days * _DAY_MS
        await self.store.write(lambda c: traces.forget(c, before))
        removed = 0
        for state in retention.REMOVABLE:
            after: retention.Cursor | None = (-1, -1)
            while after is not None:
                started = asyncio.get_running_loop().time()
                batch = await self.store.write(
                    lambda c, state=state, after=after: retention.remove(c, state, before, after, _BATCH),  # type: ignore[misc]  # mypy infers no lambda with defaults
                    "retention",
                )
                removed, after = removed + batch.removed, batch.after
                # as long as the batch took: writers have the store for at least half of the time
                await asyncio.sleep(max(_SHORTEST_PAUSE_SECONDS, asyncio.get_running_loop().time() - started))
        await self._sweep_history(before)
        days = max(AUDIT_DAYS, self.runtime.settings.storage.retention_days)
        await self._sweep_audit(self.clock() - days * _DAY_MS)
        if removed:
            log.info(
                "retention.removed", deliveries=removed, retention_days=self.runtime.settings.storage.retention_days
            )
        return removed

    async def _sweep_history(self, before: int) -> None:
        there_is_more = True
        while there_is_more:
            there_is_more = await self.store.write(lambda c: history.remove(c, before, _HISTORY_SPAN_MS))
            await asyncio.sleep(_SHORTEST_PAUSE_SECONDS)

    async def _sweep_audit(self, before: int) -> None:
        there_is_more = True
        while there_is_more:
            there_is_more = await self.store.write(lambda c: audit.remove(c, before, _BATCH))
            await asyncio.sleep(_SHORTEST_PAUSE_SECONDS)
