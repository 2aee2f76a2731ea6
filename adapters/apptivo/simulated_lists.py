"""How the simulated Apptivo lists and searches: by parts of texts, by days of creation, sorted, and not for ever.

Beyond `search_limit` rows a list is empty although it counts more (C that it stops there, phpmt; G how).
"""

import json
from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

from adapters.apptivo.simulated_firm import ApptivoState, Row
from adapters.timestamps import TimestampRefused
from adapters.vendor_dates import VendorFormats

_Parameters = Mapping[str, str]
_DAYS = ("creationOnStartDate", "creationOnEndDate")


def page_of(state: ApptivoState, rows: list[Row], given: _Parameters, key: str = "data") -> Row:
    """One page of some rows, and how many rows there are."""
    start = int(given.get("startIndex") or given.get("iDisplayStart") or 0)
    size = int(given.get("numRecords") or given.get("iDisplayLength") or 50)
    end = start + size if state.search_limit is None else min(start + size, state.search_limit)
    return {key: _sorted(rows, given)[start:end], "countOfRecords": len(rows)}


def found_in(state: ApptivoState, table: str, given: _Parameters) -> list[Row]:
    """The rows that an advanced search finds."""
    wanted = json.loads(given.get("searchData") or "{}")
    texts = {
        name: str(value).casefold()
        for name, value in wanted.items()
        if isinstance(value, str) and value and name not in _DAYS
    }
    rows = state.tables[table]
    if texts:
        rows = [row for row in rows if all(text in str(row.get(name) or "").casefold() for name, text in texts.items())]
    first, last = (_day(state, wanted.get(name)) for name in _DAYS)
    if not state.searches_days or (first is None and last is None):
        return rows
    return [row for row in rows if _is_between(state.days_of_creation, state, row, first or date.min, last or date.max)]


def _is_between(known: dict[str, date | None], state: ApptivoState, row: Row, first: date, last: date) -> bool:
    if row["id"] not in known:
        try:
            known[row["id"]] = _day(state, row.get("creationDate"))
        except TimestampRefused:
            known[row["id"]] = None
    day = known[row["id"]]
    return day is not None and first <= day <= last


def _day(state: ApptivoState, value: Any) -> date | None:
    if value in (None, ""):
        return None
    return VendorFormats(state.date_order).read(value, UTC).at.date()


def _sorted(rows: list[Row], given: _Parameters) -> list[Row]:
    column = given.get("sortColumn", "").removesuffix(".sortable")
    if column not in ("customerName", "opportunityName"):
        return rows
    return sorted(rows, key=lambda row: str(row.get(column) or ""), reverse=given.get("sortDir") == "desc")
