"""Customer data, as both versions of the API have it: get, list, find, create, patch, delete (S000, S001).

There is no call here without an id where Vainu would then touch everything: `PATCH` and `DELETE /customer_data/`
reach every object of the account (S001, "Warning"), so every path that writes is made by `path_of`.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from adapters.contract import NotFound, Refused, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http_replies import Reply
from adapters.timestamps import TimestampRefused, read
from adapters.vainu.calls import Calls, path_of, patiently, rows_of
from adapters.vainu.customer_data_query import CustomerDataQuery, Filter
from adapters.vainu.customer_rows import CustomerRow, RowOutcome
from adapters.vainu.models import (
    ApiVersion,
    CustomerData,
    FieldValue,
    MatchData,
    integer,
    read_customer_data,
    render_fields,
)
from adapters.vainu.refusals import MatchParameterMissing, matching_error

_MOST_PAGES = 20
EVERYTHING = CustomerDataQuery()
OnImport = Callable[[str], Awaitable[None]]
"""Is told the id of a batch import as soon as it runs: a process that dies leaves it behind, and it bars the next."""


async def no_one(_job_id: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class CustomerDataPage:
    """One page of a list."""

    number: int
    """From 1."""
    results: tuple[CustomerData, ...]
    total: int | None = None
    """How many objects the whole list has at this moment, where Vainu says so."""
    is_last: bool = True


class CustomerDataApi(ABC):
    """Customer data of one account in one version of the API. Raises only `RemoteError`s, ends by its deadline."""

    version: ClassVar[ApiVersion]

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._root = f"v{self.version}/customer_data/"

    async def get(self, customer_data_id: str, deadline: Deadline) -> CustomerData:
        """The object with this id; `NotFound` if Vainu has none, `Refused` if this can be no id."""
        path = self._path_of(customer_data_id)
        found = await self._calls.ask("GET", path, read_one, action="get_customer_data", deadline=deadline, safe=True)
        return _same(found, customer_data_id)

    async def page(
        self, number: int, query: CustomerDataQuery, deadline: Deadline, action: str = "list_customer_data"
    ) -> CustomerDataPage:
        """Page `number`, from 1. Filters go with every page, which Vainu's own `next_page` forgets (S000's sample)."""
        params = query.params(self.version, number)

        def read_page(reply: Reply) -> CustomerDataPage:
            return _page(reply, number)

        try:
            return await self._calls.ask(
                "GET", self._root, read_page, action=action, deadline=deadline, safe=True, params=params
            )
        except NotFound:
            # a page past the end may be "not found": the list has shrunk meanwhile, or ended with a full page
            if number == 1:
                raise
            return CustomerDataPage(number, ())

    async def pages(
        self, deadline: Deadline, query: CustomerDataQuery = EVERYTHING, first: int = 1
    ) -> AsyncIterator[CustomerDataPage]:
        """The pages of a list from page `first` on, one in memory at a time, waiting out "slow down".

        Objects made or deleted meanwhile move the others between pages: one may be missed or come twice.
        `UnexpectedReply` where Vainu gives the same page again before all were told.
        """
        number, before, told = first, "", 0
        while True:
            page = await patiently(partial(self.page, number, query, deadline), deadline)
            if page.results and page.results[0].id == before:
                # S000's sample promises a second page of its only result
                if page.total is not None and told >= page.total:
                    return
                raise UnexpectedReply(f"vainu's page {number} of customer data is page {number - 1} again")
            yield page
            if page.is_last:
                return
            number, before, told = number + 1, page.results[0].id, told + len(page.results)

    async def stream(self, deadline: Deadline, query: CustomerDataQuery = EVERYTHING) -> AsyncIterator[CustomerData]:
        """Every object that the query admits, page by page, as `pages`."""
        async for page in self.pages(deadline, query):
            for each in page.results:
                yield each

    async def find(self, unique_id: str, deadline: Deadline) -> CustomerData | None:
        """The object that carries this unique_id, the newest if several do; None if none does.

        By the documented filter `unique_id` (S000, S001); what comes is compared here. `UnexpectedReply` where the
        filter does not narrow and the object is not among the first ten thousand.
        """
        if not unique_id.strip():
            raise Refused("customer data: expected a unique_id to look for; nothing was sent")
        query = CustomerDataQuery((Filter("unique_id", unique_id),))
        found: list[CustomerData] = []
        for number in range(1, _MOST_PAGES + 1):
            page = await self.page(number, query, deadline, "find_customer_data")
            found += [each for each in page.results if each.unique_id == unique_id]
            if page.is_last:
                return max(found, key=_age, default=None)
        if found:
            return max(found, key=_age)
        raise UnexpectedReply("vainu's list of customer data does not heed the filter unique_id")

    async def create(self, match: MatchData, fields: Mapping[str, FieldValue], deadline: Deadline) -> CustomerData:
        """Create one object and return it. Not repeated by itself: a lost answer may hide a success.

        `fields` are those of S000: owner_email, unique_id, won_deals_count, open_deals_count, lost_deals_count,
        notes, last_update. The `MatchingError`s of `adapters.vainu.refusals` say why none was made; v2 makes
        unmatched objects where no company fits (`vid` is None).
        """
        body = self.body_of(CustomerRow(match, fields))
        action = "create_customer_data"
        try:
            return await self._calls.ask(
                "POST", self._root, read_one, action=action, deadline=deadline, safe=False, json_body=body
            )
        except Refused as refused:
            raise matching_error(refused) from None

    def body_of(self, row: CustomerRow) -> dict[str, object]:
        """The body that creates one object; `MatchParameterMissing` without anything to match by."""
        matched = row.match.body(self.version)
        if not matched:
            raise MatchParameterMissing(
                "customer data: expected a business id, a company name or (v1) a vid to match; nothing sent"
            )
        return {**render_fields(row.fields, self.version), **matched}

    @abstractmethod
    def create_many(
        self, rows: Iterable[CustomerRow], deadline: Deadline, on_import: OnImport = no_one
    ) -> AsyncIterator[RowOutcome]:
        """Create many objects: exactly one outcome a row, as they come. Only v1 has batch imports to tell of.

        A row that fails leaves the others alone: its error is in its outcome. Only `BadCredentials` is raised.
        """

    async def end_import(self, job_id: str, deadline: Deadline) -> None:  # noqa: B027 - v2 has no imports to end
        """See a batch import that another process started to its end: until then no other starts, and it makes rows.

        Waits for it, and stops it at the deadline; one that Vainu knows no more has ended.
        """

    async def patch(
        self,
        customer_data_id: str,
        fields: Mapping[str, FieldValue],
        deadline: Deadline,
        match: MatchData | None = None,
    ) -> CustomerData | None:
        """Set fields of the object with this id, and of no other; safe to repeat. With `match`, match it anew.

        The object as it is then, or None where Vainu answers nothing (S001 gives the answer no schema).
        `NotFound` when the id is void (an export that Vainu took for failed, S001), `Refused` when it can be no
        id: then nothing is sent; with `match` the errors of `create`.
        """
        path = self._path_of(customer_data_id)
        body = render_fields(fields, self.version) if match is None else self.body_of(CustomerRow(match, fields))
        action = "patch_customer_data"
        try:
            patched = await self._calls.ask(
                "PATCH", path, _patched, action=action, deadline=deadline, safe=True, json_body=body
            )
        except Refused as refused:
            raise matching_error(refused) from None
        return None if patched is None else _same(patched, customer_data_id)

    async def delete(self, customer_data_id: str, deadline: Deadline) -> None:
        """Delete the object with this id, and no other. `NotFound` if there is none, also when it was deleted before.

        `Refused` when this can be no id: then nothing is sent.
        """
        path = self._path_of(customer_data_id)
        await self._calls.ask("DELETE", path, _deleted, action="delete_customer_data", deadline=deadline, safe=False)

    def _path_of(self, customer_data_id: str) -> str:
        return path_of(self._root, "customer data", customer_data_id)


def _page(reply: Reply, number: int) -> CustomerDataPage:
    value = reply.json()
    if not isinstance(value, dict):
        raise UnexpectedReply("vainu answered a list of customer data without results")
    results = tuple(map(read_customer_data, rows_of(value, "customer data")))
    is_last = not results or value.get("next_page") is None
    return CustomerDataPage(number, results, integer(value.get("total_results")), is_last)


def read_one(reply: Reply) -> CustomerData:
    """The one object that Vainu answers a GET or POST with; `UnexpectedReply` for anything else."""
    return read_customer_data(reply.json())


def _patched(reply: Reply) -> CustomerData | None:
    # S001 gives the reply no schema; S000 is silent: nothing, or the object itself
    answer = reply.json() if reply.content.strip() else None
    return read_customer_data(answer) if answer else None


def _deleted(reply: Reply) -> None:
    # no schema either; more than one deleted would mean that Vainu took the call for the one that deletes all
    answer = reply.json() if reply.content.strip() else None
    if answer and not (isinstance(answer, dict) and (answer.get("deleted") in (1, True) or "id" in answer)):
        raise UnexpectedReply("vainu answered a DELETE of one customer data object with something else")


def _age(found: CustomerData) -> datetime:
    for written in (found.created, found.modified):
        with suppress(TimestampRefused):
            return read(written, UTC).at
    return datetime.min.replace(tzinfo=UTC)


def _same(found: CustomerData, customer_data_id: str) -> CustomerData:
    if found.id != customer_data_id:
        raise UnexpectedReply("vainu answered customer data with another id than the one asked for")
    return found
