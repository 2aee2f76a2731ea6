"""All of a connection's customers to Appier Aixon: every row checked, then the changed ones uploaded (S002).

Nothing is sent before all rows were read and checked, so a run that is interrupted reads the CRM anew; what Aixon had
taken by then is not sent again.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

import msgspec
from sqlalchemy import Connection

from adapters.aixon.cells import Cell, Creation
from adapters.aixon.client import AixonClient
from adapters.aixon.models import AixonSettings
from adapters.aixon.spool import KeptRow
from adapters.aixon.staging import MAX_BODY_BYTES, Fault, Row, Staging
from adapters.aixon.table import Customer
from adapters.aixon.upload import LIST_SECONDS, State, Upload
from adapters.contract import CustomerListing, CustomerPage, CustomerSummary, NotFound
from adapters.deadline import Deadline
from gateway.clock import moment
from gateway.runtime import LiveConnection
from gateway.store import sync_records
from gateway.store.sync_records import Known
from gateway.sync import listing
from gateway.sync.deletions import Deletions
from gateway.sync.held_run import HeldRun
from gateway.sync.order import CannotSync, Order, SyncStopped
from gateway.sync.patience import Patience
from gateway.sync.progress import Progress, RowReport, Watcher
from gateway.sync.to_vainu import require_listing

_KEPT_AT_ONCE = 2_000
"""Rows whose digests are kept in one transaction: other writers wait for it."""
_LONGEST_KEY = 128
CUSTOMERS, UPLOAD, DELETIONS = "customers", "upload", "deletions"
"""The phases of a run, in their order; none is gone on with by another run."""


@dataclass(frozen=True, slots=True)
class StoredJournal:
    """What `adapters.aixon.upload` wants remembered, in the store."""

    run: HeldRun
    watcher: Watcher

    async def state(self) -> State:
        """What is remembered of the cell."""
        text = await self.run.store.read(lambda connection: sync_records.cell(connection, self.run.scope))
        return None if text is None else msgspec.json.decode(text, type=Cell | Creation)

    async def keep(self, state: State) -> None:
        """Remember this of the cell."""
        text = None if state is None else msgspec.json.encode(state).decode()
        await self.run.write(lambda connection: sync_records.set_cell(connection, self.run.scope, text))

    async def creating(self, creation: Creation) -> None:
        """A create goes out next."""
        await self.keep(creation)

    async def taken(self, cell: Cell, rows: Iterator[KeptRow]) -> None:
        """Aixon has these rows. A kill on the way costs no more than that some are sent again."""
        await self.keep(cell)
        while batch := await asyncio.to_thread(lambda: list(islice(rows, _KEPT_AT_ONCE))):
            await self._keep_rows(cell, {key_of(row.uid): row.digest for row in batch})
        counts = self.run.counts
        self.watcher.step(Progress(counts, self.run.total, f"{counts.created + counts.updated:,} rows sent"))

    async def _keep_rows(self, cell: Cell, digests: dict[str, bytes]) -> None:
        run = self.run
        known = await run.store.read(lambda connection: sync_records.known(connection, run.scope, list(digests)))
        before = sum(known.get(key, Known()).remote_id == cell.id for key in digests)
        run.counts.updated += before
        run.counts.created += len(digests) - before
        found = {key: Known(digest, cell.id) for key, digest in digests.items()}
        await run.advance(UPLOAD, None, lambda connection: self._write(connection, found))

    def _write(self, connection: Connection, found: dict[str, Known]) -> None:
        sync_records.keep(connection, self.run.scope, found, self.run.run.id)


class AixonSync:
    """One run. `max_body_bytes` is for tests: S002 says 32 MB."""

    def __init__(
        self,
        run: HeldRun,
        live: LiveConnection,
        order: Order,
        patience: Patience,
        watcher: Watcher,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._adapter, self._client, self._settings = require_aixon(live)
        self._run = run
        self._live = live
        self._order = order
        self._patience = patience
        self._watcher = watcher
        self._limit = max_body_bytes
        self._journal = StoredJournal(run, watcher)
        self._unreadable = 0

    async def work(self) -> None:
        """Read, check, send. `RemoteError` where the CRM or Aixon fails for longer."""
        state = await self._state()
        table = self._settings.table(self._live.settings.timezone)
        header = table.header(state.header if state is not None else ())
        try:
            with Staging(
                table,
                header,
                on_fault=self._fault,
                body_format=self._settings.body_format,
                max_body_bytes=self._limit,
            ) as staging:
                await self._read(staging)
                if not self._order.dry_run:
                    await self._send(staging, state)
        except OSError as error:
            raise SyncStopped(
                f"rows cannot be staged on this machine's disk: {error.strerror or error}", "disk"
            ) from None
        if self._order.since is None and self._settings.columns.get("customuid", "id") == "id":
            # under another customuid than the CRM's id, what is missing cannot be asked for
            await Deletions(self._run, self._live.adapter, None, self._live.pace, self._patience).look(self._watcher)

    async def _state(self) -> State:
        """What is remembered of the cell; with `full`, a cell that Aixon does not list is forgotten."""
        state = await self._journal.state()
        if isinstance(state, Cell) and self._order.full and not self._order.dry_run:
            cells = await self._client.list(Deadline.after(LIST_SECONDS))
            if state.id not in {cell.id for cell in cells}:
                await self._journal.keep(None)
                return None
        return state

    async def _read(self, staging: Staging) -> None:
        since = None if self._order.since is None else moment(self._order.since)
        async for page in listing.pages(self._adapter, None, since, self._live.pace, self._patience):
            await self._page(page, staging)
        await asyncio.to_thread(staging.seal)
        self._run.counts.failed = staging.refused + self._unreadable

    async def _page(self, page: CustomerPage, staging: Staging) -> None:
        run, counts = self._run, self._run.counts
        customers = listing.unique(page)
        rows = [row for each in customers.values() if (row := staging.check(customer_of(each))) is not None]
        keys = [key_of(row.uid) for row in rows]
        known = await run.store.read(lambda connection: sync_records.known(connection, run.scope, keys))
        for key, row in zip(keys, rows, strict=True):
            self._take(row, known.get(key, Known()), staging)
        for fault in page.faults:
            self._watcher.row(RowReport(fault.record_id or "", "failed", reason=fault.reason, detail=fault.detail))
        self._unreadable += len(page.faults)
        counts.pages += 1
        counts.customers += len(customers) + len(page.faults)
        counts.failed = staging.refused + self._unreadable
        run.total = page.total if page.total is not None else run.total
        seen = list(dict.fromkeys([*keys, *map(key_of, listing.record_ids(page))]))
        await run.advance(CUSTOMERS, None, lambda connection: self._see(connection, seen))
        self._watcher.step(Progress(counts, run.total, f"page {counts.pages:,}"))

    def _take(self, row: Row, known: Known, staging: Staging) -> None:
        counts = self._run.counts
        if known.digest == row.digest and not (self._order.full and self._order.dry_run):
            counts.unchanged += 1
            return
        staging.keep(row)
        if self._order.dry_run:
            counts.add("created" if known.remote_id is None else "updated")

    def _see(self, connection: Connection, keys: list[str]) -> None:
        sync_records.see(connection, self._run.scope, keys, self._run.run.id, add=not self._order.dry_run)

    async def _send(self, staging: Staging, state: State) -> None:
        description = self._settings.cell_description(self._live.name)
        upload = Upload(
            self._client, staging, state, self._journal, description=description, pause=self._patience.pause
        )
        try:
            async with self._live.pace.turn():
                await upload.run()
        except NotFound as error:
            raise SyncStopped(f"{self._live.redact(error.detail)}: sync with --full", error.reason) from None

    def _fault(self, fault: Fault) -> None:
        detail = self._live.redact(f"{fault.column}: {fault.message}")
        self._watcher.row(RowReport(fault.record_id, "failed", reason="invalid", detail=detail))


def customer_of(summary: CustomerSummary) -> Customer:
    """A CRM's customer as the column table reads it."""
    return Customer(
        summary.record_id,
        name=summary.name,
        city=summary.city,
        country=summary.country,
        industry=summary.industry,
        revenue=summary.revenue,
        employees=summary.employees,
        emails=summary.emails,
        labels=summary.labels,
        open_deals=summary.open_deals,
        won_deals=summary.won_deals,
        lost_deals=summary.lost_deals,
        last_won_at=summary.last_won_at,
        business_id=summary.business_id,
        owner_email=summary.owner_email,
        last_update=summary.last_update,
    )


def key_of(uid: str) -> str:
    """Under which a customuid is kept: itself, or its hash where it is longer or stranger than a CRM's id."""
    if len(uid) <= _LONGEST_KEY and uid.isprintable():
        return uid
    return "sha256:" + sha256(uid.encode()).hexdigest()


def require_aixon(live: LiveConnection) -> tuple[CustomerListing, AixonClient, AixonSettings]:
    """What a sync to Aixon needs of the connection; `CannotSync` where it is not there."""
    if live.aixon is None or live.settings.aixon is None:
        raise CannotSync(f'"{live.name}" has no Aixon: add [connections.{live.name}.aixon]')
    return require_listing(live), live.aixon, live.settings.aixon
