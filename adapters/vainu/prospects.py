"""Prospects by their business id, and lists of them by filters; both v1 of the API (S001)."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from adapters.company_ids import business_id as comparable
from adapters.contract import Refused, UnexpectedReply
from adapters.deadline import Deadline
from adapters.http_replies import Reply
from adapters.vainu.calls import Calls, patiently, rows_of
from adapters.vainu.models import integer
from adapters.vainu.prospect_models import (
    FinancialStatement,
    Prospect,
    ProspectContact,
    ProspectLead,
    read_contact,
    read_financial_statement,
    read_lead,
    read_prospect,
)
from adapters.vainu.prospect_query import ProspectQuery

T = TypeVar("T")
PROSPECTS_AT_ONCE = 100
"""Our choice: how many Vainu gives at once, by default or at most, is unknown (20 by default in a target group)."""
_LONGEST_QUERY = 4_000
"""Characters; a longer one, of many business ids, goes as a POST payload."""
_KEY = re.compile(r"[A-Z0-9_]{2,64}")


class Prospects:
    """`/api/v1/prospect/` and `/api/v1/prospects/filter/`. Raises only `RemoteError`s."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def basic(self, business_id: str, deadline: Deadline, country: str | None = None) -> Prospect:
        """Basic information. `NotFound` if Vainu has no such company, `Refused` if this can be no business id.

        `business_id` in any spelling; `country` (ISO 3166-1 alpha-2) where it does not stand before it already.
        """
        return await self._part("", business_id, country, deadline, read_prospect)

    async def all(self, business_id: str, deadline: Deadline, country: str | None = None) -> Prospect:
        """Basic information, financial statements, contacts and addresses in one call; errors as `basic`."""
        return await self._part("all/", business_id, country, deadline, read_prospect)

    async def leads(self, business_id: str, deadline: Deadline, country: str | None = None) -> tuple[ProspectLead, ...]:
        """Leads of the last 90 days; errors as `basic`."""
        return await self._part("leads/", business_id, country, deadline, listing("leads", read_lead))

    async def contacts(
        self, business_id: str, deadline: Deadline, country: str | None = None
    ) -> tuple[ProspectContact, ...]:
        """The people; errors as `basic`."""
        return await self._part("contacts/", business_id, country, deadline, listing("contacts", read_contact))

    async def financial_statements(
        self, business_id: str, deadline: Deadline, country: str | None = None
    ) -> tuple[FinancialStatement, ...]:
        """The years' figures; errors as `basic`."""
        read = listing("financial statements", read_financial_statement)
        return await self._part("financial_statements/", business_id, country, deadline, read)

    async def count(self, query: ProspectQuery, deadline: Deadline) -> int:
        """How many prospects the query admits (`count=true`)."""
        return await self._filter({**query.params(), "count": "true"}, _count, "count_prospects", deadline)

    async def filter(
        self, query: ProspectQuery, deadline: Deadline, limit: int = PROSPECTS_AT_ONCE, offset: int = 0
    ) -> tuple[Prospect, ...]:
        """At most `limit` prospects from the `offset`th on, from 0."""
        params = {**query.params(), **window(limit, offset)}
        return await self._filter(params, _prospects, "filter_prospects", deadline)

    async def filter_and_count(
        self, query: ProspectQuery, deadline: Deadline, limit: int = PROSPECTS_AT_ONCE, offset: int = 0
    ) -> tuple[int, tuple[Prospect, ...]]:
        """As `filter`, and how many there are in all (`count=include`: 1.5 to 2 times slower, says S001)."""
        params = {**query.params(), **window(limit, offset), "count": "include"}
        return await self._filter(params, _counted, "filter_prospects", deadline)

    def stream(
        self, query: ProspectQuery, deadline: Deadline, at_once: int = PROSPECTS_AT_ONCE
    ) -> AsyncIterator[Prospect]:
        """Every prospect that the query admits, `at_once` in memory at a time, waiting out "slow down"."""
        return streamed(partial(self.filter, query, deadline, at_once), deadline)

    async def _part(
        self, part: str, business_id: str, country: str | None, deadline: Deadline, read: Callable[[object], T]
    ) -> T:
        path = f"v1/prospect/{quote(key_of(business_id, country), safe='')}/{part}"
        action = f"get_prospect_{part.rstrip('/') or 'basic'}"
        return await self._calls.ask(
            "GET", path, lambda reply: read(reply.json()), action=action, deadline=deadline, safe=True
        )

    async def _filter(
        self, params: Mapping[str, str | int], read: Callable[[Reply], T], action: str, deadline: Deadline
    ) -> T:
        path = "v1/prospects/filter/"
        if len(urlencode(params)) <= _LONGEST_QUERY:
            return await self._calls.ask("GET", path, read, action=action, deadline=deadline, safe=True, params=params)
        return await self._calls.ask(
            "POST", path, read, action=action, deadline=deadline, safe=True, json_body=dict(params)
        )


def key_of(business_id: str, country: str | None) -> str:
    """A business id as Vainu's paths want it: "FI09704098", without dashes; `Refused` for what can be none.

    An underscore stays: Vainu's own ids of American companies have one ("US_DE6240535").
    """
    key = re.sub(r"[^A-Z0-9_]", "", business_id.upper()) if isinstance(business_id, str) else ""
    prefix = country.strip().upper() if country else ""
    if prefix and not key.startswith(prefix):
        key = prefix + (key if "_" in key else comparable(key, prefix) or "")
    if not _KEY.fullmatch(key) or not any(map(str.isdigit, key)):
        raise Refused(f"business id: expected letters and digits, got {ascii(business_id)[:60]}; nothing was sent")
    return key


def window(limit: int, offset: int) -> dict[str, int]:
    """`limit` and `offset` as parameters; `Refused` for numbers that are none."""
    if limit < 1 or offset < 0:
        raise Refused("expected a limit from 1 and an offset from 0; nothing was sent")
    return {"limit": limit, "offset": offset}


async def streamed(fetch: Callable[[int], Any], deadline: Deadline) -> AsyncIterator[Prospect]:
    """Prospects until a call gives none: `fetch(offset)` gives the next ones.

    A short answer does not end it, since Vainu may give fewer than asked for. `UnexpectedReply` where the offset is
    not heeded.
    """
    offset, before = 0, None
    while rows := await patiently(partial(fetch, offset), deadline):
        if rows[0].document == before:
            raise UnexpectedReply("vainu's list of prospects does not heed the offset")
        for row in rows:
            yield row
        offset, before = offset + len(rows), rows[0].document


def listing(what: str, read: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """A reader of a list of such rows."""
    return lambda value: tuple(map(read, rows_of(value, what)))


def _prospects(reply: Reply) -> tuple[Prospect, ...]:
    return listing("prospects", read_prospect)(reply.json())


def _count(reply: Reply) -> int:
    return read_count(reply.json())


def _counted(reply: Reply) -> tuple[int, tuple[Prospect, ...]]:
    value = reply.json()
    return read_count(value), listing("prospects", read_prospect)(value)


def read_count(value: object) -> int:
    """A count: bare, or as `count` (so a target group's, S001; of prospects/filter none is shown)."""
    count = integer(value.get("count") if isinstance(value, Mapping) else value)
    if count is None or count < 0:
        raise UnexpectedReply("vainu answered something that is no count")
    return count
