"""All of a connection's customers to Vainu's customer data: what changed is sent, page by page (S000, S001)."""

from collections.abc import Sequence

from sqlalchemy import Connection

from adapters.contract import (
    CustomerFault,
    CustomerListing,
    CustomerPage,
    RemoteError,
    Throttled,
    Unreachable,
)
from adapters.deadline import Deadline
from adapters.redaction import Redactor
from adapters.vainu import VainuClient
from gateway.clock import moment
from gateway.customer_data import company_alone
from gateway.inbound_work import record_key
from gateway.runtime import LiveConnection
from gateway.store import claims, companies, sync_records, sync_refusals
from gateway.store.sync_records import Known
from gateway.sync import listing, refusals
from gateway.sync.comparison import Comparison
from gateway.sync.deletions import Deletions
from gateway.sync.held_run import HeldRun
from gateway.sync.order import CannotSync, Order
from gateway.sync.patience import Patience
from gateway.sync.progress import Outcome, Progress, RowReport, Watcher
from gateway.sync.recognition import recognise
from gateway.sync.vainu_rows import Row, Sent, VainuRows

RECOGNITION, CUSTOMERS, DELETIONS = "recognition", "customers", "deletions"
"""The phases of a run, in their order."""
_CHECK_SECONDS = 15.0
_IMPORT_SECONDS = 900.0


