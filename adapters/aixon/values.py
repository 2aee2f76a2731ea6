"""A CRM's values as Aixon's columns hold them (S002, "Customer Data").

Pure, and forgiving: what cannot be turned into the column's kind is handed on as it is, for `columns` to refuse.
"""

import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import partial
from hashlib import sha256

from adapters.aixon.columns import Kind
from adapters.timestamps import TimestampRefused, read, wall_clock

Converter = Callable[[object], object]

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_HASH = re.compile(r"[0-9a-fA-F]{64}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?")
_SEPARATORS = re.compile(r"[,;]")
_EXACT = 2**53
"""Above it a float no longer holds every integer."""


def converter(kind: Kind, zone: tzinfo) -> Converter:
    """What makes a column's value of whatever its expression found; "" for what is missing.

    `zone` is for date-times without an offset.
    """
    match kind:
        case Kind.UID | Kind.TEXT | Kind.DMP:
            return as_text
        case Kind.HASHES:
            return as_hashes
        case Kind.DEVICES | Kind.LABELS:
            return as_labels
        case Kind.NUMBER:
            return as_number
        case Kind.GOAL:
            return as_goal
        case Kind.TIMESTAMP:
            return partial(as_timestamp, zone=zone)


def as_text(value: object) -> object:
    """Text without control characters or blanks around it; lists joined by ", "; numbers as their digits."""
    if isinstance(value, str):
        return _clean(value)
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        parts = _texts(value)
        return value if parts is None else ", ".join(parts)
    number = as_number(value)
    is_number = not isinstance(value, bool) and isinstance(number, int | float) and math.isfinite(number)
    return str(number) if is_number else value


def as_hashes(value: object) -> object:
    """E-mail addresses, trimmed, lower-cased and hashed each, joined by comma; a hash stays a hash.

    A missing address stays missing: "" is not hashed (C aix).
    """
    parts = _parts(value)
    return value if parts is None else ",".join(map(_hash, parts))


def as_labels(value: object) -> object:
    """Several values joined by comma; a comma inside one of a list becomes a blank, or it would be two (G)."""
    if isinstance(value, list | tuple):
        parts = _texts(value)
        return value if parts is None else ",".join(filter(None, map(_without_commas, parts)))
    text = as_text(value)
    if isinstance(text, str) and "," in text:
        return ",".join(part for piece in text.split(",") if (part := piece.strip()))
    return text


def as_number(value: object) -> object:
    """A number, also of its digits; true and false are 1 and 0 (S002, "Boolean / flag features")."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if _INTEGER.fullmatch(text):
            return int(text)
        value = float(text) if _DECIMAL.fullmatch(text) else text
    elif isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def as_goal(value: object) -> object:
    """1 or 0 of true or false, or of these numbers."""
    number = as_number(value)
    return number if isinstance(number, int) else value if number != "" else ""


def as_timestamp(value: object, zone: tzinfo) -> object:
    """Unix time in whole seconds, of a time or of whatever `adapters.timestamps` reads; fractions are cut."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    try:
        if isinstance(value, datetime):
            at = value if value.tzinfo is not None else wall_clock(value, zone)
        else:
            at = read(value, zone).at
        return math.floor(at.timestamp())
    except TimestampRefused:
        return value


def _clean(text: str) -> str:
    return (text if text.isprintable() else _UNPRINTABLE.sub(" ", text)).strip()


def _without_commas(text: str) -> str:
    return " ".join(text.replace(",", " ").split()) if "," in text else text


def _texts(values: Iterable[object]) -> list[str] | None:
    """Each as text, blanks left out; None if one of them is none."""
    found = []
    for value in values:
        text = as_text(value)
        if not isinstance(text, str):
            return None
        if text:
            found.append(text)
    return found


def _parts(value: object) -> list[str] | None:
    """The addresses in a text or a list of texts, blanks left out; None if there is anything else."""
    if value is None:
        return []
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple):
        return None
    found = []
    for text in texts:
        if not isinstance(text, str | None):
            return None
        found += [part for piece in _SEPARATORS.split(text or "") if (part := piece.strip())]
    return found


def _hash(address: str) -> str:
    if "@" in address:
        return sha256(address.lower().encode("utf-8", "surrogatepass")).hexdigest()
    return address.lower() if _HASH.fullmatch(address) else address
