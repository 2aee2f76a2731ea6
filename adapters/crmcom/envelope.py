"""CRM.COM's envelope, `{"status": {"code", "description", "message"}, "data": …}`: JSON in, data or error out.

Sources: S004; upstream-apis section 2.3. HTTP is 200 for business errors too, so only `status.code` tells.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from adapters.contract import NotFound, Refused, RemoteError, ServerFault, Throttled, UnexpectedReply

SYSTEM = "CRM.COM"
_MOST_SHOWN = 300
_NOT_WORD = re.compile(r"[^A-Z0-9]+")
_BUSY = ("TOOMANYREQUESTS", "RATELIMIT", "THROTTL")
_BROKEN = ("INTERNALSERVER", "INTERNALERROR", "UNAVAILABLE", "TIMEOUT", "DEADLOCK", "OPTIMISTICLOCK")
_ABSENT = ("NOTFOUND", "NOTEXIST", "NOSUCH")
_SIGNED_OUT = ("TOKEN", "SESSION", "AUTHENTICAT", "UNAUTHORI", "NOTLOGGEDIN")
NOTHING_TO_AMEND = "ATLEASTONEOFTHEFIELDSMUSTBEAMENDED"
"""The code of an update that changes nothing (javaclient CRMErrorCodes)."""


class CodedRefusal(Refused):
    """A refusal with its code; the client settles it, so it never leaves this package."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class NoSuchValue(NotFound):
    """CRM.COM itself says that there is no such record; an HTTP 404 may also mean that it lacks the method."""


def code_word(code: object) -> str:
    """The comparable form of a code: its last dotted part, upper case, without `Exception` at the end.

    `COM.CRM.EXCEPTION.X.YEXCEPTION` and `YException` are the same (upstream-apis section 2.3).
    """
    last = str(code).strip().rstrip(".").rpartition(".")[2].upper()
    return _NOT_WORD.sub("", last).removesuffix("EXCEPTION")


def is_signed_out(word: str) -> bool:
    """Whether a code speaks of the token rather than of the request (which codes do is unknown; G)."""
    return any(part in word for part in _SIGNED_OUT)


def is_passing(word: str) -> bool:
    """Whether a code speaks of trouble that passes by itself; which codes do is unknown (G)."""
    return any(part in word for part in (*_BUSY, *_BROKEN))


def data_of(document: Any, expected: Collection[str] = ()) -> Any:
    """What a reply carries; the matching `RemoteError` if it is a failure or nothing known.

    A reply without the envelope (documented so for leads/show) is accepted when it is an object that has one of the
    `expected` keys, or an array of something where keys are expected; so is one whose status is null beside data.
    Errors: `NoSuchValue`, `Throttled`, `ServerFault`, `CodedRefusal`, `UnexpectedReply`.
    """
    if isinstance(document, list) and document and expected:
        return document
    if not isinstance(document, Mapping):
        raise unexpected("an object with status and data", document)
    status = document.get("status")
    code = status.get("code") if isinstance(status, Mapping) else None
    if isinstance(status, Mapping) and isinstance(code, str) and code.strip():
        if code.strip().upper() == "OK":
            return document.get("data")
        raise _failure(code, status)
    if any(key in document for key in expected):
        return document
    if "status" in document and status is None and document.get("data") is not None:
        return document["data"]
    raise unexpected("an object with status and data", document)


def rows_of(data: Any, names: Sequence[str]) -> list[Any]:
    """The rows of a list reply: `data` itself, the array under one of `names`, or the only array in `data`.

    The key is not documented (U); anything else is an `UnexpectedReply`, never an empty list.
    """
    if isinstance(data, list):
        return data
    if isinstance(data, Mapping):
        named = [data[name] for name in names if isinstance(data.get(name), list)]
        arrays = named or [value for value in data.values() if isinstance(value, list)]
        if len(arrays) == 1 or named:
            return list(arrays[0])
    raise unexpected(f"an array, or one under {names[0]}", data)


def object_of(data: Any) -> dict[str, Any]:
    """The single record of a show or create reply; `UnexpectedReply` if it has no usable `id`."""
    if isinstance(data, Mapping) and identity(data):
        return dict(data)
    raise unexpected("an object with an id", data)


def shown(data: Any) -> dict[str, Any]:
    """As `object_of`, for a show reply, which says "there is none" also by an empty data beside OK (G)."""
    if data is None or data in ({}, []):
        raise NoSuchValue(f"{SYSTEM} has no such record: it answered OK without one")
    return object_of(data)


def identity(row: Any) -> str:
    """The `id` of a record as text; "" where it has none."""
    value = row.get("id") if isinstance(row, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def unexpected(expected: str, got: Any) -> UnexpectedReply:
    """The error for a reply nobody understands; names only the shape of what came."""
    shape = f"an object with {len(got)} other keys" if isinstance(got, Mapping) else type(got).__name__
    return UnexpectedReply(f"{SYSTEM}: expected {expected}, got {shape}; its release may answer in another form")


def _failure(code: str, status: Mapping[str, Any]) -> RemoteError:
    word = code_word(code)
    said = [text for text in (status.get("message"), status.get("description")) if isinstance(text, str)]
    text = " ".join(" - ".join(dict.fromkeys(part.strip() for part in said if part.strip())).split())
    detail = f"{SYSTEM} refused with {' '.join(code.split())[:120]}" + (f": {text[:_MOST_SHOWN]}" if text else "")
    if is_signed_out(word):
        return CodedRefusal(word, detail)
    if any(part in word for part in _ABSENT):
        return NoSuchValue(detail)
    if any(part in word for part in _BUSY):
        return Throttled(detail)
    if any(part in word for part in _BROKEN):
        return ServerFault(detail)
    return CodedRefusal(word, detail)
