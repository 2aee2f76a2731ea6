"""The pages of a list: their addresses, which hold the filters, so that they can be sent to a colleague."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gateway.operator import BadQuery
from gateway.operator.models import Page
from gateway.operator.queries import (
    AuditQuery,
    DeliveryQuery,
    ExportQuery,
    Pairs,
    SyncQuery,
    query_of,
    query_string,
)

Filtered = TypeVar("Filtered", DeliveryQuery, ExportQuery)
Line = TypeVar("Line")


@dataclass(frozen=True, slots=True)
class Pages:
    """Where to go from a page of a list; "" for nowhere."""

    first: str
    following: str


def pages(place: str, query: DeliveryQuery | ExportQuery | SyncQuery | AuditQuery, next_cursor: str | None) -> Pages:
    """The pages around this one of the list at `place`."""
    first = _address(place, replace(query, cursor=None)) if query.cursor else ""
    following = _address(place, replace(query, cursor=next_cursor)) if next_cursor else ""
    return Pages(first, following)


def _address(place: str, query: DeliveryQuery | ExportQuery | SyncQuery | AuditQuery) -> str:
    string = query_string(query)
    return place + (f"?{string}" if string else "")


async def filtered(
    model: type[Filtered], pairs: Pairs, ask: Callable[[Filtered], Awaitable[Page[Line]]], place: str
) -> dict[str, Any]:
    """What a page needs to show the list at `place` as a query string filters it; a bad one shows an empty list."""
    found: Page[Line] = Page((), None, None)
    fault, query = "", model()
    try:
        query = query_of(model, pairs)
        found = await ask(query)
    except BadQuery as error:
        fault = str(error)
    return {
        "query": query,
        "found": found,
        "fault": fault,
        "is_narrowed": replace(query, cursor=None, limit=model().limit) != model(),
        "pages": pages(place, query, found.next_cursor),
    }
