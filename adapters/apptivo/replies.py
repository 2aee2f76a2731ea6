"""What Apptivo's answers mean: the unwrapping rule of upstream-apis 1.4, pure.

HTTP says nothing here: a refusal is a 200 with `{"status": "FAILURE", "reason": …}` (C, airbyte and truffle).
Whatever is not understood is an `UnexpectedReply`, never an empty answer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.contract import BadCredentials, NotFound, Refused, RemoteError, Throttled, UnexpectedReply
from adapters.http_replies import EXCERPT_CHARACTERS
from adapters.plain_text import one_line

_WRAPPERS = ("data", "responseObject", "customer", "csCase", "contact", "note")
"""Where a saved record may lie (C, phpmt create and update); the last two are I."""
_ABSENT_RECORDS = ("data", "responseObject", "customer")
_LIST_WRAPPERS = ("data", "responseObject")
_LIST_KEYS = ("data", "aaData")
_THROTTLED = re.compile(r"throttl|too many|\blimit", re.IGNORECASE)
_CREDENTIALS = re.compile(r"Key|\b(?:api|access)[ _-]?key", re.ASCII)
_ABSENT = re.compile(
    r"not found|n[o']t exist|no such|invalid (?:\w+ )?id\b|no (?:record|customer|data)s? (?:found|exist)", re.IGNORECASE
)
_NO_ROWS = re.compile(
    r"\bno (?:matching |more )?(?:\w+ )?(?:records?|rows?|results?|data|customers?|contacts?|notes?|activit(?:y|ies))"
    r" (?:(?:was|were|is|are) )?(?:found|exists?|available)\b",
    re.IGNORECASE,
)
_COMPLAINT = re.compile(r"error|fault|exception", re.IGNORECASE)
_DEPTH = 3
_READ_CHARACTERS = 20_000


class NoRows(NotFound):
    """A FAILURE that says that there are none: to a list or a search, an empty answer."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    rows: list[object]
    count: int | None
    """`countOfRecords`: how many rows there are on all pages; None where the reply does not say."""


def failure(reply: object, who: str, redact: Callable[[str], str] = str) -> RemoteError | None:
    """The error that a reply of status FAILURE stands for; None for any other reply."""
    if not isinstance(reply, Mapping) or not isinstance(reply.get("status"), str):
        return None
    if reply["status"].strip().upper() != "FAILURE":
        return None
    said = one_line(reply.get("reason") or reply.get("message") or "no reason given", _READ_CHARACTERS)
    # redacted before it is cut: a secret that the cut goes through would no longer be found
    reason = redact(said)[:EXCERPT_CHARACTERS]
    detail = f"{who} refused: {reason}"
    # before the keys: "too many calls with this API Key" must be tried again later
    if _THROTTLED.search(reason):
        return Throttled(detail)
    if _CREDENTIALS.search(reason):
        return BadCredentials(detail)
    if _NO_ROWS.search(reason):
        return NoRows(detail)
    return NotFound(detail) if _ABSENT.search(reason) else Refused(detail)


def record(reply: object, who: str, *names: str) -> Mapping[str, Any]:
    """The one record of a reply: bare, or under data, responseObject, customer, … (C, phpmt). Else UnexpectedReply.

    A record has an id, in a field of `names` or one of `record_id`'s own.
    """
    found = _record(reply, _DEPTH, names)
    if found is None:
        raise UnexpectedReply(f"{who}: expected a record with an id, got {_shape(reply)}")
    return found


def _record(reply: object, depth: int, names: tuple[str, ...] = ()) -> Mapping[str, Any] | None:
    if not isinstance(reply, Mapping):
        return None
    if record_id(reply, *names) is not None:
        return reply
    for key in _WRAPPERS if depth else ():
        inner = reply.get(key)
        if isinstance(inner, list) and len(inner) == 1:
            inner = inner[0]
        if (found := _record(inner, depth - 1, names)) is not None:
            return found
    return None


def record_or_none(reply: object, who: str) -> Mapping[str, Any] | None:
    """The reply of getById: the record, or None where Apptivo says that there is none.

    None is told by null, a null or empty `data` or `customer`, or no records counted (G: U what it really sends).
    """
    if reply is None:
        return None
    if isinstance(reply, Mapping):
        found = _record(reply, _DEPTH)
        if found is not None:
            return found
        if _says_none(reply):
            return None
    return record(reply, who)


def _says_none(reply: Mapping[str, Any]) -> bool:
    if _count(reply) == 0:
        return True
    return any(key in reply and reply[key] in (None, [], {}) for key in _ABSENT_RECORDS)


def record_id(row: object, *names: str) -> str | None:
    """A record's id as text: the first of `names`, `customerId`, `id` that holds one; None if none does."""
    if not isinstance(row, Mapping):
        return None
    for name in (*names, "customerId", "id"):
        value = row.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return str(value)
        if isinstance(value, str) and value.strip() not in ("", "0", "null"):
            return value.strip()
    return None


def page(reply: object, keys: tuple[str, ...], who: str, *, is_first: bool = True) -> Page:
    """A list reply: rows under one of `keys`, `data`, `aaData`, or in the only list there is.

    `countOfRecords` decides first: with 0 no list is needed, and on the first page any other number needs rows.
    """
    if not isinstance(reply, Mapping):
        raise UnexpectedReply(f"{who}: expected an object with a list, got {_shape(reply)}")
    count = _count(reply)
    rows = _rows(reply, keys)
    if rows is None and count != 0:
        raise UnexpectedReply(f"{who}: expected a list under {_or((*keys, *_LIST_KEYS))}, got {_shape(reply)}")
    if count and not rows and is_first:
        raise UnexpectedReply(f"{who}: countOfRecords is {count}, but the list is empty")
    return Page(rows or [], count)


def _rows(reply: Mapping[str, Any], keys: tuple[str, ...]) -> list[object] | None:
    named = (*keys, *_LIST_KEYS)
    for key in named:
        if isinstance(reply.get(key), list):
            return list(reply[key])
    for key in _LIST_WRAPPERS:
        if isinstance(reply.get(key), Mapping):
            return _rows(reply[key], keys)
    lists = [value for key, value in reply.items() if isinstance(value, list) and not _COMPLAINT.search(str(key))]
    if len(lists) == 1 and all(isinstance(row, Mapping) for row in lists[0]):
        return list(lists[0])
    return None


def _count(reply: Mapping[str, Any]) -> int | None:
    value = reply.get("countOfRecords")
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:12])
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def objects(rows: list[object], who: str) -> list[Mapping[str, Any]]:
    """Rows that a decision hangs on: one that is no object makes the reply unexpected, so nothing is overlooked."""
    for row in rows:
        if not isinstance(row, Mapping):
            raise UnexpectedReply(f"{who}: expected rows that are objects, got {_shape(row)}")
    return [row for row in rows if isinstance(row, Mapping)]


def _shape(value: object) -> str:
    # names of keys only: the values are customers' data
    if isinstance(value, Mapping):
        named = ", ".join(one_line(str(key), 40) for key in list(value)[:6])
        return f"an object with {named}" if named else "an empty object"
    return {type(None): "null", list: "a list"}.get(type(value), f"a {type(value).__name__}")


def _or(words: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(words))
