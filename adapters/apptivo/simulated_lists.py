"""How the simulated Apptivo lists and searches: by parts of texts, by days of creation, sorted, and not for ever.

Beyond `search_limit` rows a list is empty although it counts more (C that it stops there, phpmt; G how).
"""

import json
from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

from adapters.apptivo.simulated_firm import ApptivoState, Failure, Row
from adapters.timestamps import TimestampRefused
from adapters.vendor_dates import VendorFormats

_Parameters = Mapping[str, str]
_DAYS = ("creationOnStartDate", "creationOnEndDate")
_SORTED_BY = ("customerName", "opportunityName")
_MOST_KEPT = 8


def page_of(state: ApptivoState, rows: list[Row], given: _Parameters, key: str = "data") -> Row:
    """One page of some rows, and how many rows there are."""
    start = int(given.get("startIndex") or given.get("iDisplayStart") or 0)
    size = int(given.get("numRecords") or given.get("iDisplayLength") or 50)
    if state.search_limit is not None and start >= state.search_limit and state.beyond_the_limit != "empty":
        raise Failure("No records found" if state.beyond_the_limit == "no_records" else "Result window is too large")
    end = start + size if state.search_limit is None else min(start + size, state.search_limit)
    return {key: rows[start:end], "countOfRecords": len(rows)}


def search(state: ApptivoState, table: str, given: _Parameters) -> Row:
    """getAll and getAllByAdvancedSearch: a page of the rows of a table that the search finds, sorted."""
    wanted = json.loads(given.get("searchData") or "{}") if given.get("a") != "getAll" else {}
    first, last = (_day(state, wanted.get(name)) for name in _DAYS)
    texts = {name: str(value).casefold() for name, value in wanted.items() if _is_asked_for(name, value)}
    rows = _between(state, table, first, last, given)
    if texts:
        rows = [row for row in rows if all(text in _part(row, name).casefold() for name, text in texts.items())]
    return page_of(state, rows, given)


def _is_asked_for(name: str, value: object) -> bool:
    if name.endswith("Id") and isinstance(value, int):
        return True
    return isinstance(value, str) and value != "" and name not in _DAYS


def _between(state: ApptivoState, table: str, first: date | None, last: date | None, given: _Parameters) -> list[Row]:
    rows = state.tables[table]
    column = given.get("sortColumn", "").removesuffix(".sortable")
    order = (column, given.get("sortDir") == "desc") if column in _SORTED_BY else ("", False)
    is_narrowed = state.searches_days and (first is not None or last is not None)
    if not rows or (not is_narrowed and not order[0]):
        return rows
    # the pages of one list come one after the other: it need not be sought anew for each
    kept = (table, len(rows), _part(rows[0], "id"), _part(rows[-1], "id"), order, (first, last) if is_narrowed else ())
    if kept not in state.kept_lists:
        if len(state.kept_lists) >= _MOST_KEPT:
            state.kept_lists.clear()
        state.kept_lists[kept] = _sought(
            state, rows, (first or date.min, last or date.max) if is_narrowed else (), order
        )
    return state.kept_lists[kept]


def _sought(state: ApptivoState, rows: list[Row], days: tuple[date, ...], order: tuple[str, bool]) -> list[Row]:
    if days:
        made = ((row, _made_on(state, row)) for row in rows)
        rows = [row for row, day in made if day is not None and days[0] <= day <= days[1]]
    column, is_descending = order
    return sorted(rows, key=lambda row: _part(row, column), reverse=is_descending) if column else rows


def _made_on(state: ApptivoState, row: Row) -> date | None:
    known = state.days_of_creation
    if row["id"] not in known:
        try:
            known[row["id"]] = _day(state, row.get("creationDate"))
        except TimestampRefused:
            known[row["id"]] = None
    return known[row["id"]]


def _day(state: ApptivoState, value: Any) -> date | None:
    if value in (None, ""):
        return None
    return VendorFormats(state.date_order).read(value, UTC).at.date()


def _part(row: object, name: str) -> str:
    # a test may have put something odd among the rows
    return str(row.get(name) or "") if isinstance(row, Mapping) else ""
