"""Syncs at the times that the configuration asks for, inside `gateway serve`: by one process at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from gateway.clock import Clock
from gateway.owner import is_gone
from gateway.runtime import LiveConnection, Runtime
from gateway.store import StoreUnavailable, sync_runs
from gateway.store.sync_runs import Latest, SyncRun, SyncRunning
from gateway.store.tables import SyncState
from gateway.sync.order import CannotSync, Order, SyncStopped
from gateway.sync.progress import Begun, Progress, RowReport
from gateway.sync.syncs import Syncs

log = structlog.get_logger()

LOOK_SECONDS = 5.0
AGAIN_MS = 300_000
"""How long after an interruption it is tried again, besides as long as the run took: what cannot be must not become a
load. The schedule's own interval, where that is shorter."""
_AT_ONCE = 4
"""Syncs in work at the same time in one process."""
_LOGGED_ROWS = 20
_BEGIN_SECONDS = 10.0
"""How long who asks for a sync waits for it to begin."""


class Schedule:
    """One per process; the store decides which of several syncs."""

    def __init__(
        self,
        syncs: Syncs,
        runtime: Runtime,
        clock: Clock,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._syncs = syncs
        self._runtime = runtime
        self._clock = clock
        self._pause = pause
        self._running: dict[Order, asyncio.Task[None]] = {}
        self._refused: set[Order] = set()
        self._asked: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look every few seconds, until cancelled; then stop what runs: the next process goes on with it."""
        try:
            while True:
                try:
                    await self.look()
                except StoreUnavailable as error:
                    log.warning("sync.store_unavailable", detail=str(error))
                except Exception:
                    # a defect of ours must not end the schedule for good, unseen
                    log.exception("sync.internal_error")
                await self._pause(LOOK_SECONDS)
        finally:
            await self._stop()

    async def look(self) -> list[asyncio.Task[None]]:
        """Begin every sync that is due now; the tasks that were begun."""
        self._running = {order: task for order, task in self._running.items() if not task.done()}
        begun = []
        for live in list(self._runtime.connections.values()):
            for order in orders_of(live):
                if order in self._running or len(self._running) >= _AT_ONCE:
                    continue
                last = await self._syncs.store.read(lambda c, order=order: sync_runs.latest(c, order.scope, whole=True))  # type: ignore[misc]  # mypy infers no lambda with defaults
                if due_at(last, live, is_gone) <= self._clock():
                    task = asyncio.create_task(self._sync(live, order, last), name=f"sync {order.connection}")
                    self._running[order] = task
                    begun.append(task)
        return begun

    async def _sync(self, live: LiveConnection, order: Order, last: SyncRun | None) -> None:
        try:
            counts = await self._syncs.run(live, order, LogWatcher(), after=Latest.of(last))
        except SyncRunning:
            # another process was quicker
            return
        except SyncStopped as error:
            log.error("sync.stopped", connection=order.connection, to=order.target, reason=error.reason)
        except CannotSync as error:
            if order not in self._refused:
                log.error("sync.cannot", connection=order.connection, to=order.target, detail=str(error))
            self._refused.add(order)
        except StoreUnavailable as error:
            log.warning("sync.store_unavailable", connection=order.connection, detail=str(error))
        except Exception:
            log.exception("sync.internal_error", connection=order.connection, to=order.target)
        else:
            log.info("sync.done", connection=order.connection, to=order.target, **msgspec.to_builtins(counts))

    async def begin(self, live: LiveConnection, order: Order) -> int:
        """Begin a sync that somebody asks for, and let it run as a scheduled one does; the id of its run.

        `CannotSync`, `SyncRunning`, `StoreUnavailable` where it does not begin.
        """
        watcher = _Announcing()
        task = asyncio.create_task(self._asked_for(live, order, watcher), name=f"sync {order.connection}")
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        either: list[asyncio.Future[Any]] = [task, watcher.run_id]
        done, _waiting = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED, timeout=_BEGIN_SECONDS)
        if not done:
            task.cancel()
            raise StoreUnavailable("the store does not answer in time")
        if not watcher.run_id.done():
            await task
        return await watcher.run_id

    async def _asked_for(self, live: LiveConnection, order: Order, watcher: "_Announcing") -> None:
        try:
            counts = await self._syncs.run(live, order, watcher)
        except SyncStopped as error:
            log.error("sync.stopped", connection=order.connection, to=order.target, detail=error.detail)
        except Exception:
            if not watcher.run_id.done():
                # it has not begun: who asked for it is told
                raise
            log.exception("sync.internal_error", connection=order.connection, to=order.target)
        else:
            log.info("sync.done", connection=order.connection, to=order.target, **msgspec.to_builtins(counts))

    async def _stop(self) -> None:
        tasks = [*self._running.values(), *self._asked]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def orders_of(live: LiveConnection) -> list[Order]:
    """What the configuration wants synced of a connection by itself."""
    wanted = live.settings.sync
    if wanted.every is None:
        return []
    return [Order(live.name, target, delete=wanted.delete and target == "vainu") for target in wanted.to]


def due_at(last: SyncRun | None, live: LiveConnection, gone: Callable[[str], bool]) -> int:
    """When the next scheduled sync begins; Unix milliseconds. `gone` tells whether a lease's holder lives no more."""
    every = live.settings.sync.every
    if last is None or every is None:
        return 0
    if last.state == SyncState.RUNNING:
        # its holder may be killed
        return last.updated_at if gone(last.lease_owner or "") else last.lease_until or 0
    interval = round(every.total_seconds() * 1000)
    if last.state == SyncState.INTERRUPTED:
        ended = last.ended_at or last.updated_at
        return ended + min(AGAIN_MS + ended - last.started_at, interval)
    return last.started_at + interval


class LogWatcher:
    """Tells the log of a run: where it begins, and the first rows that fail. Names and notes of customers stay out."""

    def __init__(self) -> None:
        self._logged = 0
        self._about: dict[str, object] = {}

    def begun(self, begun: Begun) -> None:
        """The run begins."""
        self._about = {"connection": begun.connection, "to": begun.target}
        log.info("sync.begun", **self._about, continued=begun.resumed)

    def row(self, report: RowReport) -> None:
        """A customer is done with."""
        if report.outcome == "failed" and self._logged < _LOGGED_ROWS:
            self._logged += 1
            log.warning("sync.row_failed", **self._about, record_id=report.record_id, reason=report.reason)

    def step(self, progress: Progress) -> None:
        """A page is done with; the store has it too."""
        log.debug("sync.page", **self._about, customers=progress.counts.customers)


class _Announcing(LogWatcher):
    """Also tells who asked for the sync that it has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.run_id: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def begun(self, begun: Begun) -> None:
        """The run begins."""
        super().begun(begun)
        if not self.run_id.done():
            self.run_id.set_result(begun.run_id)
