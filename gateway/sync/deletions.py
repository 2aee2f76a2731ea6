"""Customers that earlier runs saw and this one did not: told, and deleted at Vainu where that is asked for."""

from functools import partial

from sqlalchemy import Connection

from adapters.contract import Adapter, NotFound, Refused, RemoteError
from adapters.deadline import Deadline
from adapters.vainu import VainuClient
from gateway.pace import Pace
from gateway.store import companies, sync_records
from gateway.store.sync_records import Missing
from gateway.sync.held_run import HeldRun
from gateway.sync.patience import Patience
from gateway.sync.progress import Progress, RowReport, Watcher

_AT_ONCE = 100
_CALL_SECONDS = 30.0


class Deletions:
    """Looks for customers that the CRM has deleted. `vainu` None: they are told, and stay where they are."""

    def __init__(
        self, run: HeldRun, adapter: Adapter, vainu: VainuClient | None, pace: Pace, patience: Patience
    ) -> None:
        self._run = run
        self._adapter = adapter
        self._vainu = vainu
        self._pace = pace
        self._patience = patience
        # Aixon deletes no customers: to tell of the same ones at every run would help nobody
        self._is_told_once = run.run.target == "aixon" and not run.run.dry_run

    async def look(self, watcher: Watcher) -> None:
        """Every customer that was not seen is asked for: a list that changed while it was read proves nothing."""
        run, after = self._run, ""
        run.counts.gone = run.counts.deleted = 0
        while found := await run.store.read(
            lambda c, after=after: sync_records.missing(c, run.scope, run.run.id, after, _AT_ONCE)  # type: ignore[misc]  # mypy infers no lambda with defaults
        ):
            for each in found:
                report = await self._one(each)
                if report is not None:
                    run.counts.add(report.outcome)
                    watcher.row(report)
            after = found[-1].record_id
            gone = run.counts.gone + run.counts.deleted
            watcher.step(Progress(run.counts, run.total, f"{gone:,} deleted in the CRM"))

    async def _one(self, missing: Missing) -> RowReport | None:
        try:
            exists = await self._patience.until_it_works(partial(self._exists, missing.record_id))
        except NotFound:
            exists = False
        except Refused as error:
            return self._failed(missing, error)
        if exists:
            return None
        if self._vainu is None or missing.remote_id is None:
            if self._is_told_once or (missing.remote_id is None and not self._run.run.dry_run):
                await self._forget(missing)
            return RowReport(missing.record_id, "gone", remote_id=missing.remote_id or "")
        try:
            await self._patience.until_it_works(partial(self._delete, self._vainu, missing.remote_id))
        except RemoteError as error:
            return self._failed(missing, error)
        await self._forget(missing)
        return RowReport(missing.record_id, "deleted", remote_id=missing.remote_id)

    def _failed(self, missing: Missing, error: RemoteError) -> RowReport:
        return RowReport(
            missing.record_id, "failed", remote_id=missing.remote_id or "", reason=error.reason, detail=error.detail
        )

    async def _exists(self, record_id: str) -> bool:
        async with self._pace.turn():
            return await self._adapter.exists(record_id, Deadline.after(_CALL_SECONDS))

    async def _delete(self, vainu: VainuClient, remote_id: str) -> None:
        async with self._pace.turn():
            try:
                await vainu.customer_data.delete(remote_id, Deadline.after(_CALL_SECONDS))
            except NotFound:
                # somebody was quicker, or an earlier answer was lost
                return

    async def _forget(self, missing: Missing) -> None:
        run, now = self._run, self._run.clock()

        def forget(connection: Connection) -> None:
            sync_records.forget(connection, run.scope, [missing.record_id])
            if missing.remote_id is not None:
                companies.forget_customer_data(connection, run.run.connection, missing.remote_id, now)

        await run.write(forget)
