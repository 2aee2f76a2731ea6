"""The CRM's customers, page by page: each page is asked for again until it comes, or no attempt is worth it."""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial

from adapters.contract import BadCredentials, CustomerListing, CustomerPage, CustomerSummary, Refused
from adapters.deadline import Deadline
from gateway.pace import Pace
from gateway.sync.patience import Patience

PAGE_SECONDS = 300.0
"""What a page may take: Apptivo's first one reads all opportunities of the firm."""


async def pages(
    adapter: CustomerListing, cursor: str | None, since: datetime | None, pace: Pace, patience: Patience
) -> AsyncIterator[CustomerPage]:
    """The pages from a cursor on; from the start where the CRM takes that cursor no more. `RemoteError` in the end."""
    is_first = True
    while True:
        try:
            page = await patience.until_it_works(partial(_page, adapter, cursor, since, pace))
        except BadCredentials:
            raise
        except Refused:
            if cursor is None or not is_first:
                raise
            cursor, is_first = None, False
            continue
        is_first = False
        yield page
        if page.cursor is None:
            return
        cursor = page.cursor


async def _page(adapter: CustomerListing, cursor: str | None, since: datetime | None, pace: Pace) -> CustomerPage:
    async with pace.turn():
        return await adapter.list_customers(cursor, Deadline.after(PAGE_SECONDS), since=since)


def unique(page: CustomerPage) -> dict[str, CustomerSummary]:
    """The page's customers by record id: of one that came twice, the later."""
    return {each.record_id: each for each in page.customers}


def record_ids(page: CustomerPage) -> list[str]:
    """Every customer that the CRM lists on the page, the ones that could not be read too."""
    named = [fault.record_id for fault in page.faults if fault.record_id is not None]
    return list(dict.fromkeys([*(each.record_id for each in page.customers), *named]))
