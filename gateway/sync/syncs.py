"""Runs one sync from beginning to end, under its lease."""

from dataclasses import dataclass

from adapters.contract import RemoteError
from gateway.clock import Clock
from gateway.runtime import LiveConnection
from gateway.store import Store
from gateway.store.sync_runs import Latest, SyncLeaseLost, Wanted
from gateway.sync.held_run import HeldRun, held
from gateway.sync.order import RESUMABLE_MS, Order, SyncStopped
from gateway.sync.patience import Patience
from gateway.sync.progress import Begun, Counts, Watcher
from gateway.sync.to_aixon import AixonSync, require_aixon
from gateway.sync.to_vainu import CUSTOMERS, RECOGNITION, VainuSync, require_vainu


@dataclass(frozen=True, slots=True)
class Syncs:
    """One per process."""

    store: Store
    clock: Clock
    patience: Patience

    async def run(self, live: LiveConnection, order: Order, watcher: Watcher, *, after: Latest | None = None) -> Counts:
        """Sync a connection's customers; what was done, also before an interruption that this run continues.

        `after` begins it only while that is still the newest run.
        `CannotSync` where the configuration lacks something, `SyncRunning` where another process syncs the same,
        `SyncStopped` where it ended before its last customer, `StoreUnavailable`.
        """
        require_vainu(live) if order.target == "vainu" else require_aixon(live)
        wanted = Wanted(
            dry_run=order.dry_run,
            full=order.full,
            since=order.since,
            not_before=self.clock() - RESUMABLE_MS,
            first_phase=RECOGNITION if order.target == "vainu" else CUSTOMERS,
            after=after,
            # what Aixon is sent was checked as a whole, which another run has to do anew
            continues=order.target == "vainu",
        )
        try:
            with live.in_use():
                async with held(self.store, self.clock, order.scope, wanted) as run:
                    watcher.begun(_begun(run, order))
                    await self._work(run, live, order, watcher)
                    return run.counts
        except RemoteError as error:
            raise SyncStopped(live.redact(error.detail), error.reason) from None
        except SyncLeaseLost:
            raise SyncStopped("another process has taken the sync over", "taken_over") from None

    async def _work(self, run: HeldRun, live: LiveConnection, order: Order, watcher: Watcher) -> None:
        run_of = VainuSync if order.target == "vainu" else AixonSync
        await run_of(run, live, order, self.patience, watcher).work()


def _begun(run: HeldRun, order: Order) -> Begun:
    return Begun(order.connection, order.target, order.dry_run, run.resumed, run.run.started_at, run.counts, run.run.id)
