"""A request's body of customer events as rows that can be kept and sent at any later time. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapters.bulk_events import EventBody, Fault
from adapters.crmcom.event_rules import CURRENCY, date_fields, row_faults
from adapters.crmcom.mapping import stand_in
from adapters.crmcom.models import EXTERNAL_SYSTEM, set_name

IDENTIFIER = "request_unique_identifier"
REFERENCE = "external_system_reference_number"
INTENDED_CURRENCY = "intended_currency_identifier"


def read_event_body(kind: str, body: object, key: str, local: Callable[[str], str]) -> EventBody:
    """The rows of a bare array, or of the set that S004 names (or the contract: `<kind>_customer_events_set`).

    `local` writes a time as CRM.COM does. What stands beside the set is the call's own affair and is left out, but
    for the currency of purchases, which goes into every row.
    """
    rows, prefix = _rows(kind, body)
    if not isinstance(rows, list) or not rows:
        expected = f"expected an array of events, or an object with one under {set_name(kind)}"
        return EventBody((), [Fault(prefix, f"{expected}; got {'an empty one' if rows == [] else 'something else'}")])
    currency = body.get(INTENDED_CURRENCY) if kind == "purchases" and isinstance(body, Mapping) else None
    faults = list(CURRENCY(currency, INTENDED_CURRENCY)) if currency is not None else []
    for place, row in enumerate(rows):
        faults += row_faults(kind, row, f"{prefix}[{place}]")
    faults += _repeated(rows, prefix)
    if faults:
        return EventBody((), faults)
    shared = {INTENDED_CURRENCY: currency} if currency is not None else {}
    times = date_fields(kind)
    return EventBody([_complete({**shared, **row}, times, key, local) for row in rows], ())


def reference_of(key: str, row: Mapping[str, Any]) -> str:
    """The reference number of a row that brings none, made of the request's key and the row's own identifier."""
    return stand_in("event", key, row.get(IDENTIFIER))


def _rows(kind: str, body: object) -> tuple[object, str]:
    if not isinstance(body, Mapping):
        return body, ""
    names = (set_name(kind), f"{kind}_customer_events_set")
    name = next((name for name in names if name in body), names[0])
    return body.get(name), name


def _repeated(rows: list[object], prefix: str) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for place, row in enumerate(rows):
        given = row.get(IDENTIFIER) if isinstance(row, Mapping) else None
        if isinstance(given, str) and given.strip() and first.setdefault(given, place) != place:
            yield Fault(f"{prefix}[{place}].{IDENTIFIER}", f"expected a unique one, got that of row {first[given]}")


def _complete(row: Mapping[str, Any], times: list[str], key: str, local: Callable[[str], str]) -> dict[str, Any]:
    whole = {name: value for name, value in row.items() if value is not None and value != ""}
    whole |= {name: local(whole[name]) for name in times if name in whole}
    if REFERENCE not in whole:
        whole[REFERENCE] = reference_of(key, row)
        whole.setdefault("external_system", EXTERNAL_SYSTEM)
    return whole
