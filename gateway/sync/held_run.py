"""A run under its lease: nobody else works on the same connection and target meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.owner import is_gone, new_owner
from gateway.store import Store, StoreUnavailable, WriteRefused, sync_runs
from gateway.store.claims import Lease
from gateway.store.sync_runs import Scope, SyncLeaseLost, SyncRun, Wanted
from gateway.store.tables import SyncState
from gateway.sync.progress import Counts

LEASE_MS = 60_000
RENEW_SECONDS = 10.0
_STORE_PAUSES = (0.5, 2.0, 8.0)
"""Seconds between attempts to write."""
_END_SECONDS = 5.0
"""What writing down the end of a cancelled run may take."""


@dataclass(slots=True)
class HeldRun:
    """A run that this process works on."""

    store: Store
    clock: Clock
    run: SyncRun
    resumed: bool
    owner: str
    counts: Counts
    total: int | None

    @property
    def scope(self) -> Scope:
        """What it is about."""
        return Scope(self.run.connection, self.run.target)

    async def advance(
        self, phase: str, cursor: str | None, also: Callable[[Connection], None] = lambda _connection: None
    ) -> None:
        """Keep how far the run is, in one transaction with what `also` writes. `SyncLeaseLost` if it is not ours."""
        counts = msgspec.json.encode(self.counts).decode()

        def write(connection: Connection) -> None:
            self._change(connection, phase=phase, cursor=cursor, counts=counts, total=self.total)
            also(connection)

        await self._kept(write)

    async def write(self, work: Callable[[Connection], None]) -> None:
        """Write while the run is ours; `SyncLeaseLost` otherwise."""

        def write(connection: Connection) -> None:
            self._change(connection)
            work(connection)

        await self._kept(write)

    async def _kept(self, work: Callable[[Connection], None]) -> None:
        """Another process may hold the store for a moment, or a database fail over: hours of work wait for that."""
        for pause in _STORE_PAUSES:
            try:
                return await self.store.write(work, "sync")
            except WriteRefused:
                raise
            except StoreUnavailable:
                await asyncio.sleep(pause)
        return await self.store.write(work, "sync")

    def _change(self, connection: Connection, **values: object) -> None:
        now = self.clock()
        sync_runs.change_held(connection, self.run.id, self.owner, lease_until=now + LEASE_MS, updated_at=now, **values)

    async def renew(self) -> None:
        """Keep the lease, for as long as this runs."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            # a store that fails for a moment, or a lost lease, is told by the next write of the run itself
            with contextlib.suppress(StoreUnavailable, SyncLeaseLost):
                await self.store.write(self._change)

    async def end(self, state: SyncState, detail: str | None = None) -> None:
        """Give the lease back."""
        now = self.clock()
        values = {"state": state, "detail": detail, "ended_at": now, "updated_at": now}
        values |= {"lease_owner": None, "lease_until": None, "counts": msgspec.json.encode(self.counts).decode()}
        await self.store.write(lambda c: sync_runs.change_held(c, self.run.id, self.owner, **values))


@contextlib.asynccontextmanager
async def held(store: Store, clock: Clock, scope: Scope, wanted: Wanted) -> AsyncIterator[HeldRun]:
    """The run to work on. At the end of the block it is done; where the block is left by an error, interrupted.

    `sync_runs.SyncRunning` where another process works on one.
    """
    owner, now = new_owner(), clock()
    lease = Lease(owner, now + LEASE_MS)
    run, resumed = await store.write(
        lambda c: sync_runs.begin(c, scope, wanted, lease, now, is_gone), "sync_begin", first=True
    )
    counts = msgspec.json.decode(run.counts, type=Counts)
    held_run = HeldRun(store, clock, run, resumed, owner, counts, run.total)
    renewing = asyncio.create_task(held_run.renew())
    try:
        yield held_run
    except BaseException as error:
        await _interrupted(held_run, error)
        raise
    else:
        await held_run.end(SyncState.DONE)
    finally:
        renewing.cancel()
        await asyncio.wait([renewing])


async def _interrupted(held_run: HeldRun, error: BaseException) -> None:
    detail = getattr(error, "detail", None) or f"stopped ({type(error).__name__})"
    state = SyncState.ABANDONED if held_run.run.dry_run else SyncState.INTERRUPTED
    ending = asyncio.ensure_future(held_run.end(state, str(detail)[:1_000]))
    # what cannot be written down now is found out by the next run: the lease's holder is gone
    with contextlib.suppress(StoreUnavailable, SyncLeaseLost, TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            await asyncio.shield(ending)
