"""Customer data in v2 of the API (S000): `match_data`, no batch, unmatched objects instead of "match not found"."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import ClassVar

from adapters.contract import BadCredentials, Refused, RemoteError
from adapters.deadline import Deadline
from adapters.vainu.calls import patiently
from adapters.vainu.customer_data import CustomerDataApi, OnImport, no_one, read_one
from adapters.vainu.customer_rows import CustomerRow, RowOutcome
from adapters.vainu.models import ApiVersion
from adapters.vainu.refusals import matching_error

AT_ONCE = 8
"""Rows in work at the same time: v2 has no batch that is documented, and no limit of calls either."""


class CustomerDataV2(CustomerDataApi):
    """`/api/v2/customer_data/`."""

    version: ClassVar[ApiVersion] = 2

    async def create_many(
        self,
        rows: Iterable[CustomerRow],
        deadline: Deadline,
        on_import: OnImport = no_one,  # noqa: ARG002 - v2 has no imports to tell of
    ) -> AsyncIterator[RowOutcome]:
        """One POST a row, `AT_ONCE` at the same time, outcomes in the order of the rows; see `CustomerDataApi`.

        Where Vainu asks to slow down, a row waits and is sent again, if time allows; after any other failure it is not.
        """
        running: deque[asyncio.Task[RowOutcome]] = deque()
        try:
            for index, row in enumerate(rows):
                running.append(asyncio.create_task(self._outcome(index, row, deadline)))
                if len(running) == AT_ONCE:
                    yield await running.popleft()
            while running:
                yield await running.popleft()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _outcome(self, index: int, row: CustomerRow, deadline: Deadline) -> RowOutcome:
        action = "create_customer_data"
        try:
            body = self.body_of(row)
            post = partial(self._calls.ask, "POST", self._root, read_one)
            made = await patiently(
                partial(post, action=action, deadline=deadline, safe=False, json_body=body), deadline
            )
        except BadCredentials:
            raise
        except Refused as refused:
            return RowOutcome(index, row, error=matching_error(refused))
        except RemoteError as error:
            return RowOutcome(index, row, error=error)
        return RowOutcome(index, row, made.id, made.company)
