"""All customers of a CRM.COM account, page by page, each with its leads counted.

That contact information can be listed at all is G (no page of the documents shows it); number_of_results and offset
are C for other lists (R13+). There is no total and no "next", and no order is documented.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.contract import BadCredentials, CustomerFault, CustomerPage, CustomerSummary, NotFound, Refused
from adapters.crmcom.envelope import NoSuchValue, identity
from adapters.crmcom.feed import belongs, list_names
from adapters.crmcom.models import CrmcomSettings
from adapters.crmcom.records import Records
from adapters.crmcom.search import CONTACT_LISTS
from adapters.crmcom.summary import deals_of, last_update_of, summary_of
from adapters.crmcom.webhook import is_person
from adapters.deadline import Deadline
from adapters.timestamps import Reading

AT_ONCE = 6
"""Customers of a page that are read at the same time."""
_CURSOR = re.compile(r"crmcom:([0-9]{1,12}):([\x21-\x7e]{0,200})")
_Answer = CustomerSummary | CustomerFault | None


class Listing:
    """Lists the customers of one account."""

    def __init__(self, records: Records, settings: CrmcomSettings, read: Callable[[object], Reading]) -> None:
        self._records = records
        self._settings = settings
        self._read = read
        self._asked: tuple[str | None, datetime | None] = (None, None)
        self._answers: dict[str, _Answer] = {}
        """What is known of the page that was asked for last: it may fail in the middle and be asked for again."""

    async def page(self, cursor: str | None, deadline: Deadline, since: datetime | None) -> CustomerPage:
        """See `adapters.customers.CustomerListing`."""
        offset, before = _position(cursor)
        if self._asked != (cursor, since):
            self._asked, self._answers = (cursor, since), {}
        rows = await self._rows(offset, deadline)
        size = self._settings.page_size
        if not rows or (before and identity(rows[0]) == before):
            # a server older than R13 ignores paging and gives the first rows for ever
            return CustomerPage(())
        answers = await self._read_all(rows, deadline, since)
        self._answers = {}
        ends = len(rows) > size
        following = None if ends else f"crmcom:{offset + len(rows)}:{identity(rows[0])[:200]}"
        return CustomerPage(
            [each for each in answers if isinstance(each, CustomerSummary)],
            [each for each in answers if isinstance(each, CustomerFault)],
            following,
        )

    async def _rows(self, offset: int, deadline: Deadline) -> list[Any]:
        method = self._settings.list_method
        if not method:
            raise Refused("CRM.COM's customers cannot be listed: the setting list_method is empty")
        try:
            return await self._records.page(method, {}, CONTACT_LISTS, offset, deadline)
        except NoSuchValue:
            return []

    async def _read_all(self, rows: list[Any], deadline: Deadline, since: datetime | None) -> list[_Answer]:
        slots = asyncio.Semaphore(AT_ONCE)

        async def answer(row: object) -> _Answer:
            async with slots:
                return await self._answer(row, deadline, since)

        tasks = [asyncio.ensure_future(answer(row)) for row in rows]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def _answer(self, row: object, deadline: Deadline, since: datetime | None) -> _Answer:
        if not isinstance(row, Mapping):
            return CustomerFault("shape", f"a row that is {type(row).__name__}, no object")
        record_id = identity(row)
        if not record_id:
            return CustomerFault("no_id", "a row of contact information without an id")
        if record_id not in self._answers:
            self._answers[record_id] = await self._customer(record_id, row, deadline, since)
        return self._answers[record_id]

    async def _customer(
        self, record_id: str, row: Mapping[str, Any], deadline: Deadline, since: datetime | None
    ) -> _Answer:
        try:
            if not is_person(row) and "log_information" not in row:
                # a list may give short rows (fields_set, U): then the whole record tells
                row = await self._records.contact("id", record_id, deadline)
            if is_person(row) or self._is_older(row, since):
                return None
            return await self._summary(record_id, row, deadline)
        except BadCredentials:
            raise
        except NotFound:
            # deleted since it was listed
            return None
        except Refused as refused:
            return CustomerFault("refused", refused.detail, record_id)

    async def _summary(self, record_id: str, row: Mapping[str, Any], deadline: Deadline) -> _Answer:
        params = {"contact_information_identifier": f"id={record_id}"}
        leads = await self._records.listed("leads/list", params, list_names("leads"), deadline)
        if not all(isinstance(lead, Mapping) for lead in leads):
            return CustomerFault("shape", "among the customer's leads is a row that is no object", record_id)
        deals = deals_of([lead for lead in leads if belongs(lead, record_id)], self._read)
        summary = summary_of(record_id, row, deals, self._read)
        return summary if summary.name else CustomerFault("no_name", "a company without a name", record_id)

    def _is_older(self, row: Mapping[str, Any], since: datetime | None) -> bool:
        changed = last_update_of(row, self._read)
        return since is not None and changed is not None and changed < since


def _position(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return 0, ""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Refused("the cursor of a listing is none of CRM.COM's: list the customers from the start")
    return int(match[1]), match[2]
