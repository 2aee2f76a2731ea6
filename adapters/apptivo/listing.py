"""All customers of a firm, page by page, each with its opportunities counted."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

from adapters.apptivo.all_rows import AllRows, App, Step
from adapters.apptivo.client import ApptivoClient
from adapters.apptivo.deal_counts import DealCounts
from adapters.apptivo.endpoints import Endpoint, customers_between, opportunities_between
from adapters.apptivo.feed import FeedReader, of_customer
from adapters.apptivo.replies import record_id
from adapters.apptivo.summary import deals_of, last_update_of, summary_of, won_at
from adapters.contract import (
    BadCredentials,
    CustomerFault,
    CustomerPage,
    CustomerSummary,
    Refused,
    Throttled,
    TimedOut,
    UnexpectedReply,
)
from adapters.customers import Deals
from adapters.deadline import Deadline

AT_ONCE = 4
"""Searches for one customer's opportunities that run at the same time."""
_MARK = "apptivo:"
_CUSTOMERS = App(customers_between, "customerId")
_OPPORTUNITIES = App(opportunities_between, "opportunityId")


class Listing:
    """Lists the customers of one firm. `deals` is where one customer's opportunities are asked for, if anywhere."""

    def __init__(
        self,
        client: ApptivoClient,
        reader: FeedReader,
        deals: Endpoint | None,
        now: Callable[[tzinfo], datetime] = datetime.now,
    ) -> None:
        self._client = client
        self._reader = reader
        self._deals_endpoint = deals
        self._customers = AllRows(client, _CUSTOMERS, reader.dates, now)
        self._opportunities = AllRows(client, _OPPORTUNITIES, reader.dates, now)
        self._only_one_counts = asyncio.Lock()
        self._begin()

    def _begin(self) -> None:
        self._counts = DealCounts()
        self._read_to: str | None = None
        self._is_counted = False
        self._has_given = False
        # a firm that corrects where opportunities are asked for is asked there
        self._is_one_by_one = "opportunities" in self._reader.settings.actions

    async def page(self, cursor: str | None, deadline: Deadline, since: datetime | None) -> CustomerPage:
        """See `adapters.customers.CustomerListing`."""
        if cursor is not None and not cursor.startswith(_MARK):
            raise Refused("the cursor of a listing is none of Apptivo's: list the customers from the start")
        counts = await self._counted(deadline, is_new=cursor is None)
        step = await self._customers.step(cursor and cursor.removeprefix(_MARK), deadline)
        answers = await self._read(step.rows, counts, since, deadline)
        self._has_given = True
        faults = [each for each in answers if isinstance(each, CustomerFault)]
        if step.missing:
            detail = f"apptivo counts {step.missing} more customers, which none of its lists gives"
            faults.append(CustomerFault("out_of_reach", detail))
        if step.may_end_early:
            detail = "apptivo's lists end at 10,000 rows, and it does not say whether there are more customers"
            faults.append(CustomerFault("out_of_reach", detail))
        customers = [each for each in answers if isinstance(each, CustomerSummary)]
        return CustomerPage(customers, faults, step.following and _MARK + step.following, step.total)

    async def _counted(self, deadline: Deadline, *, is_new: bool) -> DealCounts | None:
        """All customers' deals, complete and changed no more; None where they are asked for one by one.

        Listings to several targets run at the same time on one adapter: only one of them counts.
        """
        try:
            async with asyncio.timeout(deadline.remaining()):
                await self._only_one_counts.acquire()
        except TimeoutError:
            raise TimedOut("apptivo: another listing still counts the opportunities") from None
        try:
            if is_new and self._has_given:
                self._begin()
            await self._count_deals(deadline)
            return None if self._is_one_by_one else self._counts
        finally:
            self._only_one_counts.release()

    async def _count_deals(self, deadline: Deadline) -> None:
        """Read all opportunities, once a listing; a call that ends by its deadline goes on from there the next time."""
        while self._deals_endpoint is not None and not self._is_counted and not self._is_one_by_one:
            try:
                step = await self._opportunities.step(self._read_to, deadline)
            except (BadCredentials, Throttled):
                raise
            except (Refused, UnexpectedReply):
                if self._read_to is not None:
                    raise
                self._is_one_by_one = True
                return
            if not self._add(step):
                self._is_one_by_one = True
                return
            self._read_to = step.following
            self._is_counted = step.following is None

    def _add(self, step: Step) -> bool:
        """Count a page; False where its rows do not say whose they are, or are not all the rows there are."""
        owners = 0
        for row in step.rows:
            if not isinstance(row, Mapping):
                continue
            owner = record_id({"customerId": row.get("opportunityCustomerId")})
            owners += owner is not None
            if owner is not None:
                outcome = self._reader.outcome(row)
                self._counts.add(owner, outcome, won_at(row, self._reader) if outcome == "won" else None)
        return not (step.missing or step.may_end_early) and (owners > 0 or not step.rows)

    async def _read(
        self, rows: list[object], counts: DealCounts | None, since: datetime | None, deadline: Deadline
    ) -> list[CustomerSummary | CustomerFault]:
        slots = asyncio.Semaphore(AT_ONCE)

        async def read(row: object) -> CustomerSummary | CustomerFault | None:
            async with slots:
                return await self._customer(row, counts, since, deadline)

        tasks = [asyncio.ensure_future(read(row)) for row in rows]
        try:
            return [each for each in await asyncio.gather(*tasks) if each is not None]
        finally:
            for task in tasks:
                task.cancel()

    async def _customer(
        self, row: object, counts: DealCounts | None, since: datetime | None, deadline: Deadline
    ) -> CustomerSummary | CustomerFault | None:
        if not isinstance(row, Mapping):
            return CustomerFault("shape", f"a row that is {type(row).__name__}, no object")
        customer_id = record_id(row)
        if customer_id is None:
            return CustomerFault("no_id", "a customer without a customerId")
        changed = last_update_of(row, self._reader)
        if since is not None and changed is not None and changed < since:
            return None
        try:
            deals = await self._deals(customer_id, counts, deadline)
        except (BadCredentials, Throttled):
            raise
        except Refused as refused:
            return CustomerFault("refused", refused.detail, customer_id)
        summary = summary_of(customer_id, row, deals, self._reader)
        return summary if summary.name else CustomerFault("no_name", "a customer without a name", customer_id)

    async def _deals(self, customer_id: str, counts: DealCounts | None, deadline: Deadline) -> Deals | None:
        if self._deals_endpoint is None:
            return None
        if counts is not None:
            return counts.of(customer_id)
        rows = await self._client.rows(self._deals_endpoint, customer_id, 0, deadline)
        own = of_customer("opportunities", rows, customer_id)
        return deals_of([row for row in own if isinstance(row, Mapping)], self._reader)
