"""Customer data in v1 of the API (S001): matched by top-level parameters, many at once by batch imports."""

from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import ClassVar

from adapters.contract import BadCredentials, NotFound, Refused, RemoteError, ServerFault
from adapters.deadline import Deadline
from adapters.vainu.batch_imports import BatchImports, ImportJob, ImportUnfinished, assign
from adapters.vainu.calls import Calls, patiently
from adapters.vainu.customer_data import CustomerDataApi, OnImport, no_one
from adapters.vainu.customer_rows import CustomerRow, RowOutcome
from adapters.vainu.models import ApiVersion
from adapters.vainu.refusals import ImportRefused, MatchParameterMissing

ROWS_PER_IMPORT = 500
"""Our choice: how many Vainu takes is unknown, and every look at a job repeats the rows done so far."""
_STOP_SECONDS = 30.0

_Numbered = tuple[int, CustomerRow, dict[str, object]]


class CustomerDataV1(CustomerDataApi):
    """`/api/v1/customer_data/` and its batch imports."""

    version: ClassVar[ApiVersion] = 1

    def __init__(self, calls: Calls) -> None:
        super().__init__(calls)
        self.imports = BatchImports(calls)

    async def create_many(
        self, rows: Iterable[CustomerRow], deadline: Deadline, on_import: OnImport = no_one
    ) -> AsyncIterator[RowOutcome]:
        """Batch imports of `ROWS_PER_IMPORT` rows, one after the other; see `CustomerDataApi`.

        Where another import of the account runs, waits for it until the deadline: then `ImportRunning`. Rows that
        an import had not told of at the deadline have `ImportUnfinished`: they may still be made.
        """
        numbered = enumerate(rows)
        while batch := list(islice(numbered, ROWS_PER_IMPORT)):
            sendable: list[_Numbered] = []
            for index, row in batch:
                try:
                    sendable.append((index, row, self.body_of(row)))
                except MatchParameterMissing as error:
                    yield RowOutcome(index, row, error=error)
            for outcome in await self._import(sendable, deadline, on_import) if sendable else ():
                yield outcome

    async def end_import(self, job_id: str, deadline: Deadline) -> None:
        """See `CustomerDataApi`."""
        try:
            try:
                await self.imports.finish(ImportJob(job_id, "process"), deadline)
            except ImportUnfinished:
                await self.imports.stop(job_id, Deadline.after(_STOP_SECONDS))
        except NotFound:
            pass  # over long ago

    async def _import(self, rows: Sequence[_Numbered], deadline: Deadline, on_import: OnImport) -> list[RowOutcome]:
        bodies = [body for _, _, body in rows]
        try:
            async with self.imports.turn(deadline):
                job = await patiently(partial(self.imports.start, bodies, deadline), deadline)
                await on_import(job.job_id)
                job, left = await self._finish(job, deadline)
            results = assign(job.results, bodies)
        except BadCredentials:
            raise
        except Refused as refused:
            whole = ImportRefused(refused.detail, status=refused.status, body=refused.body)
            return [RowOutcome(index, row, error=whole) for index, row, _ in rows]
        except RemoteError as error:
            return [RowOutcome(index, row, error=error) for index, row, _ in rows]
        outcomes = []
        for place, (index, row, _) in enumerate(rows):
            result = results.get(place)
            if result is None:
                outcomes.append(RowOutcome(index, row, error=left))
            else:
                outcomes.append(RowOutcome(index, row, result.id, result.company, result.error))
        return outcomes

    async def _finish(self, job: ImportJob, deadline: Deadline) -> tuple[ImportJob, RemoteError]:
        """The job in the end, and what that means for the rows it has not told of."""
        try:
            job = await self.imports.finish(job, deadline)
        except ImportUnfinished as unfinished:
            return unfinished.job, unfinished
        return job, ServerFault(f"vainu (import) ended as {job.state} before this row was told of; run again")
