"""Request bodies: bytes in, JSON value out, or the reason why not."""

from typing import Any

import msgspec

MAX_DEPTH = 64


class NotJson(ValueError):
    """The body is not JSON, not UTF-8, or nested too deep; the message is for the caller."""


def parse_json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8; `NotJson` otherwise. NaN, Infinity and trailing text are no JSON."""
    try:
        value = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise NotJson(f"the body is nested deeper than {MAX_DEPTH} levels") from None
    except UnicodeDecodeError:
        raise NotJson("the body is not UTF-8") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise NotJson(_reason(body, error)) from None
    # with fewer brackets than that it cannot be
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise NotJson(f"the body is nested deeper than {MAX_DEPTH} levels")
    return value


def _reason(body: bytes, error: Exception) -> str:
    if not body.strip():
        return "the body is empty; expected a JSON object"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "the body is not UTF-8"
    return f"the body is not JSON ({str(error)[:200]})"


def _deeper_than(value: Any, limit: int) -> bool:
    layer = [value]
    for _level in range(limit):
        below: list[Any] = []
        for item in layer:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        layer = [item for item in below if isinstance(item, dict | list)]
        if not layer:
            return False
    return True
