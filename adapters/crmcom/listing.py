"""All customers of a CRM.COM account, page by page, each with its leads counted.

That contact information can be listed is G (no page of the documents shows it); that accounts receivable can is C, that
they can without naming an owner G. number_of_results and offset are C for other lists (R13+). There is no total and no
"next", and no order is documented.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.contract import BadCredentials, CustomerFault, CustomerPage, CustomerSummary, NotFound, Refused
from adapters.crmcom.envelope import NoSuchValue, identity
from adapters.crmcom.feed import belongs, list_names
from adapters.crmcom.models import CrmcomSettings
from adapters.crmcom.records import ACCOUNT_LISTS, Records, owner_of
from adapters.crmcom.search import CONTACT_LISTS
from adapters.crmcom.summary import deals_of, last_update_of, summary_of
from adapters.crmcom.webhook import is_person
from adapters.deadline import Deadline
from adapters.timestamps import Reading

AT_ONCE = 6
"""Customers of a page that are read at the same time."""
_CURSOR = re.compile(r"crmcom:(contacts|accounts):([0-9]{1,12}):([\x21-\x7e]{0,200})")
_BY_ACCOUNT = "accounts_receivable/list"
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
        at = _position(cursor)
        if self._asked != (cursor, since):
            self._asked, self._answers = (cursor, since), {}
        # its own, whatever another listing asks for meanwhile
        known = self._answers
        try:
            rows = await self._rows(at, deadline)
        except BadCredentials:
            raise
        except Refused as refused:
            if cursor is not None:
                raise
            at, rows = await self._rows_by_account(refused, deadline)
        size = self._settings.page_size
        if not rows or (at.first_id and identity(rows[0]) == at.first_id):
            # a server older than R13 ignores paging and gives the first rows for ever
            return CustomerPage(())
        listed = [owner_of(row) if isinstance(row, Mapping) else row for row in rows] if at.of == "accounts" else rows
        answers = await self._read_all(listed, known, deadline, since)
        known.clear()
        ends = len(rows) > size
        following = None if ends else f"crmcom:{at.of}:{at.offset + len(rows)}:{identity(rows[0])[:200]}"
        return CustomerPage(
            [each for each in answers if isinstance(each, CustomerSummary)],
            [each for each in answers if isinstance(each, CustomerFault)],
            following,
        )

    async def try_out(self, deadline: Deadline) -> None:
        """Ask for the first rows and forget them; `RemoteError` where customers cannot be listed."""
        try:
            await self._rows(_Position(), deadline)
        except BadCredentials:
            raise
        except Refused as refused:
            await self._rows_by_account(refused, deadline)

    async def _rows(self, at: "_Position", deadline: Deadline) -> list[Any]:
        method = self._settings.list_method if at.of == "contacts" else _BY_ACCOUNT
        if not method:
            raise Refused("CRM.COM's contact information cannot be listed: the setting list_method is empty")
        names = CONTACT_LISTS if at.of == "contacts" else ACCOUNT_LISTS
        try:
            return await self._records.page(method, {}, names, at.offset, deadline)
        except NoSuchValue:
            return []

    async def _rows_by_account(self, refused: Refused, deadline: Deadline) -> tuple["_Position", list[Any]]:
        """The first page of the accounts receivable, whose owners are customers; if refused, the first refusal."""
        at = _Position("accounts")
        try:
            return at, await self._rows(at, deadline)
        except Refused:
            raise refused from None

    async def _read_all(
        self, rows: list[Any], known: dict[str, _Answer], deadline: Deadline, since: datetime | None
    ) -> list[_Answer]:
        slots = asyncio.Semaphore(AT_ONCE)

        async def answer(row: object) -> _Answer:
            async with slots:
                return await self._answer(row, known, deadline, since)

        tasks = [asyncio.ensure_future(answer(row)) for row in rows]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def _answer(
        self, row: object, known: dict[str, _Answer], deadline: Deadline, since: datetime | None
    ) -> _Answer:
        if not isinstance(row, Mapping):
            return CustomerFault("shape", f"a row that is {type(row).__name__}, no object")
        record_id = identity(row)
        if not record_id:
            return CustomerFault("no_id", "a row of contact information without an id")
        if record_id not in known:
            known[record_id] = await self._customer(record_id, row, deadline, since)
        return known[record_id]

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


@dataclass(frozen=True, slots=True)
class _Position:
    of: str = "contacts"
    """What is listed: contacts, or the accounts that they own."""
    offset: int = 0
    first_id: str = ""
    """The first row of the page before: a server that ignores paging gives it again."""


def _position(cursor: str | None) -> _Position:
    if cursor is None:
        return _Position()
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Refused("the cursor of a listing is none of CRM.COM's: list the customers from the start")
    return _Position(match[1], int(match[2]), match[3])
