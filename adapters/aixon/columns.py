"""What columns and values Aixon's customer data may have (S002, "Customer Data"); one sentence a fault.

Pure: names and values in, faults out. The simulator and the uploading client both ask here. Marks are in NOTES.md.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a column holds, which its name says."""

    UID = "customuid"
    """The customer's id in the CRM: mandatory, and unique."""
    HASHES = "emailsha256"
    """SHA-256 of lower-case e-mail addresses, joined by comma."""
    DEVICES = "idfa"
    """Ids of mobile devices, joined by comma."""
    DMP = "dmpid"
    """The customer's id at a data management platform."""
    TEXT = "txt_"
    NUMBER = "num_"
    LABELS = "attr_"
    """Several values, joined by comma."""
    GOAL = "goal_"
    """1, 0 or empty."""
    TIMESTAMP = "goal_…_timestamp"
    """Unix time as an integer, 0 or empty."""


GOALS = ("no_visit", "churn", "loyal", "action", "click", "pageview", "conversion", "purchase")
TIMESTAMP_GOALS = ("conversion", "purchase")
Rule = Callable[[object], str | None]
"""A value that is not missing in, what is wrong with it out."""

_NAMED = {kind.value: kind for kind in (Kind.UID, Kind.HASHES, Kind.DEVICES, Kind.DMP)}
_FEATURE = re.compile(r"(txt_|num_|attr_)[A-Za-z0-9_]+", re.ASCII)
_GOAL = re.compile(rf"goal_({'|'.join(GOALS)})_([A-Za-z0-9_]+)", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,11}", re.ASCII)
"""Seconds: twelve digits and more would be after the year 5138, so milliseconds in the wrong place."""
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_HASHES = re.compile(r"[0-9a-f]{64}(?:, ?[0-9a-f]{64})*", re.ASCII)
_EXPECTED_NAME = (
    "expected customuid, emailsha256, idfa, dmpid, txt_…, num_…, attr_…, goal_…_… or goal_…_…_timestamp, "
    "in letters, digits and underscores"
)
_MOST_FAULTS = 20


def kind_of(name: str) -> Kind | None:
    """What a column of this name holds; None for a name that S002 does not allow."""
    if name in _NAMED:
        return _NAMED[name]
    if feature := _FEATURE.fullmatch(name):
        return Kind(feature[1])
    goal = _GOAL.fullmatch(name)
    if goal is None or goal[2] == "timestamp":
        return None
    if not name.endswith("_timestamp"):
        return Kind.GOAL
    return Kind.TIMESTAMP if goal[1] in TIMESTAMP_GOALS else None


def name_fault(name: str) -> str | None:
    """What is wrong with a column's name."""
    if kind_of(name) is not None:
        return None
    goal = _GOAL.fullmatch(name)
    if goal and name.endswith("_timestamp") and goal[1] not in TIMESTAMP_GOALS:
        return f"a timestamp goal is one of {', '.join(f'goal_{known}_…_timestamp' for known in TIMESTAMP_GOALS)}"
    if name.startswith("goal_"):
        return f"unknown kind of goal; expected goal_…_… with one of {', '.join(GOALS)}"
    return f"unknown kind of column; {_EXPECTED_NAME}"


def header_faults(header: Sequence[object]) -> list[str]:
    """What is wrong with the column names; empty for a good header."""
    names = [name for name in header if isinstance(name, str)]
    if len(names) != len(header):
        return ["header: every column name must be a string"]
    faults = [f"header: {name[:60]!r}: {fault}" for name in names if (fault := name_fault(name))]
    faults += [f"header: column {name[:60]!r} twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if "customuid" not in names:
        faults.append("header: customuid is mandatory")
    return faults[:_MOST_FAULTS]


def row_faults(header: Sequence[str], rows: Sequence[object]) -> list[str]:
    """What is wrong with the rows of a good header; at most 20 sentences, values never in them."""
    faults: list[str] = []
    seen: set[str] = set()
    kinds = [kind_of(name) for name in header]
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(header):
            faults.append(f"data[{number}]: expected {len(header)} values")
        else:
            faults += [
                f"data[{number}].{name}: {fault}"
                for name, kind, value in zip(header, kinds, row, strict=True)
                if kind is not None and (fault := value_fault(kind, value))
            ]
            uid = str(row[header.index("customuid")]).strip()
            if uid in seen:
                faults.append(f"data[{number}].customuid: not unique in this upload")
            seen.add(uid)
        if len(faults) >= _MOST_FAULTS:
            break
    return faults[:_MOST_FAULTS]


def value_fault(kind: Kind, value: object) -> str | None:
    """What is wrong with a value of such a column; None for a good one, and for a missing one that may be missing."""
    if is_missing(value):
        return "must not be empty" if kind is Kind.UID else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "expected text or a number"
    return RULES[kind](value)


def is_missing(value: object) -> bool:
    """S002 says to keep a missing value empty; "" and null are both read so (G)."""
    return value is None or (isinstance(value, str) and not value.strip())


def _text_fault(value: object) -> str | None:
    return "expected a finite number" if isinstance(value, float) and not math.isfinite(value) else None


def _number_fault(value: object) -> str | None:
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value.strip()) else math.nan
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**64 else "expected a number of at most 64 bits"
    return None if isinstance(value, float) and math.isfinite(value) else "expected a number"


def _hashes_fault(value: object) -> str | None:
    if isinstance(value, str) and _HASHES.fullmatch(value):
        return None
    return "expected e-mail addresses as SHA-256 hashes, 64 hex digits each, joined by comma"


def _goal_fault(value: object) -> str | None:
    return None if str(value).strip() in ("0", "1") else "expected 1, 0 or nothing"


def _timestamp_fault(value: object) -> str | None:
    good = isinstance(value, str | int) and _TIMESTAMP.fullmatch(str(value).strip())
    return None if good else "expected Unix time in seconds as an integer, 0 or nothing"


RULES: Mapping[Kind, Rule] = MappingProxyType(
    {
        Kind.UID: _text_fault,
        Kind.HASHES: _hashes_fault,
        Kind.DEVICES: _text_fault,
        Kind.DMP: _text_fault,
        Kind.TEXT: _text_fault,
        Kind.NUMBER: _number_fault,
        Kind.LABELS: _text_fault,
        Kind.GOAL: _goal_fault,
        Kind.TIMESTAMP: _timestamp_fault,
    }
)