class VainuSync:
    """One run."""

    def __init__(self, run: HeldRun, live: LiveConnection, order: Order, patience: Patience, watcher: Watcher) -> None:
        self._adapter, self._vainu = require_vainu(live)
        self._run = run
        self._live = live
        self._order = order
        self._patience = patience
        self._watcher = watcher
        self._has_imported = False
        self._redact: Redactor = live.redact
        self._rows = VainuRows(self._vainu, live.pace, patience, self._creates_leave, self._import_runs, self._holders)

    async def work(self) -> None:
        """Go on from where the run stands to its end. `RemoteError` where one of both systems fails for longer."""
        run = self._run
        phase, cursor = run.run.phase, run.run.cursor
        if not self._order.dry_run:
            await self._end_import()
        if phase == RECOGNITION:
            await self._recognise()
        comparison = Comparison(run, self._order, self._vainu.settings, await self._was_recognised_anew())
        if phase != DELETIONS:
            since = None if self._order.since is None else moment(self._order.since)
            async for page in listing.pages(self._adapter, cursor, since, self._live.pace, self._patience):
                await self._page(page, comparison)
        if self._order.since is None:
            deleting = self._vainu if self._order.delete and not self._order.dry_run else None
            looking = Deletions(run, self._live.adapter, deleting, self._live.pace, self._patience)
            await looking.look(self._watcher)

    async def _end_import(self) -> None:
        """A killed run may have left one of v1's batch imports: no other starts until it ends, and it makes rows."""
        run = self._run
        job_id = await run.store.read(lambda connection: sync_records.last_import(connection, run.scope))
        if job_id is None:
            return
        end = self._vainu.customer_data.end_import
        await self._patience.until_it_works(lambda: end(job_id, Deadline.after(_IMPORT_SECONDS)))
        await run.write(lambda connection: sync_records.set_last_import(connection, run.scope, None))

    async def _import_runs(self, job_id: str) -> None:
        self._has_imported = True
        await self._run.write(lambda c: sync_records.set_last_import(c, self._run.scope, job_id))

    async def _recognise(self) -> None:
        """Before a first sync, what Vainu holds is listed; later on it is asked before each create."""
        run = self._run
        if await run.store.read(lambda c: sync_records.recognised_at(c, run.scope)) is None:
            found = await recognise(run, self._vainu, self._live.pace, self._patience)
            self._watcher.step(Progress(run.counts, run.total, f"Vainu has {found:,} customer data objects already"))
        await run.advance(CUSTOMERS, None)

    async def _was_recognised_anew(self) -> bool:
        run = self._run
        at = await run.store.read(lambda c: sync_records.recognised_at(c, run.scope))
        return at is not None and at >= run.run.started_at

    async def _page(self, page: CustomerPage, comparison: Comparison) -> None:
        run, counts = self._run, self._run.counts
        compared = await comparison.of(page)
        rows = compared.rows
        sent = [] if self._order.dry_run else await self._rows.send(rows)
        if (failure := await self._failure_of_vainu(sent)) is not None:
            await self._keep_what_was_taken(page, sent)
            raise failure
        reports = [self._planned(row) for row in rows] if self._order.dry_run else [self._told(each) for each in sent]
        reports += [refusals.told_again(row, self._redact(row.summary.name), each) for row, each in compared.refused]
        reports += [self._unreadable(fault) for fault in page.faults]
        counts.pages += 1
        counts.customers += len(reports) + compared.unchanged
        counts.unchanged += compared.unchanged
        counts.remembered += len(compared.refused)
        for report in reports:
            counts.add(report.outcome)
        run.total = page.total if page.total is not None else run.total
        phase = CUSTOMERS if page.cursor is not None else DELETIONS
        await run.advance(phase, page.cursor, lambda connection: self._keep_page(connection, page, sent))
        for report in reports:
            self._watcher.row(report)
        self._watcher.step(Progress(counts, run.total, f"page {counts.pages:,}"))

    async def _creates_leave(self, rows: Sequence[Row]) -> set[str]:
        """Note the creates, and tell of which customers a webhook's work may be creating the same just now.

        Each side writes down its own create, then looks for the other's: so at least one of two sees the other.
        """
        run, ids = self._run, [row.summary.record_id for row in rows]
        await run.write(lambda c: sync_records.creates_leave(c, run.scope, ids, run.run.id))
        keys = {record_key(self._live.name, record_id): record_id for record_id in ids}
        return {keys[key] for key in await run.store.read(lambda c: claims.running_keys(c, list(keys)))}

    async def _holders(self, remote_ids: Sequence[str]) -> dict[str, str]:
        return await self._run.store.read(lambda c: sync_records.holders(c, self._run.scope, remote_ids))

    async def _failure_of_vainu(self, sent: Sequence[Sent]) -> RemoteError | None:
        """The error that says that it is Vainu which fails now, and no row of ours; None otherwise."""
        passing = [each.error for each in sent if each.error is not None and each.is_passing]
        for error in passing:
            if isinstance(error, Throttled | Unreachable):
                return error
        if not passing or len(passing) < len(sent):
            return None
        try:
            await self._vainu.check(Deadline.after(_CHECK_SECONDS))
        except RemoteError:
            return passing[0]
        return None

    async def _keep_what_was_taken(self, page: CustomerPage, sent: Sequence[Sent]) -> None:
        """The page is not done with: the next sync begins with it, and need not send these again, nor the refused."""
        taken = [each for each in sent if each.did]
        settled = [*taken, *(each for each in sent if refusals.is_for_good(each))]
        reports = [self._told(each) for each in taken]
        for report in reports:
            self._run.counts.add(report.outcome)
        await self._run.write(lambda connection: self._keep(connection, page, settled))
        for report in reports:
            self._watcher.row(report)

    def _keep_page(self, connection: Connection, page: CustomerPage, sent: Sequence[Sent]) -> None:
        self._keep(connection, page, sent)
        if self._has_imported and not any(each.is_passing for each in sent):
            # every row's outcome is known, so the page's import has ended: the next sync need not look after it
            sync_records.set_last_import(connection, self._run.scope, None)

    def _keep(self, connection: Connection, page: CustomerPage, sent: Sequence[Sent]) -> None:
        run = self._run
        sync_records.see(connection, run.scope, listing.record_ids(page), run.run.id, add=not self._order.dry_run)
        kept = {
            each.row.summary.record_id: Known(
                each.row.digest if each.did else company_alone(each.row.before),
                each.remote_id,
                each.did is None and each.may_exist,
            )
            for each in sent
        }
        sync_records.keep(connection, run.scope, kept, run.run.id)
        self._keep_refusals(connection, sent)
        told = {each.row.summary.record_id: each.remote_id for each in sent if each.did and each.remote_id}
        linked = companies.by_record_ids(connection, self._live.name, list(told))
        for record_id, company in linked.items():
            if company.customer_data_id != told[record_id]:
                companies.set_customer_data_id(connection, company.id, told[record_id], run.clock())

    def _keep_refusals(self, connection: Connection, sent: Sequence[Sent]) -> None:
        """Remember what was refused for good; of all else that was sent, forget what was refused earlier."""
        scope, now = self._run.scope, self._run.clock()
        refused = {each.row.summary.record_id: each for each in sent if refusals.is_for_good(each)}
        holders = sync_records.known(connection, scope, [each.holder for each in refused.values() if each.holder])
        kept = {
            record_id: refusals.refusal_of(each, self._told(each), holders.get(each.holder or ""), now)
            for record_id, each in refused.items()
        }
        sync_refusals.settle(connection, scope, [each.row.summary.record_id for each in sent], kept)

    def _planned(self, row: Row) -> RowReport:
        outcome: Outcome = "updated" if row.remote_id is not None else "created"
        return RowReport(row.summary.record_id, outcome, self._redact(row.summary.name), row.remote_id or "")

    def _told(self, sent: Sent) -> RowReport:
        summary, error = sent.row.summary, sent.error
        return RowReport(
            summary.record_id,
            sent.did or "failed",
            self._redact(summary.name),
            sent.remote_id or "",
            error.reason if error is not None else "",
            self._redact(error.detail) if error is not None else "",
            sent.candidates,
        )

    def _unreadable(self, fault: CustomerFault) -> RowReport:
        return RowReport(fault.record_id or "", "failed", reason=fault.reason, detail=self._redact(fault.detail))


def require_vainu(live: LiveConnection) -> tuple[CustomerListing, VainuClient]:
    """What a sync to Vainu needs of the connection; `CannotSync` where it is not there."""
    if live.vainu is None:
        raise CannotSync(f'"{live.name}" has no Vainu API: add [connections.{live.name}.vainu]')
    return require_listing(live), live.vainu


def require_listing(live: LiveConnection) -> CustomerListing:
    """The adapter as one that lists customers; `CannotSync` where its CRM cannot."""
    if not isinstance(live.adapter, CustomerListing):
        raise CannotSync(f'the adapter "{live.settings.crm}" of "{live.name}" cannot list its CRM\'s customers')
    return live.adapter
