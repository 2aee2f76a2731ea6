"""What columns and values Aixon's customer data may have (S002, "Customer Data"); one sentence a fault.

Pure: names and values in, faults out. Marks are in NOTES.md.
"""

import math
import re
from collections.abc import Sequence

ID_COLUMNS = ("customuid", "emailsha256", "idfa", "dmpid")
"""customuid is mandatory, the others are optional (S002)."""
GOALS = ("no_visit", "churn", "loyal", "action", "click", "pageview", "conversion", "purchase")
TIMESTAMP_GOALS = ("conversion", "purchase")

_FEATURE = re.compile(r"(?:txt|num|attr)_.+", re.DOTALL)
_GOAL = re.compile(rf"goal_({'|'.join(GOALS)})_(.+)", re.DOTALL)
_DIGITS = re.compile(r"[0-9]{1,18}")
_MOST_FAULTS = 20


def header_faults(header: Sequence[object]) -> list[str]:
    """What is wrong with the column names; empty for a good header."""
    names = [name for name in header if isinstance(name, str)]
    if len(names) != len(header):
        return ["header: every column name must be a string"]
    faults = [f"header: unknown kind of column {name[:60]!r}" for name in names if not _is_known(name)]
    faults += [f"header: column {name[:60]!r} twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if "customuid" not in names:
        faults.append("header: customuid is mandatory")
    return faults[:_MOST_FAULTS]


def row_faults(header: Sequence[str], rows: Sequence[object]) -> list[str]:
    """What is wrong with the rows of a good header; at most 20 sentences, values never in them."""
    faults: list[str] = []
    seen: set[str] = set()
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(header):
            faults.append(f"data[{number}]: expected {len(header)} values")
        else:
            faults += [
                f"data[{number}].{name}: {fault}"
                for name, value in zip(header, row, strict=True)
                if (fault := _value_fault(name, value))
            ]
            uid = str(row[header.index("customuid")])
            if uid in seen:
                faults.append(f"data[{number}].customuid: not unique in this upload")
            seen.add(uid)
        if len(faults) >= _MOST_FAULTS:
            break
    return faults[:_MOST_FAULTS]


def is_missing(value: object) -> bool:
    """S002 says to keep a missing value empty; "" and null are both read so (G)."""
    return value is None or (isinstance(value, str) and not value.strip())


def _is_known(name: str) -> bool:
    goal = _GOAL.fullmatch(name)
    if goal is None:
        return name in ID_COLUMNS or _FEATURE.fullmatch(name) is not None
    return not name.endswith("_timestamp") or goal[1] in TIMESTAMP_GOALS


def _value_fault(name: str, value: object) -> str | None:
    if is_missing(value):
        return "must not be empty" if name == "customuid" else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "expected a string or a number"
    if name == "emailsha256" and "@" in str(value):
        return "expected SHA-256 hashes, not addresses"
    if name.startswith("num_") and not _is_number(value):
        return "expected a number"
    if name.startswith("goal_"):
        return _goal_fault(name, value)
    return None


def _goal_fault(name: str, value: str | int | float) -> str | None:
    text = str(value).strip()
    if name.endswith("_timestamp"):
        return None if _DIGITS.fullmatch(text) else "expected Unix time as an integer, 0 or nothing"
    return None if text in ("0", "1") else "expected 1, 0 or nothing"


def _is_number(value: str | int | float) -> bool:
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False
