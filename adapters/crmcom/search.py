"""Finding the customer that a company already is, before any create (CONTRACT section 7).

What CRM.COM documents are look-ups by number; a search by name is not known (U), so the two ways that may exist are
both asked. A look-up that fails, for whatever reason but "no such record", fails the search: a create must not follow.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from adapters.company_ids import business_id, same_name, split_country
from adapters.contract import BadCredentials, Company, Match, NotFound, Refused
from adapters.crmcom.envelope import identity
from adapters.crmcom.mapping import company_name, numbers_of, spellings
from adapters.crmcom.models import CrmcomSettings
from adapters.crmcom.records import Records, Row, owner_of
from adapters.deadline import Deadline

AT_ONCE = 6
"""Look-ups of one search that run at the same time."""
CONTACT_LISTS = ("contact_information_set", "contact_informations_set", "contact_information", "contacts_set")
"""Under which keys a list of contact information may stand (U)."""
_MOST_NAMESAKES = 50


class Search:
    """One search for one company."""

    def __init__(
        self, records: Records, settings: CrmcomSettings, table: Mapping[str, str], deadline: Deadline
    ) -> None:
        self._records = records
        self._settings = settings
        self._table = table
        self._deadline = deadline
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def find(self, company: Company) -> list[Match]:
        """Matches by business id first, then by exact name, each oldest first."""
        numbers = [
            self._by_number(field, number)
            for number in spellings(company, self._table)
            for field in self._settings.business_id_fields
        ]
        asked = await _all([*numbers, self._accounts_of(company), self._searched(company)])
        found = {identity(row): row for rows in asked[len(numbers) :] for row in rows}
        namesakes = await _all([self._whole(row) for row in found.values()])
        matches = {
            match.record_id: (row, match) for row in namesakes if (match := _judged(row, company, by_number=False))
        }
        for row in (row for rows in asked[: len(numbers)] for row in rows):
            if match := _judged(row, company, by_number=True):
                matches[match.record_id] = (row, match)
        ordered = sorted(matches.values(), key=lambda pair: (pair[1].by != "business_id", *_age(pair[0])))
        return [match for _row, match in ordered]

    async def _by_number(self, field: str, number: str) -> list[Row]:
        async with self._slots:
            try:
                return [await self._records.contact(field, number, self._deadline)]
            except NotFound:
                return []

    async def _accounts_of(self, company: Company) -> list[Row]:
        if not self._settings.search_accounts:
            return []
        async with self._slots:
            account = await self._records.account("name", company.name, self._deadline)
        owner = owner_of(account) if account else {}
        return [{"id": identity(owner)}] if identity(owner) else []

    async def _searched(self, company: Company) -> list[Row]:
        if not self._settings.search_method:
            return []
        params = {"company_name": company.name}
        try:
            async with self._slots:
                rows = await self._records.listed(
                    self._settings.search_method, params, CONTACT_LISTS, self._deadline, _MOST_NAMESAKES
                )
        except BadCredentials:
            raise
        except Refused:
            # the method is a guess: a server that does not know it says so in words we do not know
            return []
        return [
            dict(row)
            for row in rows
            if isinstance(row, Mapping) and identity(row) and same_name(company_name(row), company.name)
        ]

    async def _whole(self, row: Row) -> Row:
        """The record behind a row that may hold only a part of it; without it no number can be compared."""
        async with self._slots:
            try:
                return await self._records.contact("id", identity(row), self._deadline)
            except NotFound:
                return {}


def _judged(row: Row, company: Company, *, by_number: bool) -> Match | None:
    if not identity(row) or row.get("type") not in (None, "", "COMPANY"):
        return None
    own = numbers_of(row)
    if company.business_id and own:
        same = any(_is_same_id(number, company) for number in own)
        return Match(identity(row), "business_id") if same else None
    if by_number:
        # the reply may lack the number it was found by (fields_set, older releases): then the look-up is trusted
        return Match(identity(row), "business_id")
    return Match(identity(row), "name") if same_name(company_name(row), company.name) else None


def _is_same_id(number: str, company: Company) -> bool:
    _country, bare = split_country(number)
    return company.business_id in (business_id(number, company.country), business_id(bare, company.country))


def _age(row: Row) -> tuple[str, str]:
    log = row.get("log_information")
    created = log.get("created_date") if isinstance(log, Mapping) else None
    return str(created or "9999"), str(row.get("number") or "")


async def _all(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    """The results of all calls; the first error ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_awaited(call)) for call in calls]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call
