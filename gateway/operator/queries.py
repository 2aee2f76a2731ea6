"""What operators ask for, read from a query string or a JSON body: every fault is found, with its path."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar, get_args
from urllib.parse import urlencode

from adapters.timestamps import TimestampRefused, read, render
from gateway.operator.errors import BadQuery
from gateway.operator.status import Job
from gateway.pushed import BodyFault
from gateway.store import DeliveryState

LIMIT = 50
MAX_LIMIT = 200
LONGEST_TEXT = 300
_MOST_FAULTS = 20
STATES = tuple(str(state) for state in DeliveryState)
JOBS: tuple[str, ...] = get_args(Job)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery:
    """Which deliveries; what is empty or None does not narrow."""

    state: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    connection: str | None = None
    reason: str | None = None
    """The last failure's fixed word."""
    since: datetime | None = None
    """Created at this time or later."""
    until: datetime | None = None
    """Created before this time."""
    q: str = ""
    """A search, see `gateway.operator.searching`."""
    limit: int = LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQuery:
    """Which exports. Like `DeliveryQuery`; `state`, `reason` are those of the delivery that does the work."""

    state: tuple[str, ...] = ()
    connection: str | None = None
    reason: str | None = None
    since: datetime | None = None
    """Received at this time or later."""
    until: datetime | None = None
    q: str = ""
    limit: int = LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncQuery:
    """Which runs of the customer sync."""

    connection: str | None = None
    limit: int = LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which entries of the audit log."""

    who: str | None = None
    action: str | None = None
    limit: int = LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """Which part of the history; the last hour of all connections unless told otherwise."""

    connection: str | None = None
    job: str | None = None
    since: datetime | None = None
    until: datetime | None = None


Pairs = Iterable[tuple[str, str]]
"""A query string, as `QueryParams.multi_items()` has it."""
Query = DeliveryQuery | ExportQuery | SyncQuery | AuditQuery | HistoryQuery
Q = TypeVar("Q", DeliveryQuery, ExportQuery, SyncQuery, AuditQuery, HistoryQuery)


def query_of(model: type[Q], pairs: Pairs, known: Collection[str] | None = None) -> Q:
    """What a query string means; `BadQuery` with every fault, among them a parameter not in `known`.

    With `known` None, what else stands in the query string passes.
    """
    pairs = list(pairs)
    unknown = [] if known is None else sorted({name for name, _text in pairs} - set(known))
    said = "" if known is None else f"expected one of {', '.join(known)}"
    faults = [BodyFault(name[:80] or "?", said) for name in unknown[:_MOST_FAULTS]]
    found = _values(names_of(model), pairs, faults, "")
    if faults:
        raise BadQuery(faults)
    return model(**found)


def filter_of_body(body: Any, path: str) -> DeliveryQuery:
    """The deliveries that a JSON object means: the same keys, lists for those that may be repeated."""
    if not isinstance(body, Mapping):
        raise BadQuery([BodyFault(path, 'expected an object such as {"connection": "acme"}')])
    faults: list[BodyFault] = []
    pairs: list[tuple[str, str]] = []
    for key, value in body.items():
        values = value if isinstance(value, list) and key in _MANY else [value]
        if key not in _READ or key in ("limit", "cursor"):
            faults.append(BodyFault(f"{path}.{key}", f"expected one of {', '.join(_FILTERS)}"))
        elif not values or not all(isinstance(each, str) and each for each in values):
            faults.append(BodyFault(f"{path}.{key}", "expected text, or several in an array, none of it empty"))
        else:
            pairs += [(key, each) for each in values]
    found = _values(_FILTERS, pairs, faults, f"{path}.")
    if faults:
        raise BadQuery(faults)
    return DeliveryQuery(**found)


def query_string(query: Query) -> str:
    """The query string that means this; "" for everything. What is at its default is left out."""
    pairs: list[tuple[str, str]] = []
    for field in fields(query):
        value = getattr(query, field.name)
        if value != field.default:
            pairs += [(field.name, _written(each)) for each in (value if isinstance(value, tuple) else (value,))]
    return urlencode(pairs)


def _written(value: object) -> str:
    return render(value) if isinstance(value, datetime) else str(value)


def names_of(model: type[Query], *without: str) -> tuple[str, ...]:
    """The parameters of a query."""
    return tuple(field.name for field in fields(model) if field.name not in without)


def _values(names: Sequence[str], pairs: Pairs, faults: list[BodyFault], path: str) -> dict[str, Any]:
    """The values of these names; an empty text, as a form sends of a field left blank, counts as none."""
    given: dict[str, list[str]] = {}
    for name, text in pairs:
        if name in names and text:
            given.setdefault(name, []).append(text)
    found: dict[str, Any] = {}
    for name, texts in given.items():
        try:
            read_texts = [_READ[name](text) for text in texts]
        except ValueError as error:
            faults.append(BodyFault(f"{path}{name}", str(error)))
            continue
        if len(texts) > 1 and name not in _MANY:
            faults.append(BodyFault(f"{path}{name}", "expected it once"))
        found[name] = tuple(dict.fromkeys(read_texts)) if name in _MANY else read_texts[0]
    return found


def _state(text: str) -> str:
    if text not in STATES:
        raise ValueError(f"expected one of {', '.join(STATES)}")
    return text


def _job(text: str) -> str:
    if text not in JOBS:
        raise ValueError(f"expected one of {', '.join(JOBS)}")
    return text


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT or "\x00" in text:
        raise ValueError(f"expected at most {LONGEST_TEXT} characters, none of them NUL")
    return text


def _time(text: str) -> datetime:
    try:
        # a + in a query is a space; in a time it can only have been an offset's sign
        return read(text.replace(" ", "+") if "T" in text else text, UTC).at
    except TimestampRefused:
        raise ValueError("expected a time: ISO 8601, or Unix seconds or milliseconds") from None


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_LIMIT):
        raise ValueError(f"expected a whole number from 1 to {MAX_LIMIT}")
    return int(text)


_READ: Mapping[str, Any] = {
    "state": _state,
    "job": _job,
    "since": _time,
    "until": _time,
    "limit": _limit,
    **dict.fromkeys(("kind", "connection", "reason", "q", "cursor", "who", "action"), _text),
}
_MANY = ("state", "kind")
_FILTERS = ("state", "kind", "connection", "reason", "since", "until", "q")
