"""Filters, ordering and paging of the Vainu simulator's customer data list (S001 "Query parameters", S000)."""

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.vainu.simulated_shapes import COUNTS, CustomerRecord, read_moment

DEFAULT_PAGE_SIZE = 100
LARGEST_PAGE_SIZE = 500
PAGING = frozenset({"page", "page_size", "ordering"})
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "ne": operator.ne,
}


class QueryRefused(Exception):
    """S001: 400 "Invalid query"."""


def select(records: Iterable[CustomerRecord], query: Mapping[str, str]) -> list[CustomerRecord]:
    """The records that every filter of the query admits, in its order; without filters, all of them."""
    found = list(records)
    for parameter, text in query.items():
        if parameter not in PAGING:
            admits = _filter(parameter, text)
            found = [record for record in found if admits(record)]
    if ordering := query.get("ordering"):
        name = ordering.removeprefix("-")
        _reader_of(name)
        found.sort(key=lambda record: _sortable(_value(record, name)), reverse=ordering.startswith("-"))
    return found


def page_of(query: Mapping[str, str]) -> tuple[int, int]:
    """Page number, from 1, and page size; a size over 500 counts as 500 (G: S001 only says it is the maximum)."""
    page = _positive(query.get("page", "1"))
    return page, min(_positive(query.get("page_size", str(DEFAULT_PAGE_SIZE))), LARGEST_PAGE_SIZE)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise QueryRefused
    return int(text)


def _filter(parameter: str, text: str) -> Callable[[CustomerRecord], bool]:
    name, _, suffix = parameter.partition("__")
    read = _reader_of(name)
    compare = _COMPARISONS.get(suffix)
    wanted = read(text)
    if compare is None or wanted is None:
        raise QueryRefused

    def admits(record: CustomerRecord) -> bool:
        value = _value(record, name)
        if value is None:
            return suffix == "ne"
        if isinstance(value, datetime) and len(text) == len("2018-06-08"):
            value = value.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return compare(value, wanted)

    return admits


def _reader_of(name: str) -> Callable[[str], Any]:
    if name in COUNTS or name == "prospect":
        return _integer
    if name == "won":
        return lambda text: _TRUTH.get(text.lower())
    if name == "last_update":
        return read_moment
    if name in ("unique_id", "owner_email"):
        return str
    raise QueryRefused


def _integer(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else None


def _value(record: CustomerRecord, name: str) -> Any:
    if name == "prospect":
        return record.vid
    return record.won if name == "won" else record.fields.get(name)


def _sortable(value: Any) -> tuple[bool, Any]:
    """Missing values come first in ascending order, as S001 says of prospects."""
    return (value is not None, 0 if value is None else value)
